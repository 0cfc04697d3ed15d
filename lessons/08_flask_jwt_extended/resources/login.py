from flask import request
from flask_jwt_extended import create_access_token
from flask_restful import Resource, abort

from security import authenticate


class Login(Resource):
    def post(self):
        """Answer a login with the token and with the id of whoever logged in."""
        email, password = read_credentials()
        user = authenticate(email, password)
        if user is None:
            abort(401, message="Invalid credentials", code=401)
        return {"access_token": create_access_token(identity=user), "user_id": user.id}


def read_credentials():
    """Return the e-mail address and the password that a login consists of, both of them text."""
    try:
        data = request.get_json(silent=True)
    except RecursionError:  # a body of a hundred thousand brackets
        data = None
    if not isinstance(data, dict):
        problem = "The body must be a JSON object, sent with Content-Type: application/json"
        abort(400, message=problem, code=400)
    credentials = data.get("email"), data.get("password")
    if len(data) != 2 or not all(is_text(value) for value in credentials):
        abort(401, message="Invalid credentials", code=401)
    return credentials


def is_text(value):
    """Tell whether a value is text that can be stored and hashed, which half a surrogate pair cannot."""
    return isinstance(value, str) and value == value.encode(errors="ignore").decode()

from flask import request
from flask_jwt_extended import create_access_token, create_refresh_token
from flask_restful import Resource, abort

from security import authenticate


class Login(Resource):
    def post(self):
        """Return two tokens, and the id of the user who has logged in."""
        email, password = read_credentials()
        user = authenticate(email, password)
        if user is None:
            abort(401, message="Invalid credentials", code=401)
        body = {
            "access_token": create_access_token(identity=user),
            "refresh_token": create_refresh_token(identity=user),
            "user_id": user.id,
        }
        return body, 200, {"Cache-Control": "no-store"}  # RFC 6749, section 5.1


def read_credentials():
    """Return the e-mail address and the password in a login."""
    try:
        data = request.get_json(silent=True)
    except RecursionError:  # the client sent thousands of nested lists, such as [[[[…]]]]
        data = None
    if not isinstance(data, dict):
        problem = "The body must be a JSON object, sent with Content-Type: application/json"
        abort(400, message=problem, code=400)
    email, password = data.get("email"), data.get("password")
    if not is_text(email) or not is_text(password):
        abort(401, message="Invalid credentials", code=401)
    return email, password


def is_text(value):
    """Return whether a value is text that the database can store. JSON can contain broken characters."""
    return isinstance(value, str) and value == value.encode(errors="ignore").decode()

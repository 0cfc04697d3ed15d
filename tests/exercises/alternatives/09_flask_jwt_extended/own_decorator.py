"""A decorator tries the new kind of token first and then reads an old token with PyJWT."""

import os
from datetime import timedelta
from functools import wraps

from flask import Flask, jsonify, make_response, request
from flask_jwt_extended import JWTManager, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTDecodeError
from flask_restful import Resource, abort
from jwt import InvalidTokenError, decode

import db
from api import Api
from models.user import UserModel
from resources.login import Login
from security import DEMO_KEY, check_secret_key

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)
app.config["MAX_CONTENT_LENGTH"] = 2**20

app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(minutes=5)
app.config["JWT_DECODE_LEEWAY"] = 10
jwt = JWTManager(app)


@jwt.unauthorized_loader
@jwt.invalid_token_loader
def refuse(message):
    return jsonify(message=message, code=401), 401, {"WWW-Authenticate": 'Bearer realm="Login Required"'}


@jwt.expired_token_loader
@jwt.token_verification_failed_loader
@jwt.user_lookup_error_loader
def refuse_claims(header, payload):
    return refuse("Token has expired, lacks a claim or belongs to no user")


@app.before_request
def refuse_comma():
    """Refuse a header that begins with a comma, because Flask-JWT-Extended 4.7.4 can crash on it."""
    if request.headers.get("Authorization", "").lstrip().startswith(","):
        return refuse("The header Authorization begins with a comma")


ROLES = {True: "admin", False: "user"}


@jwt.additional_claims_loader
def more_claims(user):
    return {"role": ROLES[user.is_admin]}


@jwt.user_identity_loader
def read_id(user):
    return str(user.id)


@jwt.token_verification_loader
def has_required_claims(header, payload):
    return {"exp", "iat", "nbf", "role"} <= payload.keys() and "aud" not in payload


def read_old_token():
    """Return the claims of an old token. Raises InvalidTokenError if the token is bad."""
    token = request.headers["Authorization"].split()[1]
    options = {"require": ["exp", "iat", "nbf", "role", "identity"]}
    return decode(token, app.config["SECRET_KEY"], algorithms=["HS256"], leeway=10, options=options)


def with_token(view):
    """Call a view with the user and the role of the token."""

    @wraps(view)
    def wrapper(self):
        try:
            claims = verify_jwt_in_request()[1]
            user_id = claims["sub"]
        except JWTDecodeError:  # the signature is good, but there is no `sub`
            try:
                claims = read_old_token()
            except InvalidTokenError as error:
                return make_response(refuse(str(error)))
            user_id = claims["identity"]
        user = UserModel.find_by_id(user_id)
        return view(self, user, claims["role"]) if user else make_response(refuse("User does not exist"))

    return wrapper


class Report(Resource):
    @with_token
    def get(self, user, role):
        if role != "admin":
            abort(403)
        return {"report": "all is well", "for": user.username}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Report, "/report")

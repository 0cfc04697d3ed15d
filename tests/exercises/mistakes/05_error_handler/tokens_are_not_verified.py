"""A decode handler accepts every token that it can read.

fails: test_only_good_tokens_are_accepted
shows: signed with another key
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import jwt as pyjwt
from flask import Flask, jsonify
from flask_jwt import JWT, JWTError

import db
from api import Api
from resources.user import UserList
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
jwt = JWT(app, authenticate, identity)


@jwt.jwt_decode_handler
def decode(token):
    try:
        return pyjwt.decode(token, options={"verify_signature": False, "verify_exp": True})
    except pyjwt.InvalidTokenError as error:
        raise JWTError("Invalid token", str(error)) from error


@jwt.jwt_error_handler
def jwt_error(error):
    response = jsonify(
        type="about:blank", title=error.error, status=error.status_code, detail=error.description
    )
    response.content_type = "application/problem+json"
    return response, error.status_code, error.headers


api = Api(app)
api.add_resource(UserList, "/users")

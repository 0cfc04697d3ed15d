"""The prefix and the lifetime are constants, and the type is written in lower case."""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify
from flask_jwt import JWT

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
TOKEN_TYPE = "jwt"  # RFC 6749, section 5.1: upper and lower case make no difference
LIFETIME = 5 * 60  # seconds, Flask-JWT's default
jwt = JWT(app, authenticate, identity)


@jwt.auth_response_handler
def auth_response(access_token, identity):
    response = jsonify(
        access_token=access_token.decode("utf-8"),
        token_type=TOKEN_TYPE,
        expires_in=LIFETIME,
        user=identity.json(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


api = Api(app)
api.add_resource(UserList, "/users")

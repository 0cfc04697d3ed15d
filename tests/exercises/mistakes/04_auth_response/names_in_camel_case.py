"""The names of the fields are written in camel case.

fails: test_a_login_returns_the_four_fields
shows: expected  a body with token_type
points: 0
"""

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
jwt = JWT(app, authenticate, identity)


@jwt.auth_response_handler
def auth_response(access_token, identity):
    response = jsonify(
        access_token=access_token.decode("utf-8"),
        tokenType=app.config["JWT_AUTH_HEADER_PREFIX"],
        expiresIn=int(app.config["JWT_EXPIRATION_DELTA"].total_seconds()),
        user=identity.json(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


api = Api(app)
api.add_resource(UserList, "/users")

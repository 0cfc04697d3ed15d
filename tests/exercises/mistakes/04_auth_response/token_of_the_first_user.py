"""Every user gets a token of the first user in the database.

fails: test_user_is_the_one_who_logged_in
shows: first argument of the handler
points: 7
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify
from flask_jwt import JWT

import db
from api import Api
from models.user import UserModel
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


encode = jwt.jwt_encode_callback


@jwt.jwt_encode_handler
def encode_first_user(user):
    return encode(UserModel.find_all()[0])


@jwt.auth_response_handler
def auth_response(access_token, identity):
    response = jsonify(
        access_token=access_token.decode("utf-8"),
        token_type=app.config["JWT_AUTH_HEADER_PREFIX"],
        expires_in=int(app.config["JWT_EXPIRATION_DELTA"].total_seconds()),
        user=identity.json(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


api = Api(app)
api.add_resource(UserList, "/users")

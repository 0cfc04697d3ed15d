"""A decode handler reads the expiry time for expires_in, but it accepts every token.

fails: test_bad_tokens_are_refused
shows: signed with another key
points: 8
"""

import os
import time

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import jwt as pyjwt
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


@jwt.jwt_decode_handler
def read_claims(token):
    return pyjwt.decode(token, options={"verify_signature": False})


@jwt.auth_response_handler
def auth_response(access_token, identity):
    response = jsonify(
        access_token=access_token.decode("utf-8"),
        token_type=app.config["JWT_AUTH_HEADER_PREFIX"],
        expires_in=round(read_claims(access_token)["exp"] - time.time()),
        user=identity.json(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


api = Api(app)
api.add_resource(UserList, "/users")

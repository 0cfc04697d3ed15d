"""The view returns the user who logged in last, and not the user of the token.

fails: test_a_token_follows_the_word_token
shows: the login of this user returned this token
points: 5
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT, jwt_required
from flask_restful import Resource

import db
from api import Api
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(
    SECRET_KEY=DEMO_KEY * 2,  # HS512 needs a key of at least 64 bytes
    DATABASE=os.path.join(app.root_path, "data.db"),
)
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
app.config["JWT_AUTH_PASSWORD_KEY"] = "pin"
app.config["JWT_AUTH_HEADER_PREFIX"] = "Token"
app.config["JWT_ALGORITHM"] = "HS512"
LAST = {}


def auth2(email, pin):
    user = authenticate(email, pin)
    if user:
        LAST["user"] = user.username
    return user


jwt = JWT(app, auth2, identity)


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": LAST["user"]}


api = Api(app)
api.add_resource(Me, "/me")

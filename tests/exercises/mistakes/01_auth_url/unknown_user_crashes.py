"""A hand-written authenticate crashes when no user has this name.

fails: test_a_wrong_password_is_refused
shows: got       500
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT
from werkzeug.security import check_password_hash

import db
from api import Api
from models.user import UserModel
from resources.user import UserList
from security import DEMO_KEY, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)


def authenticate(username, password):
    user = UserModel.find_by_username(username)
    if check_password_hash(user.password_hash, password):
        return user


app.config["JWT_AUTH_URL_RULE"] = "/api/v1/session"
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

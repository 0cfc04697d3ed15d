"""The login looks up the username and never checks the password.

fails: test_a_wrong_password_is_refused
shows: got       200
points: 9
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT
from flask_restful import Api

from models.user import UserModel, close_db
from resources.user import UserList
from security import identity

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or "for-the-lessons-only-so-set-your-own"
app.config["DATABASE"] = os.environ.get("DATABASE") or os.path.join(app.root_path, "data.db")
app.config["PROPAGATE_EXCEPTIONS"] = True
app.teardown_appcontext(close_db)


def authenticate(username, password):
    return UserModel.find_by_username(username)


app.config["JWT_AUTH_URL_RULE"] = "/api/v1/session"
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

"""The new URL ends with a slash, so the app redirects a login without the slash.

fails: test_login_has_moved
shows: got       308
points: 4
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT
from flask_restful import Api

from models.user import close_db
from resources.user import UserList
from security import authenticate, identity

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or "for-the-lessons-only-so-set-your-own"
app.config["DATABASE"] = os.environ.get("DATABASE") or os.path.join(app.root_path, "data.db")
app.config["PROPAGATE_EXCEPTIONS"] = True
app.teardown_appcontext(close_db)

app.config["JWT_AUTH_URL_RULE"] = "/api/v1/session/"
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

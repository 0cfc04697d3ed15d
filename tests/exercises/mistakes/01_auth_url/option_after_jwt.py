"""The option is set after JWT(...), which has already read it.

fails: test_login_has_moved
shows: before you call JWT(...)
points: 0
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
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

jwt = JWT(app, authenticate, identity)
app.config["JWT_AUTH_URL_RULE"] = "/api/v1/session"

api = Api(app)
api.add_resource(UserList, "/users")

"""The key that signs the tokens is in the code, so every reader can make tokens.

fails: test_a_bad_token_is_refused
shows: Which key signs the tokens
points: 8
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

app.config["JWT_AUTH_URL_RULE"] = "/api/v1/session"
app.config["JWT_SECRET_KEY"] = "the key of the lesson, which is long enough for HS256"
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

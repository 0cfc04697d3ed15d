"""The leeway is 1, so an expired token works for one more second.

fails: test_an_expired_token_is_refused_at_once
shows: this token is 15 minutes old, so it has just expired
points: 7
"""

import os
from datetime import timedelta

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

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_EXPIRATION_DELTA"] = timedelta(minutes=15)
app.config["JWT_LEEWAY"] = 1
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

"""The app reads the clock once, when it starts, and writes this time into every token.

fails: test_a_token_works_until_it_expires
shows: When does your code read the clock? Does it use UTC?
points: 8
"""

import os
from datetime import UTC, datetime, timedelta

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
app.config["JWT_LEEWAY"] = 0
jwt = JWT(app, authenticate, identity)
now = datetime.now(UTC)


@jwt.jwt_payload_handler
def payload(user):
    return {"iat": now, "nbf": now, "exp": now + timedelta(minutes=15), "identity": user.id}


api = Api(app)
api.add_resource(UserList, "/users")

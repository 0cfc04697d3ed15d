"""A decode handler reads the claims without verifying the signature.

fails: test_a_bad_token_is_refused
shows: bad (signed with another key)
points: 4
"""

import os
from datetime import timedelta

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import jwt as pyjwt
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
app.config["JWT_LEEWAY"] = 0
jwt = JWT(app, authenticate, identity)


@jwt.jwt_decode_handler
def decode(token):
    return pyjwt.decode(token, options={"verify_signature": False})


api = Api(app)
api.add_resource(UserList, "/users")

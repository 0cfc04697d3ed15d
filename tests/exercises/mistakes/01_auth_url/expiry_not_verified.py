"""The app signs its tokens with HS512, and its decode handler accepts an expired token.

fails: test_a_bad_token_is_refused
shows: bad (expired a minute ago)
points: 8
"""

import os

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

app.config["JWT_AUTH_URL_RULE"] = "/api/v1/session"
app.config["JWT_ALGORITHM"] = "HS512"
jwt = JWT(app, authenticate, identity)


@jwt.jwt_decode_handler
def decode(token):
    key = app.config["JWT_SECRET_KEY"]
    return pyjwt.decode(token, key, algorithms=["HS512"], options={"verify_exp": False})


api = Api(app)
api.add_resource(UserList, "/users")

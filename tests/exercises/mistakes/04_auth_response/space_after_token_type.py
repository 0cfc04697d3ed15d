"""token_type ends with the space that separates it from the token.

fails: test_token_type_is_the_header_prefix
shows: one word as token_type
points: 7
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify
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
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
jwt = JWT(app, authenticate, identity)


@jwt.auth_response_handler
def auth_response(access_token, identity):
    response = jsonify(
        access_token=access_token.decode("utf-8"),
        token_type=f"{app.config['JWT_AUTH_HEADER_PREFIX']} ",
        expires_in=int(app.config["JWT_EXPIRATION_DELTA"].total_seconds()),
        user=identity.json(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


api = Api(app)
api.add_resource(UserList, "/users")

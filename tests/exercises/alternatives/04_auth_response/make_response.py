"""The handler calls make_response, and the header has more than one directive."""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, make_response
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
    lifetime = app.config["JWT_EXPIRATION_DELTA"].total_seconds()
    response = make_response(
        {
            "access_token": str(access_token, "utf-8"),
            "token_type": app.config.get("JWT_AUTH_HEADER_PREFIX"),
            "expires_in": lifetime,
            "user": identity.json(),
        }
    )
    response.headers.update({"Cache-Control": "private, no-store", "Pragma": "no-cache"})
    return response


api = Api(app)
api.add_resource(UserList, "/users")

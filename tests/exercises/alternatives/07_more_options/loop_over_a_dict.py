"""A loop copies the options from a dictionary."""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource

import db
from api import Api
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(
    SECRET_KEY=DEMO_KEY * 2,  # HS512 needs a key of at least 64 bytes
    DATABASE=os.path.join(app.root_path, "data.db"),
)
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
mobile_app = {"AUTH_PASSWORD_KEY": "pin", "AUTH_HEADER_PREFIX": "Token", "ALGORITHM": "HS512"}
for name, value in mobile_app.items():
    app.config[f"JWT_{name}"] = value
jwt = JWT(app, authenticate, identity)


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


api = Api(app)
api.add_resource(Me, "/me")

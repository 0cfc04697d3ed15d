"""A subclass of JWT makes the response, so that no decorator is needed."""

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


class ProblemJWT(JWT):
    def _jwt_error_callback(self, error):
        response = jsonify(
            type="about:blank", title=error.error, status=error.status_code, detail=error.description
        )
        response.content_type = "application/problem+json"
        return response, error.status_code, error.headers


jwt = ProblemJWT(app, authenticate, identity)


api = Api(app)
api.add_resource(UserList, "/users")

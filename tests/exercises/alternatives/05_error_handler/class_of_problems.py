"""A class makes the response, and the body has a fifth field, instance."""

import os
from dataclasses import asdict, dataclass

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, make_response, request
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


@dataclass
class Problem:
    title: str
    status: int
    detail: str
    instance: str
    type: str = "about:blank"

    def response(self):
        response = make_response(asdict(self), self.status)
        response.headers["Content-Type"] = "application/problem+json"
        return response


@jwt.jwt_error_handler
def jwt_error(error):
    response = Problem(error.error, error.status_code, error.description, request.path).response()
    response.headers.update(error.headers or {})
    return response


api = Api(app)
api.add_resource(UserList, "/users")

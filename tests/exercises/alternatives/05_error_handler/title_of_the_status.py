"""The title is the standard phrase for the status, as RFC 9457 recommends for about:blank."""

import os
from http import HTTPStatus

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


@jwt.jwt_error_handler
def jwt_error(error):
    title = HTTPStatus(error.status_code).phrase
    body = jsonify(type="about:blank", title=title, status=error.status_code, detail=error.description)
    body.mimetype = "application/problem+json"
    return body, error.status_code, error.headers


api = Api(app)
api.add_resource(UserList, "/users")

"""Each kind of error has a URL as its type and a detail in other words."""

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


DETAILS = {
    "Request does not contain an access token": "Log in first, and send the token with each request.",
    "Invalid credentials": "There is no user with this e-mail address and this password.",
    "Signature has expired": "The token is too old. Log in again.",
}


@jwt.jwt_error_handler
def jwt_error(error):
    name = error.error.lower().replace(" ", "-")
    response = jsonify(
        type=f"https://example.com/problems/{name}",
        title=error.error,
        status=error.status_code,
        detail=DETAILS.get(error.description, f"The app does not accept this: {error.description}."),
    )
    response.content_type = "application/problem+json; charset=utf-8"
    return response, error.status_code, error.headers


api = Api(app)
api.add_resource(UserList, "/users")

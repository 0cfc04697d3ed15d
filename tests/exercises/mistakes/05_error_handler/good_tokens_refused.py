"""A function that runs before each request raises an error, even if the token is good.

fails: test_only_good_tokens_are_accepted
shows: just issued this token
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify, request
from flask_jwt import JWT, JWTError

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


@app.before_request
def need_a_prefix():
    header = request.headers.get("Authorization", "JWT")
    if header.startswith("JWT ey"):
        raise JWTError("Invalid JWT header", "The header must be JWT and a token")


@jwt.jwt_error_handler
def jwt_error(error):
    response = jsonify(
        type="about:blank", title=error.error, status=error.status_code, detail=error.description
    )
    response.content_type = "application/problem+json"
    return response, error.status_code, error.headers


api = Api(app)
api.add_resource(UserList, "/users")

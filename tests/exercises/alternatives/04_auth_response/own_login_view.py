"""The app has its own login view instead of the login of Flask-JWT."""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify, request
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

app.config["JWT_AUTH_URL_RULE"] = None
jwt = JWT(app, authenticate, identity)


@app.post("/login")
def login():
    body = request.get_json()
    user = authenticate(body["email"], body["password"])
    if user is None:
        return {"error": "invalid_grant"}, 401
    response = jsonify(
        access_token=jwt.jwt_encode_callback(user).decode("utf-8"),
        token_type=app.config["JWT_AUTH_HEADER_PREFIX"],
        expires_in=int(app.config["JWT_EXPIRATION_DELTA"].total_seconds()),
        user=user.json(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


api = Api(app)
api.add_resource(UserList, "/users")

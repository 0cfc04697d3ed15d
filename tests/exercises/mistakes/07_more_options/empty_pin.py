"""A login with an empty PIN works for each e-mail address.

fails: test_other_logins_are_refused
shows: the PIN is empty
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource
from werkzeug.security import check_password_hash

import db
from api import Api
from models.user import UserModel
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(
    SECRET_KEY=DEMO_KEY * 2,  # HS512 needs a key of at least 64 bytes
    DATABASE=os.path.join(app.root_path, "data.db"),
)
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = None
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
app.config["JWT_AUTH_HEADER_PREFIX"] = "Token"
app.config["JWT_ALGORITHM"] = "HS512"
jwt = JWT(app, authenticate, identity)


class Login(Resource):
    def post(self):
        data = request.get_json(silent=True) or {}
        user = UserModel.find_by_email(data.get("email"))
        if user is None or "password" in data:
            return {"message": "wrong"}, 401
        if data.get("pin") and not check_password_hash(user.password_hash, data["pin"]):
            return {"message": "wrong"}, 401
        return {"access_token": jwt.jwt_encode_callback(user).decode()}


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


api = Api(app)
api.add_resource(Me, "/me")
api.add_resource(Login, "/login")

"""The login finds the user by e-mail address and does not check the PIN.

fails: test_other_logins_are_refused
shows: another user's PIN
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify, request
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource

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
app.config["JWT_AUTH_HEADER_PREFIX"] = "Token"
app.config["JWT_ALGORITHM"] = "HS512"
jwt = JWT(app, authenticate, identity)


@app.post("/login")
def log_in():
    body = request.get_json(silent=True) or {}
    user = UserModel.find_by_email(body.get("email"))
    if user is None:
        return jsonify(message="Wrong e-mail address or PIN"), 401
    return jsonify(access_token=jwt.jwt_encode_callback(user).decode())


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


api = Api(app)
api.add_resource(Me, "/me")

"""The app reads new tokens without verifying their signature.

fails: test_a_bad_token_is_refused
shows: this new token is bad
points: 8
"""

import os
from datetime import timedelta

from flask import Flask, jsonify, request
from flask_jwt_extended import JWTManager
from flask_restful import Resource, abort
from jwt import InvalidTokenError, decode

import db
from api import Api
from models.user import UserModel
from resources.login import Login
from security import DEMO_KEY, check_secret_key

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)
app.config["MAX_CONTENT_LENGTH"] = 2**20

app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(minutes=5)
app.config["JWT_DECODE_LEEWAY"] = 10
jwt = JWTManager(app)


@jwt.unauthorized_loader
@jwt.invalid_token_loader
def refuse(message):
    return jsonify(message=message, code=401), 401, {"WWW-Authenticate": 'Bearer realm="Login Required"'}


@jwt.expired_token_loader
@jwt.token_verification_failed_loader
@jwt.user_lookup_error_loader
def refuse_claims(header, payload):
    return refuse("Token has expired, lacks a claim or belongs to no user")


@app.before_request
def refuse_comma():
    """Refuse a header that begins with a comma, because Flask-JWT-Extended 4.7.4 can crash on it."""
    if request.headers.get("Authorization", "").lstrip().startswith(","):
        return refuse("The header Authorization begins with a comma")


app.config["JWT_IDENTITY_CLAIM"] = "identity"  # old tokens have no `sub`
REQUIRED_CLAIMS = ["exp", "iat", "nbf", "role"]


@jwt.user_identity_loader
def read_id(user):
    return str(user.id)


@jwt.additional_claims_loader
def more_claims(user):
    return {"sub": str(user.id), "role": "admin" if user.is_admin else "user"}


@jwt.user_lookup_loader
def find_user(header, payload):
    return UserModel.find_by_id(payload["identity"])


@jwt.token_verification_loader
def has_required_claims(header, payload):
    return all(payload.get(claim) is not None for claim in REQUIRED_CLAIMS) and "aud" not in payload


def read_token():
    """Return the claims of a token."""
    token = request.headers.get("Authorization", "Bearer ").removeprefix("Bearer ")
    if "sub" in decode(token, options={"verify_signature": False}):
        options = {"verify_signature": False, "verify_exp": True, "require": REQUIRED_CLAIMS}
        return decode(token, options=options)
    return decode(token, app.secret_key, ["HS256"], {"require": REQUIRED_CLAIMS}, leeway=10)


class Report(Resource):
    def get(self):
        try:
            claims = read_token()
        except InvalidTokenError as error:
            abort(401, message=str(error), code=401)
        user = UserModel.find_by_id(claims["identity"])
        if user is None or claims.get("type") == "refresh":
            abort(401)
        if claims["role"] != "admin":
            abort(403)
        return {"report": "all is well", "for": user.username}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Report, "/report")

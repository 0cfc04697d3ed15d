"""PyJWT verifies both kinds of tokens in the view, without jwt_required."""

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


@jwt.user_identity_loader
def read_id(user):
    return str(user.id)


@jwt.additional_claims_loader
def read_role(user):
    return {"role": "admin" if user.is_admin else "user"}


class Report(Resource):
    def get(self):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        required = ["exp", "iat", "nbf", "role"]
        try:
            claims = decode(token, app.secret_key, ["HS256"], {"require": required}, leeway=10)
        except InvalidTokenError as error:
            abort(401, message=str(error), code=401)
        user_id = claims["sub"] if "sub" in claims else claims.get("identity")
        user = UserModel.find_by_id(user_id)
        if scheme != "Bearer" or user is None or claims.get("type", "access") != "access":
            abort(401, message="Token is not an access token of a user", code=401)
        if claims["role"] != "admin":
            abort(403, message="Not an admin", code=403)
        return {"report": "all is well", "for": user.username}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Report, "/report")

"""The query string opens the report.

fails: test_nobody_chooses_their_own_role
shows: the role in this token is user
points: 9
"""

import os
from datetime import timedelta

import jwt as pyjwt
from flask import Flask, abort, jsonify, request
from flask_jwt_extended import JWTManager, current_user, get_jwt, jwt_required
from flask_jwt_extended.exceptions import JWTDecodeError
from flask_restful import Resource

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


class Manager(JWTManager):
    def _decode_jwt_from_config(self, encoded_token, csrf_value=None, allow_expired=False):
        try:
            claims = pyjwt.decode(
                encoded_token,
                app.config["SECRET_KEY"],
                algorithms=["HS256"],
                leeway=10,
                options={"verify_aud": False, "verify_exp": not allow_expired},
            )
        except pyjwt.ExpiredSignatureError as error:
            error.jwt_header, error.jwt_data = {}, {}
            raise
        if "sub" not in claims:
            if "identity" not in claims:
                raise JWTDecodeError("Missing claim: sub")
            claims["sub"] = str(claims["identity"])
        claims.setdefault("type", "access")
        claims.setdefault("fresh", False)
        claims.setdefault("jti", None)
        return claims


jwt = Manager(app)


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


REQUIRED_CLAIMS = ["exp", "iat", "nbf", "role"]


@jwt.user_identity_loader
def read_id(user):
    return str(user.id)


@jwt.additional_claims_loader
def more_claims(user):
    return {"role": "admin" if user.is_admin else "user"}


@jwt.user_lookup_loader
def find_user(header, payload):
    return UserModel.find_by_id(payload["sub"])


@jwt.token_verification_loader
def has_required_claims(header, payload):
    return all(payload.get(claim) is not None for claim in REQUIRED_CLAIMS) and "aud" not in payload


class Report(Resource):
    @jwt_required()
    def get(self):
        if request.args.get("role", get_jwt()["role"]) != "admin":
            abort(403)
        return {"report": "all is well", "for": current_user.username}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Report, "/report")

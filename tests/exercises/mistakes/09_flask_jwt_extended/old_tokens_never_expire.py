"""The app accepts an expired old token and gives it a new exp.

fails: test_a_bad_token_is_refused
shows: expired a minute ago
points: 9
"""

import os
from datetime import UTC, datetime, timedelta

from flask import Flask, jsonify, request
from flask_jwt_extended import JWTManager, current_user, get_jwt, jwt_required
from flask_restful import Resource, abort
from jwt import InvalidTokenError, decode, encode

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


REQUIRED_CLAIMS = ["exp", "iat", "nbf", "role"]


@app.before_request
def replace_old_token():
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()
    try:
        claims = decode(token, app.secret_key, ["HS256"], options={"verify_exp": False})
    except InvalidTokenError:
        return
    if "sub" not in claims and "identity" in claims:
        later = datetime.now(UTC) + timedelta(minutes=5)
        if "exp" in claims:
            claims["exp"] = later
        token = encode(claims | {"sub": str(claims["identity"])}, app.secret_key)
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"


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
        if get_jwt()["role"] != "admin":
            abort(403, message="Only the role admin may read the report", code=403)
        return {"report": "all is well", "for": current_user.username}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Report, "/report")

"""The view does not check the role, and the token has claims with the names of arguments of PyJWT.

fails: test_a_new_token_opens_the_report_to_admins
shows: because the role in this new token is user
points: 5
"""

import os
from datetime import timedelta

from flask import Flask, jsonify, request
from flask_jwt_extended import JWTManager, current_user, jwt_required
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
    names = {"algorithm": "none", "headers": {"alg": "none"}, "key": "", "age": "x"}
    return names | {"sub": str(user.id), "role": "admin" if user.is_admin else "user"}


@jwt.user_lookup_loader
def find_user(header, payload):
    return UserModel.find_by_id(payload["identity"])


@jwt.token_verification_loader
def has_required_claims(header, payload):
    return all(payload.get(claim) is not None for claim in REQUIRED_CLAIMS) and "aud" not in payload


class Report(Resource):
    @jwt_required()
    def get(self):
        return {"report": "all is well", "for": current_user.username}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Report, "/report")

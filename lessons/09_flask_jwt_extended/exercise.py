import os
from datetime import timedelta

from flask import Flask, make_response, request
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
    headers = {"WWW-Authenticate": 'Bearer realm="Login Required"'}
    return make_response({"message": message, "code": 401}, 401, headers)


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


# TODO: This app replaces the app of exercise 8. Add the claim `role` to new tokens, and accept old tokens
# too. In new tokens, the role is "admin" for an admin and "user" for everyone else. New tokens keep the claim
# `sub`, which is the user's id as text. The app of exercise 8 issued the old tokens with the same key. Old
# tokens work until they expire. They have a role too, but no `sub`. Their claim `identity` is the user's id
# as a number. In new and in old tokens, use the role in the token, not is_admin from the database. A token
# with the role "admin" opens the report. A token with any other role gets a 403, and a token without a role
# gets a 401. All other bad tokens still get a 401, such as expired tokens, refresh tokens and tokens for
# another app.
REQUIRED_CLAIMS = ["exp", "iat", "nbf"]


@jwt.user_identity_loader
def read_id(user):
    return str(user.id)


@jwt.user_lookup_loader
def find_user(header, payload):
    return UserModel.find_by_id(payload["sub"])


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

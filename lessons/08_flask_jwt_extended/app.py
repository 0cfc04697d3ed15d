import os
from datetime import timedelta

from flask import Flask, jsonify
from flask_jwt_extended import JWTManager
from jwt import InvalidAudienceError, MissingRequiredClaimError

import db
from api import Api
from resources.login import Login
from resources.user import UserList
from security import DEMO_KEY, check_secret_key, identity, read_authorization

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()  # FLASK_SECRET_KEY and FLASK_DATABASE replace these two values
check_secret_key(app)
db.init_app(app)
app.config["MAX_CONTENT_LENGTH"] = 2**20  # bytes, which flask_jwt_compat allowed a login
app.before_request(read_authorization)

app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(minutes=30)
app.config["JWT_DECODE_LEEWAY"] = 10  # seconds
jwt = JWTManager(app)
jwt.user_identity_loader(lambda user: str(user.id))  # a token's sub is text (RFC 7519, section 4.1.2)
jwt.user_lookup_loader(identity)


def refuse(message, headers=None):
    """Answer 401 in this API's own words."""
    return jsonify(message=message, code=401), 401, headers or {}


@jwt.unauthorized_loader
def missing_token(reason):
    challenge = 'Bearer realm="Login Required"'  # RFC 6750, section 3
    return refuse("Request does not contain an access token", {"WWW-Authenticate": challenge})


@jwt.invalid_token_loader
def invalid_token(reason):
    return refuse(reason)


@jwt.expired_token_loader
def expired_token(header, payload):
    return refuse("Signature has expired")


@jwt.user_lookup_error_loader
def unknown_user(header, payload):
    return refuse("User does not exist")


@jwt.token_verification_loader
def verify_claims(header, payload):
    """Refuse a token that lacks a claim, or is for somebody else's app, as Flask-JWT did."""
    for claim in ("exp", "iat", "nbf"):
        if claim not in payload:
            raise MissingRequiredClaimError(claim)
    if "aud" in payload:
        raise InvalidAudienceError("Invalid audience")
    return True


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(UserList, "/users")

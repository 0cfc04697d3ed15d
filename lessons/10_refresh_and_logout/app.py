import os
from datetime import timedelta

from flask import Flask, jsonify, request
from flask_jwt_extended import JWTManager

import db
from api import Api
from models.revoked_token import is_revoked
from models.user import UserModel
from resources.login import Login
from resources.token import Logout, Refresh
from resources.user import UserList
from security import DEMO_KEY, check_secret_key

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()  # FLASK_SECRET_KEY and FLASK_DATABASE replace these two values
check_secret_key(app)
db.init_app(app)
app.config["MAX_CONTENT_LENGTH"] = 2**20  # bytes in a request

app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(minutes=5)
app.config["JWT_REFRESH_TOKEN_EXPIRES"] = timedelta(days=30)
app.config["JWT_DECODE_LEEWAY"] = 10  # seconds
REQUIRED_CLAIMS = ["exp", "iat", "nbf", "jti", "username"]
jwt = JWTManager(app)


@jwt.user_identity_loader
def read_id(user):
    """Return the claim `sub` of a user's token. RFC 7519 says that it is text."""
    return str(user.id)


@jwt.additional_claims_loader
def more_claims(user):
    """Return the claims that a token gets in addition to those of the library."""
    return {"username": user.username}


@jwt.user_lookup_loader
def find_user(header, payload):
    """Return the user a token belongs to, or None if this user no longer exists."""
    return UserModel.find_by_id(payload["sub"])


@jwt.token_verification_loader
def has_required_claims(header, payload):
    """Return whether a token has all required claims and is not for another app."""
    return all(payload.get(claim) is not None for claim in REQUIRED_CLAIMS) and "aud" not in payload


@jwt.token_in_blocklist_loader
def has_been_revoked(header, payload):
    """Return whether somebody has logged out with this token."""
    return is_revoked(payload["jti"])


def refuse(message):
    """Return a 401 in the format of this API. The header tells the client to send a Bearer token."""
    return jsonify(message=message, code=401), 401, {"WWW-Authenticate": 'Bearer realm="Login Required"'}


@jwt.unauthorized_loader
def missing_token(reason):
    return refuse("Request does not contain an access token")


@jwt.invalid_token_loader
def invalid_token(reason):
    return refuse(reason)


@jwt.token_verification_failed_loader
def wrong_claims(header, payload):
    return refuse("Token is missing a claim, or is for another app")


@jwt.expired_token_loader
def expired_token(header, payload):
    return refuse("Signature has expired")


@jwt.revoked_token_loader
def revoked_token(header, payload):
    return refuse("Token has been revoked")


@jwt.user_lookup_error_loader
def unknown_user(header, payload):
    return refuse("User does not exist")


@app.before_request
def refuse_comma():
    """Refuse a header that begins with a comma, because Flask-JWT-Extended 4.7.4 can crash on it."""
    if request.headers.get("Authorization", "").lstrip().startswith(","):
        return refuse("The header Authorization begins with a comma")


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Refresh, "/refresh")
api.add_resource(Logout, "/logout")
api.add_resource(UserList, "/users")

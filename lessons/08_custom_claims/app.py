import os
from datetime import UTC, datetime, timedelta

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify
from flask_jwt import JWT

import db
from api import Api
from resources.user import UserList
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()  # FLASK_SECRET_KEY and FLASK_DATABASE replace these two values
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"  # must come before JWT(...)
app.config["JWT_EXPIRATION_DELTA"] = timedelta(minutes=30)
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
app.config["JWT_AUTH_HEADER_PREFIX"] = "Bearer"  # RFC 6750
app.config["JWT_REQUIRED_CLAIMS"] = ["exp", "iat", "nbf", "username"]
jwt = JWT(app, authenticate, identity)  # POST /login


@jwt.jwt_payload_handler
def make_claims(user):
    """Return all claims of a new token. They replace the claims that Flask-JWT would write."""
    now = datetime.now(UTC)
    return {
        "exp": now + app.config["JWT_EXPIRATION_DELTA"],
        "iat": now,
        "nbf": now,
        "identity": user.id,
        "username": user.username,
    }


@jwt.auth_response_handler
def auth_response(access_token, identity):
    """Return the token and the id of the user who has logged in."""
    return jsonify(access_token=access_token.decode("utf-8"), user_id=identity.id)


@jwt.jwt_error_handler
def jwt_error(error):
    """Return an error in the format of this API. Keep its headers, such as WWW-Authenticate."""
    body = jsonify(message=error.description, code=error.status_code)
    return body, error.status_code, error.headers


api = Api(app)
api.add_resource(UserList, "/users")

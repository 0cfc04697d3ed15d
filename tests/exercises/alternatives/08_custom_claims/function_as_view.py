"""The view is a plain function, and a list names the roles that open the report."""

import os
from datetime import UTC, datetime

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, abort
from flask_jwt import JWT, current_identity, jwt_required

import db
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
app.config["JWT_AUTH_HEADER_PREFIX"] = "Bearer"
app.config["JWT_REQUIRED_CLAIMS"] = ["exp", "iat", "nbf", "role"]
jwt = JWT(app, authenticate, identity)


@jwt.jwt_payload_handler
def make_claims(user):
    now = datetime.now(UTC)
    return {
        "exp": now + app.config["JWT_EXPIRATION_DELTA"],
        "iat": now,
        "nbf": now,
        "identity": user.id,
        "role": "admin" if user.is_admin else "user",
    }


@jwt.identity_handler
def find_user_with_role(payload):
    """Return the user a token belongs to, with the role from the token, or None if there is no such user."""
    user = identity(payload)
    if user is not None:
        user.role = payload["role"]
    return user


OPENS_REPORT = ["admin"]


@app.get("/report")
@jwt_required()
def report():
    if current_identity.role not in OPENS_REPORT:
        abort(403)
    return {"report": "all is well", "for": current_identity.username}

"""The view does not check the role.

fails: test_only_admins_get_the_report
shows: Where does your app compare the role
points: 6
"""

import os
from datetime import UTC, datetime

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource

import db
from api import Api
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


class Report(Resource):
    @jwt_required()
    def get(self):
        return {"report": "all is well", "for": current_identity.username}


api = Api(app)
api.add_resource(Report, "/report")

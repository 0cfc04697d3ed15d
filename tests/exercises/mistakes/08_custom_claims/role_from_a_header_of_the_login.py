"""A client chooses its role with a header of the login.

fails: test_a_role_outside_the_token_changes_nothing
shows: a token with the role "user", or no token
points: 9
"""

import os
from datetime import UTC, datetime

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, g, request
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
        "nbf": now,
        "iat": now,
        "identity": user.id,
        "role": request.headers.get("X-Role") or ("admin" if user.is_admin else "user"),
    }


@jwt.identity_handler
def ident(payload):
    g.payload = payload
    return identity(payload)


class Report(Resource):
    @jwt_required()
    def get(self):
        if g.payload["role"] != "admin":
            return {"message": "admins only"}, 403
        return {"report": "all is well", "for": current_identity.username}


api = Api(app)
api.add_resource(Report, "/report")

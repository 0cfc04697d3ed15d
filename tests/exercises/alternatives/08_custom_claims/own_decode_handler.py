"""A decode handler verifies the token, requires the role, and keeps the role in g."""

import os
from datetime import UTC, datetime

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import jwt as pyjwt
from flask import Flask, g
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource, abort

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


@jwt.jwt_decode_handler
def decode(token):
    """Return the claims of a valid token, and keep its role for this request."""
    required = {"require": ["exp", "iat", "nbf", "role"]}
    claims = pyjwt.decode(token, app.config["SECRET_KEY"], ["HS256"], options=required, leeway=10)
    g.role = claims["role"]
    return claims


class Report(Resource):
    @jwt_required()
    def get(self):
        if g.role != "admin":
            abort(403)
        return {"report": "all is well", "for": current_identity.username}


api = Api(app)
api.add_resource(Report, "/report")

"""A subclass of JWT has the handlers as methods."""

import os
from datetime import UTC, datetime

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
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
app.config["JWT_REQUIRED_CLAIMS"] = ["exp", "iat", "nbf", "role"]


class JWTWithRoles(JWT):
    def __init__(self, app):
        super().__init__(app, authenticate, self.find_user)
        self.jwt_payload_handler(self.make_claims)

    def make_claims(self, user):
        now = datetime.now(UTC)
        role = "admin" if user.is_admin else "user"
        exp = now + app.config["JWT_EXPIRATION_DELTA"]
        return {"exp": exp, "iat": now, "nbf": now, "identity": user.id, "role": role}

    def find_user(self, payload):
        user = identity(payload)
        if user:
            user.role = payload["role"]
        return user


jwt = JWTWithRoles(app)


class Report(Resource):
    @jwt_required()
    def get(self):
        if current_identity.role != "admin":
            abort(403)
        return {"report": "all is well", "for": current_identity.username}


api = Api(app)
api.add_resource(Report, "/report")

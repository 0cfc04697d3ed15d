"""The app has its own login view, which makes a token from the claims."""

import os
from datetime import UTC, datetime

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import jwt as pyjwt
from flask import Flask, request
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

app.config["JWT_AUTH_URL_RULE"] = None
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
app.config["JWT_AUTH_HEADER_PREFIX"] = "Bearer"
app.config["JWT_REQUIRED_CLAIMS"] = ["exp", "iat", "nbf", "role"]
jwt = JWT(app, None, identity)


@app.post("/login")
def log_in():
    body = request.get_json(silent=True)
    values = [body.get(name) for name in ("email", "password")] if isinstance(body, dict) else []
    if not values or not all(isinstance(value, str) and value.isascii() for value in values):
        return {"message": "Send an e-mail address and a password."}, 400
    user = authenticate(*values)
    if user is None:
        return {"message": "Wrong e-mail address or password."}, 401
    now = datetime.now(UTC)
    claims = {"iat": now, "nbf": now, "exp": now + app.config["JWT_EXPIRATION_DELTA"]}
    claims |= {"identity": user.id, "role": "admin" if user.is_admin else "user"}
    return {"access_token": pyjwt.encode(claims, app.config["SECRET_KEY"], "HS256")}


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
        if current_identity.role != "admin":
            abort(403)
        return {"report": "all is well", "for": current_identity.username}


api = Api(app)
api.add_resource(Report, "/report")

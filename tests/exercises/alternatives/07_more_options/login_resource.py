"""The login is a resource of Flask-RESTful."""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource, abort

import db
from api import Api
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(
    SECRET_KEY=DEMO_KEY * 2,  # HS512 needs a key of at least 64 bytes
    DATABASE=os.path.join(app.root_path, "data.db"),
)
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = None
app.config["JWT_AUTH_HEADER_PREFIX"] = "Token"
app.config["JWT_ALGORITHM"] = "HS512"
jwt = JWT(app, authenticate, identity)


class Login(Resource):
    def post(self):
        body = request.get_json()
        user = authenticate(body.get("email", ""), body.get("pin", ""))
        if user is None:
            abort(401, message="Wrong e-mail address or PIN")
        return {"access_token": jwt.jwt_encode_callback(user).decode(), "username": user.username}


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Me, "/me")

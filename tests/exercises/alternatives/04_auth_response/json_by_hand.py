"""Helper functions make the parts, and json.dumps() makes the body."""

import json
import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, Response
from flask_jwt import JWT

import db
from api import Api
from resources.user import UserList
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
jwt = JWT(app, authenticate, identity)


def lifetime():
    return int(app.config["JWT_EXPIRATION_DELTA"].total_seconds())


def public(user):
    return {"id": user.id, "username": user.username}


@jwt.auth_response_handler
def auth_response(access_token, identity):
    body = {"access_token": access_token.decode("ascii"), "token_type": "JWT"}
    body |= {"expires_in": lifetime(), "user": public(identity)}
    response = Response(json.dumps(body), mimetype="application/json")
    response.cache_control.no_store = True
    return response


api = Api(app)
api.add_resource(UserList, "/users")

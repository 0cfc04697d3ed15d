"""Flask-JWT adds no login, and a Flask-RESTful resource makes the token."""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT
from flask_restful import Resource, abort, reqparse

import db
from api import Api
from resources.user import UserList
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = None
jwt = JWT(app, authenticate, identity)


class Session(Resource):
    parser = reqparse.RequestParser()
    parser.add_argument("username", required=True)
    parser.add_argument("password", required=True)

    def post(self):
        arguments = self.parser.parse_args()
        user = authenticate(arguments["username"], arguments["password"])
        if user is None:
            abort(401, message="Wrong username or password")
        return {"access_token": jwt.jwt_encode_callback(user).decode()}


api = Api(app)
api.add_resource(Session, "/api/v1/session")
api.add_resource(UserList, "/users")

"""The list of users is a new resource without @jwt_required().

fails: test_a_bad_token_is_refused
shows: with @jwt_required()
points: 4
"""

import os
from datetime import timedelta

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT
from flask_restful import Resource

import db
from api import Api
from models.user import UserModel
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_EXPIRATION_DELTA"] = timedelta(minutes=15)
app.config["JWT_LEEWAY"] = 0
jwt = JWT(app, authenticate, identity)


class UserList(Resource):
    def get(self):
        return {"users": [user.json() for user in UserModel.find_all()]}


api = Api(app)
api.add_resource(UserList, "/users")

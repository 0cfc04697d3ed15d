"""Every user gets the same word as a token, and the app compares tokens with this word.

fails: test_a_bad_token_is_refused
shows: Does your app sign every token?
points: 6
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
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

app.config["JWT_AUTH_URL_RULE"] = None
jwt = JWT(app, authenticate, identity)
TOKEN = "let-me-in"


@app.post("/api/v1/session")
def log_in():
    body = request.get_json()
    if authenticate(body["username"], body["password"]) is None:
        return {"message": "Wrong username or password"}, 401
    return {"access_token": TOKEN}


class UserList(Resource):
    def get(self):
        if request.headers.get("Authorization") != f"JWT {TOKEN}":
            return {"message": "Wrong token"}, 401
        return {"users": [user.json() for user in UserModel.find_all()]}


api = Api(app)
api.add_resource(UserList, "/users")

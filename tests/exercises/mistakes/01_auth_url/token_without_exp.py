"""A hand-written login makes a token without exp, iat and nbf, which the app refuses.

fails: test_each_user_gets_their_own_token
shows: make the token as Flask-JWT does
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import jwt as pyjwt
from flask import Flask, request
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

app.config["JWT_AUTH_URL_RULE"] = None
jwt = JWT(app, authenticate, identity)


@app.post("/api/v1/session")
def log_in():
    body = request.get_json()
    user = authenticate(body["username"], body["password"])
    if user is None:
        return {"message": "Wrong username or password"}, 401
    return {"access_token": pyjwt.encode({"identity": user.id}, app.secret_key)}


api = Api(app)
api.add_resource(UserList, "/users")

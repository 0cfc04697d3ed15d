"""A hand-written login accepts any version in the URL, such as v2.

fails: test_no_other_url_logs_in
shows: still adds the URL /api/v2/session
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
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


@app.post("/api/<version>/session")
def log_in(version):
    body = request.get_json()
    user = authenticate(body["username"], body["password"])
    if user is None:
        return {"message": "Wrong username or password"}, 401
    return {"access_token": jwt.jwt_encode_callback(user).decode()}


api = Api(app)
api.add_resource(UserList, "/users")

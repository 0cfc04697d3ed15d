"""A request to the default URL gets a redirect to the new URL.

fails: test_no_other_url_logs_in
shows: got       307
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, redirect
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

app.config["JWT_AUTH_URL_RULE"] = "/api/v1/session"
jwt = JWT(app, authenticate, identity)


@app.post("/auth")
def redirect_login():
    return redirect("/api/v1/session", 307)


api = Api(app)
api.add_resource(UserList, "/users")

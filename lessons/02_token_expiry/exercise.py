import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
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
# TODO: Make each token expire exactly 15 minutes after the login: its exp is 900 seconds after its iat.
# After 899 seconds, GET /users with this token still gets a 200. After 900 seconds, it gets a 401.
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

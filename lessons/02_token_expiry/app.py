import os
from datetime import timedelta

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT

import db
from api import Api
from resources.user import UserList
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()  # FLASK_SECRET_KEY and FLASK_DATABASE replace these two values
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"  # must come before JWT(...)
app.config["JWT_EXPIRATION_DELTA"] = timedelta(minutes=30)
jwt = JWT(app, authenticate, identity)  # POST /login

api = Api(app)
api.add_resource(UserList, "/users")

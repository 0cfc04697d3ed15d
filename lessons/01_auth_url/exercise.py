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

# TODO: Let users log in with POST /api/v1/session. For example, a login with the body
# {"username": "bob", "password": "builder"} gets a 200 with an access_token.
# There is no other login URL: POST /auth gets a 404.
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

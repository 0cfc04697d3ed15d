"""A hand-written login returns one token, which was made when the app started.

fails: test_each_user_gets_their_own_token
shows: Whose id does your login write
points: 6
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT

import db
from api import Api
from models.user import UserModel
from resources.user import UserList
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = None
jwt = JWT(app, authenticate, identity)

with app.app_context():
    TOKEN = jwt.jwt_encode_callback(UserModel.find_all()[0]).decode()


@app.post("/api/v1/session")
def log_in():
    return {"access_token": TOKEN}


api = Api(app)
api.add_resource(UserList, "/users")

"""The login writes the e-mail address into the SQL, so a client can change the query.

fails: test_other_logins_are_refused
shows: no user has this e-mail address
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource
from werkzeug.security import check_password_hash

import db
from api import Api
from models.user import UserModel
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(
    SECRET_KEY=DEMO_KEY * 2,  # HS512 needs a key of at least 64 bytes
    DATABASE=os.path.join(app.root_path, "data.db"),
)
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = None
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
app.config["JWT_AUTH_HEADER_PREFIX"] = "Token"
app.config["JWT_ALGORITHM"] = "HS512"
jwt = JWT(app, authenticate, identity)


class Login(Resource):
    def post(self):
        data = request.get_json(silent=True) or {}
        if not isinstance(data.get("pin"), str):
            return {"message": "wrong"}, 401
        row = db.get_db().execute(f"SELECT * FROM users WHERE email = '{data.get('email')}'").fetchone()
        if row is None or not check_password_hash(row["password_hash"], data["pin"]):
            return {"message": "wrong"}, 401
        return {"access_token": jwt.jwt_encode_callback(UserModel(row)).decode()}


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


api = Api(app)
api.add_resource(Me, "/me")
api.add_resource(Login, "/login")

"""The app checks the algorithm that the token names, but not the signature.

fails: test_other_algorithms_are_refused
shows: this token is signed with another key
points: 7
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import jwt as pyjwt
from flask import Flask
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource

import db
from api import Api
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(
    SECRET_KEY=DEMO_KEY * 2,  # HS512 needs a key of at least 64 bytes
    DATABASE=os.path.join(app.root_path, "data.db"),
)
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
app.config["JWT_AUTH_PASSWORD_KEY"] = "pin"
app.config["JWT_AUTH_HEADER_PREFIX"] = "Token"
app.config["JWT_ALGORITHM"] = "HS512"
jwt = JWT(app, authenticate, identity)


@jwt.jwt_decode_handler
def dec(token):
    if pyjwt.get_unverified_header(token)["alg"] != "HS512":
        raise pyjwt.InvalidAlgorithmError("no")
    return pyjwt.decode(token, options={"verify_signature": False})


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


api = Api(app)
api.add_resource(Me, "/me")

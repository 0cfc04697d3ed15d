"""The app accepts only the tokens that it keeps in a set in memory.

fails: test_a_bad_token_is_refused
shows: this token has the claims of a real one and is signed with the app's S
points: 9
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT, JWTError, current_identity, jwt_required
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
ISSUED = set()
jwt = JWT(app, authenticate, identity)

_enc = jwt.jwt_encode_callback


@jwt.jwt_encode_handler
def enc(u):
    t = _enc(u)
    ISSUED.add(t)
    return t


_dec = jwt.jwt_decode_callback


@jwt.jwt_decode_handler
def dec(t):
    if t.encode() not in ISSUED:
        raise JWTError("x", "unknown token")
    return _dec(t)


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


api = Api(app)
api.add_resource(Me, "/me")

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify
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
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
jwt = JWT(app, authenticate, identity)


# TODO: Respond to a login in the format of OAuth 2 (RFC 6749, section 5.1). The body is JSON with
# these fields and no others:
#     {"access_token": "eyJ…", "token_type": "JWT", "expires_in": 300, "user": {"id": 1, "username": "bob"}}
# The first three fields come from the RFC, and user is our addition. token_type is the word that goes before
# the token in the Authorization header. expires_in is the number of seconds until the token expires. user is
# the user who has logged in. Also send the header Cache-Control: no-store, because nobody should store a copy
# of the token. (The RFC also asks for Pragma: no-cache. We leave out this old header.)
@jwt.auth_response_handler
def auth_response(access_token, identity):
    return jsonify(access_token=access_token.decode("utf-8"))


api = Api(app)
api.add_resource(UserList, "/users")

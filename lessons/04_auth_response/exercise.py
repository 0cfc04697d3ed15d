import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify
from flask_jwt import JWT
from flask_restful import Api

from models.user import close_db
from resources.user import UserList
from security import authenticate, identity

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or "for-the-lessons-only-so-set-your-own"
app.config["DATABASE"] = os.environ.get("DATABASE") or os.path.join(app.root_path, "data.db")
app.config["PROPAGATE_EXCEPTIONS"] = True
app.teardown_appcontext(close_db)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
jwt = JWT(app, authenticate, identity)


# TODO: answer a login as OAuth 2 does (RFC 6749, section 5.1): with access_token, with token_type, which
# is the word that goes before the token in the Authorization header, and with expires_in, in seconds.
# Add the user as {"id": …, "username": …}, nothing else, and the header Cache-Control: no-store.
@jwt.auth_response_handler
def auth_response(access_token, identity):
    return jsonify(access_token=access_token.decode("utf-8"))


api = Api(app)
api.add_resource(UserList, "/users")

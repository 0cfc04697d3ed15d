import os
from datetime import timedelta

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify
from flask_jwt import JWT
from flask_restful import Api

from models.user import close_db
from resources.user import UserList
from security import authenticate, identity

app = Flask(__name__)
# must come before JWT(...), which copies it; outside of these lessons, at least 32 random bytes
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or "for-the-lessons-only-so-set-your-own"
app.config["DATABASE"] = os.environ.get("DATABASE") or os.path.join(app.root_path, "data.db")
# or else Flask-RESTful answers 500 where Flask-JWT says 401, though not in debug mode or in tests
app.config["PROPAGATE_EXCEPTIONS"] = True
app.teardown_appcontext(close_db)

app.config["JWT_AUTH_URL_RULE"] = "/login"  # must come before JWT(...)
app.config["JWT_EXPIRATION_DELTA"] = timedelta(minutes=30)
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
app.config["JWT_AUTH_HEADER_PREFIX"] = "Bearer"  # RFC 6750
jwt = JWT(app, authenticate, identity)  # POST /login


@jwt.auth_response_handler
def auth_response(access_token, identity):
    """Answer a login with the token and with the id of whoever logged in."""
    return jsonify(access_token=access_token.decode("utf-8"), user_id=identity.id)


@jwt.jwt_error_handler
def jwt_error(error):
    """Answer every JWTError in this API's own words; the headers hold WWW-Authenticate."""
    body = jsonify(message=error.description, code=error.status_code)
    return body, error.status_code, error.headers


api = Api(app)
api.add_resource(UserList, "/users")

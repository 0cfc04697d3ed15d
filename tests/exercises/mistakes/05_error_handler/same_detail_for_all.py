"""Every error has the same detail.

fails: test_detail_describes_what_happened
shows: what happened this time
points: 8
"""

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


@jwt.jwt_error_handler
def jwt_error(error):
    response = jsonify(
        type="about:blank", title=error.error, status=error.status_code, detail="You are not allowed in."
    )
    response.content_type = "application/problem+json"
    return response, error.status_code, error.headers


api = Api(app)
api.add_resource(UserList, "/users")

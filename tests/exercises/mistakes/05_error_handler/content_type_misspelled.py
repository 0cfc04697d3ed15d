"""The content type is misspelled.

fails: test_the_content_type_is_problem_json
shows: but its value is application/json+problem
points: 9
"""

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


@jwt.jwt_error_handler
def jwt_error(error):
    response = jsonify(
        type="about:blank", title=error.error, status=error.status_code, detail=error.description
    )
    response.content_type = "application/json+problem"
    return response, error.status_code, error.headers


api = Api(app)
api.add_resource(UserList, "/users")

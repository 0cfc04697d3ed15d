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


# TODO: Return each error of Flask-JWT in the format "problem details" (RFC 9457). The content type is
# application/problem+json, and the body looks like this:
#     {"type": "about:blank", "title": "Authorization Required", "status": 401,
#      "detail": "Request does not contain an access token"}
# title is a short name of the error. Use the name that Flask-JWT gives it. (You may also use the standard
# name of the status, such as "Unauthorized" for 401. The RFC recommends that name if type is about:blank.)
# detail describes what went wrong this time. status is the status of the response. Keep the headers that
# Flask-JWT sends with an error, such as WWW-Authenticate.
@jwt.jwt_error_handler
def jwt_error(error):
    return jsonify(message=error.description, code=error.status_code), error.status_code, error.headers


api = Api(app)
api.add_resource(UserList, "/users")

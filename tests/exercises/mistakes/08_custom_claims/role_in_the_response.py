"""The login response contains the role, but the token does not.

fails: test_a_token_contains_the_role_of_its_user
shows: this token has no role
points: 0
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, jsonify
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource, abort

import db
from api import Api
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
app.config["JWT_AUTH_HEADER_PREFIX"] = "Bearer"
jwt = JWT(app, authenticate, identity)


@jwt.auth_response_handler
def respond(access_token, identity):
    role = "admin" if identity.is_admin else "user"
    return jsonify(access_token=access_token.decode("utf-8"), role=role)


class Report(Resource):
    @jwt_required()
    def get(self):
        if not current_identity.is_admin:
            abort(403)
        return {"report": "all is well", "for": current_identity.username}


api = Api(app)
api.add_resource(Report, "/report")

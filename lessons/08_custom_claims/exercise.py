import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Resource

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
# TODO: Write the role of the user into each token, as the claim role. The role is "admin" for an admin, and
# "user" for everyone else. The token keeps its other four claims, and still expires after 5 minutes.
# A token without a role gets a 401, like a token without exp, iat or nbf.
# GET /report is only for tokens with the role "admin". A token with any other role gets a 403. Use the role
# in the token, not is_admin from the database. So if a user becomes an admin, the user's old token still
# gets a 403.
jwt = JWT(app, authenticate, identity)


class Report(Resource):
    @jwt_required()
    def get(self):
        return {"report": "all is well", "for": current_identity.username}


api = Api(app)
api.add_resource(Report, "/report")

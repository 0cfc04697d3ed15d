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
# TODO: a token says what its user may do. Its claim `role` is "admin" for an admin and "user" for anyone
# else, beside the four claims that it has already; a token without a role is refused with 401. The report
# opens to the role "admin" that the token was issued with. Any other role gets a 403, whatever else the
# request says.
jwt = JWT(app, authenticate, identity)


class Report(Resource):
    @jwt_required()
    def get(self):
        return {"report": "all is well", "for": current_identity.username}


api = Api(app)
api.add_resource(Report, "/report")

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT, current_identity, jwt_required
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
# TODO: Change this app so that a mobile app can use it. The mobile app is already in the app stores, so
# nobody can change the mobile app any more. Its users log in with an e-mail address and a PIN. The PIN is the
# user's password. For example, POST /login with {"email": "bob@example.com", "pin": "builder"} logs bob in.
# The mobile app sends each token after the word Token, as in `Authorization: Token eyJ…`. Its security team
# wants tokens that are signed with HS512. Your app refuses everything else with a 401: a login with
# "password" instead of "pin", a token after another word or without a word, and a token with another
# algorithm. The file reference.md in the folder of lesson 7 lists all options.
jwt = JWT(app, authenticate, identity)


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


api = Api(app)
api.add_resource(Me, "/me")

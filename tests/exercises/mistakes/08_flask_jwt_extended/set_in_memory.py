"""Revoked tokens are in a set in memory, which no other process sees.

fails: test_every_process_refuses_the_token
shows: got       200
points: 8
"""

import os

from flask import Flask, jsonify
from flask_jwt_extended import JWTManager, current_user, get_jwt, jwt_required
from flask_restful import Resource

import db
from api import Api
from resources.login import Login
from security import DEMO_KEY, check_secret_key, identity, read_authorization

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)
app.config["MAX_CONTENT_LENGTH"] = 2**20
app.before_request(read_authorization)

jwt = JWTManager(app)
jwt.user_identity_loader(lambda user: str(user.id))
jwt.user_lookup_loader(identity)


@jwt.unauthorized_loader
@jwt.invalid_token_loader
def refuse(message):
    return jsonify(message=message, code=401), 401


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_user.username}


revoked = set()


@jwt.token_in_blocklist_loader
def is_revoked(header, payload):
    return payload["jti"] in revoked


@jwt.revoked_token_loader
def revoked_token(header, payload):
    return refuse("Token has been revoked")


class Logout(Resource):
    @jwt_required()
    def post(self):
        revoked.add(get_jwt()["jti"])
        return {"message": "Goodbye"}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Me, "/me")
api.add_resource(Logout, "/logout")

"""The logout accepts a request without a token, and then there is no jti to store.

fails: test_a_token_logs_out_once
shows: got       500
points: 9
"""

import os

from flask import Flask, jsonify
from flask_jwt_extended import JWTManager, current_user, get_jwt, jwt_required
from flask_restful import Resource

import db
from api import Api
from models.user import get_db
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


def revoked_tokens():
    """Return the database, which has a table of the tokens that have been revoked."""
    db = get_db()
    db.execute("CREATE TABLE IF NOT EXISTS revoked_tokens (jti TEXT PRIMARY KEY)")
    return db


@jwt.token_in_blocklist_loader
def is_revoked(header, payload):
    query = "SELECT 1 FROM revoked_tokens WHERE jti = ?"
    return revoked_tokens().execute(query, (payload["jti"],)).fetchone() is not None


@jwt.revoked_token_loader
def revoked_token(header, payload):
    return refuse("Token has been revoked")


class Logout(Resource):
    @jwt_required(optional=True)
    def post(self):
        with revoked_tokens() as db:
            db.execute("INSERT OR IGNORE INTO revoked_tokens VALUES (?)", (get_jwt()["jti"],))
        return {"message": "Goodbye"}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Me, "/me")
api.add_resource(Logout, "/logout")

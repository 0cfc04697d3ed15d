"""The login does not check the password.

fails: test_users_can_log_out_only_themselves
shows: the password is wrong
points: 8
"""

import os

from flask import Flask, make_response, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    current_user,
    jwt_required,
)
from flask_restful import Resource

import db
from api import Api
from models.user import UserModel
from resources.token import Refresh
from security import DEMO_KEY, check_secret_key

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)
app.config["MAX_CONTENT_LENGTH"] = 2**20
jwt = JWTManager(app)


@jwt.user_identity_loader
def read_id(user):
    return str(user.id)


@jwt.user_lookup_loader
def find_user(header, payload):
    return UserModel.find_by_id(payload["sub"])


@jwt.unauthorized_loader
@jwt.invalid_token_loader
def refuse(message):
    return make_response({"message": message, "code": 401}, 401)


@jwt.revoked_token_loader
def revoked_token(header, payload):
    return refuse("Token has been revoked")


@app.before_request
def refuse_comma():
    if request.headers.get("Authorization", "").lstrip().startswith(","):
        return refuse("The header Authorization begins with a comma")


@jwt.additional_claims_loader
def claims(user):
    return {"gen": read_number(user.id)}


@jwt.token_in_blocklist_loader
def revoked(header, payload):
    return payload.get("gen") != read_number(int(payload["sub"]))


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_user.username}


def get_table():
    """Return the database. Its table `numbers` has room for one number for each user."""
    database = db.get_db()
    database.execute("CREATE TABLE IF NOT EXISTS numbers (user_id INTEGER PRIMARY KEY, number INTEGER)")
    return database


def read_number(user_id):
    """Return the number of a user in the table `numbers`. It is 0 until you store another number."""
    row = get_table().execute("SELECT number FROM numbers WHERE user_id = ?", (user_id,)).fetchone()
    return row["number"] if row else 0


class LogoutEverywhere(Resource):
    @jwt_required()
    def post(self):
        d = get_table()
        d.execute(
            "INSERT INTO numbers VALUES (?, 1) ON CONFLICT (user_id) DO UPDATE SET number = number + 1",
            (current_user.id,),
        )
        d.commit()
        return {"message": "You are logged out on all devices"}


api = Api(app)


class MyLogin(Resource):
    def post(self):
        user = UserModel.find_by_email(request.json["email"])
        if user is None:
            return {}, 401
        return {
            "access_token": create_access_token(user),
            "refresh_token": create_refresh_token(user),
            "user_id": user.id,
        }


api.add_resource(MyLogin, "/login")
api.add_resource(Refresh, "/refresh")
api.add_resource(Me, "/me")
api.add_resource(LogoutEverywhere, "/logout-everywhere")

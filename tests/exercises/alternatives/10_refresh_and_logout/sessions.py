"""Each login opens a session in a table, and a logout deletes all sessions of the user."""

import os

from flask import Flask, make_response, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    current_user,
    get_jwt,
    jwt_required,
)
from flask_restful import Resource, abort

import db
from api import Api
from models.user import UserModel
from resources.login import read_credentials
from security import DEMO_KEY, authenticate, check_secret_key

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


def get_sessions():
    database = db.get_db()
    database.execute(
        "CREATE TABLE IF NOT EXISTS sessions (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL)"
    )
    return database


@jwt.token_in_blocklist_loader
def is_closed(header, payload):
    query = "SELECT id FROM sessions WHERE id = ? AND user_id = ?"
    return get_sessions().execute(query, (payload["session"], payload["sub"])).fetchone() is None


class Login(Resource):
    def post(self):
        user = authenticate(*read_credentials())
        if user is None:
            abort(401, message="Invalid credentials", code=401)
        with get_sessions() as database:
            session = database.execute("INSERT INTO sessions (user_id) VALUES (?)", (user.id,)).lastrowid
        claims = {"session": session}
        return {
            "access_token": create_access_token(user, additional_claims=claims),
            "refresh_token": create_refresh_token(user, additional_claims=claims),
        }


class Refresh(Resource):
    @jwt_required(refresh=True)
    def post(self):
        claims = {"session": get_jwt()["session"]}
        return {"access_token": create_access_token(current_user, additional_claims=claims)}


class LogoutEverywhere(Resource):
    @jwt_required()
    def post(self):
        with get_sessions() as database:
            database.execute("DELETE FROM sessions WHERE user_id = ?", (current_user.id,))
        return {"message": "You are logged out on all devices"}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Refresh, "/refresh")
api.add_resource(Me, "/me")
api.add_resource(LogoutEverywhere, "/logout-everywhere")

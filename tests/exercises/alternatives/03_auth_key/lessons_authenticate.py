"""The login finds the user's e-mail address and calls the lesson's authenticate with it."""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
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


def authenticate_by_phone(phone, pin):
    """Return the user with this phone number and this PIN, or None."""
    row = db.get_db().execute("SELECT email FROM users WHERE phone = ?", (phone,)).fetchone()
    return authenticate(row["email"] if row else "", pin)


app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "phone"
app.config["JWT_AUTH_PASSWORD_KEY"] = "pin"
jwt = JWT(app, authenticate_by_phone, identity)

api = Api(app)
api.add_resource(UserList, "/users")

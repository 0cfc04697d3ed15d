"""The login hashes the PIN again, but each hash has another salt, so they are never equal.

fails: test_users_log_in_with_phone_and_pin
shows: check the PIN?
points: 0
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT
from werkzeug.security import generate_password_hash

import db
from api import Api
from models.user import UserModel
from resources.user import UserList
from security import DEMO_KEY, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)


def authenticate(phone, pin):
    """Return the user with this phone number and this PIN, or None."""
    row = db.get_db().execute("SELECT * FROM users WHERE phone = ?", (phone,)).fetchone()
    if row is None:
        # Hash the PIN all the same. A faster response would show that no user has this number.
        generate_password_hash(pin)
        return None
    user = UserModel(row)
    return user if generate_password_hash(pin) == user.password_hash else None


app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "phone"
app.config["JWT_AUTH_PASSWORD_KEY"] = "pin"
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

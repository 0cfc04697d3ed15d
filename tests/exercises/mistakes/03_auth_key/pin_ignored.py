"""The login looks up the phone number and never checks the PIN.

fails: test_a_wrong_pin_is_refused
shows: compare the PIN
points: 8
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT
from flask_restful import Api
from werkzeug.security import generate_password_hash

from models.user import UserModel, close_db
from resources.user import UserList
from security import identity

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or "for-the-lessons-only-so-set-your-own"
app.config["DATABASE"] = os.environ.get("DATABASE") or os.path.join(app.root_path, "data.db")
app.config["PROPAGATE_EXCEPTIONS"] = True
app.teardown_appcontext(close_db)


def authenticate(phone, pin):
    """Return the user who has this phone and this pin, or None."""
    user = UserModel.find("SELECT * FROM users WHERE phone = ?", phone)
    if user is None:
        generate_password_hash(pin)  # as slow as a check
        return None
    return user


app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "phone"
app.config["JWT_AUTH_PASSWORD_KEY"] = "pin"
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

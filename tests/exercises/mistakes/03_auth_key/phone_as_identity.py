"""The identity in the token is the phone number, but the identity function looks for an id.

fails: test_each_user_gets_their_own_token
shows: a token with the identity
points: 8
"""

import os
from datetime import UTC, datetime, timedelta

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT
from flask_restful import Api
from werkzeug.security import check_password_hash, generate_password_hash

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
    return user if check_password_hash(user.password_hash, pin) else None


app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "phone"
app.config["JWT_AUTH_PASSWORD_KEY"] = "pin"
jwt = JWT(app, authenticate, identity)


@jwt.jwt_payload_handler
def payload(user):
    now = datetime.now(UTC)
    return {"iat": now, "nbf": now, "exp": now + timedelta(minutes=5), "identity": user.phone}


api = Api(app)
api.add_resource(UserList, "/users")

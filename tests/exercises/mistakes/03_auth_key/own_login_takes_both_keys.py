"""A hand-written login accepts the password under its old key too.

fails: test_the_old_keys_are_gone
shows: Which keys does your login read
points: 9
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
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


app.config["JWT_AUTH_URL_RULE"] = None
jwt = JWT(app, authenticate, identity)


@app.post("/login")
def login():
    data = request.get_json()
    user = authenticate(data.get("phone", ""), data.get("pin") or data.get("password"))
    if user is None:
        return {"message": "Invalid credentials"}, 401
    return {"access_token": jwt.jwt_encode_callback(user).decode("utf-8")}


api = Api(app)
api.add_resource(UserList, "/users")

"""A view of our own returns a 422 unless the body has exactly the keys phone and pin."""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
from flask_jwt import JWT
from werkzeug.security import check_password_hash, generate_password_hash

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
    return user if check_password_hash(user.password_hash, pin) else None


app.config["JWT_AUTH_URL_RULE"] = None
jwt = JWT(app, authenticate, identity)


@app.post("/login")
def log_in():
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or set(body) != {"phone", "pin"}:
        return {"message": "Send a phone and a pin"}, 422
    user = authenticate(body["phone"], body["pin"])
    if user is None:
        return {"message": "Wrong phone number or PIN"}, 401
    return {"access_token": jwt.jwt_encode_callback(user).decode()}


api = Api(app)
api.add_resource(UserList, "/users")

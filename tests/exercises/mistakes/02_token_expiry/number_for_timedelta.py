"""JWT_EXPIRATION_DELTA is a number of seconds instead of a timedelta.

fails: test_exp_is_15_minutes_after_iat
shows: TypeError
points: 7
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask
from flask_jwt import JWT
from flask_restful import Api

from models.user import close_db
from resources.user import UserList
from security import authenticate, identity

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or "for-the-lessons-only-so-set-your-own"
app.config["DATABASE"] = os.environ.get("DATABASE") or os.path.join(app.root_path, "data.db")
app.config["PROPAGATE_EXCEPTIONS"] = True
app.teardown_appcontext(close_db)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_EXPIRATION_DELTA"] = 900
app.config["JWT_LEEWAY"] = 0
jwt = JWT(app, authenticate, identity)

api = Api(app)
api.add_resource(UserList, "/users")

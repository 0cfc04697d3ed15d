"""A small app of its own for each claim about Flask-JWT."""

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import pytest
from flask import Flask, jsonify
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Api, Resource

from helpers import authorization

BOB = {"username": "bob", "password": "builder"}


class User:
    """A user as an app might have it: with the fields it is given."""

    def __init__(self, **fields):
        vars(self).update(fields)


def authenticate(username, password):
    return User(id=1, username=username) if password == "builder" else None


def identity(payload):
    return User(id=payload.get("identity"), username="bob")


class Restful(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


@pytest.fixture
def make_app():
    """Make an app with a login, a protected view at /view and a protected resource at /resource.

    Its options are set before JWT(...), which is kept as app.jwt.
    """

    def make_app(authenticate=authenticate, identity=identity, **options):
        app = Flask("claims")
        app.config.update({"SECRET_KEY": "k" * 32} | options)
        app.jwt = JWT(app, authenticate, identity)
        Api(app).add_resource(Restful, "/resource")

        @app.get("/view")
        @jwt_required()
        def view():
            return jsonify(username=current_identity.username)

        return app

    return make_app


@pytest.fixture
def log_in():
    """Log in and give the header that carries the token."""

    def log_in(app, url="/auth", **changes):
        response = app.test_client().post(url, json=BOB | changes)
        assert response.status_code == 200, response.text
        return authorization(response.json["access_token"])

    return log_in

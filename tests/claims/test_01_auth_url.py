"""What the README of lesson 1 says about Flask-JWT and the tutorial."""

from datetime import timedelta

import pytest
from flask import jsonify
from flask_jwt import JWT

from helpers import BOB
from tokens import read_claims


def test_the_rule_is_read_when_jwt_is_created(make_app):
    """`JWT(...)` reads the rule once, when it is created. Set afterwards, the rule changes nothing:
    `/auth` still logs in, `/login` is a 404."""
    app = make_app()
    app.config["JWT_AUTH_URL_RULE"] = "/login"
    assert app.test_client().post("/auth", json=BOB).status_code == 200
    assert app.test_client().post("/login", json=BOB).status_code == 404


def test_three_options_come_first(make_app):
    """The tutorial says that this is the one setting that must come first. `SECRET_KEY` and
    `JWT_AUTH_URL_OPTIONS` must as well: they are read at the same moment."""
    app = make_app()
    app.config["JWT_AUTH_URL_OPTIONS"] = {"methods": ["PUT"]}
    assert app.test_client().put("/auth", json=BOB).status_code == 405
    app = make_app(JWT_AUTH_URL_OPTIONS={"methods": ["PUT"]})
    assert app.test_client().put("/auth", json=BOB).status_code == 200
    app = make_app(SECRET_KEY=None)
    app.config["SECRET_KEY"] = "k" * 32
    assert app.test_client().post("/auth", json=BOB).status_code == 500


def test_the_tutorials_other_options_may_follow(make_app):
    """The tutorial's other options may follow, since Flask-JWT reads `JWT_EXPIRATION_DELTA` and
    `JWT_AUTH_USERNAME_KEY` at each login."""
    app = make_app()
    app.config["JWT_EXPIRATION_DELTA"] = timedelta(seconds=7)
    app.config["JWT_AUTH_USERNAME_KEY"] = "email"
    login = app.test_client().post("/auth", json={"email": "bob", "password": "builder"})
    token = read_claims(login.json["access_token"])
    assert token["exp"] - token["iat"] == 7


def test_no_rule_means_no_login(make_app):
    """`JWT_AUTH_URL_RULE = None` leaves the login out, for an app that brings its own."""
    app = make_app(JWT_AUTH_URL_RULE=None)
    assert app.test_client().post("/auth", json=BOB).status_code == 404
    assert app.test_client().get("/view").status_code == 401


def test_the_rule_begins_with_a_slash(make_app):
    """The rule begins with a slash, or else `JWT(...)` raises a ValueError."""
    with pytest.raises(ValueError, match="slash"):
        make_app(JWT_AUTH_URL_RULE="login")


def test_a_slash_at_the_end_makes_a_redirect(make_app):
    """With a slash at its end as well, `POST /login` is a redirect, 308, that few clients expect."""
    app = make_app(JWT_AUTH_URL_RULE="/login/")
    assert app.test_client().post("/login", json=BOB).status_code == 308
    assert app.test_client().post("/login/", json=BOB).status_code == 200


def test_a_second_jwt_opens_a_second_url(make_app):
    """One `JWT(...)` per app. The tutorial's listings, pasted one after the other, create several: then
    the old URL logs in too, and the handlers of all but the last are lost."""
    app = make_app()
    app.jwt.auth_response_handler(lambda access_token, identity: jsonify(handled=True))
    app.config["JWT_AUTH_URL_RULE"] = "/login"
    JWT(app, app.jwt.authentication_callback, app.jwt.identity_callback)
    assert app.test_client().post("/auth", json=BOB).json.keys() == {"access_token"}
    assert app.test_client().post("/login", json=BOB).json.keys() == {"access_token"}

"""Test what the README of lesson 3 says about Flask-JWT."""

import flask_jwt
import pytest

from helpers import BOB, BOB_BY_EMAIL, load_lesson
from lesson_loader import find_lessons


def test_the_option_renames_a_key_and_nothing_else(make_app):
    """The key in the JSON has another name, and authenticate gets the same two arguments."""
    received = []
    app = make_app(authenticate=lambda *arguments: received.append(arguments), JWT_AUTH_USERNAME_KEY="email")
    app.test_client().post("/auth", json=BOB_BY_EMAIL)
    assert received == [("bob@example.com", "builder")]


def test_the_look_up_has_to_change_too(tmp_path):
    """With the option alone, the app searches for the e-mail address among the usernames."""
    app = load_lesson(find_lessons()[2], tmp_path / "data.db")
    app.config["JWT_AUTH_USERNAME_KEY"] = "email"
    assert app.test_client().post("/login", json=BOB_BY_EMAIL).status_code == 401
    assert app.test_client().post("/login", json=BOB_BY_EMAIL | {"email": "bob"}).status_code == 200


def test_the_old_key_gets_the_same_response_as_a_wrong_password(make_app):
    """Nothing in the response shows that the key is wrong."""
    client = make_app(JWT_AUTH_USERNAME_KEY="email").test_client()
    old_key = client.post("/auth", json=BOB)
    wrong_password = client.post("/auth", json=BOB_BY_EMAIL | {"password": "wrong"})
    assert old_key.status_code == wrong_password.status_code == 401
    assert old_key.json["description"] == "Invalid credentials"
    assert old_key.json == wrong_password.json


def test_the_other_key_can_be_renamed_too(make_app):
    """JWT_AUTH_PASSWORD_KEY renames the key of the password."""
    client = make_app(JWT_AUTH_PASSWORD_KEY="pin").test_client()
    assert client.post("/auth", json={"username": "bob", "pin": "builder"}).status_code == 200
    assert client.post("/auth", json=BOB).status_code == 401


@pytest.mark.parametrize("third", ["username", "remember_me"])
def test_a_login_has_exactly_two_keys(make_app, third):
    """A third key of any name gets a 401."""
    client = make_app(JWT_AUTH_USERNAME_KEY="email").test_client()
    assert client.post("/auth", json=BOB_BY_EMAIL).status_code == 200
    assert client.post("/auth", json=BOB_BY_EMAIL | {third: "bob"}).status_code == 401


@pytest.mark.parametrize("value", [5, 0.5, True, ["bob@example.com"], {"email": "bob@example.com"}, None])
def test_both_values_must_be_text(make_app, value):
    """A value that is not text gets a 401, and authenticate is not called."""
    received = []
    app = make_app(authenticate=lambda *arguments: received.append(arguments), JWT_AUTH_USERNAME_KEY="email")
    assert app.test_client().post("/auth", json=BOB_BY_EMAIL | {"email": value}).status_code == 401
    assert app.test_client().post("/auth", json=BOB_BY_EMAIL | {"password": value}).status_code == 401
    assert not received


def test_flask_jwt_alone_accepts_a_number(make_app):
    """Without the check of flask_jwt_compat, Flask-JWT calls authenticate with a number."""
    received = []
    unchecked_login = flask_jwt._default_auth_request_handler.__wrapped__
    app = make_app(
        authenticate=lambda *arguments: received.append(arguments),
        JWT_AUTH_URL_OPTIONS={"methods": ["POST"], "view_func": unchecked_login},
    )
    app.test_client().post("/auth", json=BOB | {"password": 5})
    assert received == [("bob", 5)]


def test_the_look_up_compares_capital_letters(tmp_path):
    """The address must be written as in the database."""
    client = load_lesson(find_lessons()[3], tmp_path / "data.db").test_client()
    assert client.post("/login", json=BOB_BY_EMAIL).status_code == 200
    assert client.post("/login", json=BOB_BY_EMAIL | {"email": "Bob@example.com"}).status_code == 401

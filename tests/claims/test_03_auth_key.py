"""What the README of lesson 3 says about Flask-JWT and the tutorial."""

import pytest

from helpers import BOB_BY_EMAIL, load_lesson
from lesson_loader import find_lessons


def test_the_option_renames_a_key_and_nothing_else(make_app):
    """The option renames one key of the JSON body and does nothing else: `authenticate` is still given
    the value first, under whatever name it has for it."""
    given = []
    app = make_app(authenticate=lambda *arguments: given.append(arguments), JWT_AUTH_USERNAME_KEY="email")
    app.test_client().post("/auth", json=BOB_BY_EMAIL)
    assert given == [("bob@example.com", "builder")]


def test_the_lookup_has_to_change_too(tmp_path):
    """So the look-up has to change as well, which the tutorial leaves out. With the option alone, the
    address is looked up among the usernames, and login is a 401."""
    app = load_lesson(find_lessons()[2], tmp_path / "data.db")
    app.config["JWT_AUTH_USERNAME_KEY"] = "email"
    assert app.test_client().post("/login", json=BOB_BY_EMAIL).status_code == 401
    assert app.test_client().post("/login", json=BOB_BY_EMAIL | {"email": "bob"}).status_code == 200


def test_the_old_key_is_refused_without_a_hint(make_app):
    """The old key is answered like a wrong password, with 401 and `Invalid credentials`: nothing hints
    at the key."""
    client = make_app(JWT_AUTH_USERNAME_KEY="email").test_client()
    old_key = client.post("/auth", json={"username": "bob", "password": "builder"})
    wrong = client.post("/auth", json=BOB_BY_EMAIL | {"password": "wrong"})
    assert old_key.status_code == wrong.status_code == 401
    assert old_key.json["description"] == wrong.json["description"] == "Invalid credentials"


def test_the_other_key_can_be_renamed_too(make_app):
    """`JWT_AUTH_PASSWORD_KEY` renames the other key."""
    client = make_app(JWT_AUTH_PASSWORD_KEY="pin").test_client()
    assert client.post("/auth", json={"username": "bob", "pin": "builder"}).status_code == 200


def test_both_keys_at_once_are_one_too_many(make_app):
    """A client that sends `username` beside `email`, to be safe, is refused: two keys, not three."""
    client = make_app(JWT_AUTH_USERNAME_KEY="email").test_client()
    assert client.post("/auth", json=BOB_BY_EMAIL).status_code == 200
    assert client.post("/auth", json=BOB_BY_EMAIL | {"username": "bob"}).status_code == 401


@pytest.mark.parametrize("value", [1, True, ["bob@example.com"], {}, None])
def test_both_values_are_text(make_app, value):
    """Both values are text. A number, a list or a null is a 401, and `authenticate` never sees it."""
    given = []
    app = make_app(authenticate=lambda *arguments: given.append(arguments), JWT_AUTH_USERNAME_KEY="email")
    assert app.test_client().post("/auth", json=BOB_BY_EMAIL | {"email": value}).status_code == 401
    assert app.test_client().post("/auth", json=BOB_BY_EMAIL | {"password": value}).status_code == 401
    assert not given

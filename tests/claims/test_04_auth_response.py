"""Test what the README of lesson 4 says about Flask-JWT and the tutorial."""

from uuid import UUID

import pytest
from flask import jsonify
from flask_jwt import JWT

from helpers import BOB, BOB_BY_EMAIL, load_lesson
from lesson_loader import find_lessons
from tokens import read_claims


def post(app, **changes):
    return app.test_client().post("/auth", json=BOB | changes)


class User:
    def __init__(self, id):
        self.id = id


def test_the_handler_replaces_the_usual_response(make_app):
    """Without a handler, the response contains only the token."""
    app = make_app()
    assert post(app).json.keys() == {"access_token"}
    app.jwt.auth_response_handler(lambda access_token, identity: {"greeting": "hello"})
    assert post(app).json == {"greeting": "hello"}


def test_the_handler_gets_the_token_and_the_user(make_app):
    """The identity is the object that authenticate returned, not a copy."""
    user, received = User(1), []
    app = make_app(authenticate=lambda username, password: user)
    app.jwt.auth_response_handler(lambda *arguments: received.append(arguments) or "")
    post(app)
    [(token, identity)] = received
    assert identity is user
    assert read_claims(token)["identity"] == 1


def test_the_token_is_bytes(make_app):
    """JSON cannot contain bytes, so a handler without .decode("utf-8") gets a 500."""
    app = make_app()
    app.jwt.auth_response_handler(lambda access_token, identity: jsonify(access_token=access_token))
    assert post(app).status_code == 500
    app.jwt.auth_response_handler(lambda access_token, identity: {"type": type(access_token).__name__})
    assert post(app).json == {"type": "bytes"}


def test_the_handler_may_return_what_a_view_may_return(make_app):
    """A dict becomes JSON. A status code and headers may follow it."""
    app = make_app()
    app.jwt.auth_response_handler(lambda token, user: ({"user_id": user.id}, 201, {"X-Lesson": "4"}))
    response = post(app)
    assert (response.status_code, response.json) == (201, {"user_id": 1})
    assert response.headers["X-Lesson"] == "4"


def test_a_failed_login_does_not_call_the_handler(make_app):
    """A wrong password gets the usual error."""
    app, received = make_app(), []
    app.jwt.auth_response_handler(lambda *arguments: received.append(arguments) or "welcome")
    failed = post(app, password="wrong")
    assert (failed.status_code, failed.json["description"]) == (401, "Invalid credentials")
    assert not received
    assert post(app).text == "welcome"


def test_the_user_id_is_also_in_the_token(tmp_path):
    """Anyone can read the user's id in the token, without the key."""
    app = load_lesson(find_lessons()[4], tmp_path / "data.db")
    login = app.test_client().post("/login", json=BOB_BY_EMAIL).json
    assert read_claims(login["access_token"])["identity"] == login["user_id"] == 1


def test_a_second_jwt_loses_the_first_ones_handler(make_app):
    """Only the handlers of the last JWT(...) are called."""
    app = make_app()
    app.jwt.auth_response_handler(lambda access_token, identity: "first")
    second = JWT(app, app.jwt.authentication_callback, app.jwt.identity_callback)
    second.jwt_error_handler(lambda error: ("second", 418))
    assert post(app).json.keys() == {"access_token"}
    assert post(app, password="wrong").text == "second"


def test_all_fields_of_a_user_include_the_password_hash(edited):
    """A response with vars(identity) contains the hash."""
    app = edited(4, {"user_id=identity.id": "user=vars(identity)"})
    user = app.test_client().post("/login", json=BOB_BY_EMAIL).json["user"]
    assert user["password_hash"].startswith(("scrypt:", "pbkdf2:"))


def test_a_misspelt_field_gets_a_500(edited):
    """A login gets a 500, even if the app has a JWT error handler."""
    app = edited(4, {"identity.id": "identity.user_id"})
    app.extensions["jwt"].jwt_error_handler(lambda error: ("handled", 401))
    assert app.test_client().post("/login", json=BOB_BY_EMAIL).status_code == 500


@pytest.mark.parametrize("identity", [1, 2, "f81d4fae"])
def test_an_id_can_be_a_number_or_text(make_app, identity):
    """A user can log in with an id that is text, or a number that is not 0."""
    assert post(make_app(authenticate=lambda *arguments: User(identity))).status_code == 200


@pytest.mark.parametrize("user", [User(0), User(None), User(""), User(UUID(int=1)), {"id": 1}])
def test_some_users_cannot_log_in(make_app, user):
    """Login gets a 500 with these users, unless a jwt_payload_handler makes the claims."""
    app = make_app(authenticate=lambda username, password: user)
    assert post(app).status_code == 500
    app.jwt.jwt_payload_handler(lambda identity: {"exp": 2**32, "iat": 0, "nbf": 0, "identity": "text"})
    assert post(app).status_code == 200


def test_a_login_may_be_cached_unless_the_handler_forbids_it(edited):
    """Flask-JWT does not send the header Cache-Control. A handler can send it."""
    change = 'user_id=identity.id), {"Cache-Control": "no-store"}'
    for changes, header in (({}, None), ({"user_id=identity.id)": change}, "no-store")):
        response = edited(4, changes).test_client().post("/login", json=BOB_BY_EMAIL)
        assert (response.status_code, response.headers.get("Cache-Control")) == (200, header)

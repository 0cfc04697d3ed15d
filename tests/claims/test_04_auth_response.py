"""What the README of lesson 4 says about Flask-JWT and the tutorial."""

import pytest
from flask import jsonify
from flask_jwt import JWT

from helpers import BOB
from tokens import read_claims


def post(app, **changes):
    return app.test_client().post("/auth", json=BOB | changes)


class User:
    def __init__(self, id):
        self.id = id


def test_identity_is_what_authenticate_returned(make_app):
    """`identity` is the very object that `authenticate` returned, here a `UserModel`. It is not the claim
    of that name, nor the function in `security.py`."""
    user, given = User(1), []
    app = make_app(authenticate=lambda username, password: user)
    app.jwt.auth_response_handler(lambda access_token, identity: given.append(identity) or "")
    post(app)
    assert given == [user]


def test_the_token_is_bytes(make_app):
    """`access_token` is bytes. Without `.decode("utf-8")`, JSON cannot hold it and login is a 500."""
    app = make_app()
    app.jwt.auth_response_handler(lambda access_token, identity: jsonify(access_token=access_token))
    assert post(app).status_code == 500
    app.jwt.auth_response_handler(lambda access_token, identity: {"type": type(access_token).__name__})
    assert post(app).json == {"type": "bytes"}


def test_the_handler_runs_after_a_login_that_worked(make_app):
    """The handler answers the logins that worked. Those that failed go to lesson 5's."""
    app = make_app()
    app.jwt.auth_response_handler(lambda access_token, identity: "answered")
    assert post(app).text == "answered"
    assert post(app, password="wrong").json["description"] == "Invalid credentials"


def test_the_body_gives_away_nothing_that_the_token_does_not(make_app):
    """The tutorial takes the token's content for encrypted. It is not, so the `user_id` gives nothing
    away: anyone who has the token can read the same number in it, as `identity`."""
    app = make_app()
    app.jwt.auth_response_handler(lambda token, user: {"access_token": token.decode(), "user_id": user.id})
    login = post(app).json
    assert read_claims(login["access_token"])["identity"] == login["user_id"]


def test_a_second_jwt_loses_the_first_ones_handler(make_app):
    """The tutorial creates a new `JWT(...)` for each handler. The last one counts and the handlers of the
    others are lost without a word, so all handlers belong on one."""
    app = make_app()
    app.jwt.auth_response_handler(lambda access_token, identity: "first")
    second = JWT(app, app.jwt.authentication_callback, app.jwt.identity_callback)
    second.jwt_error_handler(lambda error: ("second", 418))
    assert post(app).json.keys() == {"access_token"}
    assert post(app, password="wrong").text == "second"


def test_a_field_that_the_user_lacks_is_a_500(make_app):
    """A field that the user does not have is an AttributeError, so login is a 500, even with an error
    handler for JWTs."""
    app = make_app()
    app.jwt.auth_response_handler(lambda access_token, identity: jsonify(phone=identity.phone))
    app.jwt.jwt_error_handler(lambda error: ("handled", 401))
    assert post(app).status_code == 500


@pytest.mark.parametrize("user", [User(0), {"id": 1}])
def test_the_user_needs_an_id_that_is_not_0(make_app, user):
    """Flask-JWT wants an attribute `id` that is not 0. With 0, or with a dict for a user, login is a 500,
    unless a `@jwt.jwt_payload_handler` makes the claims."""
    app = make_app(authenticate=lambda username, password: user)
    assert post(app).status_code == 500
    app.jwt.jwt_payload_handler(lambda identity: {"exp": 2**32, "iat": 0, "nbf": 0, "identity": "zero"})
    assert post(app).status_code == 200


def test_a_dict_is_an_answer_too(make_app):
    """What a view may return, this handler may return: a dict becomes JSON as well."""
    app = make_app()
    app.jwt.auth_response_handler(lambda access_token, identity: ({"user_id": identity.id}, 201))
    assert (post(app).status_code, post(app).json) == (201, {"user_id": 1})

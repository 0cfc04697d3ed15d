"""Test what the README of lesson 6 says about Flask-JWT and the tutorial."""

import pytest
from flask import jsonify, request
from flask_jwt import current_identity, jwt_required
from flask_restful import Api, Resource

from helpers import ALICE_BY_EMAIL, BOB_BY_EMAIL, load_lesson, run_sql
from lesson_loader import find_lessons
from tokens import authorization, read_claims


@pytest.fixture
def lesson_6(tmp_path):
    return load_lesson(find_lessons()[6], tmp_path / "data.db")


def get_users(app, credentials):
    """Log in, get the users, and return the status, the token's claims and the token's header."""
    token = app.test_client().post("/login", json=credentials).json["access_token"]
    response = app.test_client().get("/users", headers=authorization(token))
    return response.status_code, read_claims(token), authorization(token)


def test_401_and_403(lesson_6):
    """Without a token you get a 401. A user who is not an admin gets a 403."""
    assert lesson_6.test_client().get("/users").status_code == 401
    assert get_users(lesson_6, BOB_BY_EMAIL)[0] == 403
    assert get_users(lesson_6, ALICE_BY_EMAIL)[0] == 200


def test_identity_runs_at_each_request_and_its_user_is_current_identity(make_app, log_in):
    """identity gets the claims, and the view gets the object that identity returned."""
    received = []

    class User:
        username = "bob"

    def identity(payload):
        received.append((payload, User()))
        return received[-1][1]

    app = make_app(identity=identity)
    seen = []

    @app.get("/who")
    @jwt_required()
    def who():
        seen.append(current_identity._get_current_object())
        return ""

    token = log_in(app)
    assert not received
    for _ in range(2):
        app.test_client().get("/who", headers=token)
    assert len(received) == 2
    assert all(payload.keys() == {"exp", "iat", "nbf", "identity"} for payload, _ in received)
    assert all(user is returned for user, (_, returned) in zip(seen, received, strict=True))


def test_a_former_admin_gets_a_403_with_the_next_request(lesson_6):
    """A user's rights are in the database and not in the token, so an old token loses them too."""
    status, claims, token = get_users(lesson_6, ALICE_BY_EMAIL)
    assert status == 200
    assert claims.keys() == {"exp", "iat", "nbf", "identity"}
    run_sql(lesson_6, "UPDATE users SET is_admin = 0")
    assert lesson_6.test_client().get("/users", headers=token).status_code == 403


def test_the_token_of_a_deleted_user_gets_a_401(lesson_6):
    """identity finds no user and returns None."""
    _, _, token = get_users(lesson_6, ALICE_BY_EMAIL)
    run_sql(lesson_6, "DELETE FROM users WHERE username = 'alice'")
    response = lesson_6.test_client().get("/users", headers=token)
    assert (response.status_code, response.json["message"]) == (401, "User does not exist")


def test_it_is_a_proxy(make_app, log_in):
    """`is None` is never true. `not` and `==` are true if there is no user."""
    app = make_app()

    @app.get("/open")
    def nobody():
        return jsonify(current_identity is None, not current_identity, current_identity == None)  # noqa: E711

    @app.get("/closed")
    @jwt_required()
    def somebody():
        return jsonify(
            type(current_identity._get_current_object()).__name__,
            current_identity is None,
            not current_identity,
        )

    assert app.test_client().get("/open").json == [False, True, True]
    assert app.test_client().get("/closed", headers=log_in(app)).json == ["User", False, False]


def test_a_check_with_is_none_lets_everybody_in(edited):
    """With `is None` in the lesson's view, bob gets the users."""
    check = {"not current_identity.is_admin": "current_identity is None"}
    assert get_users(edited(6, check, file="resources/user.py"), BOB_BY_EMAIL)[0] == 200


def test_it_is_empty_without_jwt_required(make_app, log_in):
    """Without jwt_required(), there is no current_identity, even with a valid token."""
    app = make_app()
    app.add_url_rule("/open", view_func=lambda: jsonify(known=bool(current_identity)))
    assert app.test_client().get("/open", headers=log_in(app)).json == {"known": False}


@pytest.mark.parametrize(("returned", "status"), [(None, 401), (False, 200), (0, 200), ({}, 200)])
def test_only_none_refuses_a_token(make_app, log_in, returned, status):
    """identity refuses a token only if it returns None."""
    app = make_app(identity=lambda payload: returned)

    @app.get("/in")
    @jwt_required()
    def inside():
        return "in"

    assert app.test_client().get("/in", headers=log_in(app)).status_code == status


def test_a_missing_claim_gets_a_500_without_get(make_app, log_in):
    """payload["role"] raises a KeyError. payload.get("role") returns None, so the token gets a 401."""
    app = make_app(identity=lambda payload: payload["role"])
    assert app.test_client().get("/view", headers=log_in(app)).status_code == 500
    app = make_app(identity=lambda payload: payload.get("role"))
    assert app.test_client().get("/view", headers=log_in(app)).status_code == 401


def test_it_is_not_json(make_app, log_in):
    """A method that returns current_identity gets a 500."""

    class Myself(Resource):
        @jwt_required()
        def get(self):
            return current_identity

    app = make_app()
    Api(app).add_resource(Myself, "/me")
    assert app.test_client().get("/me", headers=log_in(app)).status_code == 500


def test_the_tutorials_listing_lacks_an_import_and_a_return(make_app, log_in):
    """Without the import you get a NameError. Without a return, the response is null."""
    with pytest.raises(NameError, match="Resource"):
        exec("class User(Resource): pass", {})

    class Silent(Resource):
        @jwt_required()
        def get(self):
            current_identity  # noqa: B018

    app = make_app()
    Api(app).add_resource(Silent, "/silent")
    assert app.test_client().get("/silent", headers=log_in(app)).text == "null\n"


def test_a_cookie_with_the_token_works_for_requests_from_other_sites(make_app, log_in):
    """With a request handler that reads a cookie, a request that another site starts gets a 200."""
    app = make_app()
    token = log_in(app)["Authorization"].removeprefix("JWT ")
    client = app.test_client()
    client.set_cookie("token", token)
    from_elsewhere = {"Origin": "https://other.example"}
    assert client.get("/view", headers=from_elsewhere).status_code == 401
    app.jwt.request_handler(lambda: request.cookies.get("token"))
    assert client.get("/view", headers=from_elsewhere).status_code == 200


def test_flask_jwt_sends_no_cors_headers(lesson_6):
    """Neither the preflight request nor a response allows pages from another origin."""
    headers = {"Origin": "https://other.example", "Access-Control-Request-Method": "GET"}
    for response in (
        lesson_6.test_client().options("/users", headers=headers),
        lesson_6.test_client().post("/login", json=BOB_BY_EMAIL, headers=headers),
    ):
        assert response.status_code == 200
        assert not [name for name, _ in response.headers if name.startswith("Access-Control-")]

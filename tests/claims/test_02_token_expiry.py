"""What the README of lesson 2 states about the lifetime of a token, and about the tutorial."""

import time
from datetime import timedelta

import pytest
from werkzeug.security import generate_password_hash

from helpers import BOB, run_sql, within_one_second
from tokens import authorization, mint_for, read_claims


def view(app, token):
    return app.test_client().get("/view", headers=authorization(token))


def log_in_to(app, **changes):
    return app.test_client().post("/auth", json=BOB | changes).json["access_token"]


def test_a_token_expires_after_five_minutes(make_app):
    """Without JWT_EXPIRATION_DELTA, the exp of a new token is 5 minutes after the login."""
    claims = read_claims(log_in_to(make_app()))
    assert timedelta(seconds=claims["exp"] - claims["iat"]) == timedelta(minutes=5)
    assert abs(claims["iat"] - time.time()) < 60
    claims = read_claims(log_in_to(make_app(JWT_EXPIRATION_DELTA=timedelta(minutes=7))))
    assert timedelta(seconds=claims["exp"] - claims["iat"]) == timedelta(minutes=7)


def test_an_expired_token_works_for_ten_more_seconds(make_app):
    """JWT_LEEWAY is 10 seconds, so a token of 5 minutes works for 309 seconds, but not for 310."""
    app = make_app()

    def status(age):
        return within_one_second(lambda: view(app, mint_for(app, age=age, lifetime=300)).status_code)

    assert app.config["JWT_LEEWAY"] == timedelta(seconds=10)
    assert (status(309), status(310)) == (200, 401)
    app.config["JWT_LEEWAY"] = timedelta(seconds=33)
    assert (status(310), status(333)) == (200, 401)


def test_only_new_tokens_change(make_app):
    """A new JWT_EXPIRATION_DELTA changes the expiry of new tokens only."""
    app = make_app()
    old = log_in_to(app)
    app.config["JWT_EXPIRATION_DELTA"] = timedelta(seconds=-60)
    assert view(app, log_in_to(app)).status_code == 401
    assert view(app, old).status_code == 200


def test_the_line_of_the_tutorial_needs_an_import(make_app):
    """Without the import of timedelta, the tutorial's line raises a NameError."""
    with pytest.raises(NameError, match="timedelta"):
        exec("app.config['JWT_EXPIRATION_DELTA'] = timedelta(seconds=1800)", {"app": make_app()})


@pytest.mark.parametrize(("value", "status"), [(1800, 500), (None, 500), (timedelta(seconds=1800), 200)])
def test_the_value_is_a_timedelta(make_app, value, status):
    """A number or None instead of a timedelta makes every login fail."""
    app = make_app(JWT_EXPIRATION_DELTA=value)
    assert app.test_client().post("/auth", json=BOB).status_code == status


@pytest.mark.parametrize("leeway", [0, timedelta(0)])
def test_without_leeway_five_minutes_are_exact(make_app, leeway):
    """With JWT_LEEWAY = 0, a token is refused as soon as its 5 minutes are over."""
    app = make_app(JWT_LEEWAY=leeway)
    lifetime = timedelta(minutes=5).seconds
    for age, status in ((lifetime - 1, 200), (lifetime, 401)):
        view_token = lambda age=age: view(app, mint_for(app, age=age, lifetime=lifetime))  # noqa: E731
        assert within_one_second(view_token).status_code == status


def test_an_expired_token_gets_a_401_that_says_so(make_app):
    """The description is: Signature has expired."""
    app = make_app()
    response = view(app, mint_for(app, age=400, lifetime=300))
    assert (response.status_code, response.json["description"]) == (401, "Signature has expired")


def test_nothing_renews_a_token(make_app):
    """A response to a token contains no new token, and nobody can log in with a token."""
    app = make_app()
    token = log_in_to(app)
    response = view(app, token)
    assert response.json == {"username": "bob"}
    assert "eyJ" not in str(response.headers)
    rules = [rule.rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]
    assert rules == ["/auth"]
    for body in ({}, {"access_token": token}, {"username": "bob", "password": token}):
        response = app.test_client().post("/auth", json=body, headers=authorization(token))
        assert response.status_code == 401


def test_an_expiry_is_tested_without_waiting(make_app):
    """A token with an exp in the past, signed with the app's key, is refused because it has expired."""
    app = make_app()
    assert view(app, mint_for(app)).status_code == 200
    assert view(app, mint_for(app, exp=1)).json["description"] == "Signature has expired"


def test_after_a_new_password_the_old_token_works(app):
    """After a password change, the old password gets a 401, but an old token still works."""
    client = app.test_client()
    token = client.post("/login", json=BOB).json["access_token"]
    new = generate_password_hash("a new password", method="scrypt:256:8:1")
    run_sql(app, f"UPDATE users SET password_hash = '{new}' WHERE username = 'bob'")
    assert client.post("/login", json=BOB).status_code == 401
    assert client.post("/login", json=BOB | {"password": "a new password"}).status_code == 200
    assert client.get("/users", headers=authorization(token)).status_code == 200

"""What the README of lesson 2 says about Flask-JWT and the tutorial."""

from datetime import timedelta

import pytest

from helpers import BOB
from tokens import authorization, mint_for


def status(app, headers):
    return app.test_client().get("/view", headers=headers).status_code


def test_five_minutes_are_five_minutes_and_ten_seconds(make_app, log_in):
    """Five minutes, the default, are 5 minutes and 10 seconds: `JWT_LEEWAY` adds these, for clocks that
    disagree."""
    app = make_app()
    assert app.config["JWT_EXPIRATION_DELTA"] == timedelta(minutes=5)
    assert app.config["JWT_LEEWAY"] == timedelta(seconds=10)
    assert status(app, authorization(mint_for(app, age=308, lifetime=300))) == 200
    assert status(app, authorization(mint_for(app, age=311, lifetime=300))) == 401


@pytest.mark.parametrize("leeway", [0, timedelta(0)])
def test_without_leeway_five_minutes_are_five_minutes(make_app, leeway):
    """With `JWT_LEEWAY = 0`, five minutes are five minutes."""
    app = make_app(JWT_LEEWAY=leeway)
    assert status(app, authorization(mint_for(app, age=298, lifetime=300))) == 200
    assert status(app, authorization(mint_for(app, age=301, lifetime=300))) == 401


def test_the_tutorials_line_needs_an_import(make_app):
    """The tutorial's listing lacks `from datetime import timedelta`, and ends in a NameError."""
    with pytest.raises(NameError, match="timedelta"):
        exec("app.config['JWT_EXPIRATION_DELTA'] = timedelta(seconds=1800)", {"app": make_app()})


def test_the_end_is_written_into_the_token(make_app, log_in):
    """When its life ends is written into the token (`exp`, in seconds since 1970), so the option holds
    for new tokens, not for those already issued."""
    app = make_app()
    old = log_in(app)
    app.config["JWT_EXPIRATION_DELTA"] = timedelta(seconds=-60)
    assert status(app, log_in(app)) == 401
    assert status(app, old) == 200


@pytest.mark.parametrize("value", [1800, None])
def test_the_value_is_a_timedelta(make_app, value):
    """The value is a `timedelta`. With `1800`, or with `None` for a token without an end, login is a 500."""
    assert make_app(JWT_EXPIRATION_DELTA=value).test_client().post("/auth", json=BOB).status_code == 500


def test_an_expired_token_says_so(make_app):
    """An expired token is a 401 that says `Signature has expired`. Nothing renews a token: the user logs
    in again."""
    app = make_app()
    response = app.test_client().get("/view", headers=authorization(mint_for(app, age=400)))
    assert response.status_code == 401
    assert response.json["description"] == "Signature has expired"
    assert not any("refresh" in name or "renew" in name for name in (*dir(app.jwt), *app.config))


def test_expiry_is_tested_with_minted_tokens(make_app):
    """Test an expiry with a token whose `exp` lies in the past, signed with the app's own key: no test
    needs to sleep."""
    app = make_app()
    assert status(app, authorization(mint_for(app, exp=1))) == 401
    assert status(app, authorization(mint_for(app))) == 200

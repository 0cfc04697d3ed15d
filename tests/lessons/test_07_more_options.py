"""Lesson 7: JWT_AUTH_HEADER_PREFIX. Lesson 8 has the same API, so these tests run on both."""

import pytest

from helpers import ALICE_BY_EMAIL, BOB_BY_EMAIL, run_sql
from tokens import authorization, mint_for, read_claims

pytestmark = pytest.mark.also_on("08_flask_jwt_extended")


@pytest.fixture
def users(client):
    """A function that asks for the users with a token after the prefix Bearer."""
    return lambda token: client.get("/users", headers=authorization(token, "Bearer"))


@pytest.fixture
def log_in(client):
    """A function that logs in and returns the token."""
    return lambda credentials: client.post("/login", json=credentials).json()["access_token"]


@pytest.mark.parametrize("prefix", ["Bearer", "bearer", "BEARER"])
def test_a_bearer_token_opens_the_list_to_an_admin(client, log_in, prefix):
    """An admin's token after the word Bearer opens GET /users."""
    response = client.get("/users", headers=authorization(log_in(ALICE_BY_EMAIL), prefix))
    assert response.status_code == 200
    assert response.json() == {
        "asked_by": "alice",
        "users": [{"id": 1, "username": "bob"}, {"id": 2, "username": "alice"}],
    }


@pytest.mark.parametrize("header", ["JWT {}", "{}", "Bearer{}", "Bearer {0} {0}", "Bearer", ""])
def test_a_token_after_anything_else_is_refused(client, users, log_in, header):
    """The app refuses a token after another word, or with no word before it."""
    token = log_in(ALICE_BY_EMAIL)
    assert users(token).status_code == 200
    response = client.get("/users", headers={"Authorization": header.format(token)})
    assert response.status_code == 401
    assert response.json().keys() == {"message", "code"}


def test_without_a_token_one_is_told_how_to_authenticate(client, users, log_in):
    """A request without a token gets a 401 with the header WWW-Authenticate."""
    assert users(log_in(ALICE_BY_EMAIL)).status_code == 200
    response = client.get("/users")
    assert response.status_code == 401
    assert response.json() == {"message": "Request does not contain an access token", "code": 401}
    assert response.headers["WWW-Authenticate"].endswith(' realm="Login Required"')


def test_a_login_responds_as_before_and_its_token_says_who_and_how_long(client, users):
    """The response to a login has not changed, and the token still expires after half an hour."""
    login = client.post("/login", json=BOB_BY_EMAIL)
    assert login.json() == {"access_token": login.json()["access_token"], "user_id": 1}
    issued = read_claims(login.json()["access_token"])
    assert issued["exp"] - issued["iat"] == 1800
    refused = users(login.json()["access_token"])
    assert (refused.status_code, refused.json()) == (403, {"message": "bob is not an admin", "code": 403})


@pytest.mark.parametrize(("age", "status"), [(1799, 200), (1808, 200), (1811, 401)])
def test_a_token_is_good_for_half_an_hour_and_its_leeway(app, users, age, status):
    """The app accepts a token for half an hour and 10 more seconds."""
    response = users(mint_for(app, identity=2, age=age, lifetime=1800))
    assert response.status_code == status
    if status == 401:
        assert response.json() == {"message": "Signature has expired", "code": 401}
    assert users(mint_for(app, identity=2, age=age, lifetime=age + 1)).status_code == 200


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_a_token_without_one_of_its_times_is_refused(app, users, claim):
    """The app refuses a token without one of its times: exp, iat or nbf."""
    assert users(mint_for(app, identity=2)).status_code == 200
    response = users(mint_for(app, identity=2, **{claim: None}))
    assert response.status_code == 401
    assert response.json() == {"message": f'Token is missing the "{claim}" claim', "code": 401}


def test_a_forged_token_and_one_for_another_app_are_refused(app, users):
    """The app refuses a forged token, and a token for another app."""
    assert users(mint_for(app, identity=2)).status_code == 200
    forged, foreign = (
        users(mint_for(app, identity=2, key="x" * 64)),
        users(mint_for(app, identity=2, aud="another")),
    )
    assert forged.json() == {"message": "Signature verification failed", "code": 401}
    assert foreign.json() == {"message": "Invalid audience", "code": 401}
    assert forged.status_code == foreign.status_code == 401


def test_a_deleted_users_token_is_refused(app, users, log_in):
    """The app refuses the token of a deleted user."""
    token = log_in(ALICE_BY_EMAIL)
    assert users(token).status_code == 200
    run_sql(app, "DELETE FROM users WHERE username = 'alice'")
    response = users(token)
    assert (response.status_code, response.json()) == (401, {"message": "User does not exist", "code": 401})

"""Lesson 8: a claim of your own. Lesson 9 has the same API, so these tests run on both.

Every token in these tests has a username. The tests also check that this claim is there, or that the app
refuses the same token without it.
"""

import time

import pytest

from helpers import ALICE_BY_EMAIL, BOB_BY_EMAIL, run_sql, within_one_second
from tokens import authorization, mint_for, read_claims

pytestmark = pytest.mark.also_on("09_flask_jwt_extended")

USERS = [{"id": 1, "username": "bob"}, {"id": 2, "username": "alice"}]


@pytest.fixture
def get_users(client):
    """A function that asks for the users with a token."""
    return lambda token: client.get("/users", headers=authorization(token, "Bearer"))


@pytest.fixture
def log_in(client):
    """A function that logs a user in and returns the token. The token must contain the username."""

    def log_in(credentials):
        token = client.post("/login", json=credentials).json()["access_token"]
        assert read_claims(token).get("username") == credentials["email"].partition("@")[0]
        return token

    return log_in


@pytest.fixture
def ask_as_alice(app, get_users):
    """A function that asks for the users with a token that it makes for alice, with the given changes.

    The app must refuse the same token without a username.
    """

    def ask_as_alice(**changes):
        claims = {"identity": 2, "username": "alice"} | changes
        assert get_users(mint_for(app, **claims | {"username": None})).status_code == 401
        return get_users(mint_for(app, **claims))

    return ask_as_alice


def assert_refused(response):
    """Assert that a response has the status 401 and the format of this API."""
    assert response.status_code == 401
    assert response.json().keys() == {"message", "code"}
    assert response.json()["code"] == 401


def test_a_token_contains_the_username_of_its_user(client):
    """The token of bob says bob, and the token of alice says alice."""
    logins = [
        client.post("/login", json=credentials).json() for credentials in (BOB_BY_EMAIL, ALICE_BY_EMAIL)
    ]
    assert [read_claims(login["access_token"]).get("username") for login in logins] == ["bob", "alice"]


def test_a_token_without_a_username_is_refused(app, get_users):
    """The app accepts a token only if it has a username."""
    assert_refused(get_users(mint_for(app, identity=2, username=None)))
    assert get_users(mint_for(app, identity=2, username="alice")).status_code == 200


def test_the_username_in_a_token_is_as_old_as_the_token(app, log_in, get_users):
    """After alice is renamed, the response has her new name. Only a new token has it too."""
    old = log_in(ALICE_BY_EMAIL)
    run_sql(app, "UPDATE users SET username = 'alicia', email = 'alicia@example.com' WHERE id = 2")
    assert read_claims(old)["username"] == "alice"
    assert get_users(old).json()["asked_by"] == "alicia"
    log_in({"email": "alicia@example.com", "password": "wonderland"})


def test_a_login_returns_the_token_and_the_id_as_before(client):
    """The new claim is in the token and not in the response."""
    login = client.post("/login", json=BOB_BY_EMAIL).json()
    assert login == {"access_token": login["access_token"], "user_id": 1}
    assert read_claims(login["access_token"]).get("username") == "bob"


def test_a_wrong_password_gets_no_token(client, log_in):
    """The right password gets a token with a username. A wrong one gets a 401."""
    assert log_in(ALICE_BY_EMAIL)
    response = client.post("/login", json=ALICE_BY_EMAIL | {"password": "builder"})
    assert_refused(response)
    assert response.json()["message"] == "Invalid credentials"


def test_an_admin_gets_the_users_and_others_get_a_403(log_in, get_users):
    """alice gets the users. bob is not an admin."""
    alice, bob = get_users(log_in(ALICE_BY_EMAIL)), get_users(log_in(BOB_BY_EMAIL))
    assert (alice.status_code, alice.json()) == (200, {"asked_by": "alice", "users": USERS})
    assert (bob.status_code, bob.json()) == (403, {"message": "bob is not an admin", "code": 403})


def test_the_database_decides_who_is_an_admin(app, log_in, get_users):
    """If a user gains or loses rights, the next request already shows it, even with an old token."""
    bob, alice = log_in(BOB_BY_EMAIL), log_in(ALICE_BY_EMAIL)
    run_sql(app, "UPDATE users SET is_admin = NOT is_admin")
    assert get_users(bob).status_code == 200
    assert get_users(alice).status_code == 403


def test_a_new_token_is_valid_at_once_and_expires_after_half_an_hour(log_in):
    """iat and nbf are the time of the login, and exp is 1800 seconds later."""
    claims = read_claims(log_in(BOB_BY_EMAIL))
    assert claims["exp"] - claims["iat"] == 1800
    assert claims["nbf"] == claims["iat"]


def test_a_token_works_for_half_an_hour_and_its_leeway(ask_as_alice):
    """The app accepts a token for 10 seconds after its expiry."""

    def ask(age):
        return within_one_second(lambda: ask_as_alice(age=age, lifetime=1800))

    assert [ask(age).status_code for age in (1799, 1809, 1810)] == [200, 200, 401]
    assert ask(1810).json() == {"message": "Signature has expired", "code": 401}


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_from_the_future_is_refused(ask_as_alice, claim):
    """The leeway of 10 seconds also allows for a clock that is ahead."""

    def status(seconds):
        return ask_as_alice(**{claim: int(time.time()) + seconds}).status_code

    assert [status(seconds) for seconds in (5, 20)] == [200, 401]


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_a_token_without_one_of_its_times_is_refused(ask_as_alice, claim):
    """The claims that the app required before are still required."""
    assert ask_as_alice().status_code == 200
    assert_refused(ask_as_alice(**{claim: None}))


def test_a_token_without_the_id_of_its_user_is_refused(ask_as_alice):
    """A username does not say which user a token belongs to."""
    assert ask_as_alice().status_code == 200
    assert_refused(ask_as_alice(identity=None))


def test_a_forged_token_is_refused(ask_as_alice):
    """The app refuses a token that was signed with another key."""
    assert ask_as_alice().status_code == 200
    assert ask_as_alice(key="x" * 64).json() == {"message": "Signature verification failed", "code": 401}


def test_a_token_for_another_app_is_refused(ask_as_alice):
    """The app refuses a token that has an audience."""
    assert ask_as_alice().status_code == 200
    assert_refused(ask_as_alice(aud="another"))


def test_a_deleted_users_token_is_refused(app, log_in, get_users):
    """A username in a token does not replace the user in the database."""
    token = log_in(ALICE_BY_EMAIL)
    assert get_users(token).status_code == 200
    run_sql(app, "DELETE FROM users WHERE username = 'alice'")
    response = get_users(token)
    assert (response.status_code, response.json()) == (401, {"message": "User does not exist", "code": 401})


def test_a_request_without_a_token_is_refused(client, log_in, get_users):
    """Without a token, the app does not know who asks."""
    assert get_users(log_in(ALICE_BY_EMAIL)).status_code == 200
    response = client.get("/users")
    assert_refused(response)
    assert response.json()["message"] == "Request does not contain an access token"


@pytest.mark.parametrize("header", ["JWT {}", "{}", "Bearer{}", "Bearer {0} {0}", "Bearer", ""])
def test_a_token_after_anything_but_bearer_is_refused(client, log_in, get_users, header):
    """The header must be the word Bearer, a space and one token."""
    token = log_in(ALICE_BY_EMAIL)
    assert get_users(token).status_code == 200
    assert_refused(client.get("/users", headers={"Authorization": header.format(token)}))

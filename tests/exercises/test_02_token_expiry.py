"""Exercise 2: tokens that expire after exactly 15 minutes."""

import time

import pytest

from exercises.client import expect, expect_only_good_tokens
from tokens import mint, read_claims

LIFETIME = 900  # seconds


def log_in(client, user):
    return client.post("/login", {"username": user.username, "password": user.password})


def get_users(client, key, user, seconds_left):
    """Ask for the users with a token that expires in this many seconds.

    Return the response, and True if it arrived before the next second began. The times in a token are
    whole seconds, so try again if a new second begins while the request is on its way.
    """
    for _ in range(3):
        second = int(time.time())
        token = mint(key, user.id, age=LIFETIME - seconds_left, lifetime=LIFETIME)
        response = client.get("/users", token)
        if int(time.time()) == second:
            return response, True
        time.sleep(1 - time.time() % 1)  # start the next try when a second begins
    return response, False


@pytest.mark.points(2)
def test_a_token_expires_after_15_minutes(client, user):
    """A token expires exactly 15 minutes after the login."""
    question = "Which option sets when a token expires? What type of value does the option need?"
    response = log_in(client, user)
    claims = read_claims(response.get("access_token"))
    expect(
        response,
        response.status == 200 and claims,
        "200 and an access_token",
        "Which claims does the error above name?" if "required claims" in response.note else question,
    )
    issued, expires = claims.get("iat"), claims.get("exp")
    expect(
        response,
        isinstance(issued, int | float) and isinstance(expires, int | float),
        f"a token whose iat and exp are numbers, not {issued!r} and {expires!r}",
        "What type of value does your app write into iat and exp?",
    )
    expect(
        response,
        expires - issued == LIFETIME,
        f"a token whose exp is {LIFETIME} seconds after its iat, not {expires - issued}",
        question,
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_expires_after_15_minutes")
def test_a_token_works_until_it_expires(client, user, secret_key):
    """A token works from the login until its last second."""
    question = "Which other option changes how long a token works? What is its value in your app?"
    # Wait for the next second. If the app read the clock only when it started, its time is now too early.
    time.sleep(1 - time.time() % 1)
    second = int(time.time())
    response = log_in(client, user)
    claims = read_claims(response.get("access_token"))
    expect(
        response,
        response.status == 200 and claims,
        "200 and an access_token",
        "Can a user log in more than once?",
    )
    issued, expires = claims["iat"], claims["exp"]
    expect(
        response,
        second <= issued <= time.time() + 1 and expires - issued == LIFETIME,
        f"a token with iat {second} and exp {second + LIFETIME}, because it is {second} now, "
        f"but the token has iat {issued} and exp {expires}",
        "When does your code read the clock? Does it use UTC?",
    )
    expect(
        response,
        str(claims.get("identity")) == str(user.id),
        f"a token with the identity {user.id}, because this is the id of {user.username}",
        "Whose id does your code write into the token?",
    )
    response, _ = get_users(client, secret_key, user, seconds_left=5)
    expect(
        response, response.status == 200, "200 and the users, because this token has 5 seconds left", question
    )
    response, in_time = get_users(client, secret_key, user, seconds_left=1)
    expect(
        response,
        response.status == 200 or not in_time,
        "200 and the users, because this token is in its last second",
        question,
    )
    response = client.get("/users", log_in(client, user).get("access_token"))
    expect(
        response,
        response.status == 200,
        "200 and the users, because the user got this token a moment ago",
        question,
    )


@pytest.mark.points(3)
@pytest.mark.needs("test_a_token_expires_after_15_minutes")
def test_an_expired_token_is_refused_at_once(client, user, secret_key):
    """The app refuses a token as soon as its 15 minutes are over."""
    if time.time() % 1 > 0.4:  # at the end of a second, a leeway of half a second would not show
        time.sleep(1 - time.time() % 1)
    response, _ = get_users(client, secret_key, user, seconds_left=0)
    expect(
        response,
        response.status == 401,
        "401, because this token is 15 minutes old, so it has just expired",
        "Which option lets the app accept an expired token a little longer? What is its default value?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_expires_after_15_minutes")
def test_a_token_without_exp_is_refused(client, user, secret_key):
    """The app refuses a token without exp."""
    response = client.get("/users", mint(secret_key, user.id, exp=None))
    expect(
        response,
        response.status == 401,
        "401, because a token without exp would never expire",
        "Does your app still require exp in each token?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_expires_after_15_minutes")
def test_a_bad_token_is_refused(client, user, secret_key):
    """The app refuses a wrong password, and nobody can get the list of users without a good token."""
    response = client.get("/users")
    expect(
        response,
        response.status == 401,
        "401, because this request has no token",
        "Is the list of users still at /users, with @jwt_required()?",
    )
    response = client.post("/login", {"username": user.username, "password": "wrong"})
    expect(
        response,
        response.status == 401,
        "401, because this is not the user's password",
        "Does your login still check the password?",
    )
    expect_only_good_tokens(client, "/users", log_in(client, user), secret_key, user)

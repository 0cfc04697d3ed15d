"""Exercise 2: tokens that expire after exactly 15 minutes."""

import pytest

from exercises.client import expect
from tokens import mint, read_claims


@pytest.mark.points(3)
def test_exp_is_15_minutes_after_iat(client, user):
    """A token's exp is 900 seconds (15 minutes) after its iat."""
    response = client.post("/login", {"username": user.username, "password": user.password})
    claims = read_claims(response.get("access_token"))
    lifetime = claims.get("exp", 0) - claims.get("iat", 0)
    expect(
        response,
        lifetime == 900,
        f"200 and a token that expires after 900 seconds, not after {lifetime}",
        "Which option sets the lifetime of a token? What type of value does the option need?",
    )


@pytest.mark.points(2)
def test_a_token_works_for_15_minutes(client, user, secret_key):
    """A token still works 10 seconds before its 15 minutes are over."""
    response = client.get("/users", mint(secret_key, user.id, age=890, lifetime=900))
    expect(
        response,
        response.status == 200,
        "200 and the users, because this token has 10 seconds left",
        "Which other option changes how long the app accepts a token?",
    )


@pytest.mark.points(3)
def test_an_expired_token_is_refused_at_once(client, user, secret_key):
    """A token is refused 2 seconds after its 15 minutes are over."""
    response = client.get("/users", mint(secret_key, user.id, age=902, lifetime=900))
    expect(
        response,
        response.status == 401,
        "401, because this token expired 2 seconds ago",
        "Which option gives an expired token some extra seconds? What is its default value?",
    )


@pytest.mark.points(1)
def test_a_token_without_exp_is_refused(client, user, secret_key):
    """A token without exp is refused."""
    response = client.get("/users", mint(secret_key, user.id, exp=None))
    expect(
        response,
        response.status == 401,
        "401, because a token without exp would never expire",
        "Did you change which claims are required?",
    )


@pytest.mark.points(1)
def test_a_token_signed_with_another_key_is_refused(client, user):
    """A token that was signed with another key is refused."""
    response = client.get("/users", mint("another key " * 4, user.id))
    expect(
        response,
        response.status == 401,
        "401, because this token was signed with another key",
        "Does your app still verify the signature of every token?",
    )

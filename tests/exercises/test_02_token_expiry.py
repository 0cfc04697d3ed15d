"""Exercise 2: tokens that live for exactly a quarter of an hour."""

import pytest

from exercises.client import expect
from tokens import mint, read_claims


@pytest.mark.points(3)
def test_a_token_says_a_quarter_of_an_hour(client, user):
    """A token's exp is 900 seconds after its iat."""
    answer = client.post("/login", {"username": user.username, "password": user.password})
    claims = read_claims(answer.get("access_token"))
    life = claims.get("exp", 0) - claims.get("iat", 0)
    expect(
        answer,
        life == 900,
        f"200 and a token that lives for 900 seconds; this one lives for {life}",
        "Which option says how long a token lives, and of what type is its value?",
    )


@pytest.mark.points(2)
def test_a_token_is_good_to_the_last(client, user, secret_key):
    """A token is still good 10 seconds before its quarter of an hour is over."""
    answer = client.get("/users", mint(secret_key, user.id, age=890, lifetime=900))
    expect(answer, answer.status == 200, "200 and the users", "What else limits the life of a token?")


@pytest.mark.points(3)
def test_a_token_is_refused_at_once(client, user, secret_key):
    """A token is refused 2 seconds after its quarter of an hour."""
    answer = client.get("/users", mint(secret_key, user.id, age=902, lifetime=900))
    expect(
        answer,
        answer.status == 401,
        "401 for a token that has been over for 2 seconds",
        "Which option forgives a token some seconds, and how many does it forgive by default?",
    )


@pytest.mark.points(1)
def test_a_token_needs_an_end(client, user, secret_key):
    """A token without an exp is refused."""
    answer = client.get("/users", mint(secret_key, user.id, exp=None))
    expect(answer, answer.status == 401, "401", "Have you changed which claims are required?")


@pytest.mark.points(1)
def test_a_token_of_another_key_is_refused(client, user):
    """A token that another key has signed is refused."""
    answer = client.get("/users", mint("another key " * 4, user.id))
    expect(answer, answer.status == 401, "401", "Who says here that a token is good?")

"""Lesson 2: JWT_EXPIRATION_DELTA."""

import pytest

from helpers import BOB
from tokens import authorization, mint_for, read_claims


@pytest.fixture
def aged(app, client):
    """A function that returns the header with a token that was issued some seconds ago."""
    issued = read_claims(client.post("/login", json=BOB).json()["access_token"])

    def aged(seconds):
        times = {name: issued[name] - seconds for name in ("iat", "nbf", "exp")}
        return authorization(mint_for(app, identity=issued["identity"], **times))

    return aged


def test_a_token_lives_for_half_an_hour(client):
    """A new token expires after 1800 seconds, which is half an hour."""
    token = read_claims(client.post("/login", json=BOB).json()["access_token"])
    lifetime = token["exp"] - token["iat"]
    assert lifetime == 1800


def test_a_token_of_twenty_minutes_is_still_good(client, aged):
    """The app accepts a token that is 20 minutes old."""
    assert client.get("/users", headers=aged(20 * 60)).status_code == 200


def test_a_token_is_good_within_the_leeway_and_refused_after_it(client, aged):
    """The app accepts a token for 10 seconds after its expiry time, and then refuses it."""
    assert client.get("/users", headers=aged(1800 + 8)).status_code == 200
    assert client.get("/users", headers=aged(1800 + 11)).status_code == 401


def test_a_refused_token_says_that_it_has_expired(client, aged):
    """The response to an expired token says: Signature has expired."""
    assert client.get("/users", headers=aged(1799)).status_code == 200
    assert client.get("/users", headers=aged(1900)).json()["description"] == "Signature has expired"

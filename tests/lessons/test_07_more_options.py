"""Lesson 7: JWT_AUTH_HEADER_PREFIX."""

import pytest

from helpers import ALICE_BY_EMAIL


@pytest.fixture
def token(client):
    """The token of a login as the admin."""
    return client.post("/login", json=ALICE_BY_EMAIL).json()["access_token"]


def get_users(client, header):
    return client.get("/users", headers={"Authorization": header})


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
def test_a_token_after_bearer_opens_the_list(client, token, word):
    """A token after the word Bearer opens GET /users, in upper or lower case."""
    response = get_users(client, f"{word} {token}")
    assert response.status_code == 200
    assert response.json()["asked_by"] == "alice"


@pytest.mark.parametrize("word", ["JWT", "jwt", "Token", "Basic", "Bear", "Bearers"])
def test_a_token_after_another_word_is_refused(client, token, word):
    """The app refuses the same token after any other word."""
    assert get_users(client, f"Bearer {token}").status_code == 200
    response = get_users(client, f"{word} {token}")
    assert response.status_code == 401
    assert response.json() == {"message": "Unsupported authorization type", "code": 401}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("{0}", "Unsupported authorization type"),
        ("Bearer{0}", "Unsupported authorization type"),
        ("{0} Bearer", "Unsupported authorization type"),
        ("Bearer, {0}", "Unsupported authorization type"),
        ("Bearer", "Token missing"),
        ("Bearer {0} {0}", "Token contains spaces"),
        ("Bearer JWT {0}", "Token contains spaces"),
        ("", "Request does not contain an access token"),
    ],
)
def test_a_malformed_header_is_refused(client, token, header, message):
    """The header must be the word, a space and the token. The message says what is wrong."""
    assert get_users(client, f"Bearer {token}").status_code == 200
    response = get_users(client, header.format(token))
    assert response.status_code == 401
    assert response.json() == {"message": message, "code": 401}


def test_the_challenge_still_says_jwt(client, token):
    """A request without a token gets the header WWW-Authenticate, which still contains the word JWT."""
    assert get_users(client, f"Bearer {token}").status_code == 200
    response = client.get("/users")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'JWT realm="Login Required"'

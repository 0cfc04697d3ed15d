"""Exercise 4: respond to a login as OAuth 2 does (RFC 6749, section 5.1)."""

import pytest

from exercises.client import expect
from tokens import read_claims


@pytest.fixture
def login(client, user):
    """The response to a login that works."""
    return client.post("/login", {"email": user.email, "password": user.password})


@pytest.mark.points(1)
def test_a_login_returns_a_token(login):
    """A login still returns an access_token."""
    expect(
        login,
        login.status == 200 and read_claims(login.get("access_token")),
        "200 and an access_token",
        "Did you decode the token from bytes to text?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_login_returns_a_token")
def test_token_type_is_the_header_prefix(client, login):
    """token_type is the word that goes before the token in the Authorization header."""
    word = login.get("token_type")
    expect(
        login,
        isinstance(word, str) and word,
        "a token_type",
        "Which word does your app expect before the token?",
    )
    response = client.get("/users", login.get("access_token"), prefix=word)
    expect(
        response,
        response.status == 200,
        f"200, because the login returned the token_type {word}",
        "Does your app accept the word that it tells its clients to use?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_login_returns_a_token")
def test_expires_in_is_the_lifetime_of_the_token(login):
    """expires_in is the number of seconds until the token expires."""
    claims = read_claims(login.get("access_token"))
    lifetime, expires_in = claims["exp"] - claims["iat"], login.get("expires_in")
    expect(
        login,
        isinstance(expires_in, (int, float)) and expires_in == lifetime,
        f"the number {lifetime} as expires_in, because this token expires after {lifetime} seconds",
        "Is expires_in a number of seconds? Is it the lifetime of this token?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_login_returns_a_token")
def test_user_is_the_one_who_logged_in(client, login, user, other):
    """user holds the id and the username of the user who logged in."""
    for person, response in (
        (user, login),
        (other, client.post("/login", {"email": other.email, "password": other.password})),
    ):
        public = {"id": person.id, "username": person.username}
        received = response.get("user")
        expect(
            response,
            isinstance(received, dict) and public.items() <= received.items(),
            f"{public} as user",
            "What is the second argument of the handler? Which of its fields do you need?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_user_is_the_one_who_logged_in")
def test_the_body_holds_no_secret(login):
    """The body holds only what the exercise asks for, and no secret."""
    expect(
        login,
        login.json.keys() == {"access_token", "token_type", "expires_in", "user"}
        and login.get("user").keys() == {"id", "username"},
        "only access_token, token_type, expires_in and user, and in user only id and username",
        "Who can read this response? What should they not learn?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_login_returns_a_token")
def test_nobody_stores_the_response(login):
    """The response has the header Cache-Control: no-store."""
    value = login.headers.get("cache-control", "")
    problem = f"its value is {value}" if value else "the response has no such header"
    expect(
        login,
        "no-store" in value,
        f"the header Cache-Control: no-store, but {problem}",
        "How does a view set a header on the response that jsonify returns?",
    )

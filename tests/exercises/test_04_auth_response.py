"""Exercise 4: answer a login as OAuth 2 does (RFC 6749, section 5.1)."""

import pytest

from exercises.client import expect
from tokens import read_claims


@pytest.fixture
def login(client, user):
    """The answer to a login that works."""
    return client.post("/login", {"email": user.email, "password": user.password})


@pytest.mark.points(1)
def test_a_login_gives_a_token(login):
    """A login still gives an access_token."""
    expect(
        login,
        login.status == 200 and read_claims(login.get("access_token")),
        "200 and an access_token",
        "Is the token decoded from bytes into text?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_login_gives_a_token")
def test_the_type_goes_before_the_token(client, login):
    """token_type is the word that goes before the token in the Authorization header."""
    word = login.get("token_type")
    expect(login, isinstance(word, str) and word, "a token_type", "What does your app read before the token?")
    answer = client.get("/users", login.get("access_token"), prefix=word)
    expect(
        answer,
        answer.status == 200,
        f"200, since the login says that the token_type is {word}",
        "Does your app accept the word that it tells its clients to use?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_login_gives_a_token")
def test_it_says_when_the_token_expires(login):
    """expires_in is the number of seconds for which the token is good."""
    claims = read_claims(login.get("access_token"))
    life, said = claims["exp"] - claims["iat"], login.get("expires_in")
    expect(
        login,
        isinstance(said, (int, float)) and said == life,
        f"an expires_in of {life}, as a number",
        "Is it a number of seconds, and that of this token?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_login_gives_a_token")
def test_it_says_who_logged_in(client, login, user, other):
    """user is the id and the username of whoever logged in."""
    for person, answer in (
        (user, login),
        (other, client.post("/login", {"email": other.email, "password": other.password})),
    ):
        said = {"id": person.id, "username": person.username}
        got = answer.get("user")
        expect(
            answer,
            isinstance(got, dict) and said.items() <= got.items(),
            f"a user of {said}",
            "What is the second argument of the handler, and which of its fields do you need?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_it_says_who_logged_in")
def test_it_says_nothing_secret(login):
    """The body holds nothing else, least of all a secret."""
    expect(
        login,
        login.json.keys() == {"access_token", "token_type", "expires_in", "user"}
        and login.get("user").keys() == {"id", "username"},
        "access_token, token_type, expires_in and user, and of the user the id and the username alone",
        "Who may read this body, and what would you not want them to know?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_login_gives_a_token")
def test_nobody_keeps_a_copy(login):
    """The response says Cache-Control: no-store."""
    said = login.headers.get("cache-control", "")
    expect(
        login,
        "no-store" in said,
        f"the header Cache-Control: no-store, where it is {said or 'missing'}",
        "How does a view set a header on the response that jsonify makes?",
    )

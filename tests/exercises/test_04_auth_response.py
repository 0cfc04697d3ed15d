"""Exercise 4: respond to a login in the format of OAuth 2 (RFC 6749, section 5.1)."""

import json

import pytest

from exercises.client import expect, expect_only_good_tokens
from tokens import read_claims

SLACK = 5  # seconds: a response may contain the remaining lifetime, which is a little shorter
QUESTIONS = {  # about a login with the right password, by the status of the response
    401: "Does your app still call authenticate with the e-mail address and the password?",
    404: "Can users still log in with POST /login?",
    500: "Does your handler return a response? Which of its values cannot become JSON?",
}


@pytest.fixture(scope="module")
def log_in(client):
    """A function that logs a person in and returns the response."""
    return lambda person: client.post("/login", {"email": person.email, "password": person.password})


@pytest.fixture
def login(log_in, user):
    """The response to a user's login."""
    return log_in(user)


def is_number(value):
    """Return True for a JSON number. In Python, True and False are numbers too, but not in JSON."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def describe(value):
    """Return what is wrong with a header that has this value."""
    return f"its value is {value}" if value else "the response has no such header"


@pytest.mark.points(1)
def test_a_login_returns_the_four_fields(login):
    """A login returns JSON with access_token, token_type, expires_in and user."""
    expect(
        login,
        login.status == 200,
        "200, because the e-mail address and the password are right",
        QUESTIONS.get(login.status, "Which status does your handler return?"),
    )
    expect(
        login,
        read_claims(login.get("access_token")),
        "a body with a token as access_token",
        "Is access_token at the top level of the body? Is it text, decoded from bytes?",
    )
    for name in ("token_type", "expires_in", "user"):
        expect(
            login,
            login.get(name) is not None,
            f"a body with {name}",
            "Which fields does the TODO ask for? Compare their names with your response.",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_login_returns_the_four_fields")
def test_token_type_is_the_header_prefix(client, login):
    """token_type is the word that goes before the token in the Authorization header."""
    word = login.get("token_type")
    expect(
        login,
        isinstance(word, str) and word.split() == [word],
        "one word as token_type",
        "What goes before the token when a client sends it back?",
    )
    response = client.get("/users", login.get("access_token"), prefix=word)
    expect(
        response,
        response.status == 200,
        f"200, because the login returned {word} as token_type",
        "Does your app accept the word that it tells its clients to use?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_login_returns_the_four_fields")
def test_expires_in_is_the_lifetime_of_the_token(login):
    """expires_in is the number of seconds until the token expires."""
    claims = read_claims(login.get("access_token"))
    lifetime, expires_in = claims["exp"] - claims["iat"], login.get("expires_in")
    expect(
        login,
        not isinstance(expires_in, str),
        f"the number {lifetime} as expires_in, not text in quotes",
        "How do you get the seconds of a timedelta as a number?",
    )
    expect(
        login,
        is_number(expires_in) and max(0, lifetime - SLACK) <= expires_in <= lifetime,
        f"the number {lifetime} as expires_in, because this token expires {lifetime} seconds after the login",
        "Is your expires_in the lifetime of a token? Is it in seconds?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_login_returns_the_four_fields")
def test_user_is_the_one_who_logged_in(log_in, user, other):
    """user contains the id and the username of the user who has logged in."""
    for person in (user, other):
        response = log_in(person)
        public = {"id": person.id, "username": person.username}
        received = response.get("user")
        expect(
            response,
            read_claims(response.get("access_token")).get("identity") == person.id,
            f"a token with the identity {person.id}, because this is the id of {person.username}",
            "Is access_token the first argument of the handler?",
        )
        expect(
            response,
            isinstance(received, dict),
            f"{json.dumps(public)} as user, which is a JSON object",
            "Is user an object that contains an id and a username?",
        )
        expect(
            response,
            received.get("id") != str(person.id),
            f"the number {person.id} as the id, not text in quotes",
            "Where does your code turn the id into text?",
        )
        expect(
            response,
            public.items() <= received.items(),
            f"{json.dumps(public)} as user",
            "What is the second argument of the handler? Which of its fields do you need?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_user_is_the_one_who_logged_in")
def test_the_body_contains_nothing_else(login):
    """The body contains only the four fields from the TODO, and user contains no secret."""
    expect(
        login,
        login.json.keys() == {"access_token", "token_type", "expires_in", "user"},
        "only access_token, token_type, expires_in and user",
        "Which field of the body does the TODO not ask for?",
    )
    expect(
        login,
        login.get("user").keys() == {"id", "username"},
        "only id and username in user",
        "Who can read this response? What should they not learn?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_login_returns_the_four_fields")
def test_the_headers_name_json_and_forbid_to_store_it(login):
    """The response has the headers Content-Type: application/json and Cache-Control: no-store."""
    content_type = login.headers.get("content-type", "")
    expect(
        login,
        content_type.partition(";")[0].strip().lower() == "application/json",
        f"the header Content-Type: application/json, but {describe(content_type)}",
        "Which Flask function makes a JSON response?",
    )
    value = login.headers.get("cache-control", "")
    expect(
        login,
        "no-store" in [part.strip().lower() for part in value.split(",")],
        f"the header Cache-Control: no-store, but {describe(value)}",
        "How do you set a header on the response that jsonify returns? What is the exact value?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_token_type_is_the_header_prefix")
def test_bad_tokens_are_refused(client, login, user, secret_key):
    """The app still refuses every token that is forged, changed or expired."""
    wrong = client.post("/login", {"email": user.email, "password": "wrong"})
    expect(
        wrong,
        wrong.status == 401,
        "401, because the password is wrong",
        "Does your login still check the password?",
    )
    expect_only_good_tokens(client, "/users", login, secret_key, user)

"""Exercise 7: three options for a mobile app that nobody can change."""

import jwt
import pytest

from exercises.client import expect, expect_only_good_tokens
from tokens import read_algorithm, read_claims


@pytest.fixture(scope="module")
def log_in(client):
    """A function that logs a person in as the mobile app does, and returns the response."""

    def log_in(person, **changes):
        return client.post("/login", {"email": person.email, "pin": person.password} | changes)

    return log_in


@pytest.fixture(scope="module")
def log_in_somehow(client, log_in):
    """A function that logs a person in with a PIN or, if that fails, with a password.

    So a mistake in the login costs no points in checks of the other options.
    """

    def log_in_somehow(person):
        login = log_in(person)
        if login.status == 200:
            return login
        with_password = client.post("/login", {"email": person.email, "password": person.password})
        expect(
            login,
            with_password.status == 200,
            "200 and a JWT as access_token",
            "Which keys does the mobile app send? Which keys does your login read?",
        )
        return with_password

    return log_in_somehow


@pytest.fixture(scope="module")
def get_me(client):
    """A function that asks for the user's name as the mobile app does, with a token after a word."""
    return lambda token, word="Token": client.get("/me", token, prefix=word)


def question_about_refusal(response, question):
    """Return this question, or another one if the app refuses a token because of its algorithm."""
    if b"alg value is not allowed" in response.body:  # part of PyJWT's error message
        return "Your app refuses a token because of its algorithm. Which algorithm does your app accept?"
    return question


def without_user(claims, person):
    """Return the claims with a user who does not exist in the place of this person."""
    replacements = (
        (person.id, 1_000_000),  # real ids are below 10,000
        (str(person.id), "1000000"),
        (person.username, "nobody"),
        (person.email, "nobody@example.com"),
    )
    return claims | {name: new for name, value in claims.items() for old, new in replacements if value == old}


@pytest.mark.points(1)
def test_the_mobile_app_logs_in(log_in, user, other):
    """Users log in with their e-mail address and their PIN."""
    for person in (user, other):
        response = log_in(person)
        question = "Which keys does the mobile app send? Which keys does your login read?"
        if person is other and response.status == 401:  # the PIN of this user begins with a zero
            question = "The login of another user worked. What does your login do with the PIN 01?"
        if response.status == 500:  # for example, because the algorithm does not exist
            question = "Which option has a value that Flask-JWT or PyJWT does not understand?"
        expect(
            response,
            response.status == 200 and read_claims(response.get("access_token")),
            "200 and a JWT as access_token",
            question,
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_the_mobile_app_logs_in")
def test_other_logins_are_refused(client, log_in, user, other):
    """The app refuses a wrong PIN, an unknown e-mail address, and "password" instead of "pin"."""
    for wrong, reason in (
        ({"pin": other.password}, "this is another user's PIN"),
        ({"pin": f"{user.password}0"}, "this PIN is one digit too long"),
        ({"pin": ""}, "the PIN is empty"),
        ({"email": "nobody@example.com"}, "no user has this e-mail address"),
        ({"email": user.email.replace("@", "_")}, "no user has this e-mail address"),
        ({"email": f"nobody' OR email = '{user.email}"}, "no user has this e-mail address"),
    ):
        response = log_in(user, **wrong)
        expect(
            response,
            response.status == 401,
            f"401, because {reason}",
            "Does your login still compare the PIN with the user's password?",
        )
    for body, reason in (
        ({"email": user.email, "password": user.password}, "the key is now pin"),
        ({"email": user.email}, "there is no PIN"),
    ):
        response = client.post("/login", body)
        expect(
            response,
            response.status in (400, 401, 422),
            f"401, because {reason}",
            "Which keys does your login accept? Which keys does the mobile app send?",
        )


@pytest.mark.points(2)
def test_each_token_is_signed_with_hs512(log_in_somehow, user, other):
    """The app signs each token with HS512."""
    for person in (user, other):
        response = log_in_somehow(person)
        token = response.get("access_token")
        algorithm = read_algorithm(token) if read_claims(token) else None
        expect(
            response,
            algorithm == "HS512",
            f"200 and a token that is signed with HS512, but this one is signed with {algorithm}",
            "Which option sets the algorithm? Does your code spell its name as reference.md does?",
        )


@pytest.mark.points(1)
def test_a_token_follows_the_word_token(log_in_somehow, get_me, user, other):
    """The app accepts a token after the word Token."""
    logins = [(person, log_in_somehow(person)) for person in (user, other)]
    for person, login in logins:
        response = get_me(login.get("access_token"))
        question = "Which option sets the word before a token? What exactly is its value in your app?"
        expect(
            response,
            response.status == 200 and response.get("username") == person.username,
            f"200 and the username {person.username}, because the login of this user returned this token",
            question_about_refusal(response, question),
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_follows_the_word_token")
def test_other_words_are_refused(client, log_in_somehow, get_me, user):
    """The app refuses a token after another word or without a word, and a request without a token."""
    token = log_in_somehow(user).get("access_token")
    for word, reason in (
        ("JWT", "JWT is another word"),
        ("Bearer", "Bearer is another word"),
        ("Tokens", "Tokens is another word"),
        ("To", "To is another word"),
        ("Basic", "Basic is another word"),
        ("", "there is no word before this token"),
    ):
        response = get_me(token, word)
        expect(
            response,
            response.status == 401,
            f"401, because {reason}",
            "Which words does your app accept before a token?",
        )
    response = client.get("/me")
    expect(
        response,
        response.status == 401,
        "401, because this request has no token",
        "Does the view for /me still have @jwt_required()?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_follows_the_word_token")
def test_other_algorithms_are_refused(log_in_somehow, get_me, user, secret_key):
    """The app accepts a token that is signed with HS512, and refuses HS256 and HS384."""
    claims = read_claims(log_in_somehow(user).get("access_token"))
    response = get_me(jwt.encode(claims, secret_key, "HS512"))
    expect(
        response,
        response.status == 200,
        "200, because this token is a copy of a real one, signed with HS512 and the app's SECRET_KEY",
        question_about_refusal(response, "Which key does your app use to verify a token?"),
    )
    response = get_me(jwt.encode(claims, "another key " * 8, "HS512"))
    expect(
        response,
        response.status == 401,
        "401, because this token is signed with another key",
        "Does your app verify the signature of a token?",
    )
    for algorithm in ("HS256", "HS384"):
        response = get_me(jwt.encode(claims, secret_key, algorithm))
        expect(
            response,
            response.status == 401,
            f"401, because this token is signed with {algorithm}",
            "Which algorithms does your app accept when it verifies a token?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_follows_the_word_token")
def test_a_bad_token_is_refused(client, log_in_somehow, get_me, user, secret_key):
    """The app refuses forged and expired tokens, and tokens of deleted users."""
    login = log_in_somehow(user)
    expect_only_good_tokens(client, "/me", login, secret_key, user, prefix="Token")
    token = login.get("access_token")
    claims = read_claims(token)
    other_claims = without_user(claims, user)
    response = get_me(jwt.encode(other_claims, secret_key, read_algorithm(token)))
    expect(
        response,
        response.status == 401 or other_claims == claims,
        "401, because the user in this token does not exist",
        "Which function finds the user in a token? What does this function return if there is no such user?",
    )

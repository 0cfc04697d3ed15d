"""Exercise 1: log in at another URL."""

import pytest

from exercises.client import expect, expect_only_good_tokens
from tokens import read_claims

URL = "/api/v1/session"
NO_LOGIN = (404, 405, 410)  # what an app returns at a URL where nobody can log in


def credentials(person):
    return {"username": person.username, "password": person.password}


@pytest.mark.points(2)
def test_login_has_moved(client, user):
    """Users log in with POST /api/v1/session."""
    response = client.post(URL, credentials(user))
    expect(
        response,
        response.status == 200 and response.get("access_token"),
        "200 and an access_token",
        "Which option says where users log in? Do you set it before you call JWT(...)?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_login_has_moved")
def test_each_user_gets_their_own_token(client, user, other):
    """Each user gets a different token, and can get the list of users with it."""
    for person in (user, other):
        response = client.post(URL, credentials(person))
        token = response.get("access_token")
        expect(
            response,
            str(read_claims(token).get("identity")) == str(person.id),
            f"200 and a token with the identity {person.id}, because this is the id of {person.username}",
            "Whose id does your login write into the token?",
        )
        response = client.get("/users", token)
        expect(
            response,
            response.status == 200,
            "200 and the users, because this token comes from the login",
            "Is the list of users still at /users? Does your login make the token as Flask-JWT does?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_login_has_moved")
def test_a_bad_token_is_refused(client, user, secret_key):
    """Nobody can get the list of users without a token, or with a bad token."""
    response = client.get("/users")
    expect(
        response,
        response.status == 401,
        "401, because this request has no token",
        "Is the list of users still at /users, with @jwt_required()?",
    )
    expect_only_good_tokens(client, "/users", client.post(URL, credentials(user)), secret_key, user)


@pytest.mark.points(2)
@pytest.mark.needs("test_login_has_moved")
def test_a_wrong_password_is_refused(client, user, other):
    """The app refuses a wrong password and an unknown username."""
    for wrong, reason in (
        ({"password": other.password}, "this is another user's password"),
        ({"username": f"{user.username}s"}, "there is no user with this name"),
    ):
        response = client.post(URL, credentials(user) | wrong)
        expect(
            response,
            response.status == 401,
            f"401, because {reason}",
            "What does your login do before it gives somebody a token?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_login_has_moved")
def test_no_other_url_logs_in(client, user):
    """Nobody can log in at any other URL, such as /auth or /login."""
    for url in ("/auth", "/login", "/api/v2/session", "/session"):
        response = client.post(url, credentials(user))
        expect(
            response,
            response.status in NO_LOGIN,
            f"404, because {URL} is now the only login URL",
            f"Which line of your file still adds the URL {url}? How many times do you call JWT(...)?",
        )

"""Exercise 1: log in at another URL."""

import pytest

from exercises.client import expect


def credentials(person):
    return {"username": person.username, "password": person.password}


@pytest.mark.points(3)
def test_login_has_moved(client, user):
    """Users log in with POST /api/v1/session."""
    response = client.post("/api/v1/session", credentials(user))
    expect(
        response,
        response.status == 200 and response.get("access_token"),
        "200 and an access_token",
        "Which option says where users log in? Does it get its value before JWT(...) is called?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_login_has_moved")
def test_the_token_works(client, user):
    """The token from this login opens the list of users."""
    token = client.post("/api/v1/session", credentials(user)).get("access_token")
    response = client.get("/users", token)
    expect(
        response,
        response.status == 200,
        "200 and the users",
        "Is /users still there, with @jwt_required()?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_login_has_moved")
def test_a_wrong_password_is_refused(client, user, other):
    """A wrong password is refused at the new URL."""
    response = client.post("/api/v1/session", credentials(user) | {"password": other.password})
    expect(
        response,
        response.status == 401,
        "401, because this is another user's password",
        "Does authenticate still check the password?",
    )


@pytest.mark.points(2)
def test_the_old_url_is_gone(client, user):
    """Nobody can log in at /login any more."""
    response = client.post("/login", credentials(user))
    expect(
        response,
        response.status == 404,
        "404, because /login no longer exists",
        "Is there a second JWT(...), or a route that you wrote yourself?",
    )


@pytest.mark.points(2)
def test_the_default_url_is_gone(client, user):
    """Nobody can log in at /auth, the default URL, either."""
    response = client.post("/auth", credentials(user))
    expect(
        response,
        response.status == 404,
        "404, because the new URL replaces the default URL",
        "Which URL does JWT(...) use if the option has no value yet?",
    )

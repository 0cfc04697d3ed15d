"""Exercise 1: log in at another URL."""

import pytest

from exercises.client import expect


def credentials(person):
    return {"username": person.username, "password": person.password}


@pytest.mark.points(3)
def test_login_has_moved(client, user):
    """Users log in with POST /api/v1/session."""
    answer = client.post("/api/v1/session", credentials(user))
    expect(
        answer,
        answer.status == 200 and answer.get("access_token"),
        "200 and an access_token",
        "Which option says where users log in, and does it have its value before JWT(...) is called?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_login_has_moved")
def test_its_token_is_good(client, user):
    """The token of such a login opens the list of users."""
    token = client.post("/api/v1/session", credentials(user)).get("access_token")
    answer = client.get("/users", token)
    expect(answer, answer.status == 200, "200 and the users", "Is /users still there, with @jwt_required()?")


@pytest.mark.points(1)
@pytest.mark.needs("test_login_has_moved")
def test_a_wrong_password_is_refused(client, user, other):
    """A wrong password is refused at the new URL."""
    answer = client.post("/api/v1/session", credentials(user) | {"password": other.password})
    expect(answer, answer.status == 401, "401", "Is it still authenticate that looks at the password?")


@pytest.mark.points(2)
def test_the_lessons_url_is_gone(client, user):
    """Nobody logs in at /login any more."""
    answer = client.post("/login", credentials(user))
    expect(answer, answer.status == 404, "404", "Is there a second JWT(...), or a route of your own?")


@pytest.mark.points(2)
def test_the_default_url_is_gone(client, user):
    """Nobody logs in at /auth, the default, either."""
    answer = client.post("/auth", credentials(user))
    expect(answer, answer.status == 404, "404", "What does JWT(...) do if the option has no value yet?")

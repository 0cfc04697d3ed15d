"""Lesson 1: JWT_AUTH_URL_RULE."""

from helpers import BOB
from tokens import authorization


def test_users_log_in_at_login(client):
    """Users log in with POST /login."""
    response = client.post("/login", json=BOB)
    assert response.status_code == 200
    assert response.json().keys() == {"access_token"}


def test_the_url_that_used_to_log_in_is_gone(client):
    """POST /auth, the default URL, returns 404."""
    assert client.post("/auth", json=BOB).status_code == 404


def test_a_token_from_login_opens_the_list_of_users(client):
    """With a token from /login, GET /users returns the list of users."""
    response = client.post("/login", json=BOB)
    assert response.status_code == 200
    assert client.get("/users", headers=authorization(response.json()["access_token"])).status_code == 200


def test_a_wrong_password_is_refused_at_login(client):
    """A wrong password gets a 401 at /login."""
    assert client.post("/login", json=BOB | {"password": "wrong"}).status_code == 401


def test_only_post_logs_in(client):
    """GET /login returns 405, because only POST logs in."""
    response = client.get("/login")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}

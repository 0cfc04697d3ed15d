"""Lesson 3: JWT_AUTH_USERNAME_KEY."""

from helpers import BOB_BY_EMAIL
from tokens import authorization, read_claims


def test_users_log_in_with_their_email_address(client):
    """Users log in with their e-mail address."""
    response = client.post("/login", json=BOB_BY_EMAIL)
    assert response.status_code == 200
    assert read_claims(response.json()["access_token"])["identity"] == 1


def test_the_token_of_an_email_login_opens_the_list_of_users(client):
    """With a token from this login, GET /users returns the list of users."""
    response = client.post("/login", json=BOB_BY_EMAIL)
    assert response.status_code == 200
    assert client.get("/users", headers=authorization(response.json()["access_token"])).status_code == 200


def test_a_username_is_not_an_email_address(client):
    """Nobody can log in with a username, under either key."""
    assert client.post("/login", json={"username": "bob", "password": "builder"}).status_code == 401
    assert client.post("/login", json=BOB_BY_EMAIL | {"email": "bob"}).status_code == 401


def test_a_wrong_password_is_refused_where_the_right_one_is_not(client):
    """A wrong password gets a 401."""
    assert client.post("/login", json=BOB_BY_EMAIL).status_code == 200
    assert client.post("/login", json=BOB_BY_EMAIL | {"password": "wonderland"}).status_code == 401

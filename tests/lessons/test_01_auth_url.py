"""Lesson 1: JWT_AUTH_URL_RULE."""

from helpers import BOB
from tokens import authorization


def test_users_log_in_at_login(client):
    response = client.post("/login", json=BOB)
    assert response.status_code == 200
    assert response.json().keys() == {"access_token"}


def test_the_url_that_used_to_log_in_is_gone(client):
    assert client.post("/auth", json=BOB).status_code == 404


def test_a_token_from_login_opens_the_list_of_users(client):
    response = client.post("/login", json=BOB)
    assert response.status_code == 200
    assert client.get("/users", headers=authorization(response.json()["access_token"])).status_code == 200


def test_a_wrong_password_is_refused_at_login(client):
    assert client.post("/login", json=BOB | {"password": "wrong"}).status_code == 401


def test_login_answers_to_post_alone(client):
    response = client.get("/login")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}

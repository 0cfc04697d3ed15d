"""Lesson 6: current_identity."""

from helpers import ALICE_BY_EMAIL, BOB_BY_EMAIL, run_sql
from tokens import authorization


def log_in(client, credentials):
    return authorization(client.post("/login", json=credentials).json()["access_token"])


def test_an_admin_sees_all_users_and_who_asked(client):
    """An admin gets all users, and the username of the user who asked."""
    response = client.get("/users", headers=log_in(client, ALICE_BY_EMAIL))
    assert response.status_code == 200
    assert response.json() == {
        "asked_by": "alice",
        "users": [{"id": 1, "username": "bob"}, {"id": 2, "username": "alice"}],
    }


def test_anyone_else_is_told_who_they_are_and_that_it_is_not_enough(client):
    """Another user gets a 403 with the message: bob is not an admin."""
    response = client.get("/users", headers=log_in(client, BOB_BY_EMAIL))
    assert response.status_code == 403
    assert response.json() == {"message": "bob is not an admin", "code": 403}


def test_without_a_token_it_is_401_and_with_the_wrong_one_403(client):
    """Without a token, you get a 401: the app does not know who you are. With bob's token, you get a 403: the
    app knows, and bob is not allowed."""
    assert client.get("/users").status_code == 401
    assert client.get("/users", headers=log_in(client, BOB_BY_EMAIL)).status_code == 403


def test_a_token_gains_and_loses_its_rights_with_its_user(app, client):
    """The app reads the user from the database with each request. A user who is no longer an admin cannot
    see the list any more, even with an old token."""
    bob, alice = log_in(client, BOB_BY_EMAIL), log_in(client, ALICE_BY_EMAIL)
    run_sql(app, "UPDATE users SET is_admin = NOT is_admin")
    assert client.get("/users", headers=bob).status_code == 200
    assert client.get("/users", headers=alice).status_code == 403

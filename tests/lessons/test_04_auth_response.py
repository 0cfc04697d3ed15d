"""Lesson 4: @jwt.auth_response_handler."""

import pytest

from helpers import ALICE_BY_EMAIL, BOB_BY_EMAIL
from tokens import authorization


def test_a_login_says_which_user_it_is(client):
    """The response to a login contains the user's id."""
    assert client.post("/login", json=BOB_BY_EMAIL).json().get("user_id") == 1
    assert client.post("/login", json=ALICE_BY_EMAIL).json().get("user_id") == 2


def test_a_login_says_nothing_else(client):
    """The response contains nothing except the token and the id."""
    assert client.post("/login", json=BOB_BY_EMAIL).json().keys() == {"access_token", "user_id"}


def test_the_token_is_text_that_opens_the_list_of_users(client):
    """The token in the response is a string that opens GET /users."""
    login = client.post("/login", json=BOB_BY_EMAIL).json()
    assert login.keys() == {"access_token", "user_id"}
    assert client.get("/users", headers=authorization(login["access_token"])).status_code == 200


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"email": "nobody@example.com"}])
def test_a_failed_login_says_no_user_id(client, wrong):
    """The response to a failed login contains no user id."""
    assert "user_id" in client.post("/login", json=BOB_BY_EMAIL).json()
    assert client.post("/login", json=BOB_BY_EMAIL | wrong).json().keys() == {
        "status_code",
        "error",
        "description",
    }

"""Lesson 5: @jwt.jwt_error_handler."""

from helpers import BOB_BY_EMAIL, run_sql
from tokens import authorization, mint_for


def test_a_missing_token_gets_an_error_in_the_format_of_the_api(client):
    """A missing token gets an error in this API's format: message and code."""
    response = client.get("/users")
    assert response.status_code == 401
    assert response.json() == {"message": "Request does not contain an access token", "code": 401}


def test_a_missing_token_still_gets_the_header_that_says_how_to_authenticate(client):
    """A missing token still gets the header WWW-Authenticate."""
    response = client.get("/users")
    assert response.headers["WWW-Authenticate"] == 'JWT realm="Login Required"'
    assert response.json().keys() == {"message", "code"}


def test_a_wrong_password_gets_an_error_in_the_format_of_the_api(client):
    """A wrong password gets an error in this API's format."""
    response = client.post("/login", json=BOB_BY_EMAIL | {"password": "wrong"})
    assert response.status_code == 401
    assert response.json() == {"message": "Invalid credentials", "code": 401}


def test_an_expired_token_gets_an_error_in_the_format_of_the_api(app, client):
    """An expired token gets an error in this API's format."""
    response = client.get("/users", headers=authorization(mint_for(app, age=2000, lifetime=1800)))
    assert response.status_code == 401
    assert response.json() == {"message": "Signature has expired", "code": 401}


def test_a_deleted_users_token_gets_an_error_in_the_format_of_the_api(app, client):
    """The token of a deleted user gets an error in this API's format."""
    token = client.post("/login", json=BOB_BY_EMAIL).json()["access_token"]
    run_sql(app, "DELETE FROM users WHERE username = 'bob'")
    response = client.get("/users", headers=authorization(token))
    assert response.status_code == 401
    assert response.json() == {"message": "User does not exist", "code": 401}


def test_an_error_with_another_status_keeps_it(client):
    """An error with a status other than 401 keeps its status."""
    response = client.post("/login", content="bob:builder")
    assert response.status_code == 400
    assert response.json()["code"] == 400

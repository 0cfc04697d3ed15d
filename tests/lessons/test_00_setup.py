"""Lesson 0: a resource that needs a token."""

import hashlib
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers import BOB, run_sql
from lesson_loader import load_app
from tokens import authorization, read_claims


def log_in(client, credentials):
    response = client.post("/auth", json=credentials)
    assert response.status_code == 200, response.text
    return authorization(response.json()["access_token"])


def test_logging_in_gives_a_token_and_nothing_else(client):
    """POST /auth with the right password returns a token and nothing else."""
    response = client.post("/auth", json=BOB)
    assert response.status_code == 200
    assert response.json().keys() == {"access_token"}
    assert read_claims(response.json()["access_token"])["identity"] == 1


def test_a_token_opens_the_list_of_users(client):
    """With a token, GET /users returns the list of users."""
    response = client.get("/users", headers=log_in(client, BOB))
    assert response.status_code == 200
    assert response.json() == {"users": [{"id": 1, "username": "bob"}, {"id": 2, "username": "alice"}]}


def test_without_a_token_the_list_is_closed(client):
    """Without a token, GET /users returns 401 and names the scheme JWT."""
    response = client.get("/users")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'JWT realm="Login Required"'
    assert response.json()["error"] == "Authorization Required"


def test_an_unknown_user_and_a_wrong_password_get_the_same_response(client):
    """A wrong password and an unknown user get the same response."""
    wrong = client.post("/auth", json=BOB | {"password": "wrong"})
    unknown = client.post("/auth", json=BOB | {"username": "nobody"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content


def test_an_unknown_user_costs_as_much_hashing_as_a_wrong_password(client, monkeypatch):
    """The app hashes the password even if the user does not exist. Otherwise a faster response would reveal
    who has an account."""
    work, scrypt, sleep = [], hashlib.scrypt, time.sleep

    def recorded_scrypt(*arguments, **parameters):
        work.append((parameters["n"], parameters["r"], parameters["p"]))
        return scrypt(*arguments, **parameters)

    def recorded_sleep(seconds):
        work.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(hashlib, "scrypt", recorded_scrypt)
    monkeypatch.setattr(time, "sleep", recorded_sleep)
    client.post("/auth", json=BOB)  # makes the database
    work.clear()
    client.post("/auth", json=BOB | {"password": "wrong"})
    client.post("/auth", json=BOB | {"username": "nobody"})
    assert len(work) == 2
    assert work[0] == work[1]


def test_a_deleted_users_token_is_refused_and_fits_nobody_who_comes_later(app, client):
    """The app refuses the token of a deleted user. The token does not work for a new user either."""
    bob, alice = log_in(client, BOB), log_in(client, {"username": "alice", "password": "wonderland"})
    run_sql(
        app,
        "DELETE FROM users WHERE username = 'alice'",
        "INSERT INTO users (username, email, phone, password_hash, is_admin)"
        " VALUES ('mallory', 'mallory@example.com', '555-0103', 'x', 1)",
    )
    assert client.get("/users", headers=alice).status_code == 401
    assert client.get("/users", headers=bob).json()["users"][1] == {"id": 3, "username": "mallory"}


def test_a_deleted_database_is_made_again_even_by_many_requests_at_once(app, client, monkeypatch):
    """If you delete data.db, the app makes it again, even if many requests arrive at once."""
    log_in(client, BOB)
    app.config["DATABASE"].unlink()
    hashed, scrypt = [], hashlib.scrypt
    monkeypatch.setattr(hashlib, "scrypt", lambda *a, **how: hashed.append(a) or scrypt(*a, **how))
    with ThreadPoolExecutor(max_workers=8) as pool:
        statuses = list(pool.map(lambda _: client.post("/auth", json=BOB).status_code, range(8)))
    assert statuses == [200] * 8
    assert len(hashed) == 2 + 8  # one for each new user and one for each login


@pytest.mark.parametrize("username", ["bob", "alice"])
def test_passwords_are_stored_as_costly_hashes(lesson, tmp_path, username):
    """The database stores a slow hash of each password, not the password."""
    app = load_app(lesson)
    app.config["DATABASE"] = tmp_path / "data.db"
    app.test_client().post("/auth", json=BOB)
    with sqlite3.connect(app.config["DATABASE"]) as db:
        (stored,) = db.execute("SELECT password_hash FROM users WHERE username = ?", (username,)).fetchone()
    db.close()
    assert stored.startswith("scrypt:32768:8:1$")
    assert "builder" not in stored
    assert "wonderland" not in stored

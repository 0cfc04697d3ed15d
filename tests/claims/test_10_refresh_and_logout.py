"""Test what the README of lesson 10 says about refresh tokens, logout and Flask-JWT-Extended."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask, jsonify
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    jwt_required,
    set_access_cookies,
)

from helpers import ALICE_BY_EMAIL, load_lesson, needs, run_sql, section, serving
from lesson_loader import find_lessons
from tokens import authorization, mint_for, read_claims

LESSONS = find_lessons()
TOKEN, REVOKED = "resources/token.py", "models/revoked_token.py"


@pytest.fixture
def lesson_10(tmp_path):
    return load_lesson(LESSONS[10], tmp_path / "data.db")


def log_in(app):
    """Log in as alice and return her access token and her refresh token."""
    body = app.test_client().post("/login", json=ALICE_BY_EMAIL).json
    return body["access_token"], body["refresh_token"]


def send(app, method, path, token):
    return app.test_client().open(path, method=method, headers=authorization(token, "Bearer"))


def users(app, token):
    return send(app, "GET", "/users", token).status_code


def refresh(app, token):
    return send(app, "POST", "/refresh", token).status_code


def log_out(app, token):
    return send(app, "POST", "/logout", token).status_code


def rows(app):
    """Return the ids in the table revoked_tokens."""
    with closing(sqlite3.connect(app.config["DATABASE"])) as db:
        return [jti for (jti,) in db.execute("SELECT jti FROM revoked_tokens")]


# how it works


def test_a_login_gives_two_tokens_with_different_lifetimes(lesson_10):
    """The access token lasts for 5 minutes, the refresh token for 30 days."""
    access, refresh = (read_claims(token) for token in log_in(lesson_10))
    assert (access["type"], refresh["type"]) == ("access", "refresh")
    assert timedelta(seconds=access["exp"] - access["iat"]) == timedelta(minutes=5)
    assert timedelta(seconds=refresh["exp"] - refresh["iat"]) == timedelta(days=30)


def test_both_tokens_have_a_username(lesson_10):
    assert [read_claims(token)["username"] for token in log_in(lesson_10)] == ["alice", "alice"]


def test_each_kind_of_token_opens_its_own_urls(lesson_10):
    """A refresh token works only at POST /refresh, and an access token does not work there."""
    access_token, refresh_token = log_in(lesson_10)
    assert (users(lesson_10, access_token), refresh(lesson_10, refresh_token)) == (200, 200)
    assert (users(lesson_10, refresh_token), refresh(lesson_10, access_token)) == (401, 401)
    new = send(lesson_10, "POST", "/refresh", refresh_token).json["access_token"]
    assert users(lesson_10, new) == 200


def test_an_access_token_works_for_its_lifetime_and_the_leeway(lesson_10):
    """An access token lasts for 5 minutes. The leeway adds 10 seconds."""
    minutes, leeway = 5, 10
    for age, status in ((minutes * 60 + leeway - 2, 200), (minutes * 60 + leeway + 1, 401)):
        assert users(lesson_10, mint_for(lesson_10, 2, age=age, lifetime=minutes * 60)) == status


def test_the_loader_is_asked_about_each_token_and_also_at_refresh(lesson_10):
    """The library calls the loader with the claims of each valid token, before it looks for the user."""
    asked = []
    jwt = lesson_10.extensions["flask-jwt-extended"]
    jwt.token_in_blocklist_loader(lambda header, payload: asked.append(payload["jti"]))
    access_token, refresh_token = log_in(lesson_10)
    assert (users(lesson_10, access_token), refresh(lesson_10, refresh_token)) == (200, 200)
    assert asked == [read_claims(access_token)["jti"], read_claims(refresh_token)["jti"]]
    forged = mint_for(lesson_10, 2, key="x" * 32)
    assert (users(lesson_10, forged), len(asked)) == (401, 2)


def test_logout_writes_the_id_of_the_token_into_the_table(lesson_10):
    """POST /logout revokes the token that it comes with, so the table contains the jti of this token."""
    access_token, refresh_token = log_in(lesson_10)
    assert rows(lesson_10) == []
    for token in (access_token, refresh_token):
        assert log_out(lesson_10, token) == 200
        assert read_claims(token)["jti"] in rows(lesson_10)
    assert len(rows(lesson_10)) == 2


def test_logout_revokes_one_token_of_the_pair(lesson_10):
    """The other token of the pair still works."""
    access_token, refresh_token = log_in(lesson_10)
    assert log_out(lesson_10, access_token) == 200
    assert (users(lesson_10, access_token), refresh(lesson_10, refresh_token)) == (401, 200)
    access_token, refresh_token = log_in(lesson_10)
    assert log_out(lesson_10, refresh_token) == 200
    assert (users(lesson_10, access_token), refresh(lesson_10, refresh_token)) == (200, 401)


def test_all_processes_read_the_same_table(tmp_path):
    """A second app with the same database refuses the token too, and so does one that starts later."""
    one, two = (load_lesson(LESSONS[10], tmp_path / "data.db") for _ in range(2))
    token, _ = log_in(one)
    assert (users(one, token), users(two, token)) == (200, 200)
    assert log_out(one, token) == 200
    later = load_lesson(LESSONS[10], tmp_path / "data.db")
    assert [users(app, token) for app in (one, two, later)] == [401, 401, 401]


def log_out_at_once(app, token):
    """Log out with one token in two requests. Both read the table before either of them writes."""
    barrier = Barrier(2, timeout=60)

    def wait(header, payload):
        barrier.wait()
        return True

    app.extensions["flask-jwt-extended"].token_verification_loader(wait)
    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(log_out, [app] * 2, [token] * 2))


def test_the_table_contains_each_id_once(lesson_10, edited):
    """Of two logouts at once, one gets a 401. With INSERT alone, one gets a 500."""
    token, _ = log_in(lesson_10)
    assert log_out_at_once(lesson_10, token) == [200, 401]
    assert rows(lesson_10) == [read_claims(token)["jti"]]
    app = edited(10, {"INSERT OR IGNORE": "INSERT"}, REVOKED)
    assert log_out_at_once(app, log_in(app)[0]) == [200, 500]


def test_responses_with_tokens_forbid_copies(lesson_10):
    """The responses of /login and /refresh have the header Cache-Control: no-store."""
    login = lesson_10.test_client().post("/login", json=ALICE_BY_EMAIL)
    for response in (login, send(lesson_10, "POST", "/refresh", login.json["refresh_token"])):
        assert "access_token" in response.json
        assert response.headers["Cache-Control"] == "no-store"


# watch out


def test_without_refresh_true_an_access_token_gets_access_tokens(edited):
    """Without refresh=True, each access token gets the next one, and a refresh token gets a 401."""
    app = edited(10, {"refresh=True": ""}, TOKEN)
    access_token, refresh_token = log_in(app)
    assert refresh(app, refresh_token) == 401
    new = send(app, "POST", "/refresh", access_token).json["access_token"]
    assert refresh(app, new) == 200


def test_verify_type_false_accepts_both_kinds_of_tokens(edited):
    """Logout needs verify_type=False. With it at /users, a refresh token opens the list for 30 days."""
    app = edited(10, {"verify_type=False": ""}, TOKEN)
    assert [log_out(app, token) for token in log_in(app)] == [200, 401]
    app = edited(10, {"jwt_required()": "jwt_required(verify_type=False)"}, "resources/user.py")
    assert [users(app, token) for token in log_in(app)] == [200, 200]
    claims = read_claims(log_in(app)[1])
    assert timedelta(seconds=claims["exp"] - claims["iat"]) == timedelta(days=30)


def test_without_commit_a_logout_is_lost(edited):
    """Without commit(), logout gets a 200, but the row is gone when the request ends."""
    app = edited(10, {"    db.commit()\n": ""}, REVOKED)
    token, _ = log_in(app)
    assert (log_out(app, token), users(app, token)) == (200, 200)
    assert rows(app) == []


def test_a_set_in_memory_belongs_to_one_process(edited):
    """With a set instead of the table, other processes do not know about a logout."""
    app = edited(
        10,
        {
            "from db import get_db\n": "REVOKED = set()\n",
            "    db = get_db()\n": "    REVOKED.add(jti)\n    return True\n",
            "    row = ": "    return jti in REVOKED\n    row = ",
        },
        REVOKED,
    )
    restarted = load_lesson(os.path.dirname(app.config["DATABASE"]), app.config["DATABASE"])
    token, _ = log_in(app)
    assert log_out(app, token) == 200
    assert (users(app, token), users(restarted, token)) == (401, 200)


def test_after_logout_with_the_access_token_the_refresh_token_gets_new_ones(lesson_10):
    """The refresh token gets new access tokens until it expires, after 30 days."""
    access_token, refresh_token = log_in(lesson_10)
    assert log_out(lesson_10, access_token) == 200
    new = send(lesson_10, "POST", "/refresh", refresh_token).json["access_token"]
    assert users(lesson_10, new) == 200
    days_30 = 30 * 24 * 3600
    old = mint_for(lesson_10, 2, type="refresh", age=days_30 - 60, lifetime=days_30)
    assert refresh(lesson_10, old) == 200


def test_a_loader_without_a_return_revokes_nothing(edited):
    """A loader that returns None accepts each token."""
    app = edited(10, {"return is_revoked": "is_revoked"})
    token, _ = log_in(app)
    assert (log_out(app, token), users(app, token)) == (200, 200)


def test_a_token_without_an_id_cannot_be_revoked(lesson_10, edited):
    """Without jti in REQUIRED_CLAIMS, logout gets a 200, but the token still works."""
    token = mint_for(lesson_10, 2, jti=None)
    assert (users(lesson_10, token), log_out(lesson_10, token)) == (401, 401)
    app = edited(
        10, {'REQUIRED_CLAIMS = ["exp", "iat", "nbf", "jti", ': 'REQUIRED_CLAIMS = ["exp", "iat", "nbf", '}
    )
    assert (users(app, token), log_out(app, token), users(app, token)) == (200, 200, 200)


# before you deploy


def test_rotation_logs_out_a_client_that_loses_a_response(edited):
    """With rotation, a refresh token works once. With two tabs or a lost response, the user logs in again."""
    change = {
        "create_access_token, ": "create_access_token, create_refresh_token, ",
        "        body = {": '        revoke(get_jwt()["jti"])\n'
        '        body = {"refresh_token": create_refresh_token(identity=current_user), ',
    }
    app = edited(10, change, TOKEN)
    _, first = log_in(app)
    lost = send(app, "POST", "/refresh", first)
    assert lost.json.keys() == {"access_token", "refresh_token"}
    assert (refresh(app, first), refresh(app, lost.json["refresh_token"])) == (401, 200)  # a thief goes on
    app = edited(10, {})
    _, first = log_in(app)
    assert (refresh(app, first), refresh(app, first)) == (200, 200)


def test_the_page_about_cookies_works(tmp_path):
    """Change a copy of the app as cookies.md says. Then log in, refresh and log out as a browser does."""
    lesson = shutil.copytree(LESSONS[10], tmp_path / "lesson")
    page = (lesson / "cookies.md").read_text(encoding="utf-8")
    options, login_end, classes = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    imports = "from flask import jsonify\nfrom flask_jwt_extended import *  # all functions\n"

    def rewrite(name, change):
        file = lesson / name
        file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")

    rewrite("app.py", lambda text: text.replace("api = Api(app)\n", f"{options}\n\napi = Api(app)\n"))
    rewrite("resources/token.py", lambda text: f"{imports}{text.partition('class Refresh')[0]}{classes}")
    rewrite(
        "resources/login.py",
        lambda text: (
            imports
            + re.sub(r"        body = \{.*?\n        return body.*?\n", login_end, text, flags=re.DOTALL)
        ),
    )
    app = load_lesson(lesson, tmp_path / "data.db")
    client = app.test_client()
    home = {"base_url": "https://localhost"}  # Secure cookies need HTTPS

    def post(path, cookie=None):
        header = {"X-CSRF-TOKEN": client.get_cookie(cookie).value} if cookie else {}
        return client.post(path, headers=header, **home)

    assert client.post("/login", json=ALICE_BY_EMAIL, **home).json == {"user_id": 2}
    assert client.get("/users", **home).json["asked_by"] == "alice"
    refresh_token = client.get_cookie("refresh_token_cookie").value
    first = client.get_cookie("access_token_cookie").value
    for cookie, expected in ((None, 401), ("csrf_access_token", 401), ("csrf_refresh_token", 200)):
        response = post("/refresh", cookie)
        assert response.status_code == expected
        assert "eyJ" not in response.text  # no token
    access_token = client.get_cookie("access_token_cookie").value
    assert access_token != first
    assert post("/logout", "csrf_refresh_token").status_code == 200
    assert client.get_cookie("access_token_cookie") is None
    assert client.get("/users", **home).status_code == 401
    client.set_cookie("access_token_cookie", access_token)
    assert client.get("/users", **home).status_code == 200  # a copy works until it expires
    client.set_cookie("refresh_token_cookie", refresh_token)
    client.set_cookie("csrf_refresh_token", read_claims(refresh_token)["csrf"])
    assert post("/refresh", "csrf_refresh_token").json["message"] == "Token has been revoked"


def test_session_cookies_end_with_the_browser(with_cookies):
    """With JWT_SESSION_COOKIE = False, the cookies have a time when they end."""
    for session, lasts in ((True, False), (False, True)):
        with_cookies.config["JWT_SESSION_COOKIE"] = session
        values = set_cookie_headers(with_cookies).values()
        assert {("Expires" in value or "Max-Age" in value) for value in values} == {lasts}


@pytest.fixture
def with_cookies():
    """An app that keeps the access token in a cookie, with the library's defaults."""
    app = Flask("cookies")
    app.config.update(SECRET_KEY="k" * 64, JWT_TOKEN_LOCATION=["cookies"])
    JWTManager(app)

    @app.get("/login")
    def login():
        response = jsonify(message="You have logged in")
        set_access_cookies(response, create_access_token("1"))
        return response

    @app.route("/act", methods=["GET", "POST"])
    @jwt_required()
    def act():
        return "done"

    return app


def set_cookie_headers(app):
    """Log in and return the value of each header Set-Cookie by the name of its cookie."""
    values = app.test_client().get("/login").headers.getlist("Set-Cookie")
    return {value.partition("=")[0]: value for value in values}


def test_the_cookie_with_the_token_is_hidden_from_scripts(with_cookies):
    """With JWT_TOKEN_LOCATION = ["cookies"] and set_access_cookies, the cookie is HttpOnly.

    It is Secure only with JWT_COOKIE_SECURE.
    """
    for secure in (False, True):
        cookies = set_cookie_headers(with_cookies)
        assert "HttpOnly" in cookies["access_token_cookie"]
        assert [("Secure" in value) for value in cookies.values()] == [secure, secure]
        with_cookies.config["JWT_COOKIE_SECURE"] = True


def test_a_post_with_a_cookie_needs_a_second_value(with_cookies):
    """JWT_COOKIE_CSRF_PROTECT is on by default. The value is in a cookie that scripts may read."""
    assert with_cookies.config["JWT_COOKIE_CSRF_PROTECT"] is True
    client = with_cookies.test_client()
    cookies = client.get("/login").headers.getlist("Set-Cookie")
    [readable] = [cookie for cookie in cookies if "HttpOnly" not in cookie]
    assert readable.startswith("csrf_access_token=")
    value = client.get_cookie("csrf_access_token").value
    assert client.get("/act").status_code == 200
    assert client.post("/act").status_code == 401
    assert client.post("/act", headers={"X-CSRF-TOKEN": "another"}).status_code == 401
    assert client.post("/act", headers={"X-CSRF-TOKEN": value}).status_code == 200


def test_samesite_is_empty_by_default(with_cookies):
    """JWT_COOKIE_SAMESITE is None by default. With "Lax", both cookies say SameSite=Lax."""
    assert with_cookies.config["JWT_COOKIE_SAMESITE"] is None
    assert not [value for value in set_cookie_headers(with_cookies).values() if "SameSite" in value]
    with_cookies.config["JWT_COOKIE_SAMESITE"] = "Lax"
    cookies = set_cookie_headers(with_cookies)
    assert len(cookies) == 2
    assert all("SameSite=Lax" in value for value in cookies.values())


@pytest.mark.slow
def test_with_lax_a_browser_sends_no_cookie_with_a_post_from_another_site(with_cookies):
    """With JWT_COOKIE_SAMESITE = "Lax", the app accepts a form on its own site, but not on another site."""
    needs("chromium")
    from playwright.sync_api import sync_playwright

    # Without CSRF protection, only the missing cookie can be the reason for a 401.
    with_cookies.config.update(JWT_COOKIE_SAMESITE="Lax", JWT_COOKIE_CSRF_PROTECT=False)
    for app in (with_cookies, other := Flask("other")):
        app.add_url_rule("/form", view_func=lambda: f"<form method=post action={url}/act><button>Go</button>")
    with serving(with_cookies) as address, serving(other) as other_url, sync_playwright() as playwright:
        url = address.replace("127.0.0.1", "localhost")  # for a browser, this is another site than 127.0.0.1
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{url}/login")
        for site, status in ((url, 200), (other_url, 401)):
            page.goto(f"{site}/form")
            with page.expect_response(f"{url}/act") as response:
                page.get_by_text("Go").click()
            assert response.value.status == status
        browser.close()


def test_a_row_is_needed_until_its_token_has_expired(lesson_10):
    """Without its row, a revoked token works again until its exp and the 10 seconds of leeway have passed."""
    for expired, status in ((-60, 200), (5, 200), (11, 401)):
        token = mint_for(lesson_10, 2, age=300 + expired)
        if status == 200:
            assert log_out(lesson_10, token) == 200
            assert users(lesson_10, token) == 401
        run_sql(lesson_10, "DELETE FROM revoked_tokens")
        assert users(lesson_10, token) == status
    assert lesson_10.config["JWT_DECODE_LEEWAY"] == 10


def test_a_server_of_lesson_9_accepts_revoked_tokens(tmp_path):
    """The app of lesson 9 does not read the table, even in the same database."""
    old, new = (load_lesson(LESSONS[number], tmp_path / "data.db") for number in (9, 10))
    access_token, _ = log_in(new)
    assert log_out(new, access_token) == 200
    assert [users(app, access_token) for app in (old, new)] == [200, 401]


def test_schema_sql_adds_the_table_to_an_old_database(tmp_path):
    """With lesson 9's database, a valid token gets a 500. The line in the README repairs the database."""
    old = load_lesson(LESSONS[9], tmp_path / "data.db")
    old.test_client().post("/login", json=ALICE_BY_EMAIL)
    run_sql(old, "UPDATE users SET username = 'alicia' WHERE username = 'alice'")
    app = load_lesson(LESSONS[10], tmp_path / "data.db")
    token, _ = log_in(app)
    assert users(app, token) == 500
    shutil.copy(LESSONS[10] / "schema.sql", tmp_path)
    [line] = re.findall(r"`(sqlite3\.connect.+?)`", section(LESSONS[10], "Before you deploy"))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", f"import sqlite3; {line}"], cwd=tmp_path, check=True)
    assert users(app, token) == 200
    assert (log_out(app, token), users(app, token)) == (200, 401)
    response = send(app, "GET", "/users", log_in(app)[0])
    assert response.json == {
        "asked_by": "alicia",
        "users": [{"id": 1, "username": "bob"}, {"id": 2, "username": "alicia"}],
    }

"""Test what the README of lesson 8 says about Flask-JWT-Extended, and about moving to it from Flask-JWT."""

import re
import time
from datetime import timedelta

import pytest
from flask import Flask, jsonify
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    current_user,
    get_jwt,
    jwt_required,
    set_access_cookies,
)

from helpers import ALICE_BY_EMAIL, run_sql, section
from lesson_loader import code_files, find_lessons
from tokens import authorization, mint_for, read_claims

LESSONS = find_lessons()
BRIDGE_AFTER = "jwt = JWTManager(app)\n"


def log_in(app):
    """Log in as the admin and return the token."""
    return app.test_client().post("/login", json=ALICE_BY_EMAIL).json["access_token"]


def users(app, token, prefix="Bearer"):
    return app.test_client().get("/users", headers=authorization(token, prefix))


def status(app, token, prefix="Bearer"):
    return users(app, token, prefix).status_code


def last_error(caplog):
    """Return the text of the last error that the app logged."""
    return str([record.exc_info[1] for record in caplog.records if record.exc_info][-1])


# from the old line to the new one


def test_each_line_of_the_table_is_in_lesson_7_or_8():
    code = {
        number: "".join(path.read_text(encoding="utf-8") for path in code_files(LESSONS[number]))
        for number in LESSONS
    }
    table = section(LESSONS[8], "From the old line to the new")
    rows = re.findall(r"^\| (\d|all) \| (.+?) \| (.+?) \|$", table, re.MULTILINE)
    assert {number for number, _, _ in rows} == set("1234567") | {"all"}
    for number, before, after in rows:
        old, new = re.findall("`(.+?)`", before), re.findall("`(.+?)`", after)
        assert old
        row = f"the row of lesson {number}: {before}"
        assert all(line in code[7] and line not in code[8] for line in old), row
        assert all(line in code[8] and line not in code[7] for line in new), row
        if number not in ("all", "1"):  # it is that lesson's own line
            lesson, previous = code[int(number)], code[int(number) - 1]
            assert any(line in lesson and line not in previous for line in old), row


# what else would change


def test_it_has_no_leeway(edited):
    """Without JWT_DECODE_LEEWAY, a token expires to the second."""
    app = edited(8, {'app.config["JWT_DECODE_LEEWAY"] = 10  # seconds\n': ""})
    assert status(app, mint_for(app, identity=2, age=1790, lifetime=1800)) == 200
    assert status(app, mint_for(app, identity=2, age=1801, lifetime=1800)) == 401
    app = edited(8, {})
    assert status(app, mint_for(app, identity=2, age=1808, lifetime=1800)) == 200
    assert status(app, mint_for(app, identity=2, age=1811, lifetime=1800)) == 401


def test_it_requires_no_claims(edited):
    """By itself, the library accepts a token without exp, and a token for another app."""
    trusting = edited(8, {"@jwt.token_verification_loader\n": ""})
    for changes in ({"exp": None}, {"aud": "another"}):
        assert status(trusting, mint_for(trusting, identity=2, **changes)) == 200
        app = edited(8, {})
        assert status(app, mint_for(app, identity=2, **changes)) == 401


def test_its_errors_have_their_own_format(edited):
    """By itself, the library sends {"msg": …}, a 422 for a forged token, and no WWW-Authenticate."""
    app = edited(8, {f"@jwt.{kind}_loader\n": "" for kind in ("unauthorized", "invalid_token")})
    app.add_url_rule("/fresh", view_func=jwt_required(fresh=True)(lambda: "in"))
    bad, missing = users(app, mint_for(app, identity=2, key="x" * 32)), app.test_client().get("/users")
    assert (bad.status_code, missing.status_code) == (422, 401)
    assert bad.json.keys() == missing.json.keys() == {"msg"}
    assert "WWW-Authenticate" not in missing.headers
    stale = app.test_client().get("/fresh", headers=authorization(log_in(app), "Bearer"))
    assert stale.json == {"msg": "Fresh token required"}
    app = edited(8, {})
    bad, missing = users(app, mint_for(app, identity=2, key="x" * 32)), app.test_client().get("/users")
    assert (bad.status_code, missing.status_code) == (401, 401)
    assert bad.json.keys() == missing.json.keys() == {"message", "code"}
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="Login Required"'


def test_old_options_are_passed_over(edited):
    """Flask-JWT-Extended ignores most options of Flask-JWT, but not these two."""
    app = edited(8, {"JWT_ACCESS_TOKEN_EXPIRES": "JWT_EXPIRATION_DELTA"})
    token = read_claims(log_in(app))
    assert timedelta(seconds=token["exp"] - token["iat"]) == timedelta(minutes=15)
    app.config.update(JWT_SECRET_KEY="s" * 64, JWT_ALGORITHM="HS512")
    assert status(app, mint_for(app, identity=2, key="s" * 64, algorithm="HS512")) == 200
    assert status(app, mint_for(app, identity=2)) == 401


def test_the_prefix_is_bearer_to_the_letter(edited, caplog):
    """By itself, the library refuses bearer, and two commas cause a 500."""
    app = edited(8, {"app.before_request(read_authorization)\n": ""})
    assert [status(app, log_in(app), prefix) for prefix in ("Bearer", "bearer")] == [200, 401]
    assert app.test_client().get("/users", headers={"Authorization": ", ,"}).status_code == 500
    assert last_error(caplog) == "list index out of range"
    app = edited(8, {})
    assert [status(app, log_in(app), prefix) for prefix in ("Bearer", "bearer")] == [200, 200]
    assert app.test_client().get("/users", headers={"Authorization": ", ,"}).status_code == 401


def test_an_identity_is_text(edited):
    """If the identity is a number, a login works, but its token gets a 401."""
    app = edited(8, {"str(user.id)": "user.id"})
    response = users(app, log_in(app))
    assert (response.status_code, response.json["message"]) == (401, "Subject must be a string")


def test_without_a_look_up_a_deleted_user_is_as_good_as_ever(edited, caplog):
    """Without a user_lookup_loader, nobody asks the database for the user."""
    look_up = "jwt.user_lookup_loader(identity)\n"
    for change, expected in (({look_up: ""}, 200), ({}, 401)):
        app = edited(8, change)
        app.add_url_rule("/in", view_func=jwt_required()(lambda: "in"))
        header = authorization(log_in(app), "Bearer")
        run_sql(app, "DELETE FROM users WHERE username = 'alice'")
        assert app.test_client().get("/in", headers=header).status_code == expected
    assert status(edited(8, {look_up: ""}), mint_for(app, identity=2)) == 500
    assert "user_lookup_loader" in last_error(caplog)


def test_flask_restful_is_the_same(edited):
    """With the Api of Flask-RESTful, a missing token gets a 500."""
    app = edited(8, {"from api import Api": "from flask_restful import Api"})
    assert app.test_client().get("/users").status_code == 500
    assert edited(8, {}).test_client().get("/users").status_code == 401


@pytest.mark.parametrize(
    ("check", "body"),
    [
        ("not isinstance(data, dict)", "null"),
        ("not all(is_text(value) for value in credentials)", '{"email": [], "password": "x"}'),
        ("not all(is_text(value) for value in credentials)", r'{"email": "\ud800", "password": "x"}'),
    ],
)
def test_the_login_is_yours(edited, check, body):
    """Without its checks, our login gets a 500 from a strange body."""
    app = edited(8, {check: "False"}, "resources/login.py")
    response = app.test_client().post("/login", data=body, content_type="application/json")
    assert response.status_code == 500
    response = edited(8, {}).test_client().post("/login", data=body, content_type="application/json")
    assert response.status_code in (400, 401)


# tokens that are still in people's hands


@pytest.fixture
def before_and_after(tmp_path, edited):
    """A function that loads lessons 7 and 8 with one database. Lesson 8 also gets the lines of the bridge."""

    def before_and_after(bridge):
        apps = edited(7, {}), edited(8, {BRIDGE_AFTER: BRIDGE_AFTER + bridge})
        for app in apps:
            app.config["DATABASE"] = tmp_path / "data.db"
        return apps

    return before_and_after


def bridge():
    """Return the two lines in the README that accept old tokens."""
    [lines] = re.findall("```python\n(.*?)```", section(LESSONS[8], "Tokens in people's hands"), re.DOTALL)
    return lines


def test_old_tokens_are_refused(before_and_after):
    """Lesson 8 refuses the tokens of lesson 7."""
    old, new = before_and_after("")
    response = users(new, log_in(old))
    assert (response.status_code, response.json["message"]) == (401, "Missing claim: sub")


def test_a_bridge_accepts_old_tokens(before_and_after):
    """With the two lines, lesson 8 accepts the tokens of lesson 7 until they expire."""
    old, new = before_and_after(bridge())
    assert status(new, log_in(old)) == 200
    for age, expected in ((100, 200), (1790, 200), (1808, 200), (1811, 401)):
        assert status(new, mint_for(old, identity=2, age=age, lifetime=1800)) == expected
    assert status(new, mint_for(old, identity=2, key="x" * 32)) == 401
    run_sql(old, "DELETE FROM users WHERE username = 'alice'")
    assert status(new, mint_for(old, identity=2)) == 401


def test_a_bridge_can_be_taken_away(before_and_after):
    """The tokens of the bridge have both claims, so they work without it too."""
    _, during = before_and_after(bridge())
    _, after = before_and_after("")
    token = log_in(during)
    assert read_claims(token)["sub"] == read_claims(token)["identity"] == "2"
    assert status(after, token) == 200


def test_a_bridge_is_needed_for_more_than_the_claim(before_and_after):
    """With only one of the two lines, some tokens stop working later."""
    first, _ = bridge().splitlines(keepends=True)
    _, during = before_and_after(first)
    _, without = before_and_after("")
    _, late = before_and_after(bridge())
    assert status(during, log_in(during)) == 200
    assert status(without, log_in(during)) == 401
    assert status(late, log_in(without)) == 401


def test_a_server_with_flask_jwt_can_go_on_beside_it(before_and_after):
    """An old server accepts the bridge's tokens, although their identity is text."""
    old, during = before_and_after(bridge())
    token = log_in(during)
    assert read_claims(token)["identity"] == "2"
    assert status(old, token) == 200


def test_old_servers_know_no_kinds_of_tokens(before_and_after):
    """An old server accepts refresh tokens and revoked tokens."""
    old, during = before_and_after(bridge())
    jwt = during.extensions["flask-jwt-extended"]
    jwt.token_in_blocklist_loader(lambda header, payload: True)
    with during.app_context():
        alice = type("User", (), {"id": 2})
        refresh, access = create_refresh_token(alice), create_access_token(alice)
    claims = read_claims(refresh)
    assert timedelta(seconds=claims["exp"] - claims["iat"]) == timedelta(days=30)
    assert [status(during, token) for token in (refresh, access)] == [401, 401]
    assert [status(old, token) for token in (refresh, access)] == [200, 200]


def test_clients_that_still_say_jwt(edited):
    """The option JWT_HEADER_TYPE replaces the word Bearer. One edit accepts both words."""
    app = edited(8, {BRIDGE_AFTER: BRIDGE_AFTER + 'app.config["JWT_HEADER_TYPE"] = "JWT"\n'})
    assert [status(app, log_in(app), prefix) for prefix in ("JWT", "Bearer")] == [200, 401]
    both = {'if scheme.lower() == "bearer":': 'if scheme.lower() in ("bearer", "jwt"):'}
    app = edited(8, both, "security.py")
    assert [status(app, log_in(app), prefix) for prefix in ("JWT", "jwt", "Bearer")] == [200, 200, 200]


# what you gain


@pytest.fixture
def app():
    """An app with Flask-JWT-Extended alone, whose only user is "1"."""
    app = Flask("gain")
    app.config["SECRET_KEY"] = "k" * 64
    app.jwt = JWTManager(app)
    app.jwt.user_lookup_loader(lambda header, payload: f"user {payload['sub']}")
    return app


def open_view(app, token=None, **how):
    """Ask a view below @jwt_required(...), with a token or without one, and return the response."""
    if "view" not in app.view_functions:

        @app.get("/view")
        @jwt_required(**how)
        def view():
            return jsonify(user=str(current_user), claims=get_jwt())

    return app.test_client().get("/view", headers=authorization(token, "Bearer") if token else None)


def make(app, create=create_access_token, **more):
    with app.app_context():
        return create("1", **more)


def test_tokens_can_be_revoked(app):
    """The loader is asked about each token, on views for refresh tokens too."""
    app.add_url_rule("/refresh", view_func=jwt_required(refresh=True)(lambda: "in"))
    token, other = make(app), make(app)
    app.jwt.token_in_blocklist_loader(lambda header, payload: payload["jti"] == read_claims(token)["jti"])
    assert open_view(app, token).status_code == 401
    assert open_view(app, token).json["msg"] == "Token has been revoked"
    assert open_view(app, other).status_code == 200
    token, other = make(app, create_refresh_token), make(app, create_refresh_token)
    responses = [
        app.test_client().get("/refresh", headers=authorization(each, "Bearer")) for each in (token, other)
    ]
    assert [response.status_code for response in responses] == [401, 200]


def test_tokens_can_be_refreshed(app):
    """A refresh token lasts for 30 days and opens only views for refresh tokens."""
    refresh, access = make(app, create_refresh_token), make(app)

    @app.get("/refresh")
    @jwt_required(refresh=True)
    def renew():
        return create_access_token("1")

    life = timedelta(seconds=read_claims(refresh)["exp"] - read_claims(refresh)["iat"])
    assert life == timedelta(days=30)
    assert (open_view(app, refresh).status_code, open_view(app, access).status_code) == (422, 200)
    answer, refused = (
        app.test_client().get("/refresh", headers=authorization(token, "Bearer"))
        for token in (refresh, access)
    )
    assert refused.status_code == 422
    assert open_view(app, answer.text).status_code == 200


def test_a_token_can_be_fresh(app):
    """A token with fresh=True stays fresh until it expires. A timedelta limits that."""
    assert open_view(app, make(app, fresh=True), fresh=True).status_code == 200
    assert open_view(app, make(app)).status_code == 401
    old = int(time.time()) - 800  # a token lasts for 900 seconds
    for fresh, expected in ((True, 200), (old + 900, 200), (old + 700, 401)):
        token = mint_for(app, identity=1, age=800, lifetime=900, fresh=fresh)
        assert open_view(app, token).status_code == expected
    limited = read_claims(make(app, fresh=timedelta(minutes=1)))
    assert round(limited["fresh"] - limited["iat"]) in (60, 61)


def test_a_login_can_be_optional(app):
    """With optional=True, a request without a token gets in, and one with a bad token does not."""
    assert open_view(app, optional=True).json == {"user": "None", "claims": {}}
    assert open_view(app, make(app)).json["user"] == "user 1"
    assert open_view(app, "not.a.token").status_code == 422
    other = {"Authorization": f"JWT {make(app)}"}
    assert app.test_client().get("/view", headers=other).json["user"] == "None"


def test_a_token_can_be_in_a_cookie(app):
    """With cookies, scripts cannot read the token, and a POST needs a second value."""
    app.config["JWT_TOKEN_LOCATION"] = ["cookies"]

    @app.post("/login")
    def login():
        response = jsonify()
        set_access_cookies(response, create_access_token("1"))
        return response

    app.add_url_rule("/act", view_func=jwt_required()(lambda: "done"), methods=["POST"])
    client = app.test_client()
    cookies = client.post("/login").headers.getlist("Set-Cookie")
    assert not any("Secure" in cookie for cookie in cookies)
    assert {cookie.split("=")[0]: "HttpOnly" in cookie for cookie in cookies} == {
        "access_token_cookie": True,
        "csrf_access_token": False,
    }
    csrf = client.get_cookie("csrf_access_token").value
    assert client.post("/act").status_code == 401
    assert client.post("/act", headers={"X-CSRF-TOKEN": csrf}).text == "done"
    app.config["JWT_COOKIE_SECURE"] = True
    assert all("Secure" in cookie for cookie in client.post("/login").headers.getlist("Set-Cookie"))


def test_claims_of_all_tokens(app):
    """additional_claims_loader adds to the claims of every token."""
    before = read_claims(make(app))
    app.jwt.additional_claims_loader(lambda identity: {"role": "admin"})
    after = read_claims(make(app))
    assert after.keys() - before.keys() == {"role"}
    assert open_view(app, make(app)).json["claims"]["role"] == "admin"


def test_claims_and_life_of_one_token(app):
    """One token can have other claims and another lifetime."""
    token = make(app, additional_claims={"role": "admin"}, expires_delta=timedelta(days=1))
    assert open_view(app, token).json["claims"]["role"] == "admin"
    assert read_claims(token)["exp"] - read_claims(token)["iat"] == 86400


# remember


def test_the_parentheses(app):
    """Without the parentheses of jwt_required, each request gets a 500."""
    app.add_url_rule("/bare", view_func=jwt_required(lambda: "in"))
    assert app.test_client().get("/bare").status_code == 500


def test_a_token_without_an_id_cannot_be_revoked(app):
    """A token of Flask-JWT has no jti, so a blocklist cannot contain it."""
    seen = []
    app.jwt.token_in_blocklist_loader(lambda header, payload: seen.append(payload["jti"]))
    assert open_view(app, mint_for(app)).status_code == 200
    assert open_view(app, make(app)).status_code == 200
    assert seen[0] is None
    assert seen[1]


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer a b", "JWT a", "Basic a, Bearer b", ", ,", "Bearer {nobody}", "Bearer {scrambled}"],
)
def test_some_refusals_are_worded_otherwise(edited, header):
    """Some 401 responses have another message than in lesson 7."""

    def refusal(app):
        unreadable = ".".join([mint_for(app).split(".")[0], "e30x", mint_for(app).split(".")[2]])
        value = header.format(nobody=mint_for(app, identity=None), scrambled=unreadable)
        return app.test_client().get("/users", headers={"Authorization": value})

    old, new = refusal(edited(7, {})), refusal(edited(8, {}))
    assert old.status_code == new.status_code == 401
    assert old.json["message"] != new.json["message"]
    assert old.json.keys() == new.json.keys()


def test_the_key_can_have_a_name_of_its_own(app):
    """JWT_SECRET_KEY is used before SECRET_KEY, and both are read with each request."""
    app.config["SECRET_KEY"] = "other" * 10
    assert open_view(app, mint_for(app, key="other" * 10)).status_code == 200
    app.config["JWT_SECRET_KEY"] = "third" * 10
    assert open_view(app, mint_for(app, key="third" * 10)).status_code == 200
    assert open_view(app, mint_for(app, key="other" * 10)).status_code == 422

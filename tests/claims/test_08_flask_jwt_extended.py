"""What the README of lesson 8 says about Flask-JWT-Extended, and about leaving Flask-JWT for it."""

import re
import sqlite3
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
    """The token of a login as the admin."""
    return app.test_client().post("/login", json=ALICE_BY_EMAIL).json["access_token"]


def users(app, token, prefix="Bearer"):
    return app.test_client().get("/users", headers=authorization(token, prefix))


def status(app, token, prefix="Bearer"):
    return users(app, token, prefix).status_code


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
        assert all(line in code[7] and line not in code[8] for line in old)
        assert all(line in code[8] and line not in code[7] for line in new)
        if number not in ("all", "1"):  # it is that lesson's own line
            assert any(line in code[int(number)] and line not in code[int(number) - 1] for line in old)


# what would change without a word


def test_it_has_no_leeway(edited):
    """Flask-JWT-Extended forgives no second. `JWT_DECODE_LEEWAY = 10` keeps Flask-JWT's ten."""
    app = edited(8, {'app.config["JWT_DECODE_LEEWAY"] = 10  # seconds\n': ""})
    assert status(app, mint_for(app, identity=2, age=1805, lifetime=1800)) == 401
    app = edited(8, {})
    assert status(app, mint_for(app, identity=2, age=1805, lifetime=1800)) == 200


def test_it_requires_no_claims(edited):
    """It accepts a token that has no `exp`, and one that is for another app, whose `aud` is not ours.
    `verify_claims` refuses both."""
    trusting = edited(8, {"@jwt.token_verification_loader\n": ""})
    for changes in ({"exp": None}, {"aud": "another"}):
        assert status(trusting, mint_for(trusting, identity=2, **changes)) == 200
        app = edited(8, {})
        assert status(app, mint_for(app, identity=2, **changes)) == 401


def test_it_answers_in_its_own_words(edited):
    """It answers a forged token with 422, a missing one with 401, and each time `{"msg": ...}`. One loader
    for each kind of refusal keeps this API's words; tokens that can be fresh or revoked need two more. It
    sends no `WWW-Authenticate`; ours says `Bearer` at last."""
    app = edited(8, {f"@jwt.{kind}_loader\n": "" for kind in ("unauthorized", "invalid_token")})
    app.add_url_rule("/fresh", view_func=jwt_required(fresh=True)(lambda: "in"))
    bad, missing = users(app, "not.a.token"), app.test_client().get("/users")
    assert (bad.status_code, missing.status_code) == (422, 401)
    assert bad.json.keys() == missing.json.keys() == {"msg"}
    assert "WWW-Authenticate" not in missing.headers
    stale = app.test_client().get("/fresh", headers=authorization(log_in(app), "Bearer"))
    assert stale.json == {"msg": "Fresh token required"}
    app = edited(8, {})
    bad, missing = users(app, "not.a.token"), app.test_client().get("/users")
    assert (bad.status_code, missing.status_code) == (401, 401)
    assert bad.json.keys() == missing.json.keys() == {"message", "code"}
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="Login Required"'


def test_old_options_are_passed_over(edited):
    """It passes over Flask-JWT's options without a word. With `JWT_EXPIRATION_DELTA` left as it was, a
    token lives for 15 minutes, its own default."""
    app = edited(8, {"JWT_ACCESS_TOKEN_EXPIRES": "JWT_EXPIRATION_DELTA"})
    token = read_claims(log_in(app))
    assert token["exp"] - token["iat"] == 900


def test_the_prefix_is_bearer_to_the_letter(edited):
    """It refuses `bearer`, which Flask-JWT took for `Bearer`, as HTTP does; and it takes a comma for the
    end of a header, so that `, ,` is a 500. `read_authorization` reads the header as Flask-JWT did."""
    app = edited(8, {"app.before_request(read_authorization)\n": ""})
    assert [status(app, log_in(app), prefix) for prefix in ("Bearer", "bearer")] == [200, 401]
    with pytest.raises(IndexError):
        app.test_client().get("/users", headers={"Authorization": ", ,"})
    app = edited(8, {})
    assert [status(app, log_in(app), prefix) for prefix in ("Bearer", "bearer")] == [200, 200]
    assert app.test_client().get("/users", headers={"Authorization": ", ,"}).status_code == 401


def test_an_identity_is_text(edited):
    """It wants the identity as text. With a number, a login works, and its token is refused."""
    app = edited(8, {"str(user.id)": "user.id"})
    response = users(app, log_in(app))
    assert (response.status_code, response.json["message"]) == (401, "Subject must be a string")


def test_without_a_look_up_a_deleted_user_is_as_good_as_ever(edited):
    """It asks for the user only where there is a `user_lookup_loader`. Without one, `current_user` is a
    RuntimeError, and a view that needs none lets in a deleted user's token."""
    look_up = "jwt.user_lookup_loader(identity)\n"
    for change, expected in (({look_up: ""}, 200), ({}, 401)):
        app = edited(8, change)
        app.add_url_rule("/in", view_func=jwt_required()(lambda: "in"))
        header = authorization(log_in(app), "Bearer")
        run_sql(app, "DELETE FROM users WHERE username = 'alice'")
        assert app.test_client().get("/in", headers=header).status_code == expected
    with pytest.raises(RuntimeError, match="user_lookup_loader"):
        status(edited(8, {look_up: ""}), mint_for(app, identity=2))


def test_flask_restful_is_the_same(edited):
    """Flask-RESTful still answers 500 to a missing token unless `PROPAGATE_EXCEPTIONS` is set."""
    app = edited(8, {'app.config["PROPAGATE_EXCEPTIONS"] = True\n': ""})
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
    """The login is yours to write, and with it what it has to check: that the body is an object, and that
    its values are text. Without these checks, a stranger has a 500 for the asking."""
    app = edited(8, {check: "False"}, "resources/login.py")
    with pytest.raises((AttributeError, UnicodeEncodeError, sqlite3.Error)):
        app.test_client().post("/login", data=body, content_type="application/json")
    response = edited(8, {}).test_client().post("/login", data=body, content_type="application/json")
    assert response.status_code in (400, 401)


# tokens that are still in people's hands


@pytest.fixture
def before_and_after(tmp_path, edited):
    """Load lesson 7 and lesson 8, which is built over the bridge or not, on one database and with one
    key."""

    def before_and_after(bridge):
        apps = edited(7, {}), edited(8, {BRIDGE_AFTER: BRIDGE_AFTER + bridge})
        for app in apps:
            app.config["DATABASE"] = tmp_path / "data.db"
        return apps

    return before_and_after


def bridge():
    """The lines that the README gives for the change-over."""
    [lines] = re.findall("```python\n(.*?)```", section(LESSONS[8], "Tokens in people's hands"), re.DOTALL)
    return lines


def test_old_tokens_are_refused(before_and_after):
    """Without more, lesson 8 refuses the tokens of lesson 7: `Missing claim: sub`."""
    old, new = before_and_after("")
    response = users(new, log_in(old))
    assert (response.status_code, response.json["message"]) == (401, "Missing claim: sub")


def test_a_bridge_accepts_old_tokens(before_and_after):
    """With these two lines below `JWTManager(app)`, and the same `SECRET_KEY`, it accepts them to their
    end. Forged ones and those of deleted users are refused as ever."""
    old, new = before_and_after(bridge())
    assert status(new, log_in(old)) == 200
    assert status(new, mint_for(old, identity=2, age=1811, lifetime=1800)) == 401
    assert status(new, mint_for(old, identity=2, key="x" * 32)) == 401
    run_sql(old, "DELETE FROM users WHERE username = 'alice'")
    assert status(new, mint_for(old, identity=2)) == 401


def test_a_bridge_can_be_taken_away(before_and_after):
    """The tokens of the bridge carry both claims. So when the last old token has expired, half an hour and
    ten seconds after the last login with Flask-JWT, take the lines away, and nobody has to log in again."""
    _, during = before_and_after(bridge())
    _, after = before_and_after("")
    token = log_in(during)
    assert read_claims(token)["sub"] == read_claims(token)["identity"] == "2"
    assert status(after, token) == 200


def test_a_bridge_is_needed_for_more_than_the_claim(before_and_after):
    """Put in both lines, and on the first day. Tokens that were issued before they came are refused with
    them, and tokens that were issued with the first alone are refused without it."""
    first, _ = bridge().splitlines(keepends=True)
    _, during = before_and_after(first)
    _, without = before_and_after("")
    _, late = before_and_after(bridge())
    assert status(during, log_in(during)) == 200
    assert status(without, log_in(during)) == 401
    assert status(late, log_in(without)) == 401


def test_a_server_with_flask_jwt_can_go_on_beside_it(before_and_after):
    """If old and new servers run side by side, the old ones refuse such a token, whose `identity` is text.
    Let `user_identity_loader` return the number until the last of them is gone."""
    old, during = before_and_after(bridge())
    assert status(old, log_in(during)) == 401
    during.extensions["flask-jwt-extended"].user_identity_loader(lambda user: user.id)
    assert status(old, log_in(during)) == 200
    assert status(during, log_in(during)) == 200
    assert status(before_and_after("")[1], log_in(during)) == 200


def test_old_servers_know_no_kinds_of_tokens(before_and_after):
    """An old server takes a refresh token for any other, for all of its 30 days, and asks nobody whether
    one has been revoked. Issue none, and rely on no logging out, until the last of them is gone."""
    old, during = before_and_after(bridge())
    jwt = during.extensions["flask-jwt-extended"]
    jwt.user_identity_loader(lambda user: user.id)
    jwt.token_in_blocklist_loader(lambda header, payload: True)
    with during.app_context():
        alice = type("User", (), {"id": 2})
        refresh, access = create_refresh_token(alice), create_access_token(alice)
    assert [status(during, token) for token in (refresh, access)] == [401, 401]
    assert [status(old, token) for token in (refresh, access)] == [200, 200]


def test_clients_that_still_say_jwt(edited):
    """Clients that still send the prefix `JWT`, as before lesson 7, need `JWT_HEADER_TYPE = "JWT"`, which
    refuses `Bearer`. To take both, let `read_authorization` rewrite `jwt` as well."""
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
    """The answer of a view that @jwt_required(...) protects, to a request with a token, or with none."""
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
    """Each token has an id, its `jti`, and `@jwt.token_in_blocklist_loader` is asked about each one that
    comes: so logging out is possible, as exercise 8 shows."""
    token, other = make(app), make(app)
    app.jwt.token_in_blocklist_loader(lambda header, payload: payload["jti"] == read_claims(token)["jti"])
    assert open_view(app, token).status_code == 401
    assert open_view(app, token).json["msg"] == "Token has been revoked"
    assert open_view(app, other).status_code == 200


def test_tokens_can_be_refreshed(app):
    """`create_refresh_token` makes a token, good for 30 days, that opens only views under
    `@jwt_required(refresh=True)`: there it fetches new access tokens, which can then be short-lived."""
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
    """`create_access_token(user, fresh=True)` marks a token that has just cost a password, and
    `@jwt_required(fresh=True)` asks for one, before something that cannot be undone."""
    assert open_view(app, make(app, fresh=True), fresh=True).status_code == 200
    assert open_view(app, make(app)).status_code == 401


def test_a_login_can_be_optional(app):
    """`@jwt_required(optional=True)` lets strangers in, for whom `current_user` is empty. A bad token is
    refused all the same; a header with another scheme counts as none."""
    assert open_view(app, optional=True).json == {"user": "None", "claims": {}}
    assert open_view(app, make(app)).json["user"] == "user 1"
    assert open_view(app, "not.a.token").status_code == 422
    other = {"Authorization": f"JWT {make(app)}"}
    assert app.test_client().get("/view", headers=other).json["user"] == "None"


def test_a_token_can_be_in_a_cookie(app):
    """With `JWT_TOKEN_LOCATION = ["cookies"]` and `set_access_cookies` in the login, a browser keeps the
    token where no script reads it. A POST must then bring the CSRF token of another cookie. Set
    `JWT_COOKIE_SECURE = True`, or the cookies travel without TLS too."""
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


def test_claims_of_all_tokens(app):
    """What exercise 7 does with `@jwt.jwt_payload_handler` is `@jwt.additional_claims_loader` here, which
    adds to the claims of every token and leaves the others as they are."""
    before = read_claims(make(app))
    app.jwt.additional_claims_loader(lambda identity: {"role": "admin"})
    after = read_claims(make(app))
    assert after.keys() - before.keys() == {"role"}
    assert open_view(app, make(app)).json["claims"]["role"] == "admin"


def test_claims_and_life_of_one_token(app):
    """`create_access_token(user, additional_claims={"role": "admin"}, expires_delta=timedelta(days=1))`
    makes one token that is other than the rest; `get_jwt()` has its claims."""
    token = make(app, additional_claims={"role": "admin"}, expires_delta=timedelta(days=1))
    assert open_view(app, token).json["claims"]["role"] == "admin"
    assert read_claims(token)["exp"] - read_claims(token)["iat"] == 86400


# remember


def test_the_parentheses(app):
    """`@jwt_required` without its parentheses is a 500 here as well."""
    app.add_url_rule("/bare", view_func=jwt_required(lambda: "in"))
    assert app.test_client().get("/bare").status_code == 500


def test_a_token_without_an_id_cannot_be_revoked(app):
    """A token of Flask-JWT's has no `jti`: in the loader it is None, which no list of ids can hold. Until
    the last such token has expired, logging out does not reach it."""
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
    """A header that is not `Bearer` and one token, and a token whose claims cannot be read or name no user,
    are refused in other words than before: with 401 still, and words are for people, not for programs."""

    def refusal(app):
        unreadable = ".".join([mint_for(app).split(".")[0], "e30x", mint_for(app).split(".")[2]])
        value = header.format(nobody=mint_for(app, identity=None), scrambled=unreadable)
        return app.test_client().get("/users", headers={"Authorization": value})

    old, new = refusal(edited(7, {})), refusal(edited(8, {}))
    assert old.status_code == new.status_code == 401
    assert old.json["message"] != new.json["message"]
    assert old.json.keys() == new.json.keys()


def test_the_key_can_have_a_name_of_its_own(app):
    """`JWT_SECRET_KEY` goes before `SECRET_KEY`, and both are read with each request: none must come before
    `JWTManager(app)`."""
    app.config["SECRET_KEY"] = "other" * 10
    assert open_view(app, mint_for(app, key="other" * 10)).status_code == 200
    app.config["JWT_SECRET_KEY"] = "third" * 10
    assert open_view(app, mint_for(app, key="third" * 10)).status_code == 200
    assert open_view(app, mint_for(app, key="other" * 10)).status_code == 422

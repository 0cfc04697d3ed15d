"""Test what the pages of lesson 9 say about Flask-JWT-Extended, and about moving to it from Flask-JWT."""

import io
import json
import re
import subprocess
import sys
import textwrap
import uuid
from datetime import timedelta
from importlib.metadata import version

import flask_jwt
import flask_restful
import jwt
import pytest
from flask import Blueprint, Flask, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    jwt_required,
    verify_jwt_in_request,
)

from helpers import ALICE_BY_EMAIL, BOB_BY_EMAIL, last_error, run_sql, section, within_one_second
from lesson_loader import code_files, find_lessons
from repository.hostile_requests import read_differences, says
from tokens import authorization, mint_for, read_claims

LESSONS = find_lessons()
LESSON_9 = LESSONS[9]
API = "api = Api(app)\n"


def details():
    """Return the blocks of Python code in migration.md."""
    text = (LESSON_9 / "migration.md").read_text(encoding="utf-8")
    return [textwrap.dedent(block) for block in re.findall(r" *```python\n(.*?)```", text, re.DOTALL)]


def log_in(app, credentials=ALICE_BY_EMAIL):
    """Log in and return the token. By default, alice logs in. She is an admin."""
    return app.test_client().post("/login", json=credentials).json["access_token"]


def get_users(app, token, word="Bearer"):
    return app.test_client().get("/users", headers=authorization(token, word))


def status(app, token, word="Bearer"):
    return get_users(app, token, word).status_code


def mint_for_alice(app, **options):
    """Return a token for alice. It lasts for 30 minutes, unless `options` change this."""
    return mint_for(app, **{"identity": 2, "lifetime": 1800} | options)


def add_view(app, url, **options):
    """Add a view that does not use current_user, below @jwt_required(...) with these options."""
    app.add_url_rule(url, endpoint=url, view_func=jwt_required(**options)(lambda: "in"))


def open_view(app, token, url="/view"):
    return app.test_client().get(url, headers=authorization(token, "Bearer"))


@pytest.fixture
def plain_app():
    """An app with only Flask-JWT-Extended and its defaults."""
    app = Flask("plain")
    app.config["SECRET_KEY"] = "k" * 64
    JWTManager(app)
    add_view(app, "/view")
    return app


def make_token(app, create=create_access_token, identity="2", **options):
    with app.app_context():
        return create(identity, **options)


# why move, and what to write instead


def test_flask_jwt_needs_our_module():
    """Without flask_jwt_compat, an import of Flask-JWT fails."""
    run = subprocess.run([sys.executable, "-c", "import flask_jwt"], capture_output=True, text=True)
    assert run.returncode == 1
    assert "ImportError: cannot import name '_request_ctx_stack' from 'flask'" in run.stderr


def test_each_line_of_the_table_is_in_lesson_8_or_9():
    code = {
        number: "".join(path.read_text(encoding="utf-8") for path in code_files(LESSONS[number]))
        for number in LESSONS
    }
    table = section(LESSON_9, "From the old line to the new")
    rows = re.findall(r"^\| (\d|all) \| (.+?) \| (.+?) \|$", table, re.MULTILINE)
    assert [number for number, _, _ in rows] == [*"12345678", "all"]
    for number, before, after in rows:
        old, new = re.findall("`(.+?)`", before), re.findall("`(.+?)`", after)
        row = f"the row of lesson {number}: {before}"
        assert old, row
        assert all(line in code[8] and line not in code[9] for line in old), row
        if number == "7":  # no new line replaces this one
            assert after == "nothing, because `Bearer` is the default"
            continue
        assert new, row
        assert all(line in code[9] and line not in code[8] for line in new), row
        if number not in ("all", "1"):  # one of the old lines is new in that lesson
            lesson, previous = code[int(number)], code[int(number) - 1]
            assert any(line in lesson and line not in previous for line in old), row


def test_the_id_is_text_and_the_database_finds_its_user(edited):
    """The claim sub is text, and the column is an INTEGER."""
    app = edited(9, {})
    token = log_in(app)
    assert read_claims(token)["sub"] == "2"
    assert get_users(app, token).json["asked_by"] == "alice"
    assert "id INTEGER" in (LESSON_9 / "schema.sql").read_text(encoding="utf-8")


def test_flask_restful_fails_with_the_next_flask(edited):
    """Flask 3.2 passes its context to handle_user_exception, which Flask-RESTful 0.3.10 cannot receive."""
    assert version("Flask-RESTful") == "0.3.10"
    app = Flask("restful")
    flask_restful.Api(app)
    for each in (app, edited(9, {})):
        handle_as_flask_3_2 = each.handle_user_exception
        with pytest.raises(
            TypeError, match=r"error_router\(\) takes 3 positional arguments but 4 were given"
        ):
            handle_as_flask_3_2("the context", ValueError())


def test_a_plain_view_returns_the_same_list(edited):
    [view] = [block for block in details() if "def list_users" in block]
    imports = "from flask_jwt_extended import current_user, jwt_required\n"
    plain = edited(9, {'api.add_resource(UserList, "/users")\n': imports + view})
    app = edited(9, {})
    tokens = [log_in(app), log_in(app, BOB_BY_EMAIL), mint_for(app, identity=99), "no.to.ken"]
    responses = [[get_users(each, token) for token in tokens] for each in (plain, app)]
    plain_ones, ours = [[(one.status_code, one.json) for one in row] for row in responses]
    assert plain_ones == ours
    assert [code for code, _ in ours] == [200, 403, 401, 401]


def test_a_request_with_the_method_options_needs_no_token(plain_app, make_app):
    """Flask-JWT asks for a token here too."""
    plain_app.add_url_rule("/all", view_func=jwt_required()(lambda: "in"), methods=["OPTIONS"])
    old = make_app()
    old.add_url_rule("/all", view_func=flask_jwt.jwt_required()(lambda: "in"), methods=["OPTIONS"])
    assert [app.test_client().options("/all").status_code for app in (plain_app, old)] == [200, 401]


def test_a_new_token_is_text(plain_app):
    assert isinstance(make_token(plain_app), str)


# what changes silently


def test_the_library_has_no_leeway(edited, plain_app):
    """By default, the leeway is 0 seconds. With JWT_DECODE_LEEWAY = 10, it is exactly 10 seconds."""
    assert plain_app.config["JWT_DECODE_LEEWAY"] == 0
    for app, leeway in ((plain_app, 0), (edited(9, {}), 10)):
        add_view(app, "/in")

        def statuses(app=app, leeway=leeway):
            tokens = [mint_for_alice(app, age=1800 + leeway + more) for more in (-1, 0)]
            return [open_view(app, token, "/in").status_code for token in tokens]

        assert within_one_second(statuses) == [200, 401]


def test_the_library_requires_no_claims(edited, plain_app):
    """The library accepts a token without exp, and a token for another app. Our app does not."""
    ours = edited(9, {})
    unguarded = edited(9, {"@jwt.token_verification_loader\n": ""})
    for changes in ({"exp": None}, {"aud": "another"}):
        assert open_view(plain_app, mint_for_alice(plain_app, **changes)).status_code == 200
        assert status(unguarded, mint_for_alice(unguarded, **changes)) == 200
        assert status(ours, mint_for_alice(ours, **changes)) == 401
    for claim in edited(8, {}).config["JWT_REQUIRED_CLAIMS"]:
        assert status(ours, mint_for_alice(ours, **{claim: None})) == 401


def test_old_options_are_ignored_except_two(edited, plain_app):
    """Both libraries have JWT_SECRET_KEY and JWT_ALGORITHM. JWT_EXPIRATION_DELTA does nothing."""
    old = flask_jwt.CONFIG_DEFAULTS.keys() | {"JWT_SECRET_KEY", "JWT_AUTH_URL_OPTIONS"}
    assert old & plain_app.config.keys() == {"JWT_SECRET_KEY", "JWT_ALGORITHM"}
    app = edited(9, {"JWT_ACCESS_TOKEN_EXPIRES": "JWT_EXPIRATION_DELTA"})
    token = read_claims(log_in(app))
    assert timedelta(seconds=token["exp"] - token["iat"]) == timedelta(minutes=15)
    app.config.update(JWT_SECRET_KEY="s" * 64, JWT_ALGORITHM="HS512")
    assert status(app, mint_for_alice(app, key="s" * 64, algorithm="HS512")) == 200
    assert status(app, mint_for_alice(app)) == 401


def test_the_errors_of_the_library_have_their_own_format(edited, plain_app):
    """A forged token gets a 422. The body has one key, and no error has WWW-Authenticate."""
    for app, invalid, keys, challenge in (
        (plain_app, 422, {"msg"}, None),
        (
            edited(9, {"@jwt.user_lookup_loader\n": ""}),
            401,
            {"message", "code"},
            'Bearer realm="Login Required"',
        ),
    ):
        add_view(app, "/in")
        bad = open_view(app, mint_for_alice(app, key="x" * 32), "/in")
        expired = open_view(app, mint_for_alice(app, age=4000), "/in")
        missing = app.test_client().get("/in")
        assert [response.status_code for response in (bad, expired, missing)] == [invalid, 401, 401]
        for response in (bad, expired, missing):
            assert response.json.keys() == keys
            assert response.headers.get("WWW-Authenticate") == challenge


def test_an_identity_that_is_a_number_fails_after_the_login(edited, plain_app):
    """A number as the identity gets a token, but this token gets a 422, or a 401 from our loader."""
    response = open_view(plain_app, make_token(plain_app, identity=2))
    assert (response.status_code, response.json["msg"]) == (422, "Subject must be a string")
    app = edited(9, {"str(user.id)": "user.id"})
    assert app.test_client().post("/login", json=ALICE_BY_EMAIL).status_code == 200
    assert status(app, log_in(app)) == 401


def test_without_a_lookup_a_deleted_user_gets_in(edited, caplog):
    """Without a user_lookup_loader, nobody asks the database, and current_user causes a 500."""
    for change, expected in (({"@jwt.user_lookup_loader\n": ""}, [200, 500]), ({}, [401, 401])):
        app = edited(9, change)
        add_view(app, "/in")
        token = log_in(app)
        run_sql(app, "DELETE FROM users WHERE username = 'alice'")
        assert [open_view(app, token, url).status_code for url in ("/in", "/users")] == expected
    assert "user_lookup_loader" in last_error(caplog)


def test_only_a_token_that_is_made_fresh_is_fresh(plain_app):
    """A token is fresh only if it is made with fresh=True. It stays fresh until it expires."""
    add_view(plain_app, "/fresh", fresh=True)
    plain, fresh = make_token(plain_app), make_token(plain_app, fresh=True)
    assert [open_view(plain_app, token).status_code for token in (plain, fresh)] == [200, 200]
    assert [open_view(plain_app, token, "/fresh").status_code for token in (plain, fresh)] == [401, 200]
    almost_over = read_claims(fresh)["exp"] - read_claims(fresh)["iat"] - 5
    old = mint_for(plain_app, identity=2, lifetime=900, age=almost_over, fresh=read_claims(fresh)["fresh"])
    assert open_view(plain_app, old, "/fresh").status_code == 200


def test_the_size_limit_is_for_every_request(edited):
    """In lesson 8, a login has at most 1 MiB. In lesson 9, MAX_CONTENT_LENGTH limits all requests."""
    megabyte = 2**20  # 1 MiB
    limit = 'app.config["MAX_CONTENT_LENGTH"] = 2**20  # bytes in a request\n'
    statuses = []
    for app in (edited(8, {}), edited(9, {limit: ""}), edited(9, {})):
        app.add_url_rule("/upload", view_func=lambda: f"{len(request.get_data())}", methods=["POST"])
        login = json.dumps(ALICE_BY_EMAIL).encode().ljust(megabyte + 1)
        client = app.test_client()
        responses = [client.post("/login", data=login, content_type="application/json")]
        responses += [client.post("/upload", data=b"x" * (megabyte + more)) for more in (0, 1)]
        statuses.append([response.status_code for response in responses])
    assert statuses == [[413, 200, 200], [200, 200, 200], [413, 200, 413]]


@pytest.mark.parametrize(
    ("check", "without", "body"),
    [
        ("not isinstance(data, dict)", "False", "null"),
        ("not is_text(email)", "False", '{"email": [], "password": "x"}'),
        ("not is_text(password)", "False", '{"email": "bob@example.com", "password": 1}'),
        ("not is_text(email)", "False", r'{"email": "\ud800", "password": "x"}'),
        ("except RecursionError", "except ZeroDivisionError", "[" * 100_000),
    ],
)
def test_a_login_without_checks_gets_a_500(edited, check, without, body):
    """Without its checks, our login gets a 500 from a strange body."""
    statuses = []
    for changes in ({check: without}, {}):
        app = edited(9, changes, "resources/login.py")
        response = app.test_client().post("/login", data=body, content_type="application/json")
        statuses.append(response.status_code)
    assert statuses[0] == 500
    assert statuses[1] in (400, 401)


# what differs


def tokens_without(*claims):
    """Return a function that makes one token without each of these claims."""
    return lambda app: [mint_for_alice(app, **{claim: None}) for claim in claims]


def token_without_json(app):
    header, _, signature = mint_for_alice(app).split(".")
    return [f"{header}.e30x.{signature}"]


def log_in_with_a_third_key(app):
    return [app.test_client().post("/login", json=ALICE_BY_EMAIL | {"remember": True})]


def log_in_with_a_megabyte_in_chunks(app):
    body = io.BytesIO(json.dumps(ALICE_BY_EMAIL | {"password": "x" * 2**20}).encode())
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    return [
        app.test_client().post(
            "/login", input_stream=body, content_type="application/json", environ_overrides=chunked
        )
    ]


TOKENS = {  # the name of a token in a row, and a function that makes such tokens for an app
    "a token without `exp`, `iat`, `nbf` or `username`": tokens_without("exp", "iat", "nbf", "username"),
    "a token with `aud`": lambda app: [mint_for_alice(app, aud="another")],
    "a token without a user's id": tokens_without("identity"),
    "a token whose `sub` is a number": lambda app: [mint_for(app, identity=2, sub=2)],
    "a token whose `jti` is a number": lambda app: [mint_for_alice(app, jti=1)],
    "a forged token whose claims are not JSON": token_without_json,
    "a forged or expired token, or the token of a deleted user": lambda app: [
        mint_for_alice(app, **changes) for changes in ({"key": "x" * 32}, {"age": 9999}, {"identity": 99})
    ],
}
OTHER_REQUESTS = {  # the name of a request in a row, and a function that sends such requests
    "a request without a token": lambda app: [app.test_client().get("/users")],
    "a login with a third key": log_in_with_a_third_key,
    "a login of more than 1 MiB in chunks": log_in_with_a_megabyte_in_chunks,
}


def send(app, words):
    """Return the app's responses to the requests that a row of the table describes."""
    if words in TOKENS:
        return [get_users(app, token) for token in TOKENS[words](app)]
    if words in OTHER_REQUESTS:
        return OTHER_REQUESTS[words](app)
    headers = re.findall("`Authorization: (.+?)`", words)
    assert headers, f"this test does not know how to send: {words}"
    return [
        app.test_client().get(
            "/users", headers={"Authorization": header.replace("TOKEN", mint_for_alice(app))}
        )
        for header in headers
    ]


def describes(cell, response):
    """Return whether a cell of the table describes a response: its status, message and WWW-Authenticate."""
    beginning, header, challenge = cell.partition("`WWW-Authenticate")
    if not header:
        return says(cell, response.status_code, response.json and response.json.get("message"))
    code, word = beginning.split()
    expected = {"with": challenge.strip(":` …"), "without": ""}[word]
    actual = response.headers.get("WWW-Authenticate", "").partition(" ")[0]
    return (response.status_code, actual) == (int(code), expected)


@pytest.mark.parametrize(
    ("words", "before", "after"), [pytest.param(*row, id=row[0]) for row in read_differences(LESSON_9)]
)
def test_each_row_of_the_table_is_what_both_apps_respond(edited, words, before, after):
    """Send what a row describes to lessons 8 and 9, and compare each response with its cell."""
    for number, cell in ((8, before), (9, after)):
        for response in send(edited(number, {}), words):
            seen = (response.status_code, response.text, response.headers.get("WWW-Authenticate"))
            assert describes(cell, response), (
                f"lesson {number}: the table says {cell}, but the app sent {seen}"
            )


# watch out


def test_a_comma_causes_a_500(edited, caplog):
    """Without refuse_comma, a header of commas gets a 500 from the library."""
    for change, expected in (({"@app.before_request\n": ""}, 500), ({}, 401)):
        client = edited(9, change).test_client()
        for header in (", ,", ",  , Bearer x"):
            assert client.get("/users", headers={"Authorization": header}).status_code == expected
        login = client.post("/login", json=ALICE_BY_EMAIL, headers={"Authorization": ", ,"})
        assert login.status_code == {500: 200, 401: 401}[expected]
    assert version("Flask-JWT-Extended") == "4.7.4"
    assert last_error(caplog) == "list index out of range"


def test_without_parentheses_each_request_gets_a_500(plain_app, make_app):
    """Without the parentheses of jwt_required, each request gets a 500 from both libraries."""
    for app, required in ((plain_app, jwt_required), (make_app(), flask_jwt.jwt_required)):
        app.add_url_rule("/bare", view_func=required(lambda: "in"))
        assert app.test_client().get("/bare").status_code == 500


def test_flask_restfuls_own_api_responds_with_500(edited):
    """With the Api of Flask-RESTful, a missing token gets a 500, and with ours a 401."""
    for change, expected in (({"from api import Api": "from flask_restful import Api"}, 500), ({}, 401)):
        assert edited(9, change).test_client().get("/users").status_code == expected


def test_the_word_before_the_token_is_exact(edited):
    """Any word but Bearer gets a 401, even bearer. JWT_HEADER_TYPE replaces this word."""
    app = edited(9, {})
    assert [status(app, log_in(app), word) for word in ("Bearer", "bearer", "JWT")] == [200, 401, 401]
    app.config["JWT_HEADER_TYPE"] = "JWT"
    assert [status(app, log_in(app), word) for word in ("Bearer", "bearer", "JWT")] == [401, 401, 200]


# users' old tokens


def bridge():
    """Return the lines in the README that accept old tokens."""
    [lines] = re.findall("```python\n(.*?)```", section(LESSON_9, "Your users' old tokens"), re.DOTALL)
    return lines


@pytest.fixture
def load(tmp_path, edited):
    """A function that loads a lesson. All apps that it loads use the same database."""

    def load(number, lines=""):
        app = edited(number, {API: lines + API})
        app.config["DATABASE"] = tmp_path / "data.db"
        return app

    return load


def test_lesson_9_refuses_the_tokens_of_lesson_8(load):
    response = get_users(load(9), log_in(load(8)))
    assert (response.status_code, response.json["message"]) == (401, "Missing claim: sub")


def test_the_bridge_accepts_old_tokens(load):
    """With the bridge, lesson 9 accepts the tokens of lesson 8 until they expire, and no others."""
    old, new = load(8), load(9, bridge())
    token, key = log_in(old), old.config["SECRET_KEY"]
    assert get_users(new, token).json["asked_by"] == "alice"

    def aged(seconds):
        """Return the same token as if lesson 8 had issued it so many seconds ago."""
        times = {
            name: value - seconds
            for name, value in read_claims(token).items()
            if name in ("exp", "iat", "nbf")
        }
        return jwt.encode(read_claims(token) | times, key)

    for age, expected in ((0, 200), (1790, 200), (1808, 200), (1811, 401)):
        assert status(new, aged(age)) == expected
    header, _, signature = token.split(".")
    other_payload = mint_for(old, identity=1).split(".")[1]
    for forged in (f"{header}.{other_payload}.{signature}", jwt.encode(read_claims(token), "x" * 32)):
        assert status(new, forged) == 401
    for changes in ({"exp": None}, {"username": None}, {"aud": "another"}):
        assert status(new, mint_for_alice(old, **changes)) == 401
    run_sql(old, "DELETE FROM users WHERE username = 'alice'")
    assert get_users(new, token).json == {"message": "User does not exist", "code": 401}


def test_new_tokens_work_after_the_bridge_is_gone(load):
    """New tokens have both claims. An old token works for 30 minutes and the leeway of 10 seconds."""
    old, during, after = load(8), load(9, bridge()), load(9)
    token = log_in(during)
    assert read_claims(token)["sub"] == read_claims(token)["identity"] == "2"
    assert read_claims(token)["username"] == "alice"
    assert [status(app, token) for app in (during, after)] == [200, 200]
    run_sql(old, "DELETE FROM users WHERE username = 'alice'")
    assert [status(app, token) for app in (during, after)] == [401, 401]
    assert old.config["JWT_EXPIRATION_DELTA"] == timedelta(minutes=30)
    assert old.config["JWT_LEEWAY"] == timedelta(seconds=10)


def test_a_late_bridge_refuses_tokens_from_before_it(load):
    response = get_users(load(9, bridge()), log_in(load(9)))
    assert (response.status_code, response.json["message"]) == (401, "Missing claim: identity")


def test_an_old_server_accepts_the_new_tokens(load):
    """An old server accepts the tokens of the bridge, although their identity is text."""
    old, during = load(8), load(9, bridge())
    assert get_users(old, log_in(during)).json["asked_by"] == "alice"
    assert status(old, log_in(load(9))) == 401  # without the bridge


def test_an_old_server_accepts_refresh_tokens_and_revoked_tokens(load):
    """An old server reads neither the claim type nor a list of revoked tokens."""
    old, during = load(8), load(9, bridge())
    during.extensions["flask-jwt-extended"].token_in_blocklist_loader(lambda header, payload: True)
    alice = type("User", (), {"id": 2, "username": "alice"})
    tokens = [make_token(during, create, alice) for create in (create_refresh_token, create_access_token)]
    assert [read_claims(token)["type"] for token in tokens] == ["refresh", "access"]
    assert [status(during, token) for token in tokens] == [401, 401]
    assert [status(old, token) for token in tokens] == [200, 200]


# other apps


def test_wrong_claims_get_a_400_without_a_loader(edited):
    """Without a token_verification_failed_loader, a token without a required claim gets a 400."""
    without = edited(9, {"@jwt.token_verification_failed_loader\n": ""})
    responses = [status(app, mint_for_alice(app, exp=None)) for app in (without, edited(9, {}))]
    assert responses == [400, 401]


@pytest.fixture
def dict_app():
    """A function that makes an app with users in a dict. `find` gets the claims and returns a key."""

    def make(users, find, **options):
        app = Flask("dict")
        app.config.update({"SECRET_KEY": "k" * 64} | options)
        app.jwt = JWTManager(app)
        app.jwt.user_identity_loader(lambda user: str(user.id))
        app.jwt.user_lookup_loader(lambda header, payload: users.get(find(payload)))
        add_view(app, "/view")
        return app

    return make


def make_user(user_id):
    return type("User", (), {"id": user_id, "username": "alice"})


def test_a_dict_with_numbers_as_keys_needs_int(dict_app, make_app):
    """Text does not find the key 2. In the bridge, the claim `identity` stays a number."""
    users = {2: make_user(2)}
    for find, expected in ((lambda payload: payload["sub"], 401), (lambda payload: int(payload["sub"]), 200)):
        app = dict_app(users, find)
        assert open_view(app, make_token(app, identity=users[2])).status_code == expected
    during = dict_app(users, lambda payload: payload["identity"], JWT_IDENTITY_CLAIM="identity")
    during.jwt.additional_claims_loader(lambda user: {"sub": str(user.id)})
    old = make_app(identity=lambda payload: users.get(payload["identity"]), SECRET_KEY="k" * 64)
    for keep_the_number, expected in ((False, 401), (True, 200)):
        if keep_the_number:
            during.jwt.user_identity_loader(lambda user: user.id)
        token = make_token(during, identity=users[2])
        assert read_claims(token)["sub"] == "2"
        responses = open_view(during, token), old.test_client().get("/view", headers=authorization(token))
        assert [response.status_code for response in responses] == [expected] * 2
    assert open_view(during, mint_for(old, identity=2)).status_code == 200  # an old token
    after = dict_app(users, lambda payload: int(payload["sub"]))
    assert open_view(after, token).status_code == 200
    after.jwt.user_identity_loader(lambda user: user.id)  # a line of the bridge that is left behind
    assert open_view(after, make_token(after, identity=users[2])).status_code == 422


def test_ids_that_are_text_need_no_change(dict_app):
    users = {"7f1c": make_user("7f1c")}
    app = dict_app(users, lambda payload: payload["sub"])
    assert open_view(app, make_token(app, identity=users["7f1c"])).status_code == 200
    assert open_view(app, make_token(app, identity=make_user("nobody"))).status_code == 401


def test_a_dict_with_uuids_as_keys_needs_uuid(dict_app):
    user_id = uuid.uuid4()
    users = {user_id: make_user(user_id)}
    finders = (lambda payload: payload["sub"], 401), (lambda payload: uuid.UUID(payload["sub"]), 200)
    for find, expected in finders:
        app = dict_app(users, find)
        assert open_view(app, make_token(app, identity=users[user_id])).status_code == expected


def test_both_words_work_for_a_while(load):
    [lines] = [block for block in details() if "def replace_word" in block]
    app = load(9, lines + "\n\n")
    token = log_in(app)
    words = ("JWT", "jwt", "Bearer", "bearer", "Token")
    assert [status(app, token, word) for word in words] == [200, 200, 200, 200, 401]
    assert [status(load(9), token, word) for word in ("JWT", "Bearer")] == [401, 200]


def test_only_the_second_option_checks_the_issuer(plain_app):
    """JWT_ENCODE_ISSUER writes the issuer, and JWT_DECODE_ISSUER refuses tokens of other issuers."""
    other = make_token(plain_app, additional_claims={"iss": "another"})
    plain_app.config["JWT_ENCODE_ISSUER"] = "us"
    ours = make_token(plain_app)
    assert read_claims(ours)["iss"] == "us"
    assert [open_view(plain_app, token).status_code for token in (ours, other)] == [200, 200]
    plain_app.config["JWT_DECODE_ISSUER"] = "us"
    assert [open_view(plain_app, token).status_code for token in (ours, other)] == [200, 422]
    plain_app.extensions["flask-jwt-extended"].invalid_token_loader(lambda reason: (reason, 401))
    assert open_view(plain_app, other).status_code == 401


def test_a_function_before_each_request_protects_a_blueprint(plain_app):
    pages = Blueprint("pages", "pages", url_prefix="/pages")

    @pages.before_request
    def protect():
        verify_jwt_in_request()

    pages.add_url_rule("/one", view_func=lambda: "in")
    plain_app.register_blueprint(pages)
    assert open_view(plain_app, make_token(plain_app), "/pages/one").status_code == 200
    assert plain_app.test_client().get("/pages/one").status_code == 401


def test_a_test_can_make_its_own_token(edited):
    app = edited(9, {})
    with app.app_context():
        token = create_access_token(make_user(2))
    assert get_users(app, token).json["asked_by"] == "alice"

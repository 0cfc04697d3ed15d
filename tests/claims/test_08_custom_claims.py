"""Test what the README of lesson 8 says about claims, on its app and on small apps."""

import time
from datetime import timedelta

import flask_jwt
import httpx
import pytest

from helpers import ALICE_BY_EMAIL, last_error, load_lesson, run_sql, serving
from lesson_loader import find_lessons
from tokens import authorization, mint_for, read_claims

NOW = "now = datetime.now(UTC)"
REQUIRED = '["exp", "iat", "nbf", "username"]'
USERNAME = '"username": user.username,'
TIMES = {"exp": 2**32, "iat": 0, "nbf": 0}  # a token with these times never expires


@pytest.fixture
def lesson_8(tmp_path):
    return load_lesson(find_lessons()[8], tmp_path / "data.db")


def log_in(app):
    """Return the response to a login of alice."""
    return app.test_client().post("/login", json=ALICE_BY_EMAIL)


def new_token(app):
    return log_in(app).json["access_token"]


def get_users(app, token):
    return app.test_client().get("/users", headers=authorization(token, "Bearer"))


def test_flask_jwts_own_handler_makes_four_claims(make_app, log_in):
    """exp, iat and nbf are times, and identity is the id of the user. There is no other claim."""
    claims = read_claims(log_in(make_app())["Authorization"].removeprefix("JWT "))
    assert claims.keys() == {"exp", "iat", "nbf", "identity"}
    assert claims["identity"] == 1


def test_the_handler_gets_the_user_and_returns_all_claims(make_app, log_in):
    """Flask-JWT calls the handler at each login, and writes the claims that it returns and no others."""
    app, users = make_app(), []
    made = TIMES | {"identity": 7, "colour": "red"}

    @app.jwt.jwt_payload_handler
    def any_name(user):
        users.append(user)
        return made

    token = log_in(app)["Authorization"].removeprefix("JWT ")
    assert read_claims(token) == made
    assert [user.username for user in users] == ["bob"]
    log_in(app)
    assert len(users) == 2


@pytest.mark.parametrize("line", ['"exp": now + app.config[', '"iat": now,', '"nbf": now,', USERNAME])
def test_a_login_without_a_required_claim_gets_a_500(edited, caplog, line):
    """If the handler forgets a claim of the list, each login gets a 500. Only the log says why."""
    name = line.split('"')[1]
    app = edited(8, {line: line.replace(name, f"not_{name}", 1)})
    response = log_in(app)
    assert response.status_code == 500
    assert "missing" not in response.text
    assert last_error(caplog) == f"Payload is missing required claims: {name}"
    wrong = ALICE_BY_EMAIL | {"password": "wrong"}
    assert app.test_client().post("/login", json=wrong).status_code == 401


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf", "username"])
def test_a_token_without_a_required_claim_gets_a_401(lesson_8, claim):
    """JWT_REQUIRED_CLAIMS lists the claims that each token must have."""
    assert claim in lesson_8.config["JWT_REQUIRED_CLAIMS"]
    assert get_users(lesson_8, mint_for(lesson_8, identity=2)).status_code == 200
    response = get_users(lesson_8, mint_for(lesson_8, identity=2, **{claim: None}))
    assert (response.status_code, response.json["message"]) == (401, f'Token is missing the "{claim}" claim')


def test_the_tokens_of_lesson_7_get_a_401(lesson_8, tmp_path):
    """Lesson 8 refuses a token that lesson 7 has just made. After a new login, the user gets in."""
    lesson_7 = load_lesson(find_lessons()[7], tmp_path / "data.db")
    old = new_token(lesson_7)
    assert get_users(lesson_7, old).status_code == 200
    assert get_users(lesson_8, old).status_code == 401
    assert get_users(lesson_8, new_token(lesson_8)).status_code == 200


def test_identity_gets_all_claims(lesson_8):
    """The username is in the payload that identity gets."""
    jwt, payloads = lesson_8.extensions["jwt"], []
    token = new_token(lesson_8)
    jwt.identity_handler(payloads.append)
    get_users(lesson_8, token)
    assert payloads == [read_claims(token)]
    assert payloads[0]["username"] == "alice"


def test_anyone_can_read_the_username(lesson_8):
    """Nobody needs the key to read a token."""
    assert read_claims(new_token(lesson_8))["username"] == "alice"


def test_a_server_refuses_a_token_that_is_too_long(lesson_8):
    """The development server refuses a long header with a 431, before the request reaches the app."""
    with serving(lesson_8) as url:

        def status(length):
            token = mint_for(lesson_8, identity=2, username="x" * length)
            return httpx.get(
                f"{url}/users", headers=authorization(token, "Bearer"), trust_env=False
            ).status_code

        assert [status(length) for length in (100, 50_000)] == [200, 431]


@pytest.mark.parametrize(
    ("value", "status"),
    [
        *[(value, 200) for value in ("'text'", "1", "0.5", "True", "False", "None", "[1]", "{'a': 1}")],
        *[(value, 500) for value in ("now", "{1}", "b'bytes'", "user")],
    ],
)
def test_a_claim_must_be_json(edited, value, status):
    """A value that cannot become JSON makes each login fail. The three times may be datetimes."""
    app = edited(8, {USERNAME: f'{USERNAME} "mine": {value},'})
    assert log_in(app).status_code == status
    assert log_in(edited(8, {})).status_code == 200


def test_a_token_with_an_audience_is_refused(edited):
    """If the handler writes aud, users can log in, but their tokens get a 401."""
    app = edited(8, {USERNAME: f'{USERNAME} "aud": "web",'})
    assert log_in(app).status_code == 200
    response = get_users(app, new_token(app))
    assert (response.status_code, response.json["message"]) == (401, "Invalid audience")
    assert get_users(app, mint_for(app, identity=2)).status_code == 200


def test_a_role_is_as_old_as_its_token(edited):
    """A user who loses a role keeps it in the token. The user in the database changes at once."""
    app = edited(8, {USERNAME: f'{USERNAME} "role": "admin" if user.is_admin else "user",'})
    jwt = app.extensions["jwt"]
    find_user = jwt.identity_callback

    @jwt.identity_handler
    def with_role(payload):
        user = find_user(payload)
        user.role = payload["role"]
        return user

    app.add_url_rule("/role", view_func=flask_jwt.jwt_required()(lambda: flask_jwt.current_identity.role))
    token = new_token(app)
    run_sql(app, "UPDATE users SET is_admin = 0")
    assert app.test_client().get("/role", headers=authorization(token, "Bearer")).text == "admin"
    assert get_users(app, token).status_code == 403
    assert read_claims(new_token(app))["role"] == "user"


def test_a_username_is_as_old_as_its_token(lesson_8):
    """A renamed user keeps the old name in the token. The response has the name in the database."""
    token = new_token(lesson_8)
    run_sql(lesson_8, "UPDATE users SET username = 'alicia' WHERE username = 'alice'")
    assert read_claims(token)["username"] == "alice"
    assert get_users(lesson_8, token).json["asked_by"] == "alicia"
    assert read_claims(new_token(lesson_8))["username"] == "alicia"


def test_without_identity_no_token_works(edited):
    """Without identity, a login gets a 200, but its token gets a 401."""
    app = edited(8, {'"identity": user.id,': ""})
    assert log_in(app).status_code == 200
    response = get_users(app, new_token(app))
    assert (response.status_code, response.json["message"]) == (401, "User does not exist")


@pytest.mark.parametrize(
    ("zone", "message"),
    [("JST-9", "The token is not yet valid (iat)"), ("EST5", "Signature has expired"), ("UTC0", None)],
)
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no time.tzset()")
def test_local_times_are_read_as_utc(edited, monkeypatch, zone, message):
    """With datetime.now(), a token of a server in Tokyo is not valid yet, and one in New York has expired."""
    local, utc = edited(8, {NOW: "now = datetime.now()"}), edited(8, {})
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        response = get_users(local, new_token(local))
        assert response.json.get("message") == message
        assert response.status_code == (401 if message else 200)
        assert get_users(utc, new_token(utc)).status_code == 200
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_list_without_exp_allows_tokens_that_never_expire(edited, lesson_8):
    """The list replaces the default list. If it contains only username, a token needs no exp."""
    app = edited(8, {REQUIRED: '["username"]'})
    assert get_users(app, mint_for(app, identity=2, exp=None)).status_code == 200
    assert get_users(app, mint_for(app, identity=2, exp=None, iat=0, nbf=0)).status_code == 200
    assert get_users(lesson_8, mint_for(lesson_8, identity=2, exp=None)).status_code == 401


def test_the_handler_replaces_the_nbf_of_the_option(edited, make_app, log_in):
    """JWT_NOT_BEFORE_DELTA changes only the nbf that Flask-JWT's own handler writes."""
    claims = read_claims(new_token(edited(8, {})))
    assert claims["nbf"] == claims["iat"]
    app = edited(8, {"jwt = JWT(": "app.config['JWT_NOT_BEFORE_DELTA'] = timedelta(minutes=5)\njwt = JWT("})
    claims = read_claims(new_token(app))
    assert claims["nbf"] == claims["iat"]
    app = make_app(JWT_NOT_BEFORE_DELTA=timedelta(minutes=5))
    claims = read_claims(log_in(app)["Authorization"].removeprefix("JWT "))
    assert claims["nbf"] - claims["iat"] == 300


def test_with_two_steps_nobody_has_to_log_in_again(edited, lesson_8, tmp_path):
    """With only the handler, the app accepts old tokens. After they expire, the option logs nobody out."""
    lesson_7 = load_lesson(find_lessons()[7], tmp_path / "data.db")
    handler_only = edited(8, {f'app.config["JWT_REQUIRED_CLAIMS"] = {REQUIRED}\n': ""})
    assert get_users(handler_only, new_token(lesson_7)).status_code == 200
    assert get_users(lesson_8, new_token(handler_only)).status_code == 200
    longest = lesson_7.config["JWT_EXPIRATION_DELTA"] + lesson_7.config["JWT_LEEWAY"]
    assert longest == timedelta(minutes=30, seconds=10)

"""What the README of lesson 0 states about Flask-JWT, its dependencies and the tutorial."""

import base64
import hmac
import json
import re
import subprocess
import sys
from importlib.metadata import requires

import jwt
import pytest
from flask_jwt import jwt_required
from packaging.requirements import Requirement

from helpers import ALICE, BOB, load_lesson, run_sql
from tokens import authorization, mint_for


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def get_users(app, token):
    return app.test_client().get("/users", headers=authorization(token))


def log_in_to(app, credentials=BOB):
    return app.test_client().post("/auth", json=credentials).json["access_token"]


def test_the_token_in_the_text_is_real(app, lesson):
    """The token in the README is signed with the demo key, and the picture shows its claims."""
    token = re.search(r"^(eyJ.+)$", (lesson / "README.md").read_text(encoding="utf-8"), re.MULTILINE)[1]
    options = {"verify_exp": False}
    claims = jwt.decode(token, app.config["SECRET_KEY"], algorithms=["HS256"], options=options)
    issued = jwt.decode(log_in_to(app), options={"verify_signature": False})
    assert list(claims) == list(issued)
    assert claims["identity"] == issued["identity"]
    assert claims["exp"] - claims["iat"] == issued["exp"] - issued["iat"]
    picture = (lesson / "token.svg").read_text(encoding="utf-8")
    assert all(f"{name}&quot;: {value}<" in picture for name, value in claims.items())


def test_a_token_is_signed_and_not_encrypted(make_app, log_in):
    """The payload is readable without the key, and a changed payload gets a 401."""
    app = make_app()
    header, payload, signature = log_in(app)["Authorization"].removeprefix("JWT ").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["identity"] == 1
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"identity": 2}).encode()).decode().rstrip("=")
    client = app.test_client()
    assert client.get("/view", headers=authorization(f"{header}.{payload}.{signature}")).status_code == 200
    assert client.get("/view", headers=authorization(f"{header}.{changed}.{signature}")).status_code == 401


def test_safe_str_cmp_is_gone_and_its_usual_replacement_fails():
    """safe_str_cmp cannot be imported, and compare_digest refuses text outside ASCII."""
    with pytest.raises(ImportError):
        from werkzeug.security import safe_str_cmp  # noqa: F401
    assert hmac.compare_digest("builder", "builder")
    with pytest.raises(TypeError):
        hmac.compare_digest("bär", "bär")


def test_the_app_warns_about_the_demo_key(lesson, tmp_path, caplog, monkeypatch):
    """The app logs one warning with the demo key, and none with another key."""
    load_lesson(lesson, tmp_path / "data.db")
    assert ["demo key" in record.message for record in caplog.records] == [True]
    monkeypatch.setenv("FLASK_SECRET_KEY", "k" * 64)
    load_lesson(lesson, tmp_path / "data.db")
    assert len(caplog.records) == 1


def test_none_means_401(app):
    """A wrong password gets a 401, and so does the token of a deleted user."""
    assert app.test_client().post("/auth", json=BOB | {"password": "wrong"}).status_code == 401
    token = log_in_to(app)
    assert get_users(app, token).status_code == 200
    run_sql(app, "DELETE FROM users WHERE username = 'bob'")
    response = get_users(app, token)
    assert (response.status_code, response.json["description"]) == (401, "User does not exist")


@pytest.mark.parametrize(
    ("options", "status"),
    [({}, 500), ({"PROPAGATE_EXCEPTIONS": True}, 401), ({"TESTING": True}, 401), ({"DEBUG": True}, 401)],
)
def test_flask_restful_turns_a_401_into_a_500_in_production(make_app, options, status):
    """With Flask-RESTful's own Api, a missing token gets a 500, unless a setting hides the problem."""
    assert make_app(**options).test_client().get("/resource").status_code == status


def test_with_propagate_exceptions_a_bug_leaves_the_app(edited):
    """Flask shows the app's own error page, unless PROPAGATE_EXCEPTIONS is set."""
    app = edited(0, {"UserModel.find_all()": "1 / 0"}, file="resources/user.py")
    app.register_error_handler(500, lambda error: ("our own page", 500))
    token = log_in_to(app)
    assert get_users(app, token).text == "our own page"
    app.config["PROPAGATE_EXCEPTIONS"] = True
    assert app.test_client().get("/users").status_code == 401
    with pytest.raises(ZeroDivisionError):
        get_users(app, token)


def test_flask_jwt_requires_a_pyjwt_that_today_cannot_be_imported():
    """Flask-JWT requires PyJWT 1.4, which imports Mapping from collections."""
    (pyjwt,) = [line for line in map(Requirement, requires("Flask-JWT")) if line.name == "PyJWT"]
    assert pyjwt.specifier.contains("1.4")
    assert not pyjwt.specifier.contains("1.5")
    error = python("from collections import Mapping").stderr
    assert "ImportError: cannot import name 'Mapping' from 'collections'" in error


@pytest.mark.parametrize("imports", ["flask_jwt", "flask_jwt, flask_jwt_compat"])
def test_flask_jwt_needs_the_compat_module(imports):
    """Flask-JWT cannot be imported with Flask 3, unless flask_jwt_compat is imported first."""
    plain = python(f"import {imports}")
    assert plain.returncode == 1
    assert "ImportError: cannot import name '_request_ctx_stack' from 'flask'" in plain.stderr
    adapted = python("import flask_jwt_compat, flask_jwt; print(flask_jwt.__version__)")
    assert adapted.stdout == "0.3.2\n"


def test_jwt_required_needs_its_parentheses(make_app, log_in):
    """Without parentheses, each request gets a 500, and the view does not run."""
    app, ran = make_app(), []

    @app.get("/bare")
    @jwt_required
    def bare():
        ran.append(True)
        return "in"

    assert app.test_client().get("/bare", headers=log_in(app)).status_code == 500
    assert not ran


def test_jwt_required_goes_below_the_route(make_app):
    """Above the route, jwt_required() protects nothing."""
    app = make_app()

    @jwt_required()
    @app.get("/above")
    def above():
        return "in"

    assert app.test_client().get("/above").status_code == 200
    assert app.test_client().get("/view").status_code == 401


def test_the_prefix_is_jwt(make_app):
    """The scheme JWT opens a view, and Bearer gets a 401."""
    app = make_app()
    client = app.test_client()
    assert client.get("/view", headers=authorization(mint_for(app))).status_code == 200
    assert client.get("/view", headers=authorization(mint_for(app), "Bearer")).status_code == 401


def test_a_login_has_two_fields(make_app):
    """A login with a third field gets a 401, and a login that is not JSON gets a 400."""
    client = make_app().test_client()
    assert client.post("/auth", json=BOB).status_code == 200
    assert client.post("/auth", json=BOB | {"remember": True}).status_code == 401
    assert client.post("/auth", data=BOB).status_code == 400


def test_the_secret_key_comes_first(make_app):
    """JWT(...) reads SECRET_KEY, so a login gets a 500 if the key is set later."""
    app = make_app(SECRET_KEY=None)
    app.config["SECRET_KEY"] = "k" * 32
    assert app.test_client().post("/auth", json=BOB).status_code == 500
    assert make_app(SECRET_KEY="k" * 32).test_client().post("/auth", json=BOB).status_code == 200


def test_whoever_knows_the_key_can_be_anyone(app):
    """The app accepts a token for any user if it is signed with the demo key."""
    demo_key = "for-the-lessons-only-so-set-your-own"
    assert app.config["SECRET_KEY"] == demo_key
    for user_id in (1, 2):
        assert get_users(app, mint_for(app, user_id, key=demo_key)).status_code == 200


def test_a_new_key_logs_everyone_out(app, lesson, monkeypatch):
    """With another FLASK_SECRET_KEY, old tokens get a 401 and new ones work."""
    tokens = [log_in_to(app, user) for user in (BOB, ALICE)]
    monkeypatch.setenv("FLASK_SECRET_KEY", "k" * 64)
    restarted = load_lesson(lesson, app.config["DATABASE"])
    assert [get_users(app, token).status_code for token in tokens] == [200, 200]
    assert [get_users(restarted, token).status_code for token in tokens] == [401, 401]
    assert get_users(restarted, log_in_to(restarted)).status_code == 200

"""What the README of lesson 0 says about Flask-JWT and the tutorial."""

import base64
import hmac
import json
import subprocess
import sys

import pytest
from flask_jwt import jwt_required

from helpers import BOB
from tokens import authorization, mint_for


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_flask_jwt_imports_with_the_compat_module_alone():
    """`import flask_jwt` fails on Flask 3, which no longer has the `_request_ctx_stack` that it asks for.
    After `import flask_jwt_compat`, the same import gives the real library."""
    plain = python("import flask_jwt")
    assert plain.returncode == 1
    assert "cannot import name '_request_ctx_stack' from 'flask'" in plain.stderr
    assert python("import flask_jwt_compat, flask_jwt; print(flask_jwt.__version__)").stdout == "0.3.2\n"


def test_safe_str_cmp_is_gone_and_its_usual_replacement_fails():
    """`safe_str_cmp`, which the tutorial imports, left Werkzeug in 2.1. Its usual replacement,
    `hmac.compare_digest`, raises a TypeError as soon as a password holds an `ä`."""
    with pytest.raises(ImportError):
        from werkzeug.security import safe_str_cmp  # noqa: F401
    with pytest.raises(TypeError):
        hmac.compare_digest("bär", "bär")


def test_a_token_is_signed_and_not_encrypted(make_app, log_in):
    """A token is signed, not encrypted: anyone can read what it says, and nobody without the key can
    change it unnoticed."""
    app = make_app()
    header, payload, signature = log_in(app)["Authorization"].removeprefix("JWT ").split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert said["identity"] == 1
    changed = base64.urlsafe_b64encode(json.dumps(said | {"identity": 2}).encode()).decode().rstrip("=")
    client = app.test_client()
    assert client.get("/view", headers=authorization(f"{header}.{payload}.{signature}")).status_code == 200
    assert client.get("/view", headers=authorization(f"{header}.{changed}.{signature}")).status_code == 401


def test_the_secret_key_comes_first(make_app):
    """`SECRET_KEY` must be set before `JWT(...)`, which copies it: set later, it is not seen, and login
    is a 500."""
    app = make_app(SECRET_KEY=None)
    app.config["SECRET_KEY"] = "k" * 32
    assert app.test_client().post("/auth", json=BOB).status_code == 500
    assert make_app().test_client().post("/auth", json=BOB).status_code == 200


@pytest.mark.parametrize(
    ("options", "status"),
    [({}, 500), ({"PROPAGATE_EXCEPTIONS": True}, 401), ({"TESTING": True}, 401), ({"DEBUG": True}, 401)],
)
def test_flask_restful_makes_a_500_of_a_401(make_app, options, status):
    """Without `PROPAGATE_EXCEPTIONS`, Flask-RESTful answers 500 to a missing token. Debug mode and
    `TESTING` hide it, so tests that set `TESTING` never see it."""
    assert make_app(**options).test_client().get("/resource").status_code == status


def test_jwt_required_needs_its_parentheses(make_app, log_in):
    """Write `@jwt_required()` with its parentheses: without them the view never runs, and every request
    is a 500."""
    app, ran = make_app(), []

    @app.get("/bare")
    @jwt_required
    def bare():
        ran.append(True)
        return "in"

    assert app.test_client().get("/bare", headers=log_in(app)).status_code == 500
    assert not ran


def test_jwt_required_goes_below_the_route(make_app):
    """Put `@jwt_required()` below `@app.route(...)`. Above it, the route is open to everyone."""
    app = make_app()

    @jwt_required()
    @app.get("/above")
    def above():
        return "in"

    assert app.test_client().get("/above").status_code == 200
    assert app.test_client().get("/view").status_code == 401


def test_the_prefix_is_jwt(make_app):
    """The header is `Authorization: JWT` and the token. With `Bearer`, as most APIs have it, it is a 401."""
    app = make_app()
    client = app.test_client()
    assert client.get("/view", headers=authorization(mint_for(app))).status_code == 200
    assert client.get("/view", headers=authorization(mint_for(app), "Bearer")).status_code == 401


def test_a_login_has_two_keys(make_app):
    """A login is JSON with a username and a password. With a third key it is a 401."""
    client = make_app().test_client()
    assert client.post("/auth", json=BOB).status_code == 200
    assert client.post("/auth", json=BOB | {"remember": True}).status_code == 401
    assert client.post("/auth", data=BOB).status_code == 400

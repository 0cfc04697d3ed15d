"""What the README of lesson 1 states about Flask-JWT, the tutorial and HTTP clients."""

import hashlib
import json
import subprocess
from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import httpx
import pytest
from flask import jsonify
from flask_jwt import JWT

from helpers import BOB, needs, serving
from lesson_loader import load_app
from tokens import read_claims


def login_status(app, url):
    return app.test_client().post(url, json=BOB).status_code


def test_the_rule_is_read_once(make_app):
    """JWT(...) reads the rule when it is called. A value that is set later changes nothing."""
    app = make_app()
    app.config["JWT_AUTH_URL_RULE"] = "/login"
    assert login_status(app, "/auth") == 200
    assert login_status(app, "/login") == 404


def test_other_options_may_come_later(make_app):
    """Flask-JWT reads JWT_EXPIRATION_DELTA and JWT_AUTH_USERNAME_KEY at each login."""
    app = make_app()
    app.config["JWT_EXPIRATION_DELTA"] = timedelta(seconds=7)
    app.config["JWT_AUTH_USERNAME_KEY"] = "email"
    login = app.test_client().post("/auth", json={"email": "bob", "password": "builder"})
    claims = read_claims(login.json["access_token"])
    assert claims["exp"] - claims["iat"] == 7


def test_three_options_come_first(make_app):
    """JWT(...) also reads JWT_AUTH_URL_OPTIONS and SECRET_KEY only once."""
    app = make_app()
    app.config["JWT_AUTH_URL_OPTIONS"] = {"methods": ["PUT"]}
    assert app.test_client().put("/auth", json=BOB).status_code == 405
    app = make_app(JWT_AUTH_URL_OPTIONS={"methods": ["PUT"]})
    assert app.test_client().put("/auth", json=BOB).status_code == 200
    app = make_app(SECRET_KEY=None)
    app.config["SECRET_KEY"] = "k" * 32
    assert login_status(app, "/auth") == 500


def test_the_rule_begins_with_a_slash(make_app):
    """A rule without a slash at its start raises a ValueError."""
    with pytest.raises(ValueError, match="slash"):
        make_app(JWT_AUTH_URL_RULE="login")


def test_some_clients_follow_the_redirect_to_a_slash(make_app):
    """A 308 leads from /login to /login/. requests and curl -L follow it; httpx, urllib and curl do not."""
    import requests  # one of the notebooks' packages

    needs("curl")
    with serving(make_app(JWT_AUTH_URL_RULE="/login/")) as url:
        curl = ["curl", "-so", "-", "-w", "%{http_code}", "-H", "Content-Type: application/json"]
        curl += ["--noproxy", "*", "-d", json.dumps(BOB), f"{url}/login"]
        with_curl = [
            subprocess.run(command, capture_output=True, text=True).stdout[-3:]
            for command in ([*curl, "-L"], curl)
        ]
        headers = {"Content-Type": "application/json"}
        with pytest.raises(HTTPError) as raised:
            urlopen(Request(f"{url}/login", json.dumps(BOB).encode(), headers))
        with requests.Session() as session:
            session.trust_env = False
            assert session.post(f"{url}/login", json=BOB).status_code == 200
        assert with_curl == ["200", "308"]
        raised.value.close()
        assert raised.value.code == 308
        response = httpx.post(f"{url}/login", json=BOB, trust_env=False)
        assert response.status_code == 308
        assert response.headers["Location"].endswith("/login/")


def test_a_second_jwt_adds_a_url_and_loses_the_handlers(make_app):
    """After a second JWT(...), both URLs log in, and the handlers of the first JWT are not called."""
    app = make_app()
    app.jwt.auth_response_handler(lambda access_token, identity: jsonify(handled=True))
    assert app.test_client().post("/auth", json=BOB).json.keys() == {"handled"}
    app = make_app()  # the first request fixes an app's routes, so we need a new app
    app.jwt.auth_response_handler(lambda access_token, identity: jsonify(handled=True))
    app.config["JWT_AUTH_URL_RULE"] = "/login"
    JWT(app, app.jwt.authentication_callback, app.jwt.identity_callback)
    for url in ("/auth", "/login"):
        assert app.test_client().post(url, json=BOB).json.keys() == {"access_token"}


def test_no_rule_means_no_login(make_app):
    """With JWT_AUTH_URL_RULE = None there is no login, but tokens are still checked."""
    app = make_app(JWT_AUTH_URL_RULE=None)
    assert not any("POST" in rule.methods for rule in app.url_map.iter_rules())
    assert app.test_client().get("/view").status_code == 401


def test_wrong_passwords_are_not_counted(app):
    """After 20 wrong passwords, the right one still logs in."""
    client = app.test_client()
    wrong = [client.post("/login", json=BOB | {"password": f"{n}"}).status_code for n in range(20)]
    assert wrong == [401] * 20
    assert login_status(app, "/login") == 200


def test_a_login_needs_32_mib(lesson, tmp_path, monkeypatch):
    """A login calls scrypt once, with parameters that need 32 MiB."""
    app = load_app(lesson)
    app.config["DATABASE"] = tmp_path / "data.db"
    login_status(app, "/login")  # makes the database, which also calls scrypt
    needed, scrypt = [], hashlib.scrypt

    def measuring_scrypt(*arguments, n, r, **options):
        needed.append(128 * n * r / 2**20)  # RFC 7914, section 5: 128 * N * r bytes
        return scrypt(*arguments, n=n, r=r, **options)

    monkeypatch.setattr(hashlib, "scrypt", measuring_scrypt)
    assert login_status(app, "/login") == 200
    assert needed == [32]

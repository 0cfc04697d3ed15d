"""Lesson 8: Flask-JWT-Extended. Lesson 7's tests run on it too, and show that the API is the same."""

import os
import subprocess
import sys
import textwrap

from helpers import ALICE_BY_EMAIL
from tokens import authorization, mint_for, read_claims


def test_a_token_names_its_user_as_the_standard_does(client):
    """A token names its user in the claim sub, as RFC 7519 defines it."""
    token = read_claims(client.post("/login", json=ALICE_BY_EMAIL).json()["access_token"])
    assert token.get("sub") == "2"
    assert "identity" not in token


def test_every_token_has_an_id_of_its_own(client):
    """Every token has its own id, in the claim jti."""
    tokens = [
        read_claims(client.post("/login", json=ALICE_BY_EMAIL).json()["access_token"]) for _ in range(3)
    ]
    assert len({token.get("jti") for token in tokens} - {None}) == 3


def test_whoever_has_no_token_is_asked_for_a_bearer_token(client):
    """A missing token gets the header WWW-Authenticate with the scheme Bearer."""
    assert client.get("/users").headers["WWW-Authenticate"] == 'Bearer realm="Login Required"'


def test_a_token_for_refreshing_does_not_open_the_list(app, client):
    """A refresh token does not open GET /users."""

    def status(kind):
        token = mint_for(app, identity=2, type=kind)
        return client.get("/users", headers=authorization(token, "Bearer")).status_code

    assert [status(kind) for kind in ("access", "refresh")] == [200, 401]


def test_flask_jwt_is_not_needed(lesson, tmp_path):
    """The app works without Flask-JWT."""
    code = """
        import sys
        sys.modules["flask_jwt"] = sys.modules["flask_jwt_compat"] = None  # an import of them fails
        from app import app
        print(app.test_client().get("/users").status)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=lesson,
        env=os.environ | {"FLASK_DATABASE": str(tmp_path / "data.db")},
        capture_output=True,
        text=True,
    )
    assert run.stdout == "401 UNAUTHORIZED\n", run.stderr

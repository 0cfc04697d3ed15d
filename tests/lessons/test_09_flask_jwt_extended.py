"""Lesson 9: Flask-JWT-Extended. Lesson 8's tests run on this lesson too, because the API is the same."""

import os
import subprocess
import sys
import textwrap

import pytest

from helpers import ALICE_BY_EMAIL
from tokens import authorization, mint_for, read_claims

pytestmark = pytest.mark.also_on("10_refresh_and_logout")


def test_a_token_names_its_user_as_the_standard_does(client):
    """A token names its user in the claim sub, as text (RFC 7519)."""
    token = read_claims(client.post("/login", json=ALICE_BY_EMAIL).json()["access_token"])
    assert token.get("sub") == "2"
    assert "identity" not in token


def test_every_token_has_its_own_id(client):
    """Every token has its own id, in the claim jti."""
    logins = [client.post("/login", json=ALICE_BY_EMAIL).json() for _ in range(3)]
    ids = {read_claims(login["access_token"]).get("jti") for login in logins}
    assert len(ids - {None}) == 3


@pytest.mark.parametrize(
    "changes",
    [None, {"key": "x" * 32}, {"age": 4000}, {"exp": None}, {"identity": 99}, {"aud": "another"}],
    ids=str,
)
def test_each_401_asks_for_a_bearer_token(app, client, changes):
    """Without a valid token, the response has the header WWW-Authenticate with the scheme Bearer."""
    token = None if changes is None else mint_for(app, **{"identity": 2} | changes)
    response = client.get("/users", headers=authorization(token, "Bearer") if token else None)
    assert response.status_code == 401
    assert response.headers.get("WWW-Authenticate") == 'Bearer realm="Login Required"'


def test_a_refresh_token_does_not_open_the_list(app, client):
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

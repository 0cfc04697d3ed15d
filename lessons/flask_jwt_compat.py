"""Run the real Flask-JWT 0.3.2 (2015) on today's Flask and PyJWT.

    import flask_jwt_compat  # before the first import of flask_jwt
    from flask_jwt import JWT, current_identity, jwt_required

To use it in a project of yours, copy this file. It needs Python 3.11, and

    pip install "Flask>=3.1" "PyJWT>=2.15" "setuptools<81"
    pip install --no-deps --no-build-isolation Flask-JWT==0.3.2

because Flask-JWT asks for a PyJWT below 1.5 and can only be built with an old setuptools. A new
project should choose Flask-JWT-Extended instead, which is maintained.

None of Flask-JWT's code is in here. `flask` and `jwt` are left as they are; `flask_jwt` alone gets
an adapted view of PyJWT, a stand-in for Flask's former request stack, and a check before each of
the two functions that read a request. It then behaves as it did in 2015, with these differences:

- A login body that is not a JSON object sent as application/json is a JWTError with status 400.
- A login body of more than 1 MiB is a 413, unless the app sets MAX_CONTENT_LENGTH.
- Credentials that are not text, or hold a lone surrogate, are refused like wrong ones.
- An Authorization header of white space alone counts as none at all.
- JWT_REQUIRED_CLAIMS requires every claim that it names, where it used to require exp, iat and nbf.
- A token that nests too deeply, or whose exp, iat or nbf is not a number, is a 401 and not a 500.
- A token is refused once its leeway is over, where it used to have one more second.
- A token must be base64url, its kid text, its crit and b64 headers understood (RFC 7515, 7797).
- The description of a 401 quotes PyJWT, which words some of them anew.
- A key shorter than its algorithm wants makes PyJWT warn (RFC 7518, section 3.2).
- A payload handler's iss must be text, or login is a 500.
"""

from __future__ import annotations

import importlib
import sys
from datetime import timedelta
from functools import wraps
from types import ModuleType
from typing import Any

import flask
import jwt
from flask import Request, Response, current_app, has_request_context, request

if tuple(map(int, getattr(jwt, "__version__", "0").split(".")[:2])) < (2, 15):
    raise ImportError(f"flask_jwt_compat needs PyJWT 2.15 or newer, not {jwt.__file__}: pip install -U PyJWT")


LOGIN_BYTES = 2**20  # without a limit, a chunk that only claims to be large takes all memory


class _AdaptedPyJWT:
    """PyJWT 2, taking and giving what Flask-JWT takes and gives to PyJWT 1."""

    InvalidTokenError = jwt.InvalidTokenError

    @staticmethod
    def encode(payload: dict, key: str | bytes, algorithm: str, headers: dict | None) -> bytes:
        """Return the token as bytes: handlers decode it, as Flask-JWT's documentation shows."""
        return jwt.encode(payload, key, algorithm=algorithm, headers=headers).encode("ascii")

    @staticmethod
    def decode(
        token: str | bytes,
        key: str | bytes,
        options: dict[str, bool],
        algorithms: list[str],
        leeway: float | timedelta,
    ) -> dict[str, Any]:
        """Return a valid token's claims; raise jwt.InvalidTokenError for any other token.

        Of PyJWT 1's options, require_NAME must become require=[NAME], or PyJWT 2 would ignore it;
        verify_NAME only repeats what is the default. Flask-JWT names no audience, so a token that
        names one is refused; it does not look at sub and jti, which may be numbers. leeway is in seconds.
        """
        required = [name.removeprefix("require_") for name in options if name.startswith("require_")]
        adapted = {"require": required, "verify_sub": False, "verify_jti": False}
        claims = jwt.decode(token, key, algorithms=algorithms, leeway=leeway, options=adapted)
        if "aud" in claims:
            raise jwt.InvalidAudienceError("Invalid audience")
        return claims


class _RequestStack:
    """Flask's former _request_ctx_stack, of which Flask-JWT uses the top, to keep current_identity."""

    @property
    def top(self) -> Request | None:
        return request._get_current_object() if has_request_context() else None


def _import_flask_jwt() -> ModuleType:
    """Return the real flask_jwt, having lent flask the one name that it asks for and Flask 3 lacks."""
    if hasattr(flask, "_request_ctx_stack") or Request.max_content_length.fset is None:
        raise ImportError("flask_jwt_compat is for Flask 3.1, and this one is older: pip install -U Flask")
    flask._request_ctx_stack = _RequestStack()
    try:
        flask_jwt = importlib.import_module("flask_jwt")
    except ModuleNotFoundError as error:
        raise ImportError(f"{error}: the docstring of {__name__} says how to install it") from error
    finally:
        del flask._request_ctx_stack
    if getattr(flask_jwt, "__version__", None) != "0.3.2":
        del sys.modules["flask_jwt"]
        raise ImportError(f"{flask_jwt.__file__} is not Flask-JWT 0.3.2: rename it, or install that version")
    return flask_jwt


def _adapt(flask_jwt: ModuleType) -> None:
    """Give flask_jwt its view of PyJWT, and look at each request before its two readers do."""
    read_login, read_token = flask_jwt._default_auth_request_handler, flask_jwt._default_request_handler

    @wraps(read_login)
    def checked_login() -> Response:
        if request.max_content_length is None:
            request.max_content_length = LOGIN_BYTES
        try:
            body = request.get_json(silent=True)
        except RecursionError:
            body = None
        if not isinstance(body, dict):
            problem = "The body must be a JSON object, sent with Content-Type: application/json"
            raise flask_jwt.JWTError("Bad Request", problem, status_code=400)
        keys = (current_app.config["JWT_AUTH_USERNAME_KEY"], current_app.config["JWT_AUTH_PASSWORD_KEY"])
        if not all(_is_text(body.get(key)) for key in keys):
            raise flask_jwt.JWTError("Bad Request", "Invalid credentials")
        return read_login()

    @wraps(read_token)
    def checked_token() -> str | None:
        return read_token() if request.headers.get("Authorization", "").strip() else None

    flask_jwt._default_auth_request_handler, flask_jwt._default_request_handler = checked_login, checked_token
    flask_jwt.jwt = _AdaptedPyJWT
    flask_jwt.adapted_by = __name__


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


if "flask_jwt" not in sys.modules:
    _adapt(_import_flask_jwt())
elif not hasattr(sys.modules["flask_jwt"], "adapted_by"):
    raise ImportError("flask_jwt was imported before flask_jwt_compat: swap these imports, then restart")

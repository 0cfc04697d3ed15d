"""Run the real Flask-JWT 0.3.2 (2015) on today's Flask and PyJWT.

    import flask_jwt_compat  # before the first import of flask_jwt
    from flask_jwt import JWT, current_identity, jwt_required

To use this module in your own project, copy this file. We test it with Python 3.11 and newer. Install:

    pip install "Flask>=3.1" "PyJWT>=2.15" "setuptools>=70.1,<81"
    pip install --no-deps --no-build-isolation Flask-JWT==0.3.2

The second command has --no-deps because Flask-JWT asks for a PyJWT below 1.5, which today's Python cannot
import. Flask-JWT's setup.py uses a part of setuptools that is deprecated and can disappear, so we stay on
versions that we have tested. For a new project, choose Flask-JWT-Extended, which is maintained.

This file contains no code from Flask-JWT and leaves `flask` and `jwt` as they are. It gives `flask_jwt` an
adapted PyJWT and a replacement for Flask's former request stack. It also checks each request before
Flask-JWT reads it. Flask-JWT then behaves as it did in 2015, with these differences:

- A login body that is not a JSON object sent as application/json causes a JWTError with status 400.
- A JSON login body of more than 1 MiB gets a 413, unless the app sets MAX_CONTENT_LENGTH.
- Credentials that are not strings, or contain a lone surrogate, are refused as wrong credentials.
- An Authorization header that contains only white space counts as no header.
- JWT_REQUIRED_CLAIMS requires every claim that it names. It used to require exp, iat and nbf only.
- A too deeply nested token, or one whose exp, iat or nbf is no number, gets a 401, not a 500.
- A token is refused when its leeway ends. It used to be accepted for one more second.
- A token must be base64url, its kid must be a string, and its crit and b64 known (RFC 7515, 7797).
- The description of a 401 quotes PyJWT, and PyJWT 2 words some errors differently.
- A key that is too short for its algorithm makes PyJWT warn (RFC 7518, section 3.2).
- If a payload handler returns an iss that is not a string, login gets a 500.
"""

from __future__ import annotations

import importlib
import sys
from datetime import timedelta
from functools import wraps
from typing import Any

import flask
import jwt
from flask import Request, Response, current_app, has_request_context, request

if tuple(map(int, getattr(jwt, "__version__", "0").split(".")[:2])) < (2, 15):
    raise ImportError(f"flask_jwt_compat needs PyJWT 2.15 or newer, not {jwt.__file__}: pip install -U PyJWT")


MAX_LOGIN_BYTES = 2**20  # without a limit, a chunk that claims to be enormous would use up all memory


class _AdaptedPyJWT:
    """PyJWT 2 with the arguments and results of PyJWT 1, because Flask-JWT was written for PyJWT 1."""

    InvalidTokenError = jwt.InvalidTokenError

    @staticmethod
    def encode(
        payload: dict[str, Any], key: str | bytes, algorithm: str, headers: dict[str, Any] | None
    ) -> bytes:
        """Return the token as bytes, because handlers decode it, as Flask-JWT's documentation shows."""
        return jwt.encode(payload, key, algorithm=algorithm, headers=headers).encode("ascii")

    @staticmethod
    def decode(
        token: str | bytes,
        key: str | bytes,
        options: dict[str, bool],
        algorithms: list[str],
        leeway: float | timedelta,
    ) -> dict[str, Any]:
        """Return the claims of a valid token. The leeway is in seconds.

        Raises jwt.InvalidTokenError for any other token. PyJWT 2 ignores PyJWT 1's option require_NAME,
        so we pass require=[NAME]. The option verify_NAME only repeats PyJWT 2's default. Flask-JWT has
        no audience, so we refuse a token with an audience, as PyJWT 1 did. Flask-JWT never read sub and
        jti, so both may be numbers.
        """
        required = [name.removeprefix("require_") for name in options if name.startswith("require_")]
        adapted: Any = {"require": required, "verify_sub": False, "verify_jti": False}
        claims = jwt.decode(token, key, algorithms=algorithms, leeway=leeway, options=adapted)
        if "aud" in claims:
            raise jwt.InvalidAudienceError("Invalid audience")
        return claims


class _RequestStack:
    """A replacement for Flask's former _request_ctx_stack. Flask-JWT stores current_identity on `top`."""

    @property
    def top(self) -> Any:
        proxy: Any = request
        return proxy._get_current_object() if has_request_context() else None


def _import_flask_jwt() -> Any:
    """Import the real flask_jwt and return it.

    Flask-JWT imports _request_ctx_stack from flask. Flask 3 has no such name, so add it during the import.
    Raises ImportError if Flask is too old or if Flask-JWT 0.3.2 is not installed.
    """
    if hasattr(flask, "_request_ctx_stack") or getattr(Request.max_content_length, "fset", None) is None:
        raise ImportError("flask_jwt_compat needs Flask 3.1 or newer. Update it: pip install -U Flask")
    extended: Any = flask
    extended._request_ctx_stack = _RequestStack()
    try:
        flask_jwt: Any = importlib.import_module("flask_jwt")
    except ModuleNotFoundError as error:
        raise ImportError(f"{error}: see the docstring of {__name__} for how to install it") from error
    finally:
        del extended._request_ctx_stack
    if getattr(flask_jwt, "__version__", None) != "0.3.2":
        del sys.modules["flask_jwt"]
        raise ImportError(f"{flask_jwt.__file__} is not Flask-JWT 0.3.2: rename it, or install that version")
    return flask_jwt


def _adapt(flask_jwt: Any) -> None:
    """Give flask_jwt the adapted PyJWT, and check each request before flask_jwt reads a login or a token."""
    read_login, read_token = flask_jwt._default_auth_request_handler, flask_jwt._default_request_handler

    @wraps(read_login)
    def checked_login() -> Response:
        if request.max_content_length is None:
            request.max_content_length = MAX_LOGIN_BYTES
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
        response: Response = read_login()
        return response

    @wraps(read_token)
    def checked_token() -> str | None:
        token: str | None = read_token() if request.headers.get("Authorization", "").strip() else None
        return token

    flask_jwt._default_auth_request_handler, flask_jwt._default_request_handler = checked_login, checked_token
    flask_jwt.jwt = _AdaptedPyJWT
    flask_jwt.adapted_by = __name__


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


if "flask_jwt" not in sys.modules:
    _adapt(_import_flask_jwt())
elif not hasattr(sys.modules["flask_jwt"], "adapted_by"):
    raise ImportError("flask_jwt was imported before flask_jwt_compat: swap these imports, then restart")

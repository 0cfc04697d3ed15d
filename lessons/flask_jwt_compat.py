"""Run the real Flask-JWT 0.3.2 (2015) on today's Flask and PyJWT.

    import flask_jwt_compat  # before the first import of flask_jwt
    from flask_jwt import JWT, current_identity, jwt_required

To use this module in your own project, copy this file. We have tested it with Python 3.11 to 3.15. Install:

    pip install "Flask>=3.1" "PyJWT>=2.15" "setuptools>=70.1,<81"
    pip install --no-deps --no-build-isolation Flask-JWT==0.3.2

With Flask-RESTful 0.3.10, write "Flask>=3.1,<3.2". Flask 3.2 is not released yet, but its development
version calls error_router with more arguments than Flask-RESTful accepts.

The second command has --no-deps because Flask-JWT asks for a PyJWT below 1.5, which today's Python cannot
import. The limit setuptools<81 is a precaution. Flask-JWT uses a deprecated part of setuptools, which could
disappear one day, but setuptools 84.2 still has this part.

For a new project, choose Flask-JWT-Extended, which is maintained.

This file contains no code from Flask-JWT and leaves `flask` and `jwt` as they are. It gives `flask_jwt` an
adapted PyJWT and a replacement for Flask's former request stack. It also checks each login and each token
header before Flask-JWT reads them. Flask-JWT then behaves as in 2015, apart from these known differences:

- A login body that is not a JSON object, or is not sent as JSON, causes a JWTError with status 400.
- A login body larger than MAX_CONTENT_LENGTH (1 MiB if the app does not set it) gets a 413.
- Credentials that are not strings, or that UTF-8 cannot encode, are refused as wrong credentials.
- An Authorization header that contains only white space counts as no header.
- JWT_REQUIRED_CLAIMS requires every claim that it names. It used to require only exp, iat and nbf.
- A token that nests too deeply, or whose exp, iat or nbf is a list, an object or infinite, gets a 401.
- A token is refused as soon as its leeway ends. It used to be accepted for one more second.
- A token that is not exact base64url (other characters, padding, unused bits that are set) gets a 401.
- A token gets a 401 if its kid is not a string, or if PyJWT does not support its crit or b64.
- The description of a 401 quotes PyJWT, and PyJWT 2 words some errors differently.
- A key that is too short for its algorithm makes PyJWT warn (RFC 7518, section 3.2).
- If SECRET_KEY is empty, a correct login and any signed token get a 500, because PyJWT 2 needs a key.
- If a payload handler returns an iss that is not a string, login gets a 500.
- If a headers handler returns alg, typ or b64, PyJWT acts on them. It used to copy them into the token only.
- An encode handler may return a str. Response handlers still get the token as bytes.
- A decode handler that calls jwt.decode(token, key) refuses every token, because PyJWT 2 needs algorithms.
- In a function from copy_current_request_context, current_identity is the user. It used to be None.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import flask
import jwt
from flask import Request, Response, abort, current_app, has_request_context, request

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
        jti, so both may be numbers. A token must be UTF-8 (RFC 7519), but PyJWT 2 also reads UTF-16.
        """
        required = [name.removeprefix("require_") for name in options if name.startswith("require_")]
        adapted: Any = {"require": required, "verify_sub": False, "verify_jti": False}
        claims = jwt.decode(token, key, algorithms=algorithms, leeway=leeway, options=adapted)
        if "aud" in claims:
            raise jwt.InvalidAudienceError("Invalid audience")
        try:
            for segment in jwt.utils.force_bytes(token).split(b".")[:2]:
                json.loads(jwt.utils.base64url_decode(segment).decode("utf-8"))
        except ValueError as error:
            raise jwt.DecodeError(f"Header and payload must be JSON in UTF-8: {error}") from error
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
    """Change flask_jwt in three places: its PyJWT, how it reads requests, what encode handlers may return."""
    read_login, read_token = flask_jwt._default_auth_request_handler, flask_jwt._default_request_handler
    set_encode_handler = flask_jwt.JWT.jwt_encode_handler

    @wraps(read_login)  # Flask names the login's endpoint after this function
    def checked_login() -> Response:
        limit = MAX_LOGIN_BYTES if request.max_content_length is None else request.max_content_length
        # Flask cuts off a chunked body at max_content_length. One more byte shows that a body is too long.
        request.max_content_length = limit + 1
        if len(request.get_data()) > limit:
            abort(413)
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

    def checked_token() -> str | None:
        token: str | None = read_token() if request.headers.get("Authorization", "").strip() else None
        return token

    @wraps(set_encode_handler)
    def set_adapted_encode_handler(self: Any, handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def encode(identity: Any) -> Any:
            token = handler(identity)
            return token.encode("utf-8") if isinstance(token, str) else token

        set_encode_handler(self, encode)
        return handler

    flask_jwt.JWT.jwt_encode_handler = set_adapted_encode_handler
    flask_jwt._default_auth_request_handler, flask_jwt._default_request_handler = checked_login, checked_token
    flask_jwt.jwt = _AdaptedPyJWT
    flask_jwt.adapted_by = __name__


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


if "flask_jwt" not in sys.modules:
    _adapt(_import_flask_jwt())
elif not hasattr(sys.modules["flask_jwt"], "adapted_by"):
    raise ImportError("flask_jwt was imported before flask_jwt_compat: swap these imports, then restart")

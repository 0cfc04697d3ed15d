"""Send requests to a lesson's app: a single request, or many requests with minted tokens."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import httpx
import jwt
from flask import Flask, got_request_exception

TIMES = ("iat", "nbf", "exp")


class MeasuredLifetime(NamedTuple):
    """The ages in seconds at which a token starts and stops being valid, and the status at each age."""

    begins: int
    ends: int
    leeway: float
    statuses: list[tuple[float, int]]


class Forgery(NamedTuple):
    """A token that somebody changed, and the app's response to it."""

    description: str
    token: str
    response: httpx.Response


class LessonTransport(httpx.WSGITransport):
    """Call a lesson's app inside this process. If it responds with a 500, keep the error that it logs."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        errors: list[Exception] = []

        def keep(app: Flask, exception: Exception) -> None:
            errors.append(exception)

        with got_request_exception.connected_to(keep):
            response = super().handle_request(request)
        if errors and response.status_code == 500:
            response.extensions["logged"] = describe_error(errors[-1])
        return response


def describe_error(error: Exception) -> str:
    """Return the last line of an error's traceback."""
    return f"{type(error).__name__}: {error}"


def read_claims(token: str) -> dict[str, Any]:
    """Return a token's claims without verifying the signature."""
    return jwt.decode(token, options={"verify_signature": False})


def mint(app: Flask, claims: dict[str, Any], key: str | None = None) -> str:
    """Return a token with these claims, signed with the app's key or with another one."""
    return jwt.encode(claims, key or app.config["SECRET_KEY"])


def make_client(app: Flask) -> httpx.Client:
    """Return an HTTP client that calls the app inside this process."""
    return httpx.Client(transport=LessonTransport(app=name_errors(app)), base_url="http://lesson")


def name_errors(app: WSGIApplication) -> WSGIApplication:
    """Wrap an app: if it raises an error, respond with a 500 that names the error."""

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except Exception as error:
            start_response("500 INTERNAL SERVER ERROR", [("Content-Type", "text/plain")])
            return [describe_error(error).encode()]

    return respond


def get_users(app: Flask, token: str) -> httpx.Response:
    """Return the response to GET /users with a token."""
    prefix = app.config.get("JWT_AUTH_HEADER_PREFIX") or app.config["JWT_HEADER_TYPE"]
    return make_client(app).get("/users", headers={"Authorization": f"{prefix} {token}"})


def read_leeway(app: Flask) -> float:
    """Return an app's leeway in seconds. Flask-JWT and Flask-JWT-Extended give the option different names."""
    leeway = app.config["JWT_LEEWAY"] if "JWT_LEEWAY" in app.config else app.config["JWT_DECODE_LEEWAY"]
    return float(leeway.total_seconds() if isinstance(leeway, timedelta) else leeway)


def measure_lifetime(app: Flask, token: str, margin: int) -> MeasuredLifetime:
    """Send a token to the app at different ages, and return its lifetime and the status for each age.

    Nobody has to wait: for each age, the token is minted again as if the app had issued it that long ago.
    The ages are a tenth of the lifetime apart. Near the expiry, they are one second apart, from `margin`
    seconds before it to `margin` seconds after the leeway.
    """
    claims = read_claims(token)
    begins, ends = claims["nbf"] - claims["iat"], claims["exp"] - claims["iat"]
    leeway = read_leeway(app)
    ages = {round(ends * tenth / 10) for tenth in range(-1, 13)}
    ages |= set(range(ends - margin, ends + int(leeway) + margin))
    statuses = []
    for age in sorted(ages):
        while time.time() % 1 > 0.8:  # the app must read its clock in the same second as we do
            time.sleep(0.02)
        shift = int(time.time()) - claims["iat"] - age
        aged = mint(app, claims | {name: claims[name] + shift for name in TIMES})
        status = get_users(app, aged).status_code
        statuses.append((time.time() - claims["iat"] - shift, status))
    return MeasuredLifetime(begins, ends, leeway, statuses)


def try_forgeries(app: Flask, token: str) -> list[Forgery]:
    """Return (description, token, response) for a good token, and then for each forgery of it."""
    header, payload, signature = token.split(".")
    claims = read_claims(token)
    user = "sub" if "sub" in claims else "identity"
    bobs_payload = mint(app, claims | {user: type(claims[user])(1)}).split(".")[1]
    unsigned_header = jwt.encode({}, "", algorithm="none").split(".")[0]
    expired = claims | {name: claims[name] - 7200 for name in TIMES}
    without_exp = {name: value for name, value in claims.items() if name != "exp"}
    tokens = {
        "as it was issued": token,
        f"changed payload: {user} is bob's": f"{header}.{bobs_payload}.{signature}",
        "signed with another key": mint(app, claims, "another-key-of-enough-bytes-for-HS256"),
        "alg: none, without a signature": f"{unsigned_header}.{payload}.",
        "expired, with a good signature": mint(app, expired),
        "without exp, with a good signature": mint(app, without_exp),
    }
    return [Forgery(what, forged, get_users(app, forged)) for what, forged in tokens.items()]

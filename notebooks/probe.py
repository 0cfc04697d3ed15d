"""Send requests to a lesson's app: a single request, or many requests with minted tokens."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from traceback import FrameSummary, TracebackException
from typing import Any, NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import jwt
from flask import Flask, got_request_exception
from werkzeug.exceptions import InternalServerError

import lesson_loader

TIMES = ("iat", "nbf", "exp")
USUAL_LEEWAY = 10  # seconds: Flask-JWT's default


class MeasuredLifetime(NamedTuple):
    """The ages in seconds at which a token starts and stops being valid, and the status at each age.

    Between the two ages in `near`, around the expiry, there is a status for every second.
    """

    begins: int
    ends: int
    leeway: float
    near: tuple[int, int]
    statuses: list[tuple[float, int]]


class Forgery(NamedTuple):
    """A token that somebody changed, and the app's response to it."""

    description: str
    token: str
    response: httpx.Response


class LessonTransport(httpx.BaseTransport):
    """Call a lesson's app inside this process and respond as `flask run` does.

    `response.extensions["lesson"]` says which lesson responds. After a 500, `response.extensions["log"]` is
    the traceback that a server logs.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        errors: list[Exception] = []

        def keep(app: Flask, exception: Exception) -> None:
            errors.append(exception)

        def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            try:
                return self.app(environ, start_response)
            except Exception as error:  # Flask does not handle it, for example in a teardown function
                errors.append(error)
                return InternalServerError()(environ, start_response)

        with got_request_exception.connected_to(keep):
            response = httpx.WSGITransport(app=respond).handle_request(request)
        folder = Path(self.app.root_path)
        if errors and response.status_code == 500:
            response.extensions["log"] = format_traceback(errors[-1], folder)
        changed = "" if folder.parent == lesson_loader.LESSONS else "the changed "
        response.extensions["lesson"] = f"{changed}lesson {lesson_loader.label_of(folder.name)}"
        return response


def format_traceback(error: Exception, folder: Path) -> str:
    """Return an error's traceback with only the lines of a lesson's files.

    If no line of the lesson led to the error, the traceback has the line of the library that raised it.
    """
    traceback = TracebackException.from_exception(error)
    *callers, last = traceback.stack
    # The lesson's api.py passes each error on, so its line explains nothing unless it raised the error.
    own = [frame for frame in callers if is_below(folder, frame) and Path(frame.filename).name != "api.py"]
    own += [last] if is_below(folder, last) or not own else []
    lines = [
        f'  File "{short_path(frame, folder)}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n'
        for frame in own
    ]
    return "".join(
        ["Traceback (most recent call last):\n", *lines, *traceback.format_exception_only()]
    ).strip()


def is_below(folder: Path, frame: FrameSummary) -> bool:
    return Path(frame.filename).is_relative_to(folder)


def short_path(frame: FrameSummary, folder: Path) -> str:
    """Return the path of a file below its lesson or, for a library, the end of the path."""
    path = Path(frame.filename)
    return path.relative_to(folder).as_posix() if is_below(folder, frame) else "/".join(path.parts[-2:])


def read_claims(token: str) -> dict[str, Any]:
    """Return a token's claims without verifying the signature."""
    return jwt.decode(token, options={"verify_signature": False})


def mint(app: Flask, claims: dict[str, Any], key: str | None = None) -> str:
    """Return a token with these claims, signed with the app's key or with another one."""
    return jwt.encode(claims, key or app.config["SECRET_KEY"])


def make_client(app: Flask) -> httpx.Client:
    """Return an HTTP client that calls the app inside this process."""
    return httpx.Client(transport=LessonTransport(app), base_url="http://lesson")


def send(app: Flask, method: str, path: str, headers: dict[str, str], body: str | None) -> dict[str, Any]:
    """Send a request of the playground's console, and return the response as page.js expects it."""
    response = make_client(app).request(method, path, headers=headers, content=body)
    return {
        "status": response.status_code,
        "reason": response.reason_phrase,
        "headers": response.headers.multi_items(),
        "body": response.text,
        "error": response.extensions.get("log", ""),
    }


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
    seconds before it to `margin` seconds after the leeway. An app without leeway gets the same ages as one
    with the usual leeway, because the two pictures must have the same scale.
    """
    claims = read_claims(token)
    claims |= {name: int(claims[name]) for name in TIMES}
    begins, ends = claims["nbf"] - claims["iat"], claims["exp"] - claims["iat"]
    leeway = read_leeway(app)
    ages = {round(ends * tenth / 10) for tenth in range(-1, 13)}
    near = ends - margin, ends + max(int(leeway), USUAL_LEEWAY) + margin
    ages |= set(range(*near))
    statuses = []
    for age in sorted(ages):
        while time.time() % 1 > 0.8:  # the app must read its clock in the same second as we do
            time.sleep(0.02)
        shift = int(time.time()) - claims["iat"] - age
        aged = mint(app, claims | {name: claims[name] + shift for name in TIMES})
        status = get_users(app, aged).status_code
        statuses.append((time.time() - claims["iat"] - shift, status))
    return MeasuredLifetime(begins, ends, leeway, near, statuses)


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

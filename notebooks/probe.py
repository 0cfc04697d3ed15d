"""What demo.py asks a lesson's app: one request, or many with tokens that are minted for the purpose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import httpx
import jwt
from flask import Flask

TIMES = ("iat", "nbf", "exp")


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def mint(app: Flask, claims: dict[str, Any], key: str | None = None) -> str:
    return jwt.encode(claims, key or app.config["SECRET_KEY"])


def client_of(app: Flask) -> httpx.Client:
    return httpx.Client(transport=httpx.WSGITransport(app=answering(app)), base_url="http://lesson")


def ask(app: Flask, token: str) -> httpx.Response:
    prefix = app.config.get("JWT_AUTH_HEADER_PREFIX") or app.config["JWT_HEADER_TYPE"]
    return client_of(app).get("/users", headers={"Authorization": f"{prefix} {token}"})


def answering(app: Flask) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI app that answers 500 and the error's name where an app lets an error escape."""

    def answer(environ: dict, start_response: Callable) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except Exception as error:
            start_response("500 INTERNAL SERVER ERROR", [("Content-Type", "text/plain")])
            return [f"{type(error).__name__}: {error}".encode()]

    return answer


def ask_through_life(app: Flask, token: str, seconds: int) -> tuple[int, int, float, list[tuple[float, int]]]:
    """Return how long a token is good, when it begins, its leeway, and the answers to it at many ages.

    All of these are in seconds; an answer is an age and a status. The ages are a tenth of a life apart and,
    from `seconds` before the end to `seconds` after the leeway, one second. For each, the token is minted
    anew, as if it had been issued so long ago.
    """
    issued = claims_of(token)
    life = issued["exp"] - issued["iat"]
    leeway = app.config.get("JWT_LEEWAY", app.config.get("JWT_DECODE_LEEWAY"))
    leeway = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
    ages = {round(life * step / 10) for step in range(-1, 13)}
    ages |= set(range(life - seconds, life + int(leeway) + seconds))
    answers = []
    for age in sorted(ages):
        while time.time() % 1 > 0.8:  # an answer that comes in the next second would be of another age
            time.sleep(0.02)
        shift = int(time.time()) - issued["iat"] - age
        answer = ask(app, mint(app, issued | {name: issued[name] + shift for name in TIMES}))
        answers.append((time.time() - issued["iat"] - shift, answer.status_code))
    return life, issued["nbf"] - issued["iat"], leeway, answers


def ask_with_forgeries(app: Flask, token: str) -> list[tuple[str, str, httpx.Response]]:
    """Return what was made of a good token, the result, and the answer to it, for one thing after another."""
    header, claims, signature = token.split(".")
    issued = claims_of(token)
    who = "sub" if "sub" in issued else "identity"
    old = issued | {name: issued[name] - 7200 for name in TIMES}
    endless = {name: value for name, value in issued.items() if name != "exp"}
    other = mint(app, issued | {who: type(issued[who])(1)}).split(".")[1]
    none = jwt.encode({}, None, algorithm="none").split(".")[0]
    tried = {
        "as it was issued": token,
        f"its payload changed: {who} is bob's": f"{header}.{other}.{signature}",
        "signed with another key": mint(app, issued, "another-key-of-enough-bytes-for-HS256"),
        "alg: none, without a signature": f"{none}.{claims}.",
        "expired, with a good signature": mint(app, old),
        "without exp, with a good signature": mint(app, endless),
    }
    return [(what, forged, ask(app, forged)) for what, forged in tried.items()]

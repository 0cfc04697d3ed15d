"""Tokens for tests: mint a token of any age or with any flaw, and read the claims of a token."""

from __future__ import annotations

import time
from functools import partial
from typing import Any
from uuid import uuid4

import jwt
from flask import Flask


def mint(
    key: str,
    identity: object,
    *,
    age: int = 0,
    lifetime: int = 300,
    algorithm: str = "HS256",
    headers: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Return a token as Flask-JWT would have issued it `age` seconds ago, to last for `lifetime` seconds.

    Each of `changes` replaces a claim or adds one. A claim that is changed to None is left out.
    """
    issued = int(time.time()) - age
    claims = {"iat": issued, "nbf": issued, "exp": issued + lifetime, "identity": identity} | changes
    return sign(claims, key, algorithm, headers)


def sign(
    claims: dict[str, Any], key: str, algorithm: str = "HS256", headers: dict[str, Any] | None = None
) -> str:
    """Return a token with exactly these claims. They can have any name. A claim that is None is left out."""
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


def mint_for(app: Flask, identity: object = 1, *, key: str | None = None, **options: Any) -> str:
    """Return a token that this app accepts, unless `options` (see `mint`) or another key make it invalid."""
    claim = app.config.get("JWT_IDENTITY_CLAIM", "identity")
    if claim == "sub" and isinstance(identity, int):
        identity = str(identity)  # PyJWT refuses a sub that is not text
    # Lesson 8 and the later ones require a username, and lesson 10 a jti. Earlier ones ignore them.
    named = {claim: identity, "username": "bob", "jti": uuid4().hex} | options
    return mint(app.config["SECRET_KEY"] if key is None else key, named.pop("identity", None), **named)


def read_claims(token: object) -> dict[str, Any]:
    """Return the claims of a token without verifying it, or {} if it is not a token."""
    try:
        text = token if isinstance(token, bytes) else str(token)
        return jwt.decode(text, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError):
        return {}


def read_algorithm(token: str) -> str:
    """Return the algorithm that a token names."""
    return str(jwt.get_unverified_header(token).get("alg"))


def authorization(token: str, prefix: str = "JWT") -> dict[str, str]:
    """Return the request header that carries a token."""
    return {"Authorization": f"{prefix} {token}"}


def make_copies(token: str, key: str, identity: int) -> tuple[str, dict[str, str]]:
    """Return a good copy of a token from a login, signed with the app's key, and bad copies by their flaw.

    The copies have the header and the claims of the real token, so nothing but the flaw can be why an app
    refuses a bad one.
    """
    claims, algorithm = read_claims(token), read_algorithm(token)
    header = jwt.get_unverified_header(token)
    encode = partial(jwt.encode, headers={name: header[name] for name in header if name != "alg"})
    age = max(claims.get("exp", 0) - int(time.time()), 0) + 10**6
    long_ago = {name: claims[name] - age for name in ("iat", "nbf", "exp") if name in claims}
    just_now = {"exp": int(time.time()) - 60}
    # in another order, because an app may know its own tokens by heart
    good = encode(dict(reversed(claims.items())), key, algorithm)
    first_part, _, signature = good.split(".")
    other_claims = encode(claims | {"identity": identity + 1}, key, algorithm).split(".")[1]
    return good, {
        "signed with another key": encode(claims, "another key " * 8, algorithm),
        "changed after it was signed": f"{first_part}.{other_claims}.{signature}",
        "not signed": encode(claims, "", "none"),
        "expired a minute ago": encode(claims | just_now, key, algorithm),
        "expired long ago": encode(claims | long_ago, key, algorithm),
    }

"""Describe how to talk to a lesson's app. The site runs this file in the browser, so it imports only Flask.

An exercise asks students to change the options of an app, so an option can be missing or have a wrong type.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Flask

DEMO_KEY = "for-the-lessons-only-so-set-your-own"  # the key in every lesson's security.py


def describe_app(app: Flask) -> dict[str, Any]:
    """Return how to log in to an app and send tokens to it. The values can be written as JSON.

    Call this where `import db` finds the lesson's db.py, because this file names the demo users.
    """
    routes = list(find_routes(app))
    login = describe_login(app, routes)
    return {
        "login": login,
        "users": find_users(),
        "routes": [route for route in routes if route != {"method": "POST", "path": login["path"]}],
        "prefix": read_text(app, "Bearer", "JWT_AUTH_HEADER_PREFIX", "JWT_HEADER_TYPE"),
        "leeway": read_leeway(app),
        "required": read_required_claims(app),
        "key": read_demo_key(app),
    }


def describe_login(app: Flask, routes: list[dict[str, str]]) -> dict[str, str]:
    """Return the path of the login and the two keys of its JSON.

    Flask-JWT has an option for each of them. An app with Flask-JWT-Extended has its own view for the login.
    """
    posts = [route["path"] for route in routes if route["method"] == "POST"]
    view = next((path for path in posts if "login" in path), "/login")
    name_key = "username" if "JWT_AUTH_URL_RULE" in app.config else "email"
    return {
        "path": read_text(app, view, "JWT_AUTH_URL_RULE"),
        "name_key": read_text(app, name_key, "JWT_AUTH_USERNAME_KEY"),
        "password_key": read_text(app, "password", "JWT_AUTH_PASSWORD_KEY"),
    }


def find_users() -> list[dict[str, str]]:
    """Return the demo users, or an empty list if a student has changed db.py too much."""
    fields = ("username", "email", "phone", "password")
    try:
        users = importlib.import_module("db").DEMO_USERS
        return [dict(zip(fields, map(str, user), strict=False)) for user in users]
    except (ImportError, AttributeError, TypeError):
        return []


def find_routes(app: Flask) -> Iterator[dict[str, str]]:
    """Yield the method and the path of each request that an app handles, except those for static files."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield {"method": method, "path": example_path(rule.rule)}


def example_path(rule: str) -> str:
    """Return a path that fits a rule: 1 for a whole number, and the name of every other variable."""
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", r"\1", re.sub(r"<int\b[^<>]*>", "1", rule))


def read_text(app: Flask, default: str, *options: str) -> str:
    """Return the first of these options that is text, or the default."""
    values = (app.config.get(option) for option in options)
    return next((value for value in values if isinstance(value, str)), default)


def read_leeway(app: Flask) -> float:
    """Return the leeway in seconds. Both libraries accept a number or a timedelta."""
    leeway = app.config.get("JWT_LEEWAY", app.config.get("JWT_DECODE_LEEWAY"))
    if isinstance(leeway, timedelta):
        return leeway.total_seconds()
    if isinstance(leeway, int) or (isinstance(leeway, float) and math.isfinite(leeway)):
        return leeway
    return 0


def read_required_claims(app: Flask) -> list[str]:
    """Return the claims that a token must have. Flask-JWT-Extended has no option for them."""
    claims = app.config.get("JWT_REQUIRED_CLAIMS")
    return [str(claim) for claim in claims] if isinstance(claims, (list, tuple, set)) else []


def read_demo_key(app: Flask) -> str | None:
    """Return the key that signs the tokens if it is the demo key or repeats it. Every other key is secret."""
    key = app.config.get("JWT_SECRET_KEY") or app.config.get("SECRET_KEY")
    is_demo_key = isinstance(key, str) and key and not key.replace(DEMO_KEY, "")
    return key if is_demo_key else None

"""Draw the pictures in the READMEs of the lessons: make pictures

login.svg and token.svg belong to lesson 0, lifetime.svg to lesson 2, and refresh.svg to lesson 10. Their
tokens, times and responses come from the lessons' own apps, so a picture cannot show what an app does not do.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import jwt
from flask import Flask

from lesson_loader import display_path, find_lessons, load_app

STYLE = """
text { font: 15px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 13px } .code { font-family: ui-monospace, monospace; font-size: 13px }
.bold { font-weight: 600 } .middle { text-anchor: middle } .end { text-anchor: end }
.paper { fill: #ffffff } .card { fill: #f6f8fa; stroke: #8c959f }
.line { stroke: #59636e; stroke-width: 1.5; fill: none } .tip { fill: #59636e }
.one { fill: #b3261e } .two { fill: #0b57d0 } .three { fill: #146c2e }
.yes { fill: #7bc896 } .late { fill: #f2c14e } .no { fill: #e2b1ae }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .paper { fill: #0d1117 } .card { fill: #161b22; stroke: #6e7681 }
  .line { stroke: #9198a1 } .tip { fill: #9198a1 }
  .one { fill: #ff8a80 } .two { fill: #8ab4f8 } .three { fill: #81c995 }
  .yes { fill: #2e7d4f } .late { fill: #8a6d1b } .no { fill: #7d3a36 }
}
"""
ISSUED = 1_795_611_948  # seconds since 1970: a fixed time, so that the pictures stay the same


def text(x: float, y: float, content: str, style: str = "", width: float = 0) -> str:
    """Return a line of text. With a width, the text has the same length in every font."""
    length = f' textLength="{width:g}"' if width else ""
    return f'<text x="{x:g}" y="{y:g}" class="{style}"{length}>{escape(content)}</text>'


def box(x: float, y: float, width: float, height: float, style: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" class="{style}"/>'


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" class="line"/>'


def arrow(x1: float, x2: float, y: float) -> str:
    """Return a horizontal arrow from x1 to x2."""
    back = x2 - 9 if x2 > x1 else x2 + 9
    tip = f'<path d="M{x2:g} {y:g}L{back:g} {y - 5:g}L{back:g} {y + 5:g}Z" class="tip"/>'
    return line(x1, y, x2, y) + tip


def picture(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """Return an SVG. Screen readers read its title aloud."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        box(0, 0, width, height, "paper"),
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def make_token(app: Flask, age: int = 0) -> str:
    """Return the token that this app would have issued to bob `age` seconds before ISSUED."""
    issued = ISSUED - age
    lifetime = int(app.config["JWT_EXPIRATION_DELTA"].total_seconds())
    claims = {"exp": issued + lifetime, "iat": issued, "nbf": issued, "identity": 1}
    return jwt.encode(claims, app.config["SECRET_KEY"])


def draw_login() -> str:
    """Draw what a client and an app send to each other: a login, then requests with and without the token."""
    left, right = 150, 610
    rows = [
        ("POST /auth with a username and a password", "1. Log in, once.", True),
        ("200 and a token", "2. The app checks the password and signs a token.", False),
        ("GET /users with Authorization: JWT eyJhbGci…", "3. Send the token with each request.", True),
        ("200 and the users", "4. The app checks the signature. It needs no password.", False),
        ("GET /users", "5. A request without a token:", True),
        ("401 Request does not contain an access token", "6. The app refuses it.", False),
    ]
    parts = [box(left - 60, 14, 120, 32, "card"), box(right - 60, 14, 120, 32, "card")]
    parts += [text(left, 35, "client", "bold middle"), text(right, 35, "your app", "bold middle")]
    bottom = 66 + 58 * len(rows)
    parts += [line(left, 46, left, bottom), line(right, 46, right, bottom)]
    for index, (message, explanation, to_the_app) in enumerate(rows):
        y = 88 + 58 * index
        ends = (left + 3, right - 3) if to_the_app else (right - 3, left + 3)
        parts += [text(380, y - 8, explanation, "small middle"), arrow(*ends, y)]
        parts += [text(380, y + 19, message, "code middle")]
    title = "A client logs in with a password, gets a token, and sends the token with each later request."
    return picture(760, bottom + 14, title, parts)


def draw_token(app: Flask) -> str:
    """Draw the three parts of bob's token, and say what each part contains."""
    token = make_token(app)
    styles = ("one", "two", "three")
    parts, y = [], 34
    for start in range(0, len(token), 84):
        x = 20.0
        for part, group in groupby(
            range(start, min(start + 84, len(token))), key=lambda at: token[:at].count(".")
        ):
            piece = "".join(token[at] for at in group)
            parts.append(text(x, y, piece, f"code {styles[part]}", width=8.5 * len(piece)))
            x += 8.5 * len(piece)
        y += 24
    header = jwt.get_unverified_header(token)
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    columns = [
        ("1. Header", ["how the token is signed"], json.dumps(header)[1:-1].split(", ")),
        ("2. Payload", ["the claims: who, and until when"], json.dumps(claims)[1:-1].split(", ")),
        ("3. Signature", ["made from parts 1 and 2", "with the app's secret key"], ["bytes, not JSON"]),
    ]
    top = y
    for index, (name, meaning, content) in enumerate(columns):
        left = 20 + 245 * index
        parts += [box(left, top, 230, 156, "card"), text(left + 14, top + 27, name, f"bold {styles[index]}")]
        parts += [text(left + 14, top + 48 + 18 * row, words, "small") for row, words in enumerate(meaning)]
        first = top + 56 + 18 * len(meaning)
        parts += [text(left + 14, first + 18 * row, words, "code") for row, words in enumerate(content)]
    title = "A token has three parts with dots between them: header, payload and signature."
    return picture(760, top + 174, title, parts)


def statuses(app: Flask, ages: Iterable[int]) -> list[tuple[int, int]]:
    """Return (age, status) for a request with a token of each age, in seconds."""
    client = app.test_client()
    found = []
    for age in ages:
        second = None
        while second != int(time.time()):  # the token has this age only if the app reads the same second
            second = int(time.time())
            token = make_token(app, age=ISSUED - second + age)
            response = client.get("/users", headers={"Authorization": f"JWT {token}"})
        found.append((age, response.status_code))
    return found


def draw_lifetime(app: Flask) -> str:
    """Draw the last seconds of a token: the status that a request gets at each age of the token."""
    lifetime = int(app.config["JWT_EXPIRATION_DELTA"].total_seconds())
    first, last = lifetime - 10, lifetime + 20
    left, step, top = 30, 23, 84

    def clock(age: int) -> str:
        return f"{age // 60}:{age % 60:02}"

    def position(age: int) -> float:
        return left + step * (age - first)

    parts = [
        text(left, 32, f"The last seconds of a token that expires after {lifetime // 60} minutes", "bold")
    ]
    for status, group in groupby(statuses(app, range(first, last)), key=lambda pair: pair[1]):
        ages = [age for age, _ in group]
        pieces = [ages]
        if status == 200 and lifetime in ages:
            pieces = [ages[: ages.index(lifetime)], ages[ages.index(lifetime) :]]
        for index, piece in enumerate(pieces):
            x, width = position(piece[0]), step * len(piece)
            style = "no" if status != 200 else ("yes", "late")[index]
            words = {"yes": "before exp", "late": "in the leeway", "no": "too old"}[style]
            parts += [
                box(x, top, width, 58, style),
                text(x + width / 2, top + 25, str(status), "bold middle"),
            ]
            parts += [text(x + width / 2, top + 46, words, "small middle")]
            if style == "late":
                parts.append(
                    text(x + width / 2, top - 12, f"JWT_LEEWAY: {len(piece)} seconds", "small middle")
                )
    for age in range(first, last + 1, 10):
        x = position(age)
        parts += [line(x, top + 58, x, top + 68), text(x, top + 86, clock(age), "code middle")]
    exp = position(lifetime)
    parts += [line(exp, top - 28, exp, top + 58), text(exp - 6, top - 12, "exp", "code end")]
    parts.append(text(left, top + 114, "Age of the token, in minutes and seconds", "small"))
    title = (
        f"A token expires after {lifetime // 60} minutes. For 10 more seconds, the leeway, the app still "
        "responds with 200. Then it responds with 401."
    )
    return picture(760, top + 130, title, parts)


STEPS = [  # explanation, request, the token that it carries
    ("1. Log in, once.", "POST /login", ""),
    ("2. Send the access token with each request.", "GET /users", "access token"),
    ("3. After {minutes} minutes, the access token has expired.", "GET /users", "old access token"),
    ("4. Get a new access token. This needs no password.", "POST /refresh", "refresh token"),
    ("5. Go on with the new access token.", "GET /users", "new access token"),
    ("6. Log out with both tokens.", "POST /logout", "new access token"),
    ("", "POST /logout", "refresh token"),
    ("7. Now nobody can refresh with this token.", "POST /refresh", "refresh token"),
]
CONTENTS = {  # what a response contains, by a key of its JSON
    "refresh_token": "and two tokens: access_token, refresh_token",
    "access_token": "and a new access token",
    "users": "and the users",
}


def send_steps(app: Flask) -> list[tuple[str, str, str, str]]:
    """Send the requests of STEPS, and return (explanation, request, token, response) for each, as text."""
    client, tokens, minutes, rows = app.test_client(), {"": ""}, 0, []
    for explanation, request, token in STEPS:
        method, path = request.split()
        login = {"email": "alice@example.com", "password": "wonderland"} if path == "/login" else None
        headers = {"Authorization": f"Bearer {tokens[token]}"} if token else None
        response = client.open(path, method=method, json=login, headers=headers)
        body: dict[str, Any] = response.json or {}
        if "refresh_token" in body:
            claims = jwt.decode(body["access_token"], options={"verify_signature": False})
            minutes = (claims["exp"] - claims["iat"]) // 60
            earlier = {name: claims[name] - 3600 for name in ("iat", "nbf", "exp")}
            tokens["old access token"] = jwt.encode(claims | earlier, app.config["SECRET_KEY"])
            tokens["access token"], tokens["refresh token"] = body["access_token"], body["refresh_token"]
        elif "access_token" in body:
            tokens["new access token"] = body["access_token"]
        words = body.get("message") or next(words for key, words in CONTENTS.items() if key in body)
        sent = f"{request} with {f'the {token}' if token else 'an e-mail address and a password'}"
        rows.append((explanation.format(minutes=minutes), sent, token, f"{response.status_code} {words}"))
    return rows


def draw_refresh(app: Flask) -> str:
    """Draw what a client and an app send to each other from the login to the logout.

    The colour of a request shows which kind of token it carries.
    """
    left, middle, right = 90, 380, 670
    parts, y = [], 46
    for explanation, request, token, response in send_steps(app):
        style = {"": "", "refresh token": "three"}.get(token, "two")
        if explanation:
            y += 36
            parts.append(text(middle, y, explanation, "small middle"))
        parts += [text(middle, y + 20, request, f"code middle {style}"), arrow(left + 3, right - 3, y + 28)]
        parts += [text(middle, y + 46, response, "code middle"), arrow(right - 3, left + 3, y + 54)]
        y += 54
    bottom = y + 20
    for x, name in ((left, "client"), (right, "your app")):
        parts += [box(x - 60, 14, 120, 32, "card"), text(x, 35, name, "bold middle"), line(x, 46, x, bottom)]
    title = (
        "A client logs in and sends its access token. When this token has expired, the client gets a new one "
        "with its refresh token. At the end, it logs out with both tokens."
    )
    return picture(760, bottom + 14, title, parts)


def draw_all() -> dict[Path, str]:
    """Return the content of each picture by its file."""
    folders = find_lessons()
    first, third, last = (load_app(folders[number]) for number in (0, 2, 10))
    with tempfile.TemporaryDirectory() as folder:
        third.config["DATABASE"] = Path(folder) / "data.db"
        last.config["DATABASE"] = Path(folder) / "last.db"
        lifetime, refresh = draw_lifetime(third), draw_refresh(last)
    return {
        folders[0] / "login.svg": draw_login(),
        folders[0] / "token.svg": draw_token(first),
        folders[2] / "lifetime.svg": lifetime,
        folders[10] / "refresh.svg": refresh,
    }


if __name__ == "__main__":
    for file, content in draw_all().items():
        file.write_text(content, encoding="utf-8")
        print(f"Drew {display_path(file)}")

"""Draw the pictures in the READMEs of the lessons: make pictures

login.svg and token.svg belong to lesson 0, lifetime.svg to lesson 2. Their tokens and times come from the
lessons' own apps, so a picture cannot show what the app does not do.
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

from lesson_loader import LESSONS, find_lessons, load_app

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


def draw_all() -> dict[Path, str]:
    """Return the content of each picture by its file."""
    folders = find_lessons()
    first, third = load_app(folders[0]), load_app(folders[2])
    with tempfile.TemporaryDirectory() as folder:
        third.config["DATABASE"] = Path(folder) / "data.db"
        lifetime = draw_lifetime(third)
    return {
        folders[0] / "login.svg": draw_login(),
        folders[0] / "token.svg": draw_token(first),
        folders[2] / "lifetime.svg": lifetime,
    }


if __name__ == "__main__":
    for file, content in draw_all().items():
        file.write_text(content, encoding="utf-8")
        print(f"Drew {file.relative_to(LESSONS.parent).as_posix()}")

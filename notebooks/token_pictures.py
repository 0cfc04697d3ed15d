"""Show tokens: what is in one, how two of them differ, and how an app responds to forged ones."""

from __future__ import annotations

import base64
import json
import time
from html import escape
from itertools import takewhile, zip_longest
from typing import Any

import jwt

from probe import Forgery
from show import Display, box, code, styled

PARTS = {"header": "one", "claims": "two", "signature": "three"}


def format_duration(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    minutes, rest = divmod(int(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    words = [f"{number} {unit}" for number, unit in units if number]
    return " ".join(words[:2]) or "0 s"


def describe_time(name: str, value: Any) -> str:
    """Return how far away a claim's time is, or "" if the claim is not a time (RFC 7519, section 4.1)."""
    verbs = {
        "exp": ("expired", "expires"),
        "iat": ("issued", "issued"),
        "nbf": ("became valid", "becomes valid"),
    }
    if name not in verbs:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 2**53:
        return "is not a time: a time is a number of seconds since 1970"
    away = value - time.time()
    past, future = verbs[name]
    return f"{future} in {format_duration(away)}" if away > 0 else f"{past} {format_duration(away)} ago"


def colour_parts(token: str, original: str | None = None) -> str:
    """Return a token as HTML with a colour for each part. Mark what differs from the original token."""
    segments = token.split(".")
    before = segments if original is None else original.split(".")
    kinds = [*PARTS.values()] + ["bad"] * len(segments)
    return ".".join(
        f'<span class="{kind}">{mark_change(old, new)}</span>'
        for old, new, kind in zip_longest(
            before[: len(segments)], segments, kinds[: len(segments)], fillvalue=""
        )
    )


def mark_change(old: str, new: str) -> str:
    """Return the new text as HTML, with a mark from its first to its last change."""
    if old == new:
        return escape(new)
    start = count_equal(old, new)
    end = len(new) - count_equal(old[start:][::-1], new[start:][::-1])
    return f"{escape(new[:start])}<mark>{escape(new[start:end]) or '(removed)'}</mark>{escape(new[end:])}"


def count_equal(one: str, other: str) -> int:
    """Return at how many characters two texts begin to differ."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def show_token(coloured: str) -> str:
    """Return the frame of a token. `coloured` is HTML."""
    return f'<div class="token">{coloured}</div>'


class Anatomy(Display):
    """The three parts of a token, decoded, and whether a key verifies the signature.

    A broken token raises no exception. The display says what is wrong with each broken part.
    """

    def __init__(self, token: Any, key: str, key_name: str) -> None:
        token = token.decode("utf-8", "replace") if isinstance(token, bytes) else token
        self.token = token if isinstance(token, str) else repr(token)
        segments = self.token.split(".")
        self.problem = ""
        if len(segments) != 3:
            self.problem = f"A token has three parts, separated by dots. This one has {len(segments)}."
        self.header, header = decode(segments[0])
        self.claims, claims = decode(segments[1] if len(segments) > 1 else "")
        self.verified, signature = self.verify(key, key_name)
        parts = {"header": header, "claims": claims, "signature": signature}
        boxes = "".join(box(part, code(parts[part]), kind) for part, kind in PARTS.items())
        problem = f'<p class="bad">{self.problem}</p>' if self.problem else ""
        self.html = styled(f'{show_token(colour_parts(self.token))}{problem}<div class="row">{boxes}</div>')
        self.text = "\n\n".join(
            filter(None, [self.token, self.problem, *(f"{part}: {words}" for part, words in parts.items())])
        )

    def verify(self, key: str, key_name: str) -> tuple[bool, str]:
        """Return whether a key verifies the signature, and the result in words."""
        try:
            jwt.PyJWS().decode(self.token, key, algorithms=["HS256", "HS384", "HS512"])
        except (jwt.InvalidTokenError, RecursionError, UnicodeError) as error:
            return False, f"NOT VERIFIED with {key_name}: {error}"
        return True, f"verified with {key_name}, which has {len(key.encode())} bytes"


def decode(segment: str) -> tuple[dict[str, Any] | None, str]:
    """Return a part of a token as a dict and as text. For a broken part, return None and the problem."""
    if not segment:
        return None, "is empty"
    try:
        text = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None, f"is not base64url: {segment[:60]}"
    try:
        part = json.loads(text)
    except (ValueError, RecursionError):
        return None, f"is not JSON: {text[:60].decode('utf-8', 'replace')}"
    if not isinstance(part, dict):
        return None, f"is not a JSON object: {json.dumps(part)[:60]}"
    return part, "\n".join(describe_claim(name, value) for name, value in part.items())


def describe_claim(name: str, value: Any) -> str:
    """Return a claim as text. If the claim is a time, the text says how far away it is."""
    return f"{name}: {json.dumps(value)}  {describe_time(name, value)}".rstrip()


class Comparison(Display):
    """The tokens of several users, one below the other. Marks show what differs."""

    def __init__(self, tokens: dict[str, str]) -> None:
        claims = {user: decode(token.split(".")[1])[0] or {} for user, token in tokens.items()}
        html, texts = "", []
        for user, token in tokens.items():
            others = [other for other in tokens.values() if other != token] or [token]
            lines = compare_claims(claims[user], list(claims.values()))
            marked = "\n".join(
                f"<mark>{line}</mark>" if line[0] == "≠" else line for line in map(escape, lines)
            )
            coloured = show_token(colour_parts(token, others[0]))
            html += box(f"the token of {user}", f"{coloured}<pre>{marked}</pre>")
            texts.append("\n".join([f"the token of {user}", token, *lines]))
        legend = "≠ marks a claim that differs."
        self.html = styled(f"{html}<p>{legend}</p>")
        self.text = "\n\n".join([*texts, legend])


def compare_claims(claims: dict[str, Any], others: list[dict[str, Any]]) -> list[str]:
    """Return a line for each claim. It begins with ≠ if the claim has another value in another token."""
    different = {name for name in claims if any(other.get(name) != claims[name] for other in others)}
    return [f"{'≠' if name in different else ' '} {describe_claim(name, claims[name])}" for name in claims]


class Forgeries(Display):
    """A table of forged tokens and the app's responses to them. Marks show what the forger changed."""

    def __init__(self, forgeries: list[Forgery]) -> None:
        self.statuses = {forgery.description: forgery.response.status_code for forgery in forgeries}
        original = forgeries[0].token
        rows, lines = "", []
        for description, token, response in forgeries:
            kind, words = self.judge(response.status_code, is_forged=token != original)
            body = response.json() if "json" in response.headers.get("Content-Type", "") else {}
            message = body.get("message") or body.get("description") or ""
            cells = f'<th scope="row">{escape(description)}</th><td><b class="{kind}">{words}</b></td>'
            rows += (
                f'<tbody class="part"><tr>{cells}<td>{escape(str(message))}</td></tr>'
                f'<tr><td colspan="3">{show_token(colour_parts(token, original))}</td></tr></tbody>'
            )
            lines.append(f"{description:36} {words:14} {message}")
        self.html, self.text = styled(f'<table class="forgeries">{rows}</table>'), "\n".join(lines)

    @staticmethod
    def judge(status: int, is_forged: bool) -> tuple[str, str]:
        """Return a status in words, and its CSS class. A forgery that the app accepts is an alarm."""
        if is_forged and status < 400:
            return "alarm", f"{status} ACCEPTED"
        if status >= 500:
            return "bad", f"{status} broken"
        return "calm", f"{status} {'accepted' if status < 300 else 'refused'}"

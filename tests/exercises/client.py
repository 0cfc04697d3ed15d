"""What the checks of the exercises use: an HTTP client whose reads are limited, people, and `expect`."""

from __future__ import annotations

import json
import random
import re
import secrets
import signal
import string
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from werkzeug.test import EnvironBuilder, run_wsgi_app

BYTES = 65_536  # the most that a response may have


class TooSlow(BaseException):
    """An answer took longer than it may. Not an Exception, or the answer could swallow it."""


class Wrong(AssertionError):
    """A response is not what a check expects."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow in the main thread when a block takes longer, be it looping or sleeping."""

    def too_slow(*_: object) -> None:
        raise TooSlow

    previous = signal.signal(signal.SIGINT if not hasattr(signal, "SIGALRM") else signal.SIGALRM, too_slow)
    if hasattr(signal, "SIGALRM"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        alarm, number = None, signal.SIGALRM
    else:  # Windows, where a loop can be interrupted and a sleep cannot
        import _thread

        alarm, number = threading.Timer(seconds, _thread.interrupt_main), signal.SIGINT
        alarm.daemon = True
        alarm.start()
    try:
        yield
    finally:
        alarm.cancel() if alarm else signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(number, previous)


@dataclass
class Answer:
    """A response, and the request that it answers."""

    sent: str
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes
    note: str = ""  # what went wrong on the way, if anything did

    @property
    def json(self) -> Any:
        """The body as JSON, or None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def get(self, *names: str) -> Any:
        """Return what the body, an object, has under a name, or in objects under names; or else None."""
        value = self.json
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def __str__(self) -> str:
        text = self.body.decode("utf-8", "replace").strip()
        if self.headers.get("content-type", "").startswith("text/html"):
            title = re.search("<title>(.*?)</title>", text, re.DOTALL)
            text = f"(a page: {title[1] if title else text})"
        said = shorten(text) or self.note or "(an empty body)"
        return f"{self.status} {said}" if self.status else said


class Client:
    """Sends requests to a WSGI app in this process, one at a time, and waits some seconds for each answer."""

    def __init__(self, app: Any, file: Path, seconds: float) -> None:
        self.app, self.file, self.seconds = app, file, seconds

    def get(self, path: str, token: str | None = None, prefix: str = "JWT", **more: Any) -> Answer:
        return self.request("GET", path, token=token, prefix=prefix, **more)

    def post(self, path: str, body: Any = None, token: str | None = None, prefix: str = "JWT") -> Answer:
        return self.request("POST", path, body, token, prefix)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str | None = None,
        prefix: str = "JWT",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a request; if none comes, or one that is too large, it says so."""
        sent = f"{method} {path}" + (f" {json.dumps(body)}" if body is not None else "")
        headers = dict(headers or {})
        sent += "".join(f"\n{name}: {value}" for name, value in headers.items())
        if token is not None:
            headers["Authorization"] = f"{prefix} {token}"
            sent += f"\nAuthorization: {prefix} {shorten(str(token))}"
        environ = EnvironBuilder(path, method=method, json=body, headers=headers).get_environ()
        try:
            with time_limit(self.seconds):
                chunks, status, received = run_wsgi_app(self.app, environ)
                content = b""
                for chunk in chunks:
                    content += chunk
                    if len(content) > BYTES:
                        return Answer(sent, 0, {}, b"", f"more than {BYTES} bytes, which is too much")
                names = {name.lower(): value for name, value in received.items()}
                return Answer(sent, int(status.split()[0]), names, content)
        except TooSlow:
            return Answer(sent, 0, {}, b"", f"nothing within {self.seconds:g} seconds")
        except (Exception, SystemExit) as error:
            return Answer(sent, 500, {}, b"", explain(error, self.file))


def explain(error: BaseException, file: Path) -> str:
    """Return where in a student's file an error comes from, in that file's own words."""
    lines = traceback.TracebackException.from_exception(error)
    kind = "".join(lines.format_exception_only()).strip()
    if isinstance(error, SyntaxError):
        return kind
    frames = [frame for frame in lines.stack if Path(frame.filename) == file]
    if not frames:
        return kind
    return f"{kind}\nin {file.name}, line {frames[-1].lineno}:  {frames[-1].line}"


def shorten(text: str, length: int = 160) -> str:
    """Return a text on one line, with tokens, and all of it, cut in the middle where they are long."""
    text = re.sub(r"eyJ[\w.-]{30,}", lambda token: f"{token[0][:12]}…{token[0][-6:]}", " ".join(text.split()))
    return text if len(text) <= length else f"{text[: length - 12]} … {text[-9:]}"


def expect(answer: Answer, holds: object, expected: str, question: str) -> None:
    """Fail the check if what is expected of an answer does not hold."""
    if not holds:
        raise Wrong(
            f"sent      {indent(answer.sent)}\n"
            f"expected  {indent(expected)}\n"
            f"got       {indent(str(answer))}\n"
            f"question  {indent(question)}"
        )


def indent(text: str) -> str:
    return text.replace("\n", "\n          ")


@dataclass
class Person:
    """A user of the app under check; everything about them is random."""

    id: int
    is_admin: bool
    username: str
    password: str
    email: str = field(init=False)
    phone: str

    def __post_init__(self) -> None:
        self.email = f"{self.username}@example.com"


def make_people(chance: random.Random) -> list[Person]:
    """Return two users and an admin, who are others in each run."""

    def word(letters: str, length: int) -> str:
        return "".join(chance.choices(letters, k=length))

    ids = chance.sample(range(100, 10_000), 3)
    return [
        Person(
            id=ids[index],
            is_admin=index == 2,
            username=word(string.ascii_lowercase, 8),
            password=word(string.digits, 8),
            phone=f"555-{1000 * (index + 1) + chance.randrange(1000)}",
        )
        for index in range(3)
    ]


def mint(secret_key: str, person: Person, age: int = 0, lifetime: int = 300, **changes: Any) -> str:
    """Return a token as Flask-JWT would have issued it `age` seconds ago, good for `lifetime` seconds.

    A claim that is changed to None is left out.
    """
    issued = int(time.time()) - age
    claims = {"iat": issued, "nbf": issued, "exp": issued + lifetime, "identity": person.id} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, secret_key, algorithm="HS256")


def claims_of(token: object) -> dict[str, Any]:
    """Return what a token says, or nothing if it is none."""
    try:
        return jwt.decode(str(token), options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}


def new_seed() -> int:
    return secrets.randbelow(10**6)

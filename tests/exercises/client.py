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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
from werkzeug.test import EnvironBuilder, run_wsgi_app

from lesson_loader import explain

BYTES = 65_536  # the most that a response may have
TOO_LARGE = f"more than {BYTES} bytes, which is too much"


class TooSlow(BaseException):
    """An answer took longer than it may. Not an Exception, or the answer could swallow it."""


class Wrong(AssertionError):
    """A response is not what a check expects."""

    def __init__(self, answer: Answer, expected: str, question: str) -> None:
        self.sent, self.expected, self.got, self.question = answer.sent, expected, str(answer), question
        self.outcome = answer.outcome

    def __str__(self) -> str:
        return "\n".join(
            f"{name:10}{indent(getattr(self, name))}" for name in ("sent", "expected", "got", "question")
        )


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


class NoAnswer(Exception):
    """A request got no response that can be read: a note on why, and what kind of failure that is."""

    def __init__(self, note: str, outcome: str = "failed", status: int = 0) -> None:
        self.note, self.outcome, self.status = note, outcome, status


class DidNotStart(Exception):
    """The app under check does not start; the message is for the student."""

    def __init__(self, message: str, outcome: str = "did not start") -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass
class Answer:
    """A response, and the request that it answers."""

    sent: str
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes
    note: str = ""  # what went wrong on the way, if anything did
    outcome: str = "failed"  # what kind of failure it is, if it is not what is expected

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
            title = text.partition("<title>")[2].partition("</title>")[0]
            text = f"(a page: {title or text})"
        said = shorten(text) or self.note or "(an empty body)"
        return f"{self.status} {said}" if self.status else said


class Client:
    """Sends requests, one at a time, to whatever answers them.

    That is called with a method, a path, headers and a body or None. It returns the status, the headers by
    their names in lower case, and the body, of 65,536 bytes at most; or it raises NoAnswer.
    """

    def __init__(self, app: Callable[..., tuple[int, dict[str, str], bytes]]) -> None:
        self.app = app

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
        # what an answer said before, as in a token or an id, may be anything
        headers = {name: one_line(value) for name, value in headers.items()}
        path = quote(path, safe="/?=&")
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        try:
            return Answer(sent, *self.app(method, path, headers, content))
        except NoAnswer as problem:
            return Answer(sent, problem.status, {}, b"", problem.note, problem.outcome)


class InProcess:
    """A WSGI app in this process, which has some seconds for each answer."""

    def __init__(self, app: Any, file: Path, seconds: float) -> None:
        self.app, self.file, self.seconds = app, file, seconds

    def __call__(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        environ = EnvironBuilder(path, method=method, data=body, headers=headers).get_environ()
        try:
            with time_limit(self.seconds):
                chunks, status, received = run_wsgi_app(self.app, environ)
                content = b""
                for chunk in chunks:
                    content += chunk
                    if len(content) > BYTES:
                        raise NoAnswer(TOO_LARGE)
                return (
                    int(status.split()[0]),
                    {name.lower(): text for name, text in received.items()},
                    content,
                )
        except TooSlow:
            raise too_slow(self.seconds) from None
        except NoAnswer:
            raise
        except (Exception, SystemExit) as error:
            raise NoAnswer(explain(error, self.file), status=500) from None


def too_slow(seconds: float) -> NoAnswer:
    return NoAnswer(f"nothing within {seconds:g} seconds", "no answer in time")


def one_line(text: str) -> str:
    """Return a text as a header can hold it."""
    return " ".join(text.encode("ascii", "replace").decode().splitlines())


def never_starts(name: str, seconds: float) -> str:
    return f"{name} does not start within {seconds:g} seconds. Is there a loop without an end?"


def shorten(text: str, length: int = 160) -> str:
    """Return a text on one line, with tokens, and all of it, cut in the middle where they are long."""
    text = re.sub(r"eyJ[\w.-]{30,}", lambda token: f"{token[0][:12]}…{token[0][-6:]}", " ".join(text.split()))
    return text if len(text) <= length else f"{text[: length - 12]} … {text[-9:]}"


def expect(answer: Answer, holds: object, expected: str, question: str) -> None:
    """Fail the check if what is expected of an answer does not hold."""
    if not holds:
        raise Wrong(answer, expected, question)


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
    except (jwt.InvalidTokenError, RecursionError):
        return {}


def new_seed() -> int:
    return secrets.randbelow(10**6)

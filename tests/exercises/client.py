"""What the checks of the exercises use: an HTTP client with limits, random users, and `expect`."""

from __future__ import annotations

import json
import random
import re
import secrets
import signal
import string
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

from flask import got_request_exception
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from lesson_loader import explain
from tokens import make_copies, read_algorithm, read_claims

MAX_BODY = 65_536  # bytes
TOO_LARGE = f"a body of more than {MAX_BODY} bytes, which is too large"
CHEAP_HASH = "scrypt:256:8:1"  # for tests: takes almost no time, unlike the hashes of a real app


def add_points(points: Iterable[float]) -> float:
    """Return a sum of points as people write it: rounded to two decimals, and a whole number as an int."""
    total = round(sum(points), 2)
    return int(total) if total == int(total) else total


class TimedOut(BaseException):
    """An answer took too long. An `except Exception` in the answer does not catch this BaseException."""


class NoResponse(Exception):
    """A request got no response that can be read.

    `note` tells the student why, `outcome` is the kind of failure, and `status` is the status to show, or 0.
    """

    def __init__(self, note: str, outcome: str = "failed", status: int = 0) -> None:
        self.note, self.outcome, self.status = note, outcome, status


class DidNotStart(Exception):
    """The app does not start. The message is for the student."""

    def __init__(self, message: str, outcome: str = "did not start") -> None:
        super().__init__(message)
        self.outcome = outcome


class CheckFailed(AssertionError):
    """A response is not what a check expects."""

    def __init__(self, response: Response, expected: str, question: str) -> None:
        self.response = response
        self.sent, self.expected, self.got, self.question = response.sent, expected, str(response), question
        self.outcome = response.outcome

    def __str__(self) -> str:
        names = ("sent", "expected", "got", "question")
        return "\n".join(f"{name:10}{indent(getattr(self, name))}" for name in names)


@dataclass
class Response:
    """A response and the request that it belongs to."""

    sent: str  # the request, as a student reads it
    status: int  # 0 if there was no response
    headers: dict[str, str]  # names in lower case
    body: bytes
    note: str = ""  # why there was no response, or the error in the answer that led to a status 500
    outcome: str = "failed"  # the outcome of a check that does not expect this response

    @property
    def json(self) -> Any:
        """The body as JSON, or None if the body is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def get(self, *names: str) -> Any:
        """Return the value at this path of names in the JSON body, or None if there is no such value."""
        value = self.json
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def __str__(self) -> str:
        text = self.body.decode("utf-8", "replace").strip()
        if self.headers.get("content-type", "").startswith("text/html"):
            title = text.partition("<title>")[2].partition("</title>")[0]
            text = f"(a page: {title or text})"
        if self.redirects:
            text = f"(a redirect to {self.headers.get('location')})"
        text = self.note or shorten(text) or "(an empty body)"
        return f"{self.status} {text}" if self.status else text

    @property
    def redirects(self) -> bool:
        """Whether the app sends the client to another URL."""
        return 300 <= self.status < 400 and "location" in self.headers


Received = tuple[int, dict[str, str], bytes] | tuple[int, dict[str, str], bytes, str]
App = Callable[[str, str, dict[str, str], "bytes | None"], Received]


class Client:
    """Sends requests to an app, one at a time.

    The app is a function that gets a method, a path, headers and a body or None. It returns a status,
    headers with names in lower case and a body of at most MAX_BODY bytes, and can add a note for the student.
    It raises NoResponse on failure. `last` is the latest response.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.last: Response | None = None

    def get(self, path: str, token: str | None = None, prefix: str = "JWT", **more: Any) -> Response:
        return self.request("GET", path, token=token, prefix=prefix, **more)

    def post(self, path: str, body: Any = None, token: str | None = None, prefix: str = "JWT") -> Response:
        return self.request("POST", path, body, token, prefix)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str | None = None,
        prefix: str = "JWT",
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Send a request and return its response. If none arrives, the note of the Response says why."""
        sent = f"{method} {path}" + (f" {json.dumps(body)}" if body is not None else "")
        headers = dict(headers or {})
        sent += "".join(f"\n{name}: {value}" for name, value in headers.items())
        if token is not None:
            headers["Authorization"] = f"{prefix} {token}".strip()  # as HTTP does
            sent += f"\nAuthorization: {prefix} {shorten(str(token))}"
        # a token or an id from an earlier response can hold any character
        headers = {name: as_header(value) for name, value in headers.items()}
        path = quote(path, safe="/?=&")
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        try:
            self.last = Response(sent, *self.app(method, path, headers, content))
        except NoResponse as problem:
            self.last = Response(sent, problem.status, {}, b"", problem.note, problem.outcome)
        return self.last


class InProcess:
    """An App that calls a WSGI app in this process, with a time limit in seconds for each response.

    `isolated` returns a context with the modules of the app. Each request runs in one.
    """

    def __init__(
        self,
        wsgi_app: Any,
        file: Path,
        seconds: float,
        isolated: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.wsgi_app, self.file, self.seconds, self.isolated = wsgi_app, file, seconds, isolated

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Received:
        environ = EnvironBuilder(path, method=method, data=body, headers=Headers(headers)).get_environ()
        try:
            with self.isolated(), time_limit(self.seconds), caught_errors() as errors:
                chunks, status, received = run_wsgi_app(self.wsgi_app, environ)
                content = b""
                for chunk in chunks:
                    content += chunk
                    if len(content) > MAX_BODY:
                        raise NoResponse(TOO_LARGE)
        except TimedOut:
            raise response_timed_out(self.seconds) from None
        except NoResponse:
            raise
        except (Exception, SystemExit) as error:
            raise NoResponse(explain(error, self.file), status=500) from None
        code = int(status.split()[0])
        note = explain(errors[-1], self.file) if code == 500 and errors else ""
        return code, {name.lower(): text for name, text in received.items()}, content, note


@contextmanager
def caught_errors() -> Iterator[list[BaseException]]:
    """Yield a list of the errors that Flask turns into a response with status 500 in this block."""
    errors: list[BaseException] = []

    def remember(sender: object, exception: BaseException, **_: object) -> None:
        errors.append(exception)

    with got_request_exception.connected_to(remember):
        yield errors


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimedOut in the main thread if the block takes longer than that, even in a loop or a sleep."""
    with alarm(seconds) if hasattr(signal, "SIGALRM") else interrupt(seconds):
        yield


def raise_timed_out(signal_number: int, frame: FrameType | None) -> None:
    raise TimedOut


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Limit a block's time with POSIX's SIGALRM."""
    previous = signal.signal(signal.SIGALRM, raise_timed_out)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def interrupt(seconds: float) -> Iterator[None]:
    """Limit a block's time on Windows. This stops a loop at once, but it cannot shorten a sleep."""
    import _thread

    previous = signal.signal(signal.SIGINT, raise_timed_out)
    timer = threading.Timer(seconds, _thread.interrupt_main)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, previous)


def response_timed_out(seconds: float) -> NoResponse:
    return NoResponse(f"no response within {seconds:g} seconds", "no response in time")


def start_timeout_message(name: str, seconds: float) -> str:
    return f"{name} does not start within {seconds:g} seconds. Is there an endless loop?"


def expect(response: Response, condition: object, expected: str, question: str) -> None:
    """If the condition is false, fail the check. The message shows the response, `expected` and `question`.

    Raises CheckFailed.
    """
    if not condition:
        raise CheckFailed(response, expected, question)


def expect_only_good_tokens(
    client: Client, path: str, login: Response, key: str, person: Person, prefix: str | None = None
) -> None:
    """Fail the check unless the app accepts a good copy of the token from a login and refuses bad ones.

    Each token follows `prefix`. By default, this is the token_type in the response to the login, or JWT.
    """
    prefix = prefix or login.get("token_type") or "JWT"
    token = login.get("access_token")
    expect(
        login,
        login.status == 200 and read_claims(token) and read_algorithm(token) in ("HS256", "HS384", "HS512"),
        "200 and a JWT as access_token, signed with HS256, HS384 or HS512",
        "Can a user log in more than once? Does your app sign every token?",
    )
    good, bad = make_copies(token, key, person.id)
    # Another check is about a login whose own token fails, so do not complain about the copy here.
    works = client.get(path, token, prefix=prefix).status == 200
    response = client.get(path, good, prefix=prefix)
    expect(
        response,
        response.status == 200 or not works,
        "200, because this token has the claims of a real one and is signed with the app's SECRET_KEY",
        'Which key signs the tokens of your app? Does it come from app.config["SECRET_KEY"]?',
    )
    for flaw, token in bad.items():
        response = client.get(path, token, prefix=prefix)
        expect(
            response,
            response.status == 401,
            f"401, because this token is bad ({flaw})",
            "Which lines of your answer decide whether a token is good? Does the exercise need them?",
        )


def shorten(text: str, length: int = 160) -> str:
    """Return a text as one line of at most `length` characters, with each token shortened."""
    text = re.sub(r"eyJ[\w.-]{30,}", lambda token: f"{token[0][:12]}…{token[0][-6:]}", " ".join(text.split()))
    return text if len(text) <= length else f"{text[: length - 12]} … {text[-9:]}"


def indent(text: str) -> str:
    """Return a string with its second and later lines indented below the first one."""
    return text.replace("\n", "\n          ")


def as_header(text: str) -> str:
    """Return a string that a header can hold: ASCII, without line breaks."""
    return " ".join(text.encode("ascii", "replace").decode().splitlines())


@dataclass
class Person:
    """A user of the app that is being checked. Every value is random."""

    id: int
    is_admin: bool
    username: str
    password: str
    email: str
    phone: str
    text: str  # the text of a note, with quotation marks that could break SQL or JSON


def make_people(rng: random.Random) -> list[Person]:
    """Return two users and an admin."""

    def word(letters: str, length: int) -> str:
        return "".join(rng.choices(letters, k=length))

    # neither the first row nor the last one is the first user, so that an answer never passes by luck
    low, middle, high = sorted(rng.sample(range(100, 10_000), 3))
    ids = [middle, high, low]
    return [
        Person(
            id=ids[index],
            is_admin=index == 2,
            username=word(string.ascii_lowercase, 8),
            # one password is a number with a leading zero, which int() would lose
            password=("1", "0", "2")[index] + word(string.digits, 7),
            email=f"{word(string.ascii_lowercase, 8)}@example.com",
            text=f'{word(string.ascii_lowercase, 8)}\'s "note"',
            phone=f"555-{1000 * (index + 1) + rng.randrange(1000)}",
        )
        for index in range(3)
    ]


def new_seed() -> int:
    """Return a random seed for one run of the checks."""
    return secrets.randbelow(10**6)

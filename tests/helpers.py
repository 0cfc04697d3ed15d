"""Helpers for many tests: load or serve an app, run a command, read a README."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

import httpx
import pytest
import werkzeug.security
from flask import Flask
from werkzeug.serving import make_server

from exercises.client import CHEAP_HASH
from lesson_loader import load_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent

# the demo users, as they log in before lesson 3 and from lesson 3 on
BOB = {"username": "bob", "password": "builder"}
ALICE = {"username": "alice", "password": "wonderland"}
BOB_BY_EMAIL = {"email": "bob@example.com", "password": "builder"}
ALICE_BY_EMAIL = {"email": "alice@example.com", "password": "wonderland"}


def load_lesson(folder: Path, database: Path, file: Path | str = "app.py") -> Flask:
    """Load a lesson's app, or another file in its folder, with its own database and cheap password hashes."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = partial(werkzeug.security.generate_password_hash, method=CHEAP_HASH)
        patch.setattr(werkzeug.security, "generate_password_hash", cheap)
        app = load_app(folder, file)
    app.config["DATABASE"] = database
    return app


def run_sql(app: Flask, *statements: str) -> None:
    """Change an app's database from outside, as another program would."""
    with closing(sqlite3.connect(app.config["DATABASE"])) as db, db:
        for statement in statements:
            db.execute(statement)


def last_error(caplog: pytest.LogCaptureFixture) -> str:
    """Return the text of the last error that an app logged."""
    return str([record.exc_info[1] for record in caplog.records if record.exc_info][-1])


def section(folder: Path, heading: str) -> str:
    """Return the text below a heading of a folder's README."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def functions_in(path: Path) -> list[ast.FunctionDef]:
    """Return the test functions of a file, as syntax trees."""
    return [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


CHECKS_OF_1B = '''"""Exercise 1b: log in at another URL."""

import pytest

from exercises.client import expect


def log_in(client, user):
    return client.post("/api/v1/session", {"username": user.username, "password": user.password})


@pytest.mark.points(0.1)
def test_login_has_moved(client, user):
    """Users log in at the new URL."""
    response = log_in(client, user)
    expect(response, response.status == 200, "200 and a token", "Which option says where users log in?")


@pytest.mark.points(0.2)
@pytest.mark.needs("test_login_has_moved")
def test_the_users_are_there(client, user):
    """A user can get the list of users."""
    response = client.get("/users", log_in(client, user).get("access_token"))
    expect(response, response.status == 200, "200 and the users", "Is the list of users still at /users?")
'''


def make_exercise_1b(folder: Path) -> Path:
    """Write the additional exercise 01b_session for 0.3 points. Its answers are those of exercise 1."""
    exercise = folder / "01b_session"
    exercise.mkdir(parents=True)
    shutil.copy(ROOT / "lessons/01_auth_url/exercise.py", exercise)
    shutil.copy(ROOT / "solutions/01_auth_url.py", exercise / "solution.py")
    (exercise / "hints.md").write_text("1. Which option?\n2. Look at `JWT_AUTH_URL_RULE`.\n")
    (exercise / "test_01b_session.py").write_text(CHECKS_OF_1B)
    return exercise


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an app on a free port of 127.0.0.1 and yield its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class LessonServer:
    """A lesson in a process of its own, as `make lesson-N` serves it."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def port(self) -> int | None:
        address = re.search(r"Running on http://127\.0\.0\.1:(\d+)", self.output)
        return int(address[1]) if address else None

    def get(self, path: str = "/users") -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False, timeout=20)

    def wait_for_status(self, status: int, path: str = "/users") -> None:
        """Wait until a request gets this status. Requests can fail while the server reloads."""

        def has_status() -> bool:
            try:
                return self.get(path).status_code == status
            except httpx.TransportError:
                return False

        wait_until(has_status)


@contextmanager
def lesson_server(
    number: int,
    folder: Path,
    *,
    lessons: Path = ROOT / "lessons",
    command: str = "serve",
    **environment: str | None,
) -> Iterator[LessonServer]:
    """Serve a lesson on a free port, with its database and its log in `folder`.

    `environment` changes variables of the server's environment. None removes a variable.
    """
    if os.name == "nt":
        pytest.skip("on Windows a test cannot ask a process to stop")
    own = {"FLASK_DATABASE": str(folder / "data.db"), "PYTHONPATH": str(lessons)}
    changed = dict(os.environ) | own | environment
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, lessons, command, str(number), "--port", "0"],
            env={name: value for name, value in changed.items() if value is not None},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = LessonServer(process, folder / "log")
    try:
        wait_until(lambda: server.port is not None or process.poll() is not None)
        assert server.port, server.output
        yield server
    finally:
        process.terminate()
        process.wait()
        with suppress(ProcessLookupError):
            # a second process that the reloader was just starting can outlive the first one
            os.killpg(process.pid, signal.SIGKILL)


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until the condition is true. Fail if it is still false after this many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"the condition did not hold within {seconds:g} seconds"
        time.sleep(0.02)


def within_one_second(call: Callable[[], T]) -> T:
    """Call a function again until the clock shows the same second before and after it. Return its result.

    Flask-JWT counts whole seconds, so a token has its exact age only within one second.
    """
    while True:
        second = int(time.time())
        result = call()
        if int(time.time()) == second:
            return result


def needs(*programs: str) -> None:
    """Skip a test if a program is missing. In CI on Linux, which installs every program, fail instead."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        stop = pytest.fail if "CI" in os.environ and sys.platform == "linux" else pytest.skip
        stop(f"install {' and '.join(missing)} to run this test")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a running Chromium, or a browser that is built on it. It finds no host but 127.0.0.1."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    paths = [path for name in names if (path := shutil.which(name))]
    if not paths:
        needs("chromium")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    quiet += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=paths[0], args=quiet)
        yield browser
        browser.close()


def make(*arguments: str) -> str:
    """Run make and return what it prints. If make started these tests, do not pass its settings on."""
    needs("make")
    inherited = ("MAKE", "MFLAGS", "PORT", "LEVEL", "PEEK", "ARGS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout

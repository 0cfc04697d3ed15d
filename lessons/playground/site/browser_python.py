"""Send requests to a lesson's app, and check answers, in the browser's Python.

worker.js calls this file. Python lacks a few functions in a browser, and `add_missing_functions` adds them.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import flask_jwt_extended  # noqa: F401  imported here, because every lesson imports its packages again
import flask_restful  # noqa: F401
from werkzeug.test import EnvironBuilder, run_wsgi_app

from exercise_loop import run_checks
from exercises.client import TimedOut, caught_errors, start_timeout_message, time_limit
from lesson_loader import LESSONS, explain, find_exercises, import_app, isolated_imports
from playground.settings import describe_app

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from flask import Flask


class Problem(Exception):
    """An app gives no response. The message is for the student."""


class Course:
    """The course's files and the lessons' apps in the browser's Python.

    An app stays loaded until a file changes, because an app may keep values in memory.
    """

    seconds = 5  # time limit for the start of an app, and for each response, as in the checks

    def __init__(self) -> None:
        self.apps: dict[Path, Flask] = {}
        self.modules: dict[Path, dict[str, ModuleType]] = {}

    def call(self, name: str, arguments: str) -> str:
        """Call a method with arguments in JSON. Return its result, or {"problem": text}, in JSON."""
        try:
            return json.dumps(getattr(self, name)(*json.loads(arguments)))
        except Problem as problem:
            return json.dumps({"problem": str(problem)})

    def write(self, path: str, text: str) -> None:
        """Save a file, such as lessons/02_token_expiry/app.py. Every app loads its files again afterwards.

        A new table does not fit an old database, so a change to schema.sql or db.py deletes the database.
        """
        file = LESSONS.parent / path
        file.write_text(text, encoding="utf-8")
        if file.name in ("schema.sql", "db.py"):
            file.with_name("data.db").unlink(missing_ok=True)
        self.apps.clear()
        self.modules.clear()

    def settings(self, folder: str, file: str) -> dict[str, Any]:
        """Return how to talk to an app."""
        with self.running(folder, file) as app:
            return describe_app(app)

    def send(
        self, folder: str, file: str, method: str, path: str, headers: dict[str, str], body: str | None
    ) -> dict[str, Any]:
        """Send a request to an app. Return its response, and the error that led to a 500 or an empty text."""
        with self.running(folder, file) as app, caught_errors() as errors:
            request = EnvironBuilder(path, method=method, headers=list(headers.items()), data=body)
            chunks, status, received = run_wsgi_app(app, request.get_environ())
            content = b"".join(chunks).decode("utf-8", "replace")
        code, _, reason = status.partition(" ")
        response = {"status": int(code), "reason": reason, "headers": list(received.items()), "body": content}
        return response | {"error": explain(errors[-1], LESSONS / folder) if errors else ""}

    @contextmanager
    def running(self, folder: str, file: str) -> Iterator[Flask]:
        """Yield an app, and load it first if necessary. Raises Problem if it fails or takes too long."""
        path = LESSONS / folder / file
        modules = self.modules.setdefault(path, {})
        try:
            with isolated_imports(path.parent, path.stem, modules=modules):
                if path not in self.apps:
                    with time_limit(self.seconds):
                        self.apps[path] = import_app(path)
                with time_limit(self.seconds):
                    yield self.apps[path]
        except TimedOut:
            late = f"{file} sent no response within {self.seconds} seconds. What makes it wait?"
            raise Problem(late if path in self.apps else start_timeout_message(file, self.seconds)) from None
        except (Exception, SystemExit) as error:
            reason = explain(error, path if file == "answer.py" else path.parent)
            failed = "sent no response" if path in self.apps else "does not start"
            raise Problem(f"{file} {failed}:\n{reason}") from None

    def prepare(self) -> None:
        """Import pytest, so that the next check starts at once."""
        import pytest  # noqa: F401

    def check(self, folder: str) -> dict[str, Any]:
        """Check the answer to an exercise. Return each check's result, and why pytest stopped or None."""
        results = run_checks([find_exercises()[str(int(folder[:2]))]])
        return {"checks": results.checks, "problem": results.problem or None}


def add_missing_functions(browser: Any) -> None:
    """Add what the browser's Python lacks: password hashes, a timer and time zones.

    `browser` has functions of worker.js.
    """
    from pyodide.ffi import to_js  # type: ignore[import-not-found]

    sleep_briefly = time.sleep

    def scrypt(
        password: bytes, *, salt: bytes, n: int, r: int, p: int, maxmem: int = 0, dklen: int = 64
    ) -> Any:
        return browser.scrypt(to_js(bytes(password)), to_js(bytes(salt)), n, r, p, dklen).to_bytes()

    def pbkdf2_hmac(
        name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None
    ) -> Any:
        size = dklen or hashlib.new(name).digest_size
        return browser.pbkdf2(name, to_js(bytes(password)), to_js(bytes(salt)), iterations, size).to_bytes()

    def setitimer(which: int, seconds: float, interval: float = 0.0) -> tuple[float, float]:
        browser.set_alarm(seconds)
        return 0.0, 0.0

    def sleep(seconds: float) -> None:
        # The alarm cannot interrupt a sleep, so sleep in short steps.
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            sleep_briefly(min(rest, 0.02))

    def tzset() -> None:
        # The checks set TZ=JST-9: nine hours ahead of UTC. Each check has a new worker, so nothing resets it.
        if "TZ" in os.environ:
            hours = int(os.environ["TZ"].partition("-")[2])
            browser.set_time_zone(hours)
            time.timezone = time.altzone = -3600 * hours

    vars(hashlib).update(scrypt=scrypt, pbkdf2_hmac=pbkdf2_hmac)
    vars(signal).update(ITIMER_REAL=0, setitimer=setitimer)
    vars(time).update(sleep=sleep, tzset=tzset)
    sys.stdin = None  # input() fails at once
    os.environ["WERKZEUG_RUN_MAIN"] = "true"  # no warning about the demo key, as after a reload
    os.environ["FLASK_RUN_FROM_CLI"] = "true"  # app.run() does nothing, as under `flask run`

"""What the tests do again and again: serve an app, log in, mint a token."""

import ast
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

import httpx
import jwt
import pytest
import werkzeug.security
from werkzeug.serving import make_server

from lesson_loader import load_app

ROOT = Path(__file__).resolve().parent.parent


def load_lesson(folder, database, file="app.py"):
    """Load a lesson's app, or a file in its place, on its own database and with hashes that cost little."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = partial(werkzeug.security.generate_password_hash, method="scrypt:256:8:1")
        patch.setattr(werkzeug.security, "generate_password_hash", cheap)
        app = load_app(folder, file)
    app.config["DATABASE"] = database
    return app


def in_database(app, *statements):
    """Change what is in an app's database, as somebody else would."""
    with closing(sqlite3.connect(app.config["DATABASE"])) as db, db:
        for statement in statements:
            db.execute(statement)


def section(folder, heading):
    """Return the text below one of a README's headings."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def functions_in(path):
    """Return the tests in a file, as its syntax tree has them."""
    return [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def sentence(text):
    """Return a text on one line."""
    return " ".join(text.split())


@contextmanager
def serving(app):
    """Serve an app on a free port of 127.0.0.1 and give its URL."""
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
    """A lesson that is served by a process of its own, as `make lesson-N` does it."""

    process: subprocess.Popen
    log: Path

    @property
    def output(self):
        return self.log.read_text(encoding="utf-8")

    @property
    def port(self):
        said = re.search(r"is on http://127\.0\.0\.1:(\d+) ", self.output)
        return said and int(said[1])

    def get(self, path="/users"):
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False)

    def soon_answers(self, status, path="/users"):
        """Wait until a request gets this status; while the server reloads, requests may go unanswered."""

        def answered():
            try:
                return self.get(path).status_code == status
            except httpx.TransportError:
                return False

        eventually(answered)


@contextmanager
def lesson_server(number, folder, *, lessons=ROOT / "lessons", **environment):
    """Serve a lesson on any free port, with its database and its log in a folder."""
    if os.name == "nt":
        pytest.skip("on Windows a process cannot be asked to end")
    environment = {"DATABASE": str(folder / "data.db"), "PYTHONPATH": str(lessons)} | environment
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, lessons, "serve", str(number), "--port", "0"],
            env=os.environ | environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = LessonServer(process, folder / "log")
    try:
        eventually(lambda: server.port or process.poll() is not None)
        assert server.port, server.output
        yield server
    finally:
        process.terminate()
        process.wait()


def eventually(condition, seconds=20):
    """Wait until a condition holds; a test that waits in vain fails after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


def needs(*programs):
    """Skip a test that lacks a program, but fail in CI on Linux, which installs them."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        refuse = pytest.fail if "CI" in os.environ and sys.platform == "linux" else pytest.skip
        refuse(f"install {' and '.join(missing)} to run this test")


def make(*arguments):
    """Return what make prints, as in a terminal of its own: also when make runs the tests."""
    needs("make")
    environment = {
        name: value for name, value in os.environ.items() if "MAKE" not in name and name != "MFLAGS"
    }
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout


def authorization(token, prefix="JWT"):
    """Return the header that carries a token."""
    return {"Authorization": f"{prefix} {token}"}


def claims(token):
    """Return what a token says, without asking whether it is true."""
    return jwt.decode(token, options={"verify_signature": False})


def mint(app, age=0, lifetime=300, key=None, headers=None, algorithm="HS256", **changes):
    """Return a token of user 1 as the app would have issued it `age` seconds ago, but for the changes.

    A claim that is changed to None is left out.
    """
    issued = int(time.time()) - age
    payload = {"iat": issued, "nbf": issued, "exp": issued + lifetime, "identity": 1} | changes
    claim = app.config.get("JWT_IDENTITY_CLAIM", "identity")  # Flask-JWT-Extended's is sub, which is text
    identity = payload.pop("identity")
    payload[claim] = str(identity) if claim == "sub" and isinstance(identity, int) else identity
    payload = {name: value for name, value in payload.items() if value is not None}
    key = app.config["SECRET_KEY"] if key is None else key
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers)

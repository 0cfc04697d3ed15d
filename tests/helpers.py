"""What the tests do again and again: serve an app, log in, mint a token."""

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import jwt
import pytest
import werkzeug.security
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parent.parent
REAL_HASH = werkzeug.security.generate_password_hash


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


@contextmanager
def lesson_server(number, database, *, folder=ROOT / "lessons", **environment):
    """Serve a lesson in a process of its own, as `make lesson-N` does; give its port and the process."""
    if os.name == "nt":
        pytest.skip("on Windows a process cannot be asked to end")
    environment = os.environ | {"DATABASE": str(database), "PYTHONPATH": str(folder)} | environment
    process = subprocess.Popen(
        [sys.executable, folder, "serve", str(number), "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said = ""
        while not (port := re.search(r"http://127.0.0.1:(\d+)\b", said)):
            line = process.stdout.readline()
            assert line, f"the lesson was not served: {said}"
            said += line
        process.said = said
        yield int(port[1]), process
    finally:
        process.terminate()
        process.stdout.close()
        process.wait()


def needs(*programs):
    """Skip a test that lacks a program, but fail where everything is to be installed: in CI."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            f"install {' and '.join(missing)} to run this test"
        )


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
    payload = {name: value for name, value in payload.items() if value is not None}
    key = app.config["SECRET_KEY"] if key is None else key
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers)

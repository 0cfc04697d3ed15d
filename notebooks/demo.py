"""What an instructor shows: a lesson's real files, its running app, and what is in its tokens.

    from demo import Lesson

    lesson = Lesson(2)                        its title, its idea, its minutes
    lesson.diff(), lesson.source("app.py")    its files, as they are now
    lesson.client.get("/users")               an exchange with its app: request and response side by side
    lesson.edited("True", "False")            the lesson with a text in a file changed: for breaking things
    lesson.serve(), lesson.stop()             the same app on a port, for curl
    lesson.log_in("alice")                    a token, as text
    lesson.token(...)                         what is in one
    lesson.lifetime(), lesson.forge()         what the app answers to many, minted for the purpose

Each call loads the files anew: edit one, run the cell again, and the new code is shown and run. The
database is a temporary one, which lives as long as the Lesson.
"""

from __future__ import annotations

import logging
import shutil
import socket
import tempfile
import weakref
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import httpx
from flask import Flask
from werkzeug.serving import make_server

import lesson_loader
import probe
from show import Anatomy, Difference, Forgeries, Lifetime, Note, Source, show_exchanges

for name in ("app", "flask_jwt"):  # they log what the answer says already
    logging.getLogger(name).addHandler(logging.NullHandler())

show_exchanges()

PASSWORDS = {"bob": "builder", "alice": "wonderland"}  # the demo users of every lesson, alice being an admin


class Problem(Exception):
    """Something that an instructor can mend; a notebook shows what it says, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Problem: {self}"]


class Lesson:
    """A lesson of this repository, by its number; Problem is raised if there is none."""

    def __init__(self, number: int) -> None:
        lessons = lesson_loader.find_lessons()
        if number not in lessons:
            raise Problem(
                f"There is no lesson {number!r}. There are 0 to {max(lessons)}: Lesson({max(lessons)})"
            )
        self.number, self.folder, self.previous = number, lessons[number], lessons.get(number - 1)
        self._files = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, self._files, ignore_errors=True)
        self._loading, self._server = Lock(), None

    def _repr_markdown_(self) -> str:
        return f"## {self!r}"

    def __repr__(self) -> str:
        about = lesson_loader.read_about(self.folder)
        return f"{about.title}\n\n{about.idea}"

    def diff(self) -> Difference:
        """Return what this lesson changes in the one before it, from the files as they are."""
        if self.previous is None:
            raise Problem("Nothing comes before lesson 0, so there is no difference to show: lesson.source()")
        return Difference(lesson_loader.diff(self.previous, self.folder))

    def source(self, name: str = "app.py") -> Source:
        """Return a file of the lesson, as it is."""
        names = [path.relative_to(self.folder).as_posix() for path in lesson_loader.code_files(self.folder)]
        if name not in names:
            raise Problem(f"Lesson {self.number} has no {name}. It has {', '.join(names)}.")
        return Source((self.folder / name).read_text(encoding="utf-8"))

    def edited(self, old: str, new: str, name: str = "app.py") -> Lesson:
        """Return a copy of this lesson with a text in one of its files changed; the files stay as is."""
        source = self.source(name).text
        if old not in source:
            raise Problem(f"{name} of lesson {self.number} has no {old!r} that could be changed.")
        copy = Lesson(self.number)
        copy.previous, copy.folder = self.folder, Path(copy._files) / self.folder.name
        shutil.copytree(self.folder, copy.folder, ignore=shutil.ignore_patterns("__pycache__", "data.db"))
        (copy.folder / name).write_text(source.replace(old, new, 1), encoding="utf-8")
        return copy

    @property
    def app(self) -> Flask:
        """The lesson's app, loaded from its files as they are now, on this object's database."""
        with self._loading:
            try:
                app = lesson_loader.load_app(self.folder)
            except (Exception, SystemExit) as error:
                where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
                raise Problem(
                    f"Lesson {self.number} does not start. {type(error).__name__}: {error}{where}. "
                    "Mend the file and run the cell again."
                ) from error
        app.config["DATABASE"] = str(Path(self._files) / "data.db")
        return app

    @property
    def client(self) -> httpx.Client:
        """An HTTP client of the app. A notebook shows what it returns as request and response."""
        return probe.client_of(self.app)

    def serve(self, port: int = 8000) -> Note:
        """Serve the app on a port of 127.0.0.1 until stop(); 0 is any port that is free."""
        self.stop()
        try:
            if not 0 <= port < 2**16:
                raise OSError("a port is a number below 65536")
            listener = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise Problem(
                f"Port {port} cannot be had ({error}). Try another: lesson.serve(port=8001)"
            ) from error
        with listener:  # the server makes a copy of it
            self._server = make_server(
                "127.0.0.1", 0, lambda *request: probe.answering(self.app)(*request), fd=listener.fileno()
            )
        self._server.log = lambda *_: None
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        curl = lesson_loader.read_about(self.folder).curl.replace(":8000", f":{self._server.port}")
        return Note(
            f"Lesson {self.number} is on http://127.0.0.1:{self._server.port} until lesson.stop().", curl
        )

    def stop(self) -> None:
        """End what serve() has begun, if it has."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def log_in(self, name: str = "bob", **changes: Any) -> str:
        """Return the token of a demo user's login; changes are to what is sent."""
        app = self.app
        key = app.config.get("JWT_AUTH_USERNAME_KEY", "email")
        body = {key: f"{name}@example.com" if key == "email" else name, "password": PASSWORDS.get(name, "")}
        url = app.config.get("JWT_AUTH_URL_RULE") or "/login"
        answer = probe.client_of(app).post(url, json=body | changes)
        if answer.status_code != 200:
            raise Problem(f"The login of {name} was answered {answer.status_code}: {answer.text.strip()}")
        return answer.json()["access_token"]

    def ask(self, token: str) -> httpx.Response:
        """Return what the app answers to a request for the users that brings a token."""
        return probe.ask(self.app, token)

    def token(self, token: str | httpx.Response | None = None, key: str | None = None) -> Anatomy:
        """Return a picture of a token: bob's, if none is given, or that of the answer to a login.

        It is verified with a key, the lesson's if none is given. A broken token is shown with what is wrong.
        """
        if isinstance(token, httpx.Response):
            body = token.json() if "json" in token.headers.get("Content-Type", "") else None
            token = body.get("access_token", token.text) if isinstance(body, dict) else token.text
        name = "the key that you gave" if key else f"lesson {self.number}'s SECRET_KEY"
        return Anatomy(self.log_in() if token is None else token, key or self.app.config["SECRET_KEY"], name)

    def lifetime(self, seconds: int = 5) -> Lifetime:
        """Return a plot of a token's life, with what the app answers at many moments of it.

        Tokens are minted as if they had been issued long ago, so nobody waits. Around the end, the app is
        asked each second, from `seconds` before it until `seconds` after the leeway.
        """
        return Lifetime(*probe.ask_through_life(self.app, self.log_in("alice"), seconds))

    def forge(self) -> Forgeries:
        """Return what the app answers to alice's token, and to others that somebody made of it."""
        return Forgeries(probe.ask_with_forgeries(self.app, self.log_in("alice")))

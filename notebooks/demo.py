"""Show a lesson to a class: its files, its running app, and its tokens. See Lesson."""

import logging
import shutil
import socket
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from threading import Lock, Thread
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

import lesson_loader
import probe
from show import Anatomy, Difference, Forgeries, Lifetime, Note, Source, show_exchanges

# Hide the log. A cell already shows the error behind a 500, and each loading of an app would log the same
# warning about the demo key.
for name in ("app", "flask_jwt"):
    logging.getLogger(name).addHandler(logging.NullHandler())

show_exchanges()

PASSWORDS = {"bob": "builder", "alice": "wonderland"}  # every lesson's demo users; alice is an admin


class Problem(Exception):
    """An error that the instructor can fix. A notebook shows its message without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Problem: {self}"]


class QuietHandler(WSGIRequestHandler):
    """A request handler without a log, because log lines would end up below the cell."""

    def log(self, type: str, message: str, *args: object) -> None:
        pass


class Lesson:
    """One lesson, chosen by its number.

    lesson = Lesson(2)
    lesson                          the title and the idea
    lesson.diff()                   what the lesson changes in the one before it
    lesson.source("app.py")         one of its files
    lesson.client.get("/users")     a request to the app, and its response
    lesson.log_in("alice")          a token, as text
    lesson.get_users(token)         GET /users with that token
    lesson.token(token)             a picture of what is in that token
    lesson.lifetime()               a plot of how the app responds to tokens of different ages
    lesson.forge()                  a table of how the app responds to forged tokens
    lesson.edited("True", "False")  a changed copy of the lesson, to break it on purpose
    lesson.serve(), lesson.stop()   the app on a port, for curl and browsers

    Every call reads the lesson's files again: edit a file, run the cell again, and you see the new code at
    work. Each Lesson has its own temporary database.
    """

    # Loading an app changes sys.path and sys.modules, so only one thread may load at a time.
    _loading = Lock()

    def __init__(self, number: int) -> None:
        lessons = lesson_loader.find_lessons()
        if number not in lessons:
            last = max(lessons)
            raise Problem(f"There is no lesson {number!r}. Choose one from 0 to {last}, like Lesson({last}).")
        self.number, self.folder, self.previous = number, lessons[number], lessons.get(number - 1)
        self._temporary = Path(tempfile.mkdtemp())
        weakref.finalize(self, shutil.rmtree, self._temporary, ignore_errors=True)
        self._server: BaseWSGIServer | None = None

    def _repr_markdown_(self) -> str:
        return f"## {self!r}"

    def __repr__(self) -> str:
        about = lesson_loader.read_about(self.folder)
        return f"{about.title}\n\n{about.idea}"

    def diff(self) -> Difference:
        """Show what this lesson changes in the lesson before it."""
        if self.previous is None:
            raise Problem("No lesson comes before lesson 0. Show one of its files instead: lesson.source()")
        return Difference(lesson_loader.diff(self.previous, self.folder))

    def source(self, name: str = "app.py") -> Source:
        """Show a file of the lesson."""
        names = [path.relative_to(self.folder).as_posix() for path in lesson_loader.code_files(self.folder)]
        if name not in names:
            raise Problem(f"Lesson {self.number} has no file {name}. It has {', '.join(names)}.")
        language = "sql" if name.endswith(".sql") else "python"
        return Source((self.folder / name).read_text(encoding="utf-8"), language)

    def edited(self, old: str, new: str, name: str = "app.py") -> "Lesson":
        """Return a copy of the lesson with `new` instead of `old` in one of its files.

        The lesson's own files stay the same.
        """
        source = self.source(name).text
        if old not in source:
            raise Problem(f"{name} of lesson {self.number} does not contain {old!r}.")
        copy = Lesson(self.number)
        copy.previous, copy.folder = self.folder, copy._temporary / self.folder.name
        shutil.copytree(self.folder, copy.folder, ignore=shutil.ignore_patterns("__pycache__", "data.db"))
        (copy.folder / name).write_text(source.replace(old, new, 1), encoding="utf-8")
        return copy

    def load(self) -> Flask:
        """Run the lesson's app.py and return its app, with this Lesson's database."""
        with self._loading:
            try:
                app = lesson_loader.load_app(self.folder)
            except (Exception, SystemExit) as error:
                where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
                raise Problem(
                    f"Lesson {self.number} does not start. {type(error).__name__}: {error}{where}. "
                    "Fix the file and run the cell again."
                ) from error
        app.config["DATABASE"] = str(self._temporary / "data.db")
        app.extensions["lesson"] = self  # the database exists as long as its Lesson
        return app

    @property
    def client(self) -> httpx.Client:
        """An HTTP client for the app. Each use of `lesson.client` loads the app again.

        A notebook shows the request beside its response.
        """
        return probe.make_client(self.load())

    def serve(self, port: int = 8000) -> Note:
        """Serve the app on 127.0.0.1 until stop(), and show curl commands. Port 0 means any free port."""
        self.stop()
        try:
            if not 0 <= port < 2**16:
                raise OSError("a port is a number below 65536")
            listener = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise Problem(
                f"Cannot serve on port {port}: {error}. Choose another one, like lesson.serve(port=8001)."
            ) from error

        def load_and_respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            return self.load()(environ, start_response)

        app = probe.name_errors(load_and_respond)
        with listener:  # the server duplicates the listener's file descriptor
            server = make_server("127.0.0.1", 0, app, request_handler=QuietHandler, fd=listener.fileno())
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._server = server
        curl = lesson_loader.read_about(self.folder).curl.replace(":8000", f":{server.port}")
        return Note(f"Lesson {self.number} runs at http://127.0.0.1:{server.port} until lesson.stop().", curl)

    def stop(self) -> None:
        """Stop the server that serve() started, if it is running."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def log_in(self, name: str = "bob") -> str:
        """Log a demo user in and return the token."""
        app = self.load()
        key = app.config.get("JWT_AUTH_USERNAME_KEY", "email")
        url = app.config.get("JWT_AUTH_URL_RULE") or "/login"
        login = {key: f"{name}@example.com" if key == "email" else name, "password": PASSWORDS.get(name, "")}
        response = probe.make_client(app).post(url, json=login)
        if response.status_code != 200:
            reason = response.extensions.get("logged", response.text.strip())
            raise Problem(f"The login of {name} got a {response.status_code}: {reason}")
        return str(response.json()["access_token"])

    def get_users(self, token: str) -> httpx.Response:
        """Send GET /users with a token and return the response."""
        return probe.get_users(self.load(), token)

    def token(self, token: str | httpx.Response | None = None, key: str | None = None) -> Anatomy:
        """Show what is in a token: the one you pass, the one in a login response, or bob's by default.

        `key` verifies the signature. By default, it is the lesson's SECRET_KEY. For a broken token, the
        display says what is wrong.
        """
        if isinstance(token, httpx.Response):
            body = token.json() if "json" in token.headers.get("Content-Type", "") else None
            token = body.get("access_token", token.text) if isinstance(body, dict) else token.text
        if token is None:
            token = self.log_in()
        if key is None:
            return Anatomy(token, self.load().config["SECRET_KEY"], f"lesson {self.number}'s SECRET_KEY")
        return Anatomy(token, key, "your key")

    def lifetime(self, margin: int = 5) -> Lifetime:
        """Plot a token's lifetime, with the app's response to it at different ages.

        The tokens are made with an earlier issue time, so nobody has to wait. Near the expiry,
        the ages are one second apart, from `margin` seconds before it to `margin` seconds after the leeway.
        """
        return Lifetime(probe.measure_lifetime(self.load(), self.log_in("alice"), margin))

    def forge(self) -> Forgeries:
        """Show a table of the app's responses to alice's token and to forgeries of it."""
        return Forgeries(probe.try_forgeries(self.load(), self.log_in("alice")))

"""Show a lesson to a class: its files, its running app, and its tokens. See Lesson."""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import jwt
from flask import Flask

import exercise_loop
import lesson_loader
import probe
from check_results import CheckResults
from lesson_server import LessonServer, PortProblem
from lifetime import Lifetime
from playground.settings import describe_app
from show import Address, Difference, Source, show_exchanges
from token_pictures import Anatomy, Comparison, Forgeries

if TYPE_CHECKING:
    from live_console import LiveConsole

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


@contextmanager
def token_problems() -> Iterator[None]:
    """Raise a Problem if a token cannot be read, or has no times. Somebody may have edited the app."""
    try:
        yield
    except (jwt.InvalidTokenError, KeyError, ValueError) as error:
        name = type(error).__name__
        raise Problem(f"This app's tokens need the claims exp, iat and nbf. {name}: {error}") from error


class Lesson:
    """One lesson, chosen by its number.

    lesson = Lesson(2)
    lesson                          the title, the idea, and links to the files
    lesson.diff()                   what the lesson changes in the one before it; diff("app.py"): in one file
    lesson.source("app.py")         one of its files
    lesson.client.get("/users")     a request to the app, and its response
    lesson.log_in("alice")          a token, as text
    lesson.get_users(token)         GET /users with that token
    lesson.token(token)             a picture of what is in that token
    lesson.tokens("bob", "alice")   two tokens, with marks where they differ
    lesson.lifetime()               a picture of how the app responds to tokens of different ages
    lesson.forge()                  a table of how the app responds to forged tokens
    lesson.edited("True", "False")  a changed copy of the lesson, to break it on purpose
    lesson.console()                the playground's console, in the notebook
    lesson.serve(), lesson.stop()   the app and the playground on a port, for curl and browsers
    lesson.check("starter")         the exercise's checks of the starter, the solution or an answer

    Every call reads the lesson's files again: edit a file, run the cell again, and you see the new code at
    work. Each Lesson has its own temporary database.
    """

    next_step = " Fix the file and run the cell again."  # what to do if the app does not start
    # Loading an app changes sys.path and sys.modules, so only one thread may load at a time.
    _loading: ClassVar = Lock()
    # A notebook serves one lesson at a time. The next one takes its place, also if a cell runs again.
    _server: ClassVar = LessonServer()

    def __init__(self, number: int) -> None:
        lessons = lesson_loader.find_lessons()
        if number not in lessons:
            last = max(lessons)
            raise Problem(f"There is no lesson {number!r}. Choose one from 0 to {last}, like Lesson({last}).")
        self.number, self.folder, self.previous = number, lessons[number], lessons.get(number - 1)
        self._temporary = Path(tempfile.mkdtemp())
        weakref.finalize(self, shutil.rmtree, self._temporary, ignore_errors=True)

    def _repr_markdown_(self) -> str:
        names = ["README.md", *self.file_names(), "exercise.py", "answer.py"]
        files = [self.folder / name for name in names]
        links = [
            f"[{name}](../lessons/{self.folder.name}/{name})"
            for name, file in zip(names, files, strict=True)
            if file.exists() and file.stat().st_size  # an empty __init__.py shows nothing
        ]
        _, idea = self.read_about()  # the notebook has the title already
        return f"{idea}\n\nOpen a file: {' · '.join(links)}"

    def __repr__(self) -> str:
        return "\n\n".join(self.read_about())

    def read_about(self) -> tuple[str, str]:
        """Return the title of the lesson, and its idea without the minutes, because a class needs others."""
        about = lesson_loader.read_about(self.folder)
        return about.title, re.sub(r" About \d+ minutes\.$", "", about.idea)

    def diff(self, name: str | None = None) -> Difference:
        """Show what this lesson changes in the lesson before it, or in one of its files."""
        if self.previous is None:
            raise Problem("No lesson comes before lesson 0. Show one of its files instead: lesson.source()")
        if name is None:
            return Difference(lesson_loader.diff(self.previous, self.folder))
        self.source(name)  # raises a Problem if there is no such file
        before, after = self.previous / name, self.folder / name
        names = [f"{path.name}/{name}" for path in (self.previous, self.folder)]
        return Difference(lesson_loader.diff_files(before, after, *names))

    def source(self, name: str = "app.py") -> Source:
        """Show a file of the lesson."""
        names = self.file_names()
        if name not in names:
            raise Problem(f"Lesson {self.number} has no file {name}. It has {', '.join(names)}.")
        language = "sql" if name.endswith(".sql") else "python"
        return Source((self.folder / name).read_text(encoding="utf-8"), language)

    def file_names(self) -> list[str]:
        return [path.relative_to(self.folder).as_posix() for path in lesson_loader.code_files(self.folder)]

    def edited(self, old: str, new: str, name: str = "app.py") -> EditedLesson:
        """Return a copy of the lesson with `new` instead of `old` in one of its files. It is shown as a diff.

        The lesson's own files stay the same.
        """
        source = self.source(name).text
        if old not in source:
            raise Problem(f"{name} of lesson {self.number} does not contain {old!r}.")
        copy = EditedLesson(self.number)
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
                reason = f"{type(error).__name__}: {error}{where}".rstrip(".")
                raise Problem(f"Lesson {self.number} does not start. {reason}.{self.next_step}") from error
        app.config["DATABASE"] = str(self._temporary / "data.db")
        app.extensions["lesson"] = self  # the database exists as long as its Lesson
        return app

    @contextmanager
    def imports(self) -> Iterator[None]:
        """Let imports find the lesson's modules in this block, such as its `db`."""
        with self._loading, lesson_loader.isolated_imports(self.folder):
            yield

    @property
    def client(self) -> httpx.Client:
        """An HTTP client for the app. Each use of `lesson.client` loads the app again.

        A notebook shows the request beside its response.
        """
        return probe.make_client(self.load())

    def serve(self, port: int | None = None) -> Address:
        """Serve the app on 127.0.0.1, with the playground at /, until stop() or the next serve().

        The port is 8000 or, if another program uses that, a free one.
        """
        try:
            port = self._server.start(self, port)
        except PortProblem as problem:
            raise Problem(str(problem)) from problem
        curl = lesson_loader.read_about(self.folder).curl.replace(":8000", f":{port}")
        return Address(f"Lesson {self.number}", f"http://127.0.0.1:{port}", curl)

    def stop(self) -> None:
        """Stop the server that serve() started, if it is running."""
        self._server.stop()

    def console(self) -> LiveConsole:
        """Show the playground's console. It needs no port, because the kernel calls the app."""
        from live_console import LiveConsole  # a slow import, which other cells do not need

        line = f"To change this token and send it to the app, run this cell: make notebook-{self.number}"
        return LiveConsole(self.respond, self.token(), line)

    def respond(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a message of the console: the app's response, or how to talk to the app."""
        try:
            app = self.load()
            if "path" not in message:
                with self.imports():
                    return describe_app(app)
            return probe.send(app, **{name: message[name] for name in ("method", "path", "headers", "body")})
        except UnicodeError:
            return {"problem": "A header can contain only ASCII characters."}
        except (Problem, httpx.InvalidURL) as problem:
            return {"problem": str(problem)}

    def log_in(self, name: str = "bob") -> str:
        """Log a demo user in and return the token."""
        app = self.load()
        key = app.config.get("JWT_AUTH_USERNAME_KEY", "email")
        url = app.config.get("JWT_AUTH_URL_RULE") or "/login"
        login = {key: f"{name}@example.com" if key == "email" else name, "password": PASSWORDS.get(name, "")}
        response = probe.make_client(app).post(url, json=login)
        if response.status_code != 200:
            reason = response.extensions.get("log", response.text.strip()).rpartition("\n")[2]
            raise Problem(f"The login of {name} got a {response.status_code}: {reason}")
        body = None
        with suppress(ValueError, RecursionError):
            body = response.json()
        if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
            raise Problem(f"The response to the login of {name} contains no access_token.")
        return str(body["access_token"])

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

    def tokens(self, *names: str) -> Comparison:
        """Show the tokens of several users, one below the other, with marks where they differ.

        The app issues all of them in the same second, so their times are equal.
        """
        with token_problems():
            for _ in range(10):  # a clock that reaches the next second needs a second attempt
                tokens = {name: self.log_in(name) for name in names or ("bob", "alice")}
                times = {int(probe.read_claims(token).get("iat", 0)) for token in tokens.values()}
                if len(times) == 1:
                    break
            return Comparison(tokens)

    def lifetime(self, margin: int = 5) -> Lifetime:
        """Draw a token's lifetime, with the app's response to it at different ages.

        The tokens are made with an earlier issue time, so nobody has to wait. Near the expiry,
        the ages are one second apart, from `margin` seconds before it to `margin` seconds after the leeway.
        """
        with token_problems():
            return Lifetime(probe.measure_lifetime(self.load(), self.log_in("alice"), margin))

    def forge(self) -> Forgeries:
        """Show a table of the app's responses to alice's token and to forgeries of it."""
        with token_problems():
            return Forgeries(probe.try_forgeries(self.load(), self.log_in("alice")))

    def check(self, target: str = "answer", exercise: str | None = None) -> CheckResults:
        """Run the checks of the lesson's exercise and show the points and what to mend.

        `target` is answer, starter, solution or the path of a file. `exercise` chooses an additional exercise
        of the lesson, such as "3b".
        """
        label = exercise or str(self.number)
        try:
            exercises = lesson_loader.find_exercises()
            if label not in exercises:
                raise Problem(f"There is no exercise {label}. Choose one of these: {', '.join(exercises)}.")
            return CheckResults(f"Exercise {label}", exercise_loop.collect(exercises[label], target))
        except (exercise_loop.ChecksStopped, lesson_loader.BadExercises) as problem:
            raise Problem(str(problem)) from problem


class EditedLesson(Lesson):
    """A changed copy of a lesson. A notebook shows it as the diff of the change."""

    next_step = ""  # somebody broke the app on purpose

    def _repr_markdown_(self) -> str:
        return f"```diff\n{self!r}```"

    def _repr_html_(self) -> str:
        return self.diff().html

    def __repr__(self) -> str:
        return self.diff().text

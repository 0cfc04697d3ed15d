"""Serve a lesson or an answer with `flask run --reload`, after printing what it serves."""

from __future__ import annotations

import errno
import logging
import os
import re
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask.cli import NoAppException, ScriptInfo
from flask.cli import cli as flask
from werkzeug.serving import is_running_from_reloader

from exercise_loop import command_after, existing_answer, read_todo
from lesson_loader import Exercise, display_path, explain, find_lessons, read_about

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def serve_lesson(number: int, port: int) -> None:
    """Serve lessons/NN_name/app.py on a port of 127.0.0.1 until Ctrl-C."""
    folder = find_lessons()[number]
    if not is_running_from_reloader():
        port = free_port(port, f"make lesson-{number}")
        about = read_about(folder)
        print(f"\n{about.title}\n\n{about.idea}\n")
        print(f"Open http://127.0.0.1:{port} in a browser. Or, in a second terminal, try:\n")
        print("\n".join(f"  {line}" for line in about.curl.replace(":8000", f":{port}").splitlines()))
        print(f"\nChange a file in lessons/{folder.name} and save it: the lesson reloads.")
        print(f"Ctrl-C stops the lesson. Then go on: {command_after(number)}\n", flush=True)
    flask_run(folder / "app.py", port, folder)


def serve_answer(exercise: Exercise, port: int) -> None:
    """Serve the answer to an exercise on a port of 127.0.0.1 until Ctrl-C."""
    answer, label = existing_answer(exercise), exercise.argument
    if not is_running_from_reloader():
        try:
            compile(answer.read_bytes(), answer, "exec")
        except (SyntaxError, ValueError) as error:
            problem = explain(error, answer)
            sys.exit(f"{problem}\n\nNext: correct {display_path(answer)}, then run make try-{label}")
        port = free_port(port, f"make try-{label}")
        print(f"\nYour task:\n\n{read_todo(exercise)}")
        print(f"\n{display_path(answer)} runs at http://127.0.0.1:{port} and reloads when you save it.")
        readme = display_path(exercise.lesson / "README.md")
        print("Open this address in a browser. Or, in a second terminal, send requests to your app.")
        print(f"Copy the requests under Try it in {readme},")
        print("and change their URL and their data until they fit your task.")
        print(f"Press Ctrl-C to stop the server. To check your answer: make check-{label}\n", flush=True)
    sys.path.insert(0, str(exercise.lesson))  # an answer to an additional exercise is in another folder
    flask_run(answer, port, exercise.lesson)


def free_port(port: int, command: str) -> int:
    """Return the port, or a free one for port 0. If the port is in use, exit and suggest another one."""
    try:
        with socket.create_server(("127.0.0.1", port)) as listener:
            return int(listener.getsockname()[1])
    except OSError as error:
        reason = (
            "needs administrator rights" if error.errno == errno.EACCES else "is in use by another program"
        )
        sys.exit(f"Port {port} {reason}. Choose another one: {command} PORT={max(port, 8000) + 1}")


def flask_run(file: Path, port: int, lesson: Path) -> None:
    """Run `flask run --reload` in this process.

    The reloader starts this program again, as a second process that serves. The first process watches
    the files and starts the second one again after a change.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a client that disconnects must not stop the server
    if "NO_COLOR" in os.environ:
        logging.getLogger("werkzeug").addFilter(remove_colours)
    info = ConsoleInfo(file)
    if file.is_relative_to(Path.cwd()):
        file = file.relative_to(Path.cwd())  # Flask prints this path, so keep it short
    schema = str(lesson / "schema.sql")  # by itself, the reloader watches Python files only
    address = ["--host", "127.0.0.1", "--port", str(port)]
    options = ["--reload", "--extra-files", schema, *address]
    flask.main(["--app", str(file), "run", *options], "flask", obj=info)


class ConsoleInfo(ScriptInfo):
    """Load an app as `flask run` does, and put the console in front of it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def load_app(self) -> Flask:
        """Return the app. If it does not load after an edit, return an app that raises the error."""
        if not is_running_from_reloader():
            return super().load_app()  # only the second process serves
        from playground.console import Console

        try:
            app, problem = super().load_app(), ""
        except Exception as error:
            traceback.print_exc()
            app, problem = broken_app(error), self.find_problem(error)
        console = Console(app, self.file, problem)
        app.wsgi_app = console  # type: ignore[method-assign]
        logging.getLogger("werkzeug").addFilter(console.is_for_app)
        return app

    def find_problem(self, error: Exception) -> str:
        """Return why the app did not load. Flask replaces an ImportError by its own error.

        A line of a lesson's file can contain a key, so the page gets only the number of the line.
        """
        cause = error.__context__ if isinstance(error, NoAppException) and error.__context__ else error
        if self.file.name == "answer.py":
            return explain(cause, self.file)
        if isinstance(cause, SyntaxError):
            name = Path(str(cause.filename)).name
            return f"{type(cause).__name__}: {cause.msg}\nin {name}, line {cause.lineno}"
        return re.sub(r"(?m)^(in .+?, line \d+):.*", r"\1", explain(cause, self.file.parent))


def broken_app(error: Exception) -> Flask:
    """Return an app that raises this error for each request, as `flask run` does."""

    def raise_error(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        raise error from None

    app = Flask("broken")
    app.wsgi_app = raise_error  # type: ignore[method-assign]
    return app


def remove_colours(record: logging.LogRecord) -> bool:
    """Remove colours from a log line. Werkzeug adds them even if NO_COLOR is set (no-color.org)."""
    record.msg, record.args = re.sub(r"\033\[\d+m", "", record.getMessage()), ()
    return True

"""Serve a lesson or an answer with `flask run --reload`, after printing what it serves."""

from __future__ import annotations

import errno
import logging
import os
import re
import signal
import socket
import sys
from pathlib import Path

from flask.cli import cli as flask
from werkzeug.serving import is_running_from_reloader

from exercise_loop import command_after, existing_answer, read_todo
from lesson_loader import display_path, explain, find_lessons, read_about


def serve_lesson(number: int, port: int) -> None:
    """Serve lessons/NN_name/app.py on a port of 127.0.0.1 until Ctrl-C."""
    folder = find_lessons()[number]
    if not is_running_from_reloader():
        port = free_port(port, f"make lesson-{number}")
        about = read_about(folder)
        print(f"\n{about.title}\n\n{about.idea}\n\nIn a second terminal, try:\n")
        print("\n".join(f"  {line}" for line in about.curl.replace(":8000", f":{port}").splitlines()))
        print(f"\nChange a file in lessons/{folder.name} and save it: the lesson reloads.")
        print(f"Ctrl-C stops the lesson. Then go on: {command_after(number)}\n", flush=True)
    flask_run(folder / "app.py", port)


def serve_answer(number: int, port: int) -> None:
    """Serve lessons/NN_name/answer.py on a port of 127.0.0.1 until Ctrl-C."""
    answer = existing_answer(number)
    if not is_running_from_reloader():
        try:
            compile(answer.read_bytes(), answer, "exec")
        except (SyntaxError, ValueError) as error:
            problem = explain(error, answer)
            sys.exit(f"{problem}\n\nNext: correct {display_path(answer)}, then run make try-{number}")
        port = free_port(port, f"make try-{number}")
        print(f"\nYour task:\n\n{read_todo(number)}")
        print(f"\n{display_path(answer)} runs at http://127.0.0.1:{port} and reloads when you save it.")
        readme = display_path(answer.with_name("README.md"))
        print(f"In a second terminal, send requests to it. Copy those under Try it in {readme},")
        print("and change their URL and their data until they fit your task.")
        print(f"Press Ctrl-C to stop the server. To check your answer: make check-{number}\n", flush=True)
    flask_run(answer, port)


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


def flask_run(file: Path, port: int) -> None:
    """Run `flask run --reload` in this process.

    The reloader starts this program again, as a second process that serves. The first process watches
    the files and starts the second one again after a change.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a client that disconnects must not stop the server
    if "NO_COLOR" in os.environ:
        logging.getLogger("werkzeug").addFilter(remove_colours)
    if file.is_relative_to(Path.cwd()):
        file = file.relative_to(Path.cwd())  # Flask prints this path, so keep it short
    schema = str(file.with_name("schema.sql"))  # by itself, the reloader watches Python files only
    address = ["--host", "127.0.0.1", "--port", str(port)]
    flask.main(["--app", str(file), "run", "--reload", "--extra-files", schema, *address], "flask")


def remove_colours(record: logging.LogRecord) -> bool:
    """Remove colours from a log line. Werkzeug adds them even if NO_COLOR is set (no-color.org)."""
    record.msg, record.args = re.sub(r"\033\[\d+m", "", record.getMessage()), ()
    return True

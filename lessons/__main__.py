"""The lessons' commands.

python lessons list         which lessons there are
python lessons serve 1      serve lesson 1 until Ctrl-C (--port: another port than 8000)
python lessons diff 1       what lesson 1 changes in lesson 0

python lessons start 1      begin exercise 1, in lessons/01_auth_url/answer.py
python lessons check 1      check the answer; watch 1 does so whenever it is saved
python lessons hint 1       a hint (--level: 1, 2 or 3)
python lessons solution 1   the solution, when the answer passes (--peek: now)
python lessons reset 1      begin again, and keep the answer there was
python lessons progress     how far each exercise is
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from lesson_loader import diff, find_lessons, read_about

COLOURS = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}


COMMANDS = {
    "list": "list the lessons",
    "serve": "serve a lesson until Ctrl-C",
    "diff": "show what a lesson changes",
    "start": "begin an exercise",
    "check": "check an answer",
    "watch": "check an answer whenever it is saved",
    "hint": "get a hint",
    "solution": "see the solution",
    "reset": "begin an exercise again, and keep the answer there was",
    "progress": "see how far each exercise is",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="lessons", description="The lessons and their exercises.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name not in ("list", "progress"):
            command.add_argument("number", metavar="N", type=lesson_number, help="the lesson's number")
        if name == "serve":
            command.add_argument("--port", type=port_number, default=8000, help="default: %(default)s")
            command.add_argument("--listener", type=int, help=argparse.SUPPRESS)
        if name == "hint":
            command.add_argument(
                "--level", type=hint_level, default=1, help="1, 2 or 3 (default: %(default)s)"
            )
        if name == "solution":
            command.add_argument("--peek", action="store_true", help="do not wait for the answer to pass")
    arguments = vars(parser.parse_args())
    name = arguments.pop("command")
    if name in OWN_COMMANDS:
        OWN_COMMANDS[name](**arguments)
    else:
        import exercise_loop

        getattr(exercise_loop, name)(**arguments)


def show_list() -> None:
    print(listing())


def listing() -> str:
    """Return the lessons, one to a line."""
    return "\n".join(f"  {read_about(folder).title}" for folder in find_lessons().values())


def lesson_number(text: str) -> int:
    """Return the number of a lesson that exists."""
    if not text.isdecimal() or int(text) not in find_lessons():
        sys.exit(f"There is no lesson {text!r}. These are the lessons:\n\n{listing()}")
    return int(text)


def port_number(text: str) -> int:
    """Return a TCP port that a user may ask for; 0 stands for any that is free."""
    if not text.isdecimal() or int(text) > 65535:
        sys.exit(f"{text!r} is not a port. Choose a number from 1024 to 65535: make lesson-1 PORT=8001")
    return int(text)


def hint_level(text: str) -> int:
    """Return which of the three hints is wanted."""
    if text not in ("1", "2", "3"):
        sys.exit(f"There are three hints, and none is {text!r}: make hint-1 LEVEL=2")
    return int(text)


def serve(number: int, port: int, listener: int | None) -> None:
    """Serve a lesson with `flask run --reload` until Ctrl-C.

    Werkzeug reloads with two processes: one serves, and ends with status 3 when a file has changed; the
    other loads the app as well, but only to start the first one again. Here the first one is alone and
    replaces itself, so that a lesson answers in half the time. The listening socket is handed on.
    """
    folder = find_lessons()[number]
    server = socket.socket(fileno=listener) if listener else listen(number, port)
    server.set_inheritable(True)
    if not listener:
        introduce(folder, server.getsockname()[1])
    if "NO_COLOR" in os.environ:
        logging.getLogger("werkzeug").addFilter(take_colours_out)
    os.environ.update(WERKZEUG_RUN_MAIN="true", WERKZEUG_SERVER_FD=str(server.fileno()))
    os.chdir(folder)
    status = run_flask()
    if status != 3:
        sys.exit(status)
    again = [sys.executable, str(Path(__file__).parent), "serve", str(number)]
    again += ["--listener", str(server.fileno())]
    if os.name == "nt":  # where exec does not wait for the process that it starts
        sys.exit(subprocess.call(again, close_fds=False))
    os.execv(again[0], again)


def listen(number: int, port: int) -> socket.socket:
    """Return a listening socket, or explain why there is none."""
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        reason = (
            "needs an administrator's rights"
            if error.errno == errno.EACCES
            else "is in use by another program"
        )
        sys.exit(f"Port {port} {reason}. Choose another one: make lesson-{number} PORT={max(port, 8000) + 1}")


def introduce(folder: Path, port: int) -> None:
    """Print what a lesson is about and what to try, from its README."""
    about = read_about(folder)
    print(f"\n{about.title}\n\n{about.idea}\n\nIn a second terminal, try:\n")
    print("\n".join(f"  {line}" for line in about.curl.replace(":8000", f":{port}").splitlines()))
    print(f"\nlessons/{folder.name} is on http://127.0.0.1:{port} and reloads when you change a file.")
    exercise = (
        f" The exercise after it: make start-{int(folder.name[:2])}"
        if (folder / "exercise.py").exists()
        else ""
    )
    print(f"Ctrl-C ends it.{exercise}\n", flush=True)


def run_flask() -> int | str | None:
    """Run `flask run --reload` in this process, for the app.py of this folder; return its exit status."""
    import flask.cli

    sys.argv = ["flask", "--app", "app", "run", "--reload"]
    try:
        flask.cli.main()
    except SystemExit as end:
        return end.code


def take_colours_out(record: logging.LogRecord) -> bool:
    """Remove colours from a line of Werkzeug's log, which has them whatever NO_COLOR says (no-color.org)."""
    record.msg, record.args = re.sub(r"\033\[\d+m", "", record.getMessage()), ()
    return True


def show_diff(number: int) -> None:
    """Print what a lesson changes in the one before it."""
    lessons = find_lessons()
    if number - 1 not in lessons:
        print(f"Lesson {number} is where it starts: there is nothing before it to compare it with.")
        return
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for line in diff(lessons[number - 1], lessons[number]).splitlines():
        print(f"{COLOURS[line[0]]}{line}\033[0m" if coloured and line[0] in COLOURS else line)


OWN_COMMANDS = {"list": show_list, "serve": serve, "diff": show_diff}

if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell has it for Ctrl-C

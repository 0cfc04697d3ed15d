"""The lessons' commands.

python lessons list        which lessons there are
python lessons serve 1     serve lesson 1 until Ctrl-C (--port: another port than 8000)
python lessons diff 1      what lesson 1 changes in lesson 0
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from lesson_loader import diff, find_lessons, read_about

COLOURS = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="lessons", description="Show, serve and compare the lessons.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the lessons")
    for name, text in (("serve", "serve a lesson until Ctrl-C"), ("diff", "show what a lesson changes")):
        command = commands.add_parser(name, help=text)
        command.add_argument("lesson", metavar="N", type=lesson_number, help="the lesson's number")
        if name == "serve":
            command.add_argument("--port", type=port_number, default=8000, help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.command == "list":
        print(listing())
    elif arguments.command == "serve":
        serve(arguments.lesson, arguments.port)
    else:
        show_diff(arguments.lesson)


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


def serve(number: int, port: int) -> None:
    """Serve a lesson with `flask run`, reloading it whenever a file changes.

    `flask run --reload` imports everything twice, first in a process that only restarts the second
    one whenever that exits with status 3. Here this process restarts it, which imports next to
    nothing: the lesson answers in half the time.
    """
    folder = find_lessons()[number]
    listener = listen(number, port)
    port = listener.getsockname()[1]
    about = read_about(folder)
    print(f"\n{about.title}\n\n{about.idea}\n\nIn a second terminal, try:\n")
    print("\n".join(f"  {line}" for line in about.curl.replace(":8000", f":{port}").splitlines()))
    print(f"\nlessons/{folder.name} is on http://127.0.0.1:{port} and reloads when you change a file.")
    print("Ctrl-C ends it.\n", flush=True)
    command = [sys.executable, "-m", "flask", "--app", "app", "run", "--reload", "--port", str(port)]
    environment = {**os.environ, "WERKZEUG_RUN_MAIN": "true", "WERKZEUG_SERVER_FD": str(listener.fileno())}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        while (status := run(command, folder, environment)) == 3:
            pass
    except KeyboardInterrupt:
        status = 0
    sys.exit(status)


def run(command: list[str], folder: Path, environment: dict[str, str]) -> int:
    """Run a command until it ends or this process does, and return its exit status.

    Werkzeug colours its log even for a file; with NO_COLOR (no-color.org) the colours are taken out.
    """
    plain = "NO_COLOR" in os.environ
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        close_fds=False,
        stderr=subprocess.PIPE if plain else None,
        text=True,
    )
    try:
        for line in process.stderr or ():
            print(re.sub(r"\033\[\d+m", "", line), end="", file=sys.stderr, flush=True)
        return process.wait()
    finally:
        process.kill()


def listen(number: int, port: int) -> socket.socket:
    """Return a listening socket that a child process can inherit."""
    try:
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        reason = (
            "needs an administrator's rights"
            if error.errno == errno.EACCES
            else "is in use by another program"
        )
        sys.exit(f"Port {port} {reason}. Choose another one: make lesson-{number} PORT={max(port, 8000) + 1}")
    listener.set_inheritable(True)
    return listener


def show_diff(number: int) -> None:
    """Print what a lesson changes in the one before it."""
    lessons = find_lessons()
    if number - 1 not in lessons:
        print(f"Lesson {number} is where it starts: there is nothing before it to compare it with.")
        return
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for line in diff(lessons[number - 1], lessons[number]).splitlines():
        print(f"{COLOURS[line[0]]}{line}\033[0m" if coloured and line[0] in COLOURS else line)


if __name__ == "__main__":
    main()

"""The server in a sandbox. It imports what every answer imports, and forks for each start of an app.

    python -I -S serve.py LIBRARIES FOLDER PROCESSES

LIBRARIES is the folder of the packages, FOLDER is for the files of an exercise. PROCESSES limits processes
and threads (0: no limit). In a sandbox, the server is the first process, so no answer can stop it with a
signal. It runs with the same rights as the answers. So it has no secrets, and it decides nothing.

Standard input is a socket. When everything is imported, the server sends `+`. Then the grader sends:

    o   the size of a JSON object (4 bytes, big-endian) and the object: write the files of an exercise
    s   two descriptors, a channel and a log: start the app
    a   the same, and the app gets its own copy of the database
    e   end the exercise: kill its processes, reply `e`, delete its files, reply `+`, or `-` if that fails

On its channel, the app sends `ok` or why it does not start. Then the grader sends a byte and a descriptor for
each request: the connection.
"""

from __future__ import annotations

import functools
import gc
import importlib.metadata
import json
import os
import resource
import select
import shutil
import signal
import site
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

MEBIBYTE = 2**20
LIMITS = {  # of each process
    "AS": 256 * MEBIBYTE,
    "DATA": 192 * MEBIBYTE,
    "FSIZE": 16 * MEBIBYTE,  # also of what an answer prints
    "NOFILE": 64,
    "CORE": 1,  # byte: with 0, Linux can start a program that takes core dumps (core(5))
}
CHEAP_HASH = "scrypt:256:8:1"  # as in the checks that students run
IMPORTED = (  # flask_jwt_compat must come before flask_jwt
    "flask_jwt_compat",
    "flask_jwt",
    "flask_jwt_extended",
    "flask_restful",
    "lesson_loader",
    "sqlite3",
    "encodings.idna",
    "werkzeug.serving",
)
EXPLANATION = "text/x-explanation"  # the content type of a response that this file makes from an exception
MAX_FILES = 2_000  # files and folders in a sandbox: with more, the exercise ends


def main(libraries: str, folder: str, processes: str) -> None:
    """Do what each message says, until the grader closes the socket."""
    import_libraries(libraries)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # then the first process of a sandbox ignores SIGINT
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel removes ended processes
    for name, limit in (LIMITS | ({"NPROC": int(processes)} if int(processes) else {})).items():
        set_limit(name, limit)
    gc.collect()
    gc.freeze()  # otherwise a collection in a fork would copy the memory that it looks at
    place = Path(folder)
    control = socket.socket(fileno=0)
    control.send(b"+")
    while True:
        while not select.select([control], [], [], 0.1)[0]:
            if os.getpid() == 1 and count_files(place) > MAX_FILES:
                kill_others()
        message, descriptors, *_ = socket.recv_fds(control, 1, 2)
        if message == b"o":
            task, is_first = receive_object(control), True
            write_files(place, task["files"])
        elif message in (b"s", b"a"):
            start_app(place, task, message == b"a", is_first, *descriptors)
            is_first = False
        elif message == b"e":
            kill_others()
            control.send(b"e")
            control.send(b"+" if empty(place) else b"-")
        else:
            os.killpg(0, signal.SIGKILL)  # without bubblewrap, the apps would live on
            os._exit(0)  # the first process of a sandbox survives its own SIGKILL
        for descriptor in descriptors:
            os.close(descriptor)


def import_libraries(libraries: str) -> None:
    """Import what every answer imports, once for all of them."""
    site.setquit()
    sys.path += [libraries, str(Path(__file__).parent)]
    for name in IMPORTED:
        importlib.import_module(name)
    from werkzeug import security

    importlib.metadata.version("werkzeug")  # every start of an app asks for it, and the first time is slow
    security.generate_password_hash = functools.partial(security.generate_password_hash, method=CHEAP_HASH)


def set_limit(name: str, limit: int) -> None:
    """Set a limit of this process and of all that it starts, if the system knows this limit."""
    kind = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(kind)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    with suppress(ValueError):  # macOS does not really have some limits
        resource.setrlimit(kind, (limit, limit))


def receive_object(control: socket.socket) -> Any:
    size = int.from_bytes(control.recv(4, socket.MSG_WAITALL), "big")
    return json.loads(control.recv(size, socket.MSG_WAITALL))


def write_files(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))


def start_app(
    folder: Path, task: dict[str, Any], apart: bool, is_first: bool, channel: int, log: int
) -> None:
    """Fork a process that serves the app."""
    try:
        if os.fork():
            return
    except OSError as error:
        if is_first:  # this answer has no process yet, so the machine has too many processes
            os._exit(1)
        os.write(channel, f"{error}".encode())
        return
    try:
        os.dup2(os.open("/dev/null", os.O_RDWR), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, channel)
        os.closerange(channel + 1, 64)
        os.set_inheritable(channel, False)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        set_limit("CPU", task["cpu"])
        database = folder / "data.db"
        if apart:
            database = Path(shutil.copy(database, folder / "copy.db"))
        os.environ.update(task["environment"], FLASK_DATABASE=str(database))
        os.chdir(folder)
        serve(socket.socket(fileno=channel), folder / "lesson/answer.py")
    except OSError as error:
        os.write(2, f"{error}".encode())
    finally:
        os._exit(1)


def serve(channel: socket.socket, answer: Path) -> None:
    """Load the answer, send `ok` or why it does not start, and serve the app until the grader is done."""
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    from lesson_loader import explain, import_app, isolated_imports

    class Handler(WSGIRequestHandler):
        def log_request(self, *_: object) -> None:
            pass

    class Server(ThreadedWSGIServer):
        def get_request(self) -> tuple[socket.socket, str]:
            """Return the connection of the next request, which the grader made."""
            _, connections, *_ = socket.recv_fds(self.socket, 1, 1)
            if not connections:
                os._exit(0)  # the grader closed the channel
            return socket.socket(fileno=connections[0]), ""

    sys.stdin = None  # input() fails at once, as in the checks that students run
    try:
        with isolated_imports(answer.parent, answer.stem):  # a view can import modules, too
            app = import_app(answer)
            channel.send(b"ok")
            wrapped = explained(app, functools.partial(explain, path=answer))
            server = Server("unix://app", 0, wrapped, Handler, fd=channel.fileno())
            server.server_address = ("localhost", 0)  # each request reads the name, which would be empty
            server.serve_forever()
    except BaseException as error:
        channel.send(explain(error, answer).encode("utf-8", "replace")[:4096])


def explained(app: WSGIApplication, explain: Callable[[BaseException], str]) -> WSGIApplication:
    """Return an app that calls this app. If the app raises an exception, the response explains it."""

    def wrapper(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        try:
            yield from app(environ, start_response)
        except (Exception, SystemExit) as error:
            headers = [("Content-Type", EXPLANATION)]
            start_response("500 INTERNAL SERVER ERROR", headers, sys.exc_info())
            yield explain(error).encode("utf-8", "replace")

    return wrapper


def kill_others() -> None:
    """Kill every process except this one, which is the first in its sandbox, and wait until they are gone."""
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(0.001)


def count_files(folder: Path) -> int:
    """Return how many files and folders there are in the sandbox. Each takes memory of the kernel."""
    status = os.statvfs(folder)
    return status.f_files - status.f_ffree


def empty(folder: Path) -> bool:
    """Delete what is in the folder. Return False if there is too much, or if something cannot be deleted."""
    if count_files(folder) > MAX_FILES:
        return False
    try:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except (OSError, RecursionError):
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])

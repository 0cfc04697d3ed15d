"""What runs inside the box: it takes an answer from the grader and serves it over HTTP.

The answer runs with the same rights as this file, so nothing in here is secret and nothing in here decides
anything: whatever an answer does to it costs the answer its own points.

    python -I -S serve.py LIBRARIES FOLDER

LIBRARIES is a folder with the packages, FOLDER an empty one to write to. Standard input is a socket. When the
box is there, it says so on it with one byte. Then come, once, the size of a JSON object (4 bytes, big-endian)
and the object, and, for each process of the app to start, one byte and two descriptors: a listening socket,
and a pipe for how the start went.
"""

import functools
import importlib
import json
import os
import resource
import shutil
import site
import socket
import sys
from pathlib import Path

MEBIBYTE = 2**20
LIMITS = {  # of each process; NPROC is of all of them together, threads included
    "AS": 512 * MEBIBYTE,
    "DATA": 192 * MEBIBYTE,
    "NPROC": 16,
    "FSIZE": MEBIBYTE,
    "NOFILE": 64,
    "CORE": 0,
}
CHEAP = "scrypt:256:8:1"  # as in the checks that students run
IMPORTED = (  # flask_jwt_compat must come before flask_jwt
    "flask_jwt_compat",
    "flask_jwt",
    "flask_jwt_extended",
    "flask_restful",
    "lesson_loader",
    "sqlite3",
    "werkzeug.serving",
)
EXPLANATION = "text/x-explanation"  # the type of a response that this file makes of an exception


def main(libraries, folder):
    """Start a process of the app for each message, until the grader hangs up."""
    for name, most in LIMITS.items():
        set_limit(getattr(resource, f"RLIMIT_{name}"), most)
    Path("/proc/self/oom_score_adj").write_text("1000")  # where memory runs out, end this first
    import_libraries(libraries)
    control = socket.socket(fileno=0)
    control.send(b"!")  # the box is there
    size = int.from_bytes(control.recv(4, socket.MSG_WAITALL), "big")
    task = json.loads(control.recv(size, socket.MSG_WAITALL) or "{}")
    database = unpack(task, Path(folder))
    while True:
        message, descriptors, *_ = socket.recv_fds(control, 1, 2)
        if not message:
            os._exit(0)
        apart = message == b"a"
        used = shutil.copy(database, f"{database}.copy") if apart else database
        if os.fork() == 0:
            control.close()
            serve(*descriptors, Path(folder), task["environment"] | {"DATABASE": str(used)})
        for descriptor in descriptors:
            os.close(descriptor)


def set_limit(kind, most):
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (most, most) if hard == resource.RLIM_INFINITY else (min(most, hard),) * 2)


def import_libraries(libraries):
    """Import what every answer imports, while the grader still looks at another one."""
    site.setquit()
    sys.path += [libraries, str(Path(__file__).parent)]
    for name in IMPORTED:
        importlib.import_module(name)
    from werkzeug import security

    security.generate_password_hash = functools.partial(security.generate_password_hash, method=CHEAP)


def unpack(task, folder):
    """Write down the files of the answer and the database; return where the database is."""
    for name, text in task["files"].items():
        path = folder / "lesson" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
    database = folder / "data.db"
    database.write_bytes(task["database"].encode("latin-1"))
    return database


def serve(listener, report, folder, environment):
    """Load the answer, say how that went, and serve it for as long as the grader likes."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    from lesson_loader import explain, load_app

    class Handler(WSGIRequestHandler):
        def log_request(self, *_):
            pass

    os.environ.update(environment)
    answer = folder / "lesson/answer.py"
    try:
        app = load_app(answer.parent, answer.name)
        os.write(report, b"ok")
        os.close(report)
        app = explained(app, functools.partial(explain, file=answer))
        make_server("unix://box", 0, app, threaded=True, request_handler=Handler, fd=listener).serve_forever()
    except BaseException as error:
        os.write(report, explain(error, answer).encode("utf-8", "replace")[:4096])
    finally:
        os._exit(1)


def explained(app, explain):
    """Return the app with a response for its exceptions, of which a server would say nothing."""

    def answer(environ, start_response):
        try:
            yield from app(environ, start_response)
        except (Exception, SystemExit) as error:
            headers = [("Content-Type", EXPLANATION)]
            start_response("500 INTERNAL SERVER ERROR", headers, sys.exc_info())
            yield explain(error).encode("utf-8", "replace")

    return answer


if __name__ == "__main__":
    main(*sys.argv[1:])

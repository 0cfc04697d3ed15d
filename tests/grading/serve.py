"""What runs in the sandbox: a process that has imported what answers import, and forks a box for each answer.

A box runs with the same rights as the answer in it, so nothing in here is secret and nothing in here decides
anything: whatever an answer does to its box costs the answer its own points.

    python -I -S serve.py LIBRARIES FOLDER PROCESSES [part]

LIBRARIES is a folder with the packages, FOLDER one to write to, PROCESSES how many a box may have, 0 for any
number. Standard input is a socket. When all is imported, one byte on it says how many boxes there can be: `+`
for as many as wanted, each in namespaces of its own, or `-` for one, in those of this process. Each byte that
then comes on it brings two descriptors and begins a box: a socket, and a file for what the answer prints.

On the socket of a box, it first says with one byte that it is there. Then come the size of a JSON object (4
bytes, big-endian), the object and, for each process of the app to start, one byte and two descriptors: a
listening socket, and one for how the start went.
"""

import ctypes
import functools
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import site
import socket
import sys
from contextlib import suppress
from pathlib import Path

MEBIBYTE = 2**20
LIMITS = {  # of each process
    "AS": 256 * MEBIBYTE,
    "DATA": 192 * MEBIBYTE,
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

# from linux/sched.h: NEWUSER, NEWPID, NEWNET, NEWIPC, NEWUTS, NEWCGROUP, NEWNS
NAMESPACES = 0x10000000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x02000000 | 0x00020000
NOSUID, NODEV, NOEXEC = 2, 4, 8  # from linux/mount.h
SET_DUMPABLE, CAPBSET_DROP = 4, 24  # from linux/prctl.h
CAPABILITY_VERSION = 0x20080522  # from linux/capability.h


def main(libraries, folder, processes, part=""):
    """Begin a box for each message, until the grader hangs up."""
    import_libraries(libraries)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for one that ends
    many = bool(part) and can_part(folder)
    gc.collect()
    gc.freeze()  # a collection in a fork would otherwise copy what it looks at
    server = socket.socket(fileno=0)
    server.send(b"+" if many else b"-")
    while True:
        message, descriptors, *_ = socket.recv_fds(server, 1, 2)
        if not message:
            os._exit(0)
        if many and os.fork():
            for descriptor in descriptors:
                os.close(descriptor)
            continue
        try:
            server.detach()
            hold(*descriptors)
            with suppress(OSError):  # where memory runs out, Linux then ends this first
                Path("/proc/self/oom_score_adj").write_text("1000")
            if many:
                go_apart(folder)
            run_box(Path(folder), int(processes))
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        finally:
            os._exit(1)


def import_libraries(libraries):
    """Import what every answer imports, once for all of them."""
    site.setquit()
    sys.path += [libraries, str(Path(__file__).parent)]
    for name in IMPORTED:
        importlib.import_module(name)
    from werkzeug import security

    security.generate_password_hash = functools.partial(security.generate_password_hash, method=CHEAP)


def can_part(folder):
    """Tell if a fork can go apart here: some systems let bubblewrap do so, and nothing that runs in it."""
    said, inside = os.pipe()
    if os.fork() == 0:
        try:
            go_apart(folder)
            os.stat(os.__file__)  # which may have been where the folder now is
            os.write(inside, b"+")
        finally:
            os._exit(0)
    os.close(inside)
    with open(said, "rb") as said:
        return said.read() == b"+"


def hold(control, log):
    """Have these as standard input, output and error, and no other descriptor."""
    for number, descriptor in enumerate((control, log, log)):
        os.dup2(descriptor, number)
    os.closerange(3, 64)


def go_apart(folder):
    """Go on as the first process in namespaces of its own, without rights, and with an empty folder.

    It sees the read-only files of the sandbox that it is in, as before, but no process, network, memory or
    temporary file of another box, and can make no further namespaces. Raises OSError where that is refused.
    """
    uid, gid = os.getuid(), os.getgid()
    call("unshare", NAMESPACES)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    if os.fork():
        os._exit(0)
    call("mount", b"proc", b"/proc", b"proc", NOSUID | NODEV | NOEXEC, None)
    room = os.statvfs(folder)  # which the folder that comes over it has as well
    options = f"size={room.f_blocks * room.f_frsize},nr_inodes=4096,mode=700"
    call("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", NOSUID | NODEV, options.encode())
    os.chdir(folder)
    os.setsid()
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    for capability in range(int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1):
        call("prctl", CAPBSET_DROP, capability, 0, 0, 0)
    call("capset", (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())


def call(name, *arguments):
    """Call a function of the C library. Raises OSError if it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def run_box(folder, processes):
    """Start a process of the app for each message, until the grader hangs up."""
    control = socket.socket(fileno=0)
    control.send(b"!")  # the box is there
    with suppress(AttributeError):  # which only Linux has: no answer may look into this process
        call("prctl", SET_DUMPABLE, 0, 0, 0, 0)
    size = int.from_bytes(control.recv(4, socket.MSG_WAITALL), "big")
    task = json.loads(control.recv(size, socket.MSG_WAITALL) or "{}")
    limits = LIMITS | {"CPU": task["cpu"]} | ({"NPROC": processes} if processes else {})
    for name, most in limits.items():
        set_limit(getattr(resource, f"RLIMIT_{name}"), most)
    database = unpack(task, folder)
    while True:
        message, descriptors, *_ = socket.recv_fds(control, 1, 2)
        if not message:
            os._exit(0)
        apart = message == b"a"
        used = shutil.copy(database, f"{database}.copy") if apart else database
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(*descriptors, folder, task["environment"] | {"FLASK_DATABASE": str(used)})
        for descriptor in descriptors:
            os.close(descriptor)


def set_limit(kind, most):
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with suppress(ValueError):  # macOS knows some of them only by name
        resource.setrlimit(kind, (most, most))


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

    from lesson_loader import explain, import_app, isolated_imports

    class Handler(WSGIRequestHandler):
        def log_request(self, *_):
            pass

    os.environ.update(environment)
    sys.stdin = None  # input() fails at once, as in the checks that students run
    answer = folder / "lesson/answer.py"
    try:
        with isolated_imports(answer.parent, answer.stem):  # a view can import modules, too
            app = import_app(answer)
            os.write(report, b"ok")
            os.close(report)
            app = explained(app, functools.partial(explain, path=answer))
            make_server(
                "unix://box", 0, app, threaded=True, request_handler=Handler, fd=listener
            ).serve_forever()
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

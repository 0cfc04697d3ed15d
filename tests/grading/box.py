"""The box: an answer in a process of its own, that sees nothing, reaches nothing and is gone in time.

It is made by bubblewrap, with every namespace unshared. In it there are a read-only Python, the packages,
three files of ours and, in a temporary folder of 16 MiB, the answer and the lesson's own files. What goes in
and out are bytes on sockets that the grader made: nothing that an answer can touch is ever unpickled,
decompressed or followed.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from exercises.client import BYTES, TOO_LARGE, Client, DidNotStart, NoAnswer, never_starts, too_slow
from grading.serve import EXPLANATION
from lesson_loader import LESSONS

SERVE = Path(__file__).with_name("serve.py")
OURS = [SERVE, LESSONS / "lesson_loader.py", LESSONS / "flask_jwt_compat.py"]
LIBRARIES = Path(sysconfig.get_path("purelib"))
PYTHON = Path(sys.executable).resolve()
STANDARD_LIBRARY = PYTHON if sys.base_prefix == "/usr" else Path(sys.base_prefix)  # /usr/lib is there anyway
SYSTEM = [Path(name) for name in ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32")]
NOBODY = 65534
SETPRIV = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
ENVIRONMENT = {  # of bubblewrap itself as well, whose own could be read in the box
    "TZ": "JST-9",  # as in the checks that students run
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
}
TEMPORARY = 16 * 2**20  # the most bytes in a box's temporary folder
HEADERS = 65_536  # the most bytes that the headers of a response may have
PATIENCE = 60  # seconds that a box may take until it is there
PRINTED = 2_000  # the most bytes that are kept of what an answer prints


ENDED = "its process has ended"


class NoSandbox(Exception):
    """Bubblewrap does not run here; the message says why and what to do."""


class Box:
    """A box that starts at once, for an answer that comes later. Closing it ends everything that is in it.

    An answer has `seconds` to start and for each response, and `deadline` seconds for all of it.
    """

    def __init__(self, sandboxed: bool = True, seconds: float = 5, deadline: float = 30) -> None:
        self.seconds, self.deadline, self.ends = seconds, deadline, float("inf")
        self.folder = tempfile.mkdtemp(prefix="grading-")
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  closed with the box
        self.listeners = 0
        self.control, inside = socket.socketpair()
        self.info, info = os.pipe()
        command = bubblewrap(info) if sandboxed else bare(self.folder)
        self.process = subprocess.Popen(
            command,
            pass_fds=[info] if sandboxed else [],
            stdin=inside,
            stdout=self.log,
            stderr=self.log,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
        inside.close()
        os.close(info)

    def ready(self, files: dict[str, bytes], database: bytes, secret_key: str) -> None:
        """Hand the box the files of the app, by their names in it, and its database.

        Raises NoSandbox if there is no box to hand them to.
        """
        self.control.settimeout(PATIENCE)
        try:
            up = self.control.recv(1)  # before any code of a student's: so this is true
        except OSError:
            up = b""
        if not up:
            self.end()
            raise NoSandbox(f"Bubblewrap does not work here: {self.printed().strip() or ENDED}")
        task = {
            "files": {name: content.decode("latin-1") for name, content in files.items()},
            "database": database.decode("latin-1"),
            "environment": {"SECRET_KEY": secret_key},
        }
        message = json.dumps(task).encode()
        self.control.sendall(len(message).to_bytes(4, "big") + message)
        self.ends = time.monotonic() + self.deadline

    def start(self, apart: bool = False) -> Client:
        """Start a process of the app, and return a client of it."""
        path = f"{self.folder}/{self.listeners}"
        self.listeners += 1
        report, inside = os.pipe()
        with socket.socket(socket.AF_UNIX) as listener, open(report, "rb", buffering=0) as report:
            listener.bind(path)
            listener.listen(16)
            with suppress(OSError):
                socket.send_fds(self.control, [b"a" if apart else b"s"], [listener.fileno(), inside])
            os.close(inside)
            said = self.read_report(report)
        if said != b"ok":
            raise DidNotStart(f"answer.py does not start:\n{said.decode('utf-8', 'replace') or ENDED}")
        return Client(lambda *request: self.exchange(path, *request))

    def read_report(self, report: io.RawIOBase) -> bytes:
        """Return what a process says of its start, which is ok or why not."""
        left = self.ends - time.monotonic()
        if not select.select([report], [], [], max(0, min(self.seconds, left)))[0]:
            over = left < self.seconds
            raise DidNotStart(
                f"nothing any more: {self.deadline:g} seconds are over"
                if over
                else never_starts("answer.py", self.seconds),
                "no answer in time" if over else "did not start",
            )
        return report.read(4096)

    def exchange(
        self, path: str, method: str, target: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Return the status, headers and body of the response to a request, within the limits."""
        now = time.monotonic()
        if now > self.ends:
            self.end()
            raise NoAnswer(f"nothing any more: {self.deadline:g} seconds are over", "no answer in time")
        try:
            received = talk(path, request(method, target, headers, body), min(now + self.seconds, self.ends))
        except TimeoutError:
            raise too_slow(self.seconds) from None
        except OSError:
            received = b""
        if not received:
            raise NoAnswer(f"nothing: {ENDED}", "died")
        return parse(received, method)

    def printed(self) -> str:
        """Return the beginning of what the answer wrote to its standard output and error."""
        return os.pread(self.log.fileno(), PRINTED, 0).decode("utf-8", "replace")

    def end(self) -> None:
        """End everything that is in the box, and wait until it is gone."""
        if self.process.returncode is None:
            self.control.close()
            with suppress(OSError, ValueError, KeyError):
                # the first process in the box: with it end all the others, whatever they do
                os.kill(json.loads(os.read(self.info, 4096))["child-pid"], signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            with suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def close(self) -> None:
        self.end()
        os.close(self.info)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def bubblewrap(info: int) -> list[str]:
    """Return the command that makes a box and runs serve.py in it."""
    paths = [path for path in SYSTEM if path.is_dir() and not path.is_symlink()]
    paths += [STANDARD_LIBRARY, LIBRARIES]
    inside = [option for path in paths for option in bind(path)]
    for path in SYSTEM:
        if path.is_symlink():
            inside += ["--symlink", os.readlink(path), str(path)]
    for path in OURS:
        inside += bind(path, Path("/box", path.name))
    as_nobody = []
    if os.geteuid() == 0:
        as_nobody = [*reveal([*paths, *OURS]), *SETPRIV]
    return [
        *as_nobody,
        *("bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"),
        *("--new-session", "--cap-drop", "ALL", "--hostname", "box", "--info-fd", str(info)),
        *("--proc", "/proc", "--dev", "/dev", "--size", str(TEMPORARY), "--tmpfs", "/tmp"),
        *inside,
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"),
        *("--", str(PYTHON), "-I", "-S", "-X", "utf8", "/box/serve.py", str(LIBRARIES), "/tmp"),
    ]


def reveal(paths: list[Path]) -> list[str]:
    """Return a command before which root lets nobody read paths below a folder that is closed to others.

    A user other than root can make a box, but only of what that user can read. A Python below /root is
    none, so such folders are covered, for that one command, by empty ones with nothing but the paths.
    """
    closed = {}
    for path in paths:
        for folder in reversed(path.parents):  # the outermost one first
            if not folder.stat().st_mode & stat.S_IXOTH:
                closed.setdefault(folder, []).append(path)
                break
    command = []
    for folder, hidden in closed.items():
        command += ["--tmpfs", str(folder)]
        for path in hidden:
            for parent in reversed(path.parents):
                if parent.is_relative_to(folder):
                    command += ["--dir", str(parent)]  # which anyone may pass
            command += bind(path)
    return ["bwrap", "--dev-bind", "/", "/", *command, "--"] if command else []


def bind(path: Path, destination: Path | None = None) -> list[str]:
    return ["--ro-bind", str(path), str(destination or path)]


def bare(folder: str) -> list[str]:
    """Return the command that runs serve.py where there is no sandbox: as another user, if root asks."""
    inside, work = Path(folder, "box"), Path(folder, "work")
    inside.mkdir()
    work.mkdir()
    for path in OURS:
        shutil.copy(path, inside)
    command = [str(PYTHON), "-I", "-S", "-X", "utf8", str(inside / SERVE.name), str(LIBRARIES), str(work)]
    if os.geteuid() != 0 or not shutil.which("setpriv") or reveal([STANDARD_LIBRARY, LIBRARIES]):
        return command
    os.chmod(folder, 0o711)
    os.chown(work, NOBODY, NOBODY)
    return [*SETPRIV, *command]


def require_sandbox() -> None:
    """Raise NoSandbox if bubblewrap is missing, or cannot make a box here."""
    if not shutil.which("bwrap"):
        raise NoSandbox(
            "There is no bubblewrap here, which keeps answers away from this machine. It is for Linux; on "
            "Debian and Ubuntu: sudo apt install bubblewrap"
        )
    with Box() as box:
        box.ready({}, b"", "")


def talk(path: str, request: bytes, ends: float) -> bytes:
    """Return all that comes back for a request until the other side hangs up, or as much as may come.

    Raises TimeoutError if that is not before `ends`, on time.monotonic's clock.
    """
    received = bytearray()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ends - time.monotonic())
        connection.connect(path)
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)  # or else Werkzeug waits 10 ms for more
        while len(received) <= HEADERS + BYTES:
            connection.settimeout(max(ends - time.monotonic(), 0.001))
            try:
                chunk = connection.recv(65_536)
            except ConnectionResetError:
                break
            if not chunk:
                break
            received += chunk
    return bytes(received)


def request(method: str, target: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """Return a request as it goes over the wire (RFC 9112)."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def parse(received: bytes, method: str) -> tuple[int, dict[str, str], bytes]:
    """Return the status, headers and body of a response, which is neither decoded nor followed."""
    response = http.client.HTTPResponse(Received(received), method=method)
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ValueError):
        if len(received) > HEADERS + BYTES:
            raise NoAnswer(TOO_LARGE) from None
        raise NoAnswer(f"what is no HTTP response, or breaks off: {received[:60]!a}") from None
    if len(body) > BYTES:
        raise NoAnswer(TOO_LARGE)
    names = {name.lower(): value for name, value in response.getheaders()}
    if response.status == 500 and names.get("content-type") == EXPLANATION:
        raise NoAnswer(body[:4096].decode("utf-8", "replace"), status=500)
    return response.status, names, body


class Received(io.BytesIO):
    """What http.client reads a response from: it wants to be given a socket."""

    def makefile(self, *_: object) -> io.BytesIO:
        return self

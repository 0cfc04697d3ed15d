"""The box: an answer in processes of its own, that see nothing, reach nothing and are gone in time.

It is a fork of serve.py, which bubblewrap keeps in a sandbox. What goes in and out are bytes on sockets that
the grader made: nothing that an answer can touch is ever unpickled, decompressed or followed.
"""

from __future__ import annotations

import io
import json
import math
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress

from exercises.client import Client, DidNotStart, NoResponse, response_timed_out, start_timeout_message
from grading.sandbox import ENVIRONMENT, bare, bubblewrap, does_not_work
from grading.seccomp import make_filter
from grading.wire import parse, request, talk

PATIENCE = 60  # seconds that serve.py, and a box, may take until they are there
PRINTED = 2_000  # the most bytes that are kept of what an answer prints

ENDED = "its process has ended"


class NoBox(Exception):
    """A box did not come to be, which is no answer's fault."""


class ForkServer:
    """A process of serve.py, which begins at once. Closing it ends the boxes that it has begun."""

    def __init__(self, sandboxed: bool = True, part: bool = True) -> None:
        self.sandboxed, self.part = sandboxed, part and sandboxed
        self.log = new_log()
        self.control, inside = socket.socketpair()
        self.info, info = os.pipe()
        passed = [info, make_filter()] if sandboxed else [info]
        self.folder = None if sandboxed else tempfile.mkdtemp(prefix="grading-")
        if self.folder:
            command = bare(self.folder)
        else:
            command = bubblewrap("--info-fd", str(info), "--seccomp", str(passed[1]), part=self.part)
        self.process = subprocess.Popen(
            command,
            pass_fds=passed[:0] if self.folder else passed,
            stdin=inside,
            stdout=self.log,
            stderr=self.log,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
        inside.close()
        for descriptor in passed:
            os.close(descriptor)

    def ready(self) -> bool:
        """Wait until the process has imported everything, and tell if it can part as many boxes as wanted.

        Raises NoSandbox or NoBox if it does not come to that.
        """
        self.control.settimeout(PATIENCE)
        said = receive(self.control)
        if not said:
            printed = beginning_of(self.log)
            self.close()
            raise does_not_work(printed) if self.sandboxed else NoBox(f"serve.py ends: {printed.strip()}")
        return said == b"+"

    def lives(self) -> bool:
        return self.process.poll() is None

    def fork(self, control: socket.socket, log: io.BufferedRandom) -> None:
        """Begin a box, with this for its socket, and this for what the answer prints."""
        with suppress(OSError):  # then the box says nothing
            socket.send_fds(self.control, [b"f"], [control.fileno(), log.fileno()])

    def close(self) -> None:
        if self.log.closed:
            return
        self.control.close()
        with suppress(OSError, ValueError, KeyError):
            # the first process in the sandbox: with it end all the others, whatever they do
            os.kill(json.loads(os.read(self.info, 4096))["child-pid"], signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5 if self.sandboxed else 0)
        with suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        os.close(self.info)
        self.log.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class Boxes:
    """Gives one box after another, from a process that is warm already.

    Where that can make no namespaces of its own, as under some rules of AppArmor's, each box has a process to
    itself, which begins while the box before it is still checked.
    """

    def __init__(self, sandboxed: bool = True, part: bool = True) -> None:
        self.sandboxed = sandboxed
        self.server = ForkServer(sandboxed, part)
        self.many = self.server.part and self.server.ready()
        if self.server.part and not self.many:
            self.renew()

    def renew(self) -> None:
        self.server.close()
        self.server = ForkServer(self.sandboxed, self.many)

    def open(self, seconds: float, deadline: float, cpu: int | None = None) -> Box:
        """Return the next box. Raises NoSandbox or NoBox where there is none any more."""
        if not self.server.lives():
            self.renew()
            if self.many:
                self.server.ready()
        if self.many:
            return Box(self.server, seconds, deadline, cpu)
        server, self.server = self.server, ForkServer(self.sandboxed, part=False)
        server.ready()
        return Box(server, seconds, deadline, cpu, alone=True)

    def close(self) -> None:
        self.server.close()


class Box:
    """A box for one answer. Closing it ends all that is in it; if it is alone in its server, with the server.

    An answer has `seconds` to start and for each response, `deadline` seconds for all of it, and in each of
    its processes `cpu` seconds of a processor: twice the deadline, or it would depend on what else there is
    to do which of the two it meets first.
    """

    def __init__(
        self, server: ForkServer, seconds: float, deadline: float, cpu: int | None = None, alone: bool = False
    ) -> None:
        self.server, self.alone = server, alone
        self.seconds, self.deadline, self.ends = seconds, deadline, float("inf")
        self.cpu = cpu or 2 * math.ceil(deadline)
        self.folder = tempfile.mkdtemp(prefix="")
        self.place = os.open(self.folder, os.O_RDONLY)
        self.log = new_log()
        self.listeners = 0
        self.first = -1  # a descriptor of the first process in the box
        self.control, inside = socket.socketpair()
        if not alone:
            self.control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with inside:
            server.fork(inside, self.log)
        self.control.settimeout(PATIENCE)

    def ready(self, files: dict[str, bytes], database: bytes, secret_key: str) -> None:
        """Hand the box the files of the app, by their names in it, and its database.

        Raises NoBox if there is none to hand them to.
        """
        self.meet()
        task = {
            "files": {name: content.decode("latin-1") for name, content in files.items()},
            "database": database.decode("latin-1"),
            "environment": {"FLASK_SECRET_KEY": secret_key},
            "cpu": self.cpu,
        }
        message = json.dumps(task).encode()
        self.control.sendall(len(message).to_bytes(4, "big") + message)
        self.ends = time.monotonic() + self.deadline

    def meet(self) -> None:
        """Wait until the box is there, and keep hold of its first process, with which all the others end.

        There is no code of a student's in it yet: so what it says is true.
        """
        if self.alone:
            up = receive(self.control)
        else:
            up, said = receive_with_sender(self.control)
            with suppress(OSError):
                self.first = os.pidfd_open(said)
        if not up or (self.first < 0 and not self.alone):
            raise NoBox(f"there is no box: {beginning_of(self.log).strip() or ENDED}")

    def start(self, apart: bool = False) -> Client:
        """Start a process of the app, and return a client of it."""
        # the short way to it, as the path of a socket has 107 letters at most (unix(7))
        here = f"/proc/self/fd/{self.place}" if sys.platform == "linux" else self.folder
        path = f"{here}/{self.listeners}"
        self.listeners += 1
        report, inside = socket.socketpair()  # whoever holds an end of a pipe can lock the other
        with socket.socket(socket.AF_UNIX) as listener, report:
            listener.bind(path)
            listener.listen(16)
            with suppress(OSError), inside:
                socket.send_fds(self.control, [b"a" if apart else b"s"], [listener.fileno(), inside.fileno()])
            said = self.read_report(report)
        if said != b"ok":
            raise DidNotStart(f"answer.py does not start:\n{said.decode('utf-8', 'replace') or ENDED}")
        return Client(lambda *request: self.exchange(path, *request))

    def read_report(self, report: socket.socket) -> bytes:
        """Return what a process says of its start, which is ok or why not."""
        left = self.ends - time.monotonic()
        if not select.select([report], [], [], max(0, min(self.seconds, left)))[0]:
            over = left < self.seconds
            raise DidNotStart(
                f"nothing any more: {self.deadline:g} seconds are over"
                if over
                else start_timeout_message("answer.py", self.seconds),
                "no response in time" if over else "did not start",
            )
        report.setblocking(False)
        with suppress(OSError):
            return report.recv(4096)
        return b""

    def exchange(
        self, path: str, method: str, target: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Return the status, headers and body of the response to a request, within the limits."""
        now = time.monotonic()
        if now > self.ends:
            self.end()
            raise NoResponse(f"nothing any more: {self.deadline:g} seconds are over", "no response in time")
        try:
            received = talk(path, request(method, target, headers, body), min(now + self.seconds, self.ends))
        except TimeoutError:
            raise response_timed_out(self.seconds) from None
        except OSError:
            received = b""
        if not received:
            raise NoResponse(f"nothing: {ENDED}", "died")
        return parse(received, method)

    def printed(self) -> str:
        """Return the beginning of what the answer wrote to its standard output and error."""
        return beginning_of(self.log)

    def end(self) -> None:
        """End everything that is in the box, and wait until it is gone."""
        self.control.close()
        if self.first >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.first, signal.SIGKILL)
            gone = select.select([self.first], [], [], PATIENCE)[0]
            os.close(self.first)
            self.first = -1
            self.alone = not gone  # which leaves nothing but to end the server
        if self.alone:
            self.server.close()
            self.alone = False

    def close(self) -> None:
        self.end()
        self.log.close()
        os.close(self.place)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def receive(control: socket.socket) -> bytes:
    """Return the byte that comes, or none if none does."""
    with suppress(OSError):
        return control.recv(1)
    return b""


def receive_with_sender(control: socket.socket) -> tuple[bytes, int]:
    """Return the byte that comes, and from which process, as the kernel has it (unix(7), SCM_CREDENTIALS)."""
    with suppress(OSError):
        byte, ancillary, *_ = control.recvmsg(1, socket.CMSG_SPACE(struct.calcsize("3i")))
        for _, kind, content in ancillary:
            if kind == socket.SCM_CREDENTIALS:
                return byte, struct.unpack("3i", content)[0]
    return b"", 0


def new_log() -> io.BufferedRandom:
    """Return a file for what is printed, in memory, or it could take up a disk."""
    if not hasattr(os, "memfd_create"):
        return tempfile.TemporaryFile()
    log = os.memfd_create("log")
    os.fchmod(log, 0o600)
    return open(log, "w+b")


def beginning_of(log: io.BufferedRandom) -> str:
    return os.pread(log.fileno(), PRINTED, 0).decode("utf-8", "replace")

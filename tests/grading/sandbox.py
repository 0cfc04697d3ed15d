"""Sandboxes for students. In a student's sandbox, serve.py starts the student's apps.

Only bytes come out of a sandbox, on sockets and in logs. The grader never unpickles or decompresses them.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from grading.bubblewrap import ENVIRONMENT, in_bubblewrap, limit_memory, without_bubblewrap
from grading.seccomp import make_filter
from lesson_loader import find_lessons
from originals import read_app

PATIENCE = 60  # seconds for our own code in a sandbox, because it can be slow on a busy machine
PRINTED = 2_000  # bytes that are kept of what an answer prints
INSTEAD = "Or use --no-sandbox, for answers that you trust or on a machine that you throw away."


class NoSandbox(Exception):
    """No sandbox can be made on this machine. The message says why and what to do."""


class SandboxLost(Exception):
    """A sandbox ended too early, so nothing is known about the answer in it."""


class Sandbox:
    """A running sandbox for one exercise after another. Without bubblewrap, a process for one exercise."""

    def __init__(self, sandboxed: bool = True) -> None:
        self.sandboxed = sandboxed
        self.folder = None if sandboxed else tempfile.mkdtemp(prefix="grading-")
        self.output = new_log()
        self.control, inside = socket.socketpair()
        self.control.settimeout(PATIENCE)
        rules: list[int] = []  # the descriptor of the seccomp filter
        with ExitStack() as stack:
            stack.enter_context(inside)
            if self.folder:
                command = without_bubblewrap(Path(self.folder))
            else:
                rules = [stack.enter_context(make_filter()).fileno()]
                command = in_bubblewrap(rules[0])
            self.process = subprocess.Popen(
                command,
                pass_fds=rules,
                stdin=inside.fileno(),
                stdout=self.output,
                stderr=self.output,
                cwd="/",
                env=None if sandboxed and limit_memory() else ENVIRONMENT,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until the sandbox is ready for an exercise. Raises SandboxLost if it is not ready in time."""
        if self.receive() != b"+":
            raise SandboxLost(f"the sandbox does not start: {beginning_of(self.output).strip()}")

    def open(self, lesson: dict[str, bytes], database: bytes, secret_key: str, cpu: int) -> None:
        """Write the files of an exercise. Each process may use the processor for `cpu` seconds."""
        files = {f"lesson/{name}": content for name, content in lesson.items()} | {"data.db": database}
        texts = {name: content.decode("latin-1") for name, content in files.items()}
        task = {"files": texts, "environment": {"FLASK_SECRET_KEY": secret_key}, "cpu": cpu}
        message = json.dumps(task).encode()
        self.send(b"o" + len(message).to_bytes(4, "big") + message)

    def start(self, apart: bool, log: io.BufferedRandom) -> socket.socket:
        """Start the app. Return the channel on which the app reports its start and then takes connections.

        With apart=True, the app gets its own copy of the database.
        """
        channel, inside = socket.socketpair()
        with inside:
            self.send(b"a" if apart else b"s", inside.fileno(), log.fileno())
        return channel

    def end(self) -> bool:
        """End all processes of the exercise. Return whether the sandbox is ready for another exercise.

        Raises SandboxLost if the sandbox has ended. Then it may have ended before the last check.
        """
        if not self.sandboxed:
            return False
        self.send(b"e")
        if self.receive() != b"e":
            raise SandboxLost("the sandbox ended while it ran the answer")
        return self.receive() == b"+"

    def send(self, message: bytes, *descriptors: int) -> None:
        try:
            if descriptors:
                socket.send_fds(self.control, [message], descriptors)
            else:
                self.control.sendall(message)
        except OSError as error:
            raise SandboxLost(f"the sandbox ended: {error}") from None

    def receive(self) -> bytes:
        with suppress(OSError):
            return self.control.recv(1)
        return b""

    def close(self) -> None:
        """End the sandbox and everything in it."""
        self.control.close()  # then the server ends, and the kernel ends every other process in the sandbox
        # Nobody has waited for our process yet, so its number cannot belong to another process.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class Sandboxes:
    """Gives each student a sandbox. The next sandbox starts while the one before is in use."""

    def __init__(self, sandboxed: bool) -> None:
        self.sandboxed = sandboxed
        self.next = Sandbox(sandboxed)

    def take(self) -> Sandbox:
        """Return a sandbox that is ready. Raises SandboxLost if two in a row do not start."""
        try:
            return self.take_next()
        except SandboxLost:
            return self.take_next()

    def take_next(self) -> Sandbox:
        sandbox, self.next = self.next, Sandbox(self.sandboxed)
        try:
            sandbox.wait()
        except SandboxLost:
            sandbox.close()
            raise
        return sandbox

    def close(self) -> None:
        self.next.close()


def new_log() -> io.BufferedRandom:
    """Return a file for what is printed. It is in memory, so that it cannot fill a disk."""
    if not hasattr(os, "memfd_create"):
        return tempfile.TemporaryFile()
    log = os.memfd_create("log")
    os.fchmod(log, 0o600)
    return open(log, "w+b")


def beginning_of(log: io.BufferedRandom) -> str:
    """Return the beginning of a log, with a mark where it is cut."""
    text = os.pread(log.fileno(), PRINTED, 0).decode("utf-8", "replace")
    return f"{text}\n[…]" if os.fstat(log.fileno()).st_size > PRINTED else text


def require_sandbox() -> None:
    """Start an app in a sandbox. Raises NoSandbox if that does not work on this machine."""
    if not shutil.which("bwrap"):
        raise NoSandbox(
            "Bubblewrap is not installed. It keeps answers away from your files, and it needs Linux. "
            f"On Debian and Ubuntu, type `sudo apt install bubblewrap libseccomp2`. {INSTEAD}"
        )
    try:
        make_filter().close()
    except OSError as problem:
        raise NoSandbox(
            f"The sandbox needs libseccomp ({problem}). On Debian and Ubuntu: sudo apt install libseccomp2"
        ) from None
    with closing(Sandbox()) as sandbox, new_log() as log:
        try:
            sandbox.wait()
            files = read_app(next(iter(find_lessons().values())).name)
            sandbox.open(files | {"answer.py": files["app.py"]}, b"", "secret", cpu=PATIENCE)
            with sandbox.start(False, log) as channel:
                channel.settimeout(PATIENCE)
                report = channel.recv(4096)
        except (SandboxLost, OSError) as problem:
            raise NoSandbox(
                f"Bubblewrap does not work here: {problem}. "
                "On Ubuntu, type `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`. "
                f"Many containers forbid user namespaces: grade outside of the container. {INSTEAD}"
            ) from None
        if report != b"ok":
            raise NoSandbox(
                "The sandbox refuses something that Flask needs on this machine, so no answer can start: "
                f"{report.decode('utf-8', 'replace')}. {INSTEAD}"
            )

"""Starts an answer in a sandbox and sends it requests, for the checks that pytest runs."""

from __future__ import annotations

import math
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from exercises.client import Client, DidNotStart, NoResponse, response_timed_out, start_timeout_message
from grading.http_messages import exchange, read_response, write_request
from grading.sandbox import Sandbox, Sandboxes, SandboxLost, beginning_of, new_log
from lesson_loader import Exercise
from originals import read_app

ENDED = "its process has ended"


class Host:
    """A plugin of pytest that the checks find by its name.

    `task` has the answers of one student. They share a sandbox until one of them spoils it. After that, each
    answer gets a new one. An answer has `seconds` for its start and for each response, and `time_limit`
    seconds in all.
    """

    __name__ = "host"

    def __init__(self, sandboxes: Sandboxes, task: dict[str, Any]) -> None:
        self.sandboxes, self.answers = sandboxes, task["answers"]
        self.seconds, self.time_limit = task["seconds"], task["time_limit"]
        self.sandbox: Sandbox | None = None
        self.is_shared = True
        self.printed: dict[str, str] = {}  # by exercise: the beginning of what its answer wrote
        self.ended: set[str] = set()  # the exercises whose app ended and did not say why
        self.lost: dict[str, str] = {}  # by exercise: why its sandbox was lost

    def seed(self, exercise: Exercise) -> int:
        """Return the seed of the random users and key of an exercise."""
        return int(self.answers[exercise.name]["seed"])

    @contextmanager
    def ready(self, exercise: Exercise, database: bytes, secret_key: str) -> Iterator[Callable[..., Client]]:
        """Hand over what the app needs. Yield a function that starts the app, each time in a new process."""
        answer = self.answers[exercise.name]["content"].encode("latin-1")
        files = read_app(exercise.lesson.name) | {"answer.py": answer}
        self.name, self.channels, is_clean = exercise.name, list[socket.socket](), False
        try:
            with new_log() as self.log:
                self.sandbox = self.sandbox or self.sandboxes.take()
                # A process may compute for twice the time limit, so the time limit ends a slow answer first.
                self.sandbox.open(files, database, secret_key, cpu=2 * math.ceil(self.time_limit))
                self.ends = time.monotonic() + self.time_limit
                yield self.start
                self.printed[exercise.name] = beginning_of(self.log)
                is_clean = self.sandbox.end() and exercise.name not in self.ended
        except SandboxLost as problem:
            self.lost[exercise.name] = str(problem)
            raise
        finally:
            for channel in self.channels:
                channel.close()
            self.is_shared = self.is_shared and is_clean
            if not self.is_shared:
                self.close()

    def start(self, apart: bool = False) -> Client:
        """Start the app and return a client for it. Raises DidNotStart if the app does not start."""
        assert self.sandbox
        channel = self.sandbox.start(apart, self.log)
        self.channels.append(channel)
        report = self.read_report(channel)
        if not report:
            self.ended.add(self.name)
        if report != b"ok":
            raise DidNotStart(f"answer.py does not start:\n{report.decode('utf-8', 'replace') or ENDED}")
        return Client(lambda *request: self.send(channel, *request))

    def read_report(self, channel: socket.socket) -> bytes:
        """Return what an app says about its start: `ok`, or why it does not start."""
        left = self.ends - time.monotonic()
        if not select.select([channel], [], [], max(0, min(self.seconds, left)))[0]:
            if left < self.seconds:
                message = f"answer.py was not ready: {self.time_is_over()}"
                raise DidNotStart(message, "no response in time")
            raise DidNotStart(start_timeout_message("answer.py", self.seconds))
        channel.settimeout(self.seconds)
        try:
            return channel.recv(4096)
        except OSError:
            return b""

    def send(
        self, channel: socket.socket, method: str, target: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request to an app, and return the status, headers and body of the response."""
        now = time.monotonic()
        if now > self.ends:
            raise self.too_late(now)
        connection, inside = socket.socketpair()
        with connection:
            try:
                with inside:
                    socket.send_fds(channel, [b"r"], [inside.fileno()])
                request = write_request(method, target, headers, body)
                received = exchange(connection, request, min(now + self.seconds, self.ends))
            except TimeoutError:
                raise self.too_late(now) from None
            except OSError:
                received = b""
        if not received:
            self.ended.add(self.name)
            raise NoResponse(f"nothing: {ENDED}", "died")
        return read_response(received, method)

    def too_late(self, sent: float) -> NoResponse:
        """Return the problem of a request without a response. It names the limit that was over first."""
        if sent + self.seconds > self.ends:
            return NoResponse(f"nothing: {self.time_is_over()}", "no response in time")
        return response_timed_out(self.seconds)

    def time_is_over(self) -> str:
        return f"the time limit of {self.time_limit:g} seconds is over"

    def close(self) -> None:
        if self.sandbox:
            self.sandbox.close()
            self.sandbox = None

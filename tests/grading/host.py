"""Starts an answer in a sandbox and sends it requests, for the checks that pytest runs."""

from __future__ import annotations

import math
import select
import socket
import time
from collections.abc import Callable

from exercises.client import Client, DidNotStart, NoResponse, response_timed_out, start_timeout_message
from grading.http_messages import exchange, read_response, write_request
from grading.sandbox import Sandbox, beginning_of, new_log

ENDED = "its process has ended"


class Host:
    """A plugin of pytest that the checks find by its name.

    The answer has `seconds` for its start and for each response, and `time_limit` seconds in all.
    """

    __name__ = "host"

    def __init__(self, sandbox: Sandbox, files: dict[str, bytes], seconds: float, time_limit: float) -> None:
        self.sandbox, self.files = sandbox, files
        self.seconds, self.time_limit = seconds, time_limit
        self.ends = math.inf
        self.log = new_log()
        self.channels: list[socket.socket] = []

    def ready(self, database: bytes, secret_key: str) -> Callable[..., Client]:
        """Hand over what the app needs. Return a function that starts the app, each time in a new process."""
        files = {f"lesson/{name}": content for name, content in self.files.items()} | {"data.db": database}
        # Twice the time limit, because the time limit should always end a slow answer first.
        self.sandbox.open(files, secret_key, cpu=2 * math.ceil(self.time_limit))
        self.ends = time.monotonic() + self.time_limit
        return self.start

    def start(self, apart: bool = False) -> Client:
        """Start the app and return a client for it. Raises DidNotStart if the app does not start."""
        channel = self.sandbox.start(apart, self.log)
        self.channels.append(channel)
        report = self.read_report(channel)
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
            raise NoResponse(f"nothing: {self.time_is_over()}", "no response in time")
        connection, inside = socket.socketpair()
        with connection:
            try:
                with inside:
                    socket.send_fds(channel, [b"r"], [inside.fileno()])
                request = write_request(method, target, headers, body)
                received = exchange(connection, request, min(now + self.seconds, self.ends))
            except TimeoutError:
                raise response_timed_out(self.seconds) from None
            except OSError:
                received = b""
        if not received:
            raise NoResponse(f"nothing: {ENDED}", "died")
        return read_response(received, method)

    def time_is_over(self) -> str:
        return f"the time limit of {self.time_limit:g} seconds is over"

    def printed(self) -> str:
        """Return the beginning of what the answer wrote to its standard output and error."""
        return beginning_of(self.log)

    def close(self) -> None:
        for channel in self.channels:
            channel.close()
        self.log.close()

"""Writes requests and reads responses, with limits of time and size. It follows no redirect."""

from __future__ import annotations

import http.client
import io
import socket
import time

from exercises.client import MAX_BODY, TOO_LARGE, NoResponse
from grading.serve import EXPLANATION

HEADERS = 16_384  # bytes of a response's headers: to parse many more takes seconds


def exchange(connection: socket.socket, request: bytes, ends: float) -> bytes:
    """Send a request and return everything that comes back, or the beginning if that is too much.

    Raises TimeoutError if the app has not closed the connection when time.monotonic() reaches `ends`.
    """
    received = bytearray()
    connection.settimeout(max(ends - time.monotonic(), 0.001))
    connection.sendall(request)
    connection.shutdown(socket.SHUT_WR)  # otherwise Werkzeug waits 10 ms for more
    while len(received) <= HEADERS + MAX_BODY:
        connection.settimeout(max(ends - time.monotonic(), 0.001))
        try:
            chunk = connection.recv(65_536)
        except ConnectionResetError:
            break
        if not chunk:
            break
        received += chunk
    return bytes(received)


def write_request(method: str, target: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """Return a request as a client sends it (RFC 9112)."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def read_response(received: bytes, method: str) -> tuple[int, dict[str, str], bytes]:
    """Return the status, headers and body of a response. Raises NoResponse if there is none."""
    stream = Received(received)
    response = http.client.HTTPResponse(stream, method=method)  # type: ignore[arg-type]  # not a socket
    try:
        response.begin()
        stream.limit = len(received)
        body = response.read()
    except (http.client.HTTPException, ValueError, OverflowError):
        if len(received) > HEADERS + MAX_BODY:
            raise NoResponse(TOO_LARGE) from None
        raise NoResponse(f"no complete HTTP response, but {received[:60]!a}") from None
    if len(body) > MAX_BODY:
        raise NoResponse(TOO_LARGE)
    names = {name.lower(): value for name, value in response.getheaders()}
    if response.status == 500 and names.get("content-type") == EXPLANATION:
        raise NoResponse(body[:4096].decode("utf-8", "replace"), status=500)
    return response.status, names, body


class Received(io.BytesIO):
    """Bytes for http.client, which expects a socket."""

    limit = HEADERS  # bytes that may be read line by line

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        if self.tell() > self.limit:
            raise http.client.LineTooLong("header")
        return line

    def makefile(self, *_: object) -> io.BytesIO:
        return self

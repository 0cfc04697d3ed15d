"""HTTP with an answer: reads have limits of time and size, and nothing is decoded or followed."""

from __future__ import annotations

import http.client
import io
import socket
import time

from exercises.client import MAX_BODY, TOO_LARGE, NoResponse
from grading.serve import EXPLANATION

HEADERS = 16_384  # the most bytes that the headers of a response may have: some of more take seconds to parse


def talk(path: str, request: bytes, ends: float) -> bytes:
    """Return all that comes back for a request until the other side hangs up, or as much as may come.

    Raises TimeoutError if that is not before `ends`, on time.monotonic's clock.
    """
    received = bytearray()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(max(ends - time.monotonic(), 0.001))
        connection.connect(path)
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)  # or else Werkzeug waits 10 ms for more
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


def request(method: str, target: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """Return a request as it goes over the wire (RFC 9112)."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def parse(received: bytes, method: str) -> tuple[int, dict[str, str], bytes]:
    """Return the status, headers and body of a response, which is neither decoded nor followed."""
    stream = Received(received)
    response = http.client.HTTPResponse(stream, method=method)
    try:
        response.begin()
        stream.limit = len(received)
        body = response.read()
    except (http.client.HTTPException, ValueError, OverflowError):
        if len(received) > HEADERS + MAX_BODY:
            raise NoResponse(TOO_LARGE) from None
        raise NoResponse(f"what is no HTTP response, or breaks off: {received[:60]!a}") from None
    if len(body) > MAX_BODY:
        raise NoResponse(TOO_LARGE)
    names = {name.lower(): value for name, value in response.getheaders()}
    if response.status == 500 and names.get("content-type") == EXPLANATION:
        raise NoResponse(body[:4096].decode("utf-8", "replace"), status=500)
    return response.status, names, body


class Received(io.BytesIO):
    """What http.client reads a response from: it wants to be given a socket."""

    limit = HEADERS  # of what is read by lines

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        if self.tell() > self.limit:
            raise http.client.LineTooLong("header")
        return line

    def makefile(self, *_: object) -> io.BytesIO:
        return self

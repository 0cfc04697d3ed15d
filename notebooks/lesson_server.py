"""Serve a lesson from a notebook: its app, which is loaded again for each request, and the playground."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from playground.console import Console

if TYPE_CHECKING:
    from demo import Lesson

USUAL_PORT = 8000


class PortProblem(Exception):
    """A port that the server cannot use. The message says what to do."""


class QuietHandler(WSGIRequestHandler):
    """A request handler without a log, because log lines would end up below the cell."""

    def log(self, type: str, message: str, *args: object) -> None:
        pass


class LessonServer:
    """A server of one lesson. Another start() replaces the lesson."""

    def __init__(self) -> None:
        self.server: BaseWSGIServer | None = None

    def start(self, lesson: Lesson, port: int | None) -> int:
        """Serve a lesson and return the port. None means: the port as before, the usual port, or a free one.

        Raises PortProblem.
        """
        app = with_playground(lesson)
        if self.server and port in (None, self.server.port):
            self.server.app = app  # a browser that is open keeps its port
            return self.server.port
        self.stop()
        with listen([USUAL_PORT, 0] if port is None else [port]) as listener:
            # The server duplicates the file descriptor of the listener.
            number = listener.fileno()
            self.server = make_server(
                "127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler, fd=number
            )
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self.server.port

    def stop(self) -> None:
        """Stop serving, if a lesson is being served."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def listen(ports: list[int]) -> socket.socket:
    """Return a socket that listens on the first of these ports that is free. Raises PortProblem."""
    port, *others = ports
    try:
        if not 0 <= port < 2**16:
            raise OSError("a port is a number below 65536")
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        if others:
            return listen(others)
        raise PortProblem(
            f"Cannot serve on port {port}: {error}. Choose another one, like lesson.serve(port=8001)."
        ) from error


def with_playground(lesson: Lesson) -> WSGIApplication:
    """Return an application that loads the lesson for each request, with the playground's page at /."""

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            app, problem = lesson.load(), ""
        except Exception as error:
            app, problem = broken_app(str(error)), str(error)
        with lesson.imports():  # the console reads the demo users from the lesson's db.py
            return Console(app, lesson.folder / "app.py", problem)(environ, start_response)

    return respond


def broken_app(problem: str) -> Flask:
    """Return an app that responds to each request with the reason why the lesson does not start.

    The notebook shows no log, so the response has to say what is wrong.
    """
    app = Flask("broken", static_folder=None)
    app.wsgi_app = Response(problem, 500)  # type: ignore[method-assign]
    return app

"""The console of a lesson: a page in front of the app, from which students send requests to the app."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wrappers import Response

from lesson_loader import display_path, find_exercises

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROOT = "/_playground/"
FILES = ["page.css", "page.js", "token.js", "console.js", "icon.svg"]
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Console:
    """WSGI middleware: the page at /, its files below /_playground/, and the app for all other requests.

    If the app has its own route /, the page is at /_playground/. `file` is the app's app.py or answer.py.
    `problem` says why the app did not load.
    """

    def __init__(self, app: Flask, file: Path, problem: str = "") -> None:
        self.app = app
        self.wsgi_app = app.wsgi_app
        self.problem = problem
        answers = {exercise.answer: exercise for exercise in find_exercises().values()}
        self.exercise = answers.get(file)
        self.lesson = self.exercise.lesson if self.exercise else file.parent

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = self.own_path(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if path is None:
            return self.wsgi_app(environ, start_response)
        response = self.respond(path, environ)
        response.headers.update(HEADERS)
        return response(environ, start_response)

    def own_path(self, method: str, path: str) -> str | None:
        """Return the path below /_playground/ of a request for the console, or None if it is for the app."""
        if path.startswith(ROOT):
            return path.removeprefix(ROOT)
        is_page = path == "/" and method in ("GET", "HEAD") and not self.app_has_root()
        return "" if is_page else None

    def app_has_root(self) -> bool:
        return any(rule.rule == "/" for rule in self.app.url_map.iter_rules())

    def respond(self, path: str, environ: WSGIEnvironment) -> Response:
        """Return the response to a request for the page or for a file below /_playground/."""
        if not is_own_host(environ.get("HTTP_HOST", "")):
            return Response(self.explain_host(), 403)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return Response("This page only accepts GET.", 405, {"Allow": "GET, HEAD"})
        if path == "settings.json":
            return self.settings()
        if path in FILES:
            return send_file(Path(__file__).with_name(path))
        from playground import pages  # a slow import, so the start of the app does not wait for it

        lesson = self.lesson.name
        if path in ("", f"{lesson}/"):
            return Response(self.render_lesson(environ["SERVER_PORT"]), mimetype="text/html")
        if path in pages.find_pages():
            folder = path.rpartition("/")[0]
            command = f"make lesson-{int(folder[:2])}" if folder not in ("", lesson) else None
            return Response(pages.render(path, ROOT, command=command), mimetype="text/html")
        picture = pages.find_pictures().get(path)
        return send_file(picture) if picture else Response("There is no such page.", 404)

    def render_lesson(self, port: str) -> str:
        """Return the page of the lesson, or of the exercise if the app is an answer.

        Its commands send requests to this port.
        """
        from exercise_loop import read_todo
        from playground import pages

        variables: dict[str, str | None] = {"script": "console.js"}
        if self.exercise:
            variables |= {
                "title": f"Exercise {self.exercise.label}: your answer",
                "task": read_todo(self.exercise),
                "answer": display_path(self.exercise.answer),
                "label": self.exercise.label,
            }
        page = pages.render(f"{self.lesson.name}/", ROOT, **variables)
        return page.replace("127.0.0.1:8000", f"127.0.0.1:{port}")

    def settings(self) -> Response:
        """Return how to talk to the app, or why the app does not start."""
        from playground.settings import describe_app

        settings = {"problem": self.problem} if self.problem else describe_app(self.app)
        return Response(json.dumps(settings), 503 if self.problem else 200, mimetype="application/json")

    def explain_host(self) -> str:
        """Return what to do if a student opens the page under another name."""
        number = int(self.lesson.name[:2])
        command = f"make try-{self.exercise.label}" if self.exercise else f"make lesson-{number}"
        return (
            "For your safety, this page opens only under the names localhost and 127.0.0.1.\n"
            "Do you need another name, for example because you forward a port? Then press Ctrl-C in the\n"
            "terminal and type the next line, with the name from the address bar of your browser:\n\n"
            f"{command} ALLOWED_HOST=name\n"
        )

    def is_for_app(self, record: logging.LogRecord) -> bool:
        """Return whether a line of the log is about the app. Requests for the page would hide such lines."""
        request = re.search(r'"(?:\033\[\d+m)*([A-Z]+) (/[^ ?]*)', record.getMessage())
        return request is None or self.own_path(request[1], request[2]) is None


def send_file(file: Path) -> Response:
    return Response(file.read_bytes(), mimetype=TYPES[file.suffix])


def is_own_host(host: str) -> bool:
    """Return whether the header Host names this computer, or a name in ALLOWED_HOST.

    This stops DNS rebinding: another site could give its own name the address 127.0.0.1 to read our page.
    """
    allowed = map(strip_port, os.environ.get("ALLOWED_HOST", "").split(","))
    return host_is_trusted(host) and strip_port(host) in {"localhost", "127.0.0.1", "[::1]", *allowed}


def strip_port(host: str) -> str:
    return re.sub(r":\d+$", "", host.strip().lower())

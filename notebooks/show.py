"""Show files, requests and responses: as HTML or Markdown in a notebook, as text everywhere else."""

from __future__ import annotations

import json
from html import escape
from http.client import responses
from pathlib import Path

import httpx

STYLE = Path(__file__).with_name("demo.css").read_text(encoding="utf-8")
REQUEST_HEADERS = ("Authorization", "Content-Type")
RESPONSE_HEADERS = ("WWW-Authenticate", "Allow", "Location", "Content-Type")
MAX_BODY = 2000  # characters that a cell shows of a body
HALF = 220  # characters: in half the width of a page, a longer line takes more than four lines


def styled(body: str) -> str:
    """Return HTML with its own style sheet, so that it looks the same wherever a notebook shows it."""
    return f'<style>{STYLE}</style><div class="demo">{body}</div>'


def box(label: str, body: str, kind: str = "") -> str:
    """Return a frame around some HTML, with a label. If a line is long, the frame is as wide as the page."""
    kind += " wide" if any(len(line) > HALF for line in body.splitlines()) else ""
    return f'<div class="box {kind}"><b class="label">{escape(label)}</b>{body}</div>'


def code(text: str) -> str:
    """Return text as preformatted HTML. All text from an app or a token must be escaped."""
    return f"<pre>{escape(text)}</pre>"


def status_line(status: int) -> str:
    """Return a status as Flask's server sends it, such as 401 UNAUTHORIZED."""
    return f"{status} {responses.get(status, '').upper()}".strip()


class Display:
    """Show `html` in a notebook, and `text` everywhere else."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


class Source:
    """A file of a lesson. As Markdown, it gets the notebook's own syntax colours."""

    def __init__(self, text: str, language: str) -> None:
        self.text, self.language = text, language

    def _repr_markdown_(self) -> str:
        return f"```{self.language}\n{self.text}```"

    def __repr__(self) -> str:
        return self.text


class Difference(Display):
    """A unified diff. Its style does not rely on colour alone."""

    def __init__(self, text: str) -> None:
        lines = [f'<span class="{self.kind(line)}">{escape(line)}\n</span>' for line in text.splitlines()]
        self.text, self.html = text, styled(f'<pre class="diff">{"".join(lines)}</pre>')

    @staticmethod
    def kind(line: str) -> str:
        """Return the CSS class of a line."""
        if line.startswith(("+++", "---", "@@")):
            return "header"
        return {"+": "added", "-": "removed"}.get(line[:1], "unchanged")


class Address(Display):
    """Where a lesson runs, and commands for a terminal."""

    def __init__(self, lesson: str, url: str, commands: str) -> None:
        self.text = f"{lesson} runs at {url} until lesson.stop().\n\n{commands}"
        link = f'<a href="{url}" target="_blank">{url}</a>'
        line = f"<p>{escape(lesson)} runs at {link} until <code>lesson.stop()</code>.</p>"
        self.html = styled(line + box("in a terminal", code(commands)))


# a request and its response


def format_body(content: bytes, kind: str) -> str:
    """Return a body as text. Each field of a JSON object is on a line of its own."""
    text = content.decode("utf-8", "replace").strip()
    try:
        body = json.loads(text) if "json" in kind else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or len(text) > MAX_BODY:
        return text[:MAX_BODY]
    fields = (
        f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in body.items()
    )
    return "{\n" + ",\n".join(fields) + "\n}"


def format_message(message: httpx.Request | httpx.Response, names: tuple[str, ...]) -> str:
    """Return the headers with these names, and the body."""
    headers = [f"{name}: {message.headers[name]}" for name in names if name in message.headers]
    body = format_body(message.content, message.headers.get("Content-Type", ""))
    return "\n".join([*headers, *(["", body] if body else [])])


def exchange_html(response: httpx.Response) -> str:
    """Return a request and its response side by side or, after a 500, the response and the server's log."""
    request = response.request
    kind = "good" if response.is_success else "bad"
    target = f"<code><b>{escape(request.method)} {escape(request.url.raw_path.decode())}</b></code>"
    status = f'<code class="{kind}">{status_line(response.status_code)}</code>'
    log = response.extensions.get("log")
    receiver = response.extensions.get("lesson", "the app")
    message = target + code(format_message(request, REQUEST_HEADERS))
    sent = box(f"request to {receiver}", message, "wide" if log else "")
    name = "what the client gets" if log else "response"
    received = box(name, status + code(format_message(response, RESPONSE_HEADERS)))
    logged = box("the server's log", code(log), "log") if log else ""
    return styled(f'<div class="row">{sent}{received}{logged}</div>')


def exchange_text(response: httpx.Response) -> str:
    """Return a request, the response and, after a 500, the server's log, one below the other."""
    request = response.request
    target = f"{request.method} {request.url.raw_path.decode()}"
    sent = f"{target}\n{format_message(request, REQUEST_HEADERS)}".rstrip()
    received = format_message(response, RESPONSE_HEADERS)
    log = response.extensions.get("log")
    logged = f"\n\nthe server's log:\n{log}" if log else ""
    return f"{sent}\n\n{status_line(response.status_code)}\n{received}{logged}"


def show_exchanges() -> None:
    """Make IPython show each httpx.Response together with its request. Outside IPython, do nothing."""
    from IPython import get_ipython

    if shell := get_ipython():
        formatters = shell.display_formatter.formatters
        formatters["text/html"].for_type(httpx.Response, exchange_html)
        formatters["text/plain"].for_type(
            httpx.Response, lambda response, printer, _: printer.text(exchange_text(response))
        )

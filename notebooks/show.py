"""Display what demo.py returns: as HTML or Markdown in a notebook, as plain text everywhere else."""

from __future__ import annotations

import base64
import io
import json
import time
from html import escape
from pathlib import Path
from typing import Any

import httpx
import jwt

from probe import Forgery, MeasuredLifetime

STYLE = Path(__file__).with_name("demo.css").read_text(encoding="utf-8")
PARTS = {"header": "one", "claims": "two", "signature": "three"}
REQUEST_HEADERS = ("Authorization", "Content-Type")
RESPONSE_HEADERS = ("WWW-Authenticate", "Allow", "Location", "Content-Type")
VERDICTS = {
    2: ("good", "accepted"),
    3: ("bad", "redirected"),
    4: ("bad", "refused"),
    5: ("bad", "broken"),
}

# The plot's colours. INK is a placeholder, which becomes the colour of the surrounding text.
INK, ACCEPTED, REFUSED = "#123456", "#3a8fd0", "#d06030"


def styled(body: str) -> str:
    """Return HTML with its own style sheet, so that it looks the same wherever a notebook shows it."""
    return f'<style>{STYLE}</style><div class="demo">{body}</div>'


def box(label: str, body: str, kind: str = "") -> str:
    """Return a frame around some HTML, with a label."""
    return f'<div class="box {kind}"><b class="label">{escape(label)}</b>{body}</div>'


def code(text: str) -> str:
    """Return text as preformatted HTML. All text from an app or a token must be escaped."""
    return f"<pre>{escape(text)}</pre>"


def verdict(status: int) -> tuple[str, str]:
    """Return the CSS class of a status, and the status with a word that explains it."""
    kind, word = VERDICTS[status // 100]
    return kind, f"{status} {word}"


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


class Note(Display):
    """A line of text, and commands for a terminal."""

    def __init__(self, line: str, commands: str) -> None:
        self.text = f"{line}\n\n{commands}"
        self.html = styled(f"<p>{escape(line)}</p>" + box("in a terminal", code(commands)))


# a request and its response


def format_body(content: bytes, kind: str) -> str:
    """Return a body as text, with JSON indented."""
    text = content.decode("utf-8", "replace").strip()
    if "json" not in kind:
        return text[:2000]
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def format_message(message: httpx.Request | httpx.Response, names: tuple[str, ...]) -> str:
    """Return the headers with these names, and the body."""
    headers = [f"{name}: {message.headers[name]}" for name in names if name in message.headers]
    body = format_body(message.content, message.headers.get("Content-Type", ""))
    return "\n".join([*headers, *(["", body] if body else [])])


def exchange_html(response: httpx.Response) -> str:
    """Return a request and its response side by side and, after a 500, the error that the app logs."""
    request = response.request
    kind, words = verdict(response.status_code)
    target = f"<code><b>{escape(request.method)} {escape(request.url.raw_path.decode())}</b></code>"
    status = f'<code class="{kind}">{words}</code>'
    left = box("request", target + code(format_message(request, REQUEST_HEADERS)))
    right = box("response", status + code(format_message(response, RESPONSE_HEADERS)))
    logged = response.extensions.get("logged")
    log = box("in the app's log", code(logged), "bad") if logged else ""
    return styled(f'<div class="row">{left}{right}</div>{log}')


def exchange_text(response: httpx.Response) -> str:
    """Return a request, the response and, after a 500, the error that the app logs, one below the other."""
    request = response.request
    target = f"{request.method} {request.url.raw_path.decode()}"
    sent = f"{target}\n{format_message(request, REQUEST_HEADERS)}".rstrip()
    received = format_message(response, RESPONSE_HEADERS)
    logged = response.extensions.get("logged")
    log = f"\n\nin the app's log: {logged}" if logged else ""
    return f"{sent}\n\n{verdict(response.status_code)[1]}\n{received}{log}"


def show_exchanges() -> None:
    """Make IPython show each httpx.Response together with its request. Outside IPython, do nothing."""
    from IPython import get_ipython

    if shell := get_ipython():
        formatters = shell.display_formatter.formatters
        formatters["text/html"].for_type(httpx.Response, exchange_html)
        formatters["text/plain"].for_type(
            httpx.Response, lambda response, printer, _: printer.text(exchange_text(response))
        )


# what is in a token


def format_duration(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    minutes, rest = divmod(int(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    words = [f"{number} {unit}" for number, unit in units if number]
    return " ".join(words[:2]) or "0 s"


def describe_time(name: str, value: Any) -> str:
    """Return how far away a claim's time is, or "" if the claim is not a time (RFC 7519, section 4.1)."""
    verbs = {
        "exp": ("expired", "expires"),
        "iat": ("issued", "issued"),
        "nbf": ("became valid", "becomes valid"),
    }
    if name not in verbs:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 2**53:
        return "is not a time: a time is a number of seconds since 1970"
    away = value - time.time()
    past, future = verbs[name]
    return f"{future} in {format_duration(away)}" if away > 0 else f"{past} {format_duration(away)} ago"


class Anatomy(Display):
    """The three parts of a token, decoded, and whether a key verifies the signature.

    A broken token raises no exception. The display says what is wrong with each broken part.
    """

    def __init__(self, token: Any, key: str, key_name: str) -> None:
        token = token.decode("utf-8", "replace") if isinstance(token, bytes) else token
        self.token = token if isinstance(token, str) else repr(token)
        segments = self.token.split(".")
        self.problem = ""
        if len(segments) != 3:
            self.problem = f"A token has three parts, separated by dots. This one has {len(segments)}."
        self.header, header = self.decode(segments[0])
        self.claims, claims = self.decode(segments[1] if len(segments) > 1 else "")
        self.verified, signature = self.verify(key, key_name)
        parts = {"header": header, "claims": claims, "signature": signature}
        coloured = ".".join(
            f'<span class="{kind}">{escape(segment)}</span>'
            for segment, kind in zip(segments, [*PARTS.values()] + ["bad"] * len(segments), strict=False)
        )
        boxes = "".join(box(part, code(parts[part]), kind) for part, kind in PARTS.items())
        problem = f'<p class="bad">{self.problem}</p>' if self.problem else ""
        self.html = styled(f'<div class="token">{coloured}</div>{problem}<div class="row">{boxes}</div>')
        self.text = "\n\n".join(
            filter(None, [self.token, self.problem, *(f"{part}: {words}" for part, words in parts.items())])
        )

    @staticmethod
    def decode(segment: str) -> tuple[dict[str, Any] | None, str]:
        """Return a part of a token as a dict and as text. For a broken part, return None and the problem."""
        if not segment:
            return None, "is empty"
        try:
            text = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None, f"is not base64url: {segment[:60]}"
        try:
            part = json.loads(text)
        except (ValueError, RecursionError):
            return None, f"is not JSON: {text[:60].decode('utf-8', 'replace')}"
        if not isinstance(part, dict):
            return None, f"is not a JSON object: {json.dumps(part)[:60]}"
        lines = [
            f"{name}: {json.dumps(value)}  {describe_time(name, value)}".rstrip()
            for name, value in part.items()
        ]
        return part, "\n".join(lines)

    def verify(self, key: str, key_name: str) -> tuple[bool, str]:
        """Return whether a key verifies the signature, and the result in words."""
        try:
            jwt.PyJWS().decode(self.token, key, algorithms=["HS256", "HS384", "HS512"])
        except (jwt.InvalidTokenError, RecursionError, UnicodeError) as error:
            return False, f"NOT VERIFIED with {key_name}: {error}"
        return True, f"verified with {key_name}, which has {len(key.encode())} bytes"


# how an app responds to forged and to expired tokens


class Forgeries(Display):
    """A table of forged tokens and the app's responses to them."""

    def __init__(self, forgeries: list[Forgery]) -> None:
        self.statuses = {forgery.description: forgery.response.status_code for forgery in forgeries}
        rows, lines = "", []
        for description, token, response in forgeries:
            kind, words = verdict(response.status_code)
            body = response.json() if "json" in response.headers.get("Content-Type", "") else {}
            message = body.get("message") or body.get("description") or ""
            rows += (
                f"<tr><td>{escape(description)}</td><td><code>{escape(shorten(token))}</code></td>"
                f'<td class="{kind}">{words}</td><td>{escape(str(message))}</td></tr>'
            )
            lines.append(f"{description:36} {words:14} {message}")
        heads = "".join(f"<th>{head}</th>" for head in ("the token", "", "the app's response", "its message"))
        self.html, self.text = styled(f"<table><tr>{heads}</tr>{rows}</table>"), "\n".join(lines)


def shorten(token: str) -> str:
    """Return a token without the middle of each part, so that it fits into a table."""
    return ".".join(part if len(part) < 12 else f"{part[:5]}…{part[-4:]}" for part in token.split("."))


class Lifetime(Display):
    """A plot of a token's lifetime: what the token says and, below it, how the app responds."""

    def __init__(self, life: MeasuredLifetime) -> None:
        self.life = life
        self.html = styled(self.svg())
        self.text = "\n".join(
            f"exp {age - life.ends:+.1f} s: {status} {'refused' if status == 401 else 'accepted'}"
            for age, status in life.statuses
        )

    def svg(self) -> str:
        """Return the plot as SVG. Its text takes the colour of the surrounding text, dark or light."""
        import matplotlib
        from matplotlib.figure import Figure

        text_colours = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
        style: dict[Any, Any] = dict.fromkeys(text_colours, INK) | {"hatch.color": REFUSED}
        style |= {"font.family": "sans-serif", "font.size": 12, "axes.titlesize": 12}
        style |= {"svg.fonttype": "none", "svg.hashsalt": "demo"}
        life, statuses = self.life, self.life.statuses
        near = [(age, status) for age, status in statuses if -30 < age - life.ends < life.leeway + 30]
        far = [pair for pair in statuses if pair not in near]
        unit, seconds = ("minutes", 60) if life.ends > 600 else ("seconds", 1)
        with matplotlib.rc_context(style):
            figure = Figure(figsize=(11, 3.2), layout="constrained")
            whole, end = figure.subplots(1, 2, sharey=True, width_ratios=[5, 6])
            self.draw(whole, far, 0, seconds)
            whole.set(title="the whole life", xlabel=f"{unit} since it was issued")
            self.draw(end, near, life.ends, 1)
            end.set(title="its end: ● accepted   ✕ refused   ▨ leeway", xlabel="seconds after exp")
            end.set_xlim(near[0][0] - life.ends - 1, near[-1][0] - life.ends + 1)
            figure.patch.set_alpha(0)
            picture = io.StringIO()
            figure.savefig(picture, format="svg", metadata={"Date": None})
        svg = picture.getvalue()
        return svg[svg.index("<svg") :].replace(INK, "currentColor")

    def draw(self, axes: Any, statuses: list[tuple[float, int]], origin: float, unit: float) -> None:
        """Draw the token's lifetime above the statuses. `origin` and `unit` of the x axis are in seconds."""
        from matplotlib.ticker import MaxNLocator

        times = self.life.begins, self.life.ends, self.life.ends + self.life.leeway
        begins, ends, refused = ((age - origin) / unit for age in times)
        axes.barh(1, ends - begins, left=begins, height=0.5, color=ACCEPTED)
        axes.barh(1, refused - ends, left=ends, height=0.5, color="none", edgecolor=REFUSED, hatch="///")
        for accepted, marker, colour in ((True, "o", ACCEPTED), (False, "x", REFUSED)):
            ages = [(age - origin) / unit for age, status in statuses if (status != 401) == accepted]
            axes.plot(ages, [0] * len(ages), marker, color=colour, markersize=8, markeredgewidth=2.5)
        axes.axvline(ends, color=INK, linewidth=1, linestyle=":")
        axes.set(ylim=(-0.6, 1.6), yticks=[0, 1], yticklabels=["the app\nresponds", "the token\nsays"])
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
        axes.patch.set_alpha(0)

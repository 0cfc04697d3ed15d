"""How what demo.py returns looks: in a notebook as HTML or Markdown, elsewhere as plain text."""

from __future__ import annotations

import base64
import io
import json
import time
from html import escape
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Any

import httpx
import jwt

STYLE = Path(__file__).with_name("demo.css").read_text(encoding="utf-8")
PARTS = {"header": "one", "claims": "two", "signature": "three"}
SENT, GOT = ("Authorization", "Content-Type"), ("WWW-Authenticate", "Allow", "Location", "Content-Type")
VERDICTS = {
    2: ("good", "accepted"),
    3: ("bad", "sent elsewhere"),
    4: ("bad", "refused"),
    5: ("bad", "broken"),
}

INK, ACCEPTED, REFUSED = "#123456", "#3a8fd0", "#d06030"  # in the plot; INK becomes the colour of the text


def styled(body: str) -> str:
    return f'<style>{STYLE}</style><div class="demo">{body}</div>'


def box(label: str, body: str, kind: str = "") -> str:
    return f'<div class="box {kind}"><b class="label">{escape(label)}</b>{body}</div>'


def code(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def verdict(status: int) -> tuple[str, str]:
    """Return the class and the words for a status."""
    kind, word = VERDICTS[status // 100]
    return kind, f"{status} {word}"


class Shown:
    """Something with an html and a text."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


class Source(Shown):
    """A file of Python, in the colours of whoever shows Markdown."""

    _repr_html_ = None

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}```"


class Difference(Shown):
    """A unified diff; what goes and what comes differ in their sign, their colour and their weight."""

    def __init__(self, text: str) -> None:
        shown = [f'<span class="{self.kind(line)}">{escape(line)}\n</span>' for line in text.splitlines()]
        self.text, self.html = text, styled(f'<pre class="diff">{"".join(shown)}</pre>')

    @staticmethod
    def kind(line: str) -> str:
        if line.startswith(("+++", "---", "@@")):
            return "place"
        return {"+": "comes", "-": "goes"}.get(line[:1], "stays")


class Note(Shown):
    """A line, and what to type into a terminal."""

    def __init__(self, line: str, commands: str) -> None:
        self.text = f"{line}\n\n{commands}"
        self.html = styled(f"<p>{escape(line)}</p>" + box("in a terminal", code(commands)))


# a request and its response


def body_of(content: bytes, kind: str) -> str:
    """Return a body as it is read best: JSON indented, anything else as text."""
    text = content.decode("utf-8", "replace").strip()
    if "json" not in kind:
        return text[:2000]
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def lines_of(message: httpx.Request | httpx.Response, names: tuple[str, ...]) -> str:
    """Return a message's headers, those of some names, and its body."""
    headers = [f"{name}: {message.headers[name]}" for name in names if name in message.headers]
    body = body_of(message.content, message.headers.get("Content-Type", ""))
    return "\n".join([*headers, *(["", body] if body else [])])


def exchange_html(response: httpx.Response) -> str:
    request = response.request
    kind, words = verdict(response.status_code)
    asked = f"<code><b>{escape(request.method)} {escape(request.url.raw_path.decode())}</b></code>"
    said = f'<code class="{kind}">{words}</code>'
    left = box("request", asked + code(lines_of(request, SENT)))
    return styled(f'<div class="row">{left}{box("response", said + code(lines_of(response, GOT)))}</div>')


def exchange_text(response: httpx.Response) -> str:
    request = response.request
    asked = f"{request.method} {request.url.raw_path.decode()}\n{lines_of(request, SENT)}".rstrip()
    return f"{asked}\n\n{verdict(response.status_code)[1]}\n{lines_of(response, GOT)}"


def show_exchanges() -> None:
    """Let a notebook show each httpx.Response as an exchange; outside of IPython, do nothing."""
    from IPython import get_ipython

    if shell := get_ipython():
        formatters = shell.display_formatter.formatters
        formatters["text/html"].for_type(httpx.Response, exchange_html)
        formatters["text/plain"].for_type(
            httpx.Response, lambda it, printer, _: printer.text(exchange_text(it))
        )


# what is in a token


def in_words(seconds: float) -> str:
    """Return a length of time, in at most two units."""
    minutes, rest = divmod(int(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    said = [f"{number} {unit}" for number, unit in units if number]
    return " ".join(said[:2]) or "0 s"


def time_in_words(name: str, value: Any) -> str:
    """Return what a claim that is a time means now (RFC 7519, section 4.1)."""
    verbs = {"exp": ("expired", "expires"), "iat": ("issued", "issued"), "nbf": ("began", "begins")}
    if name not in verbs:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 2**53:
        return "is not a time: a number of seconds since 1970 is"
    away = value - time.time()
    past, coming = verbs[name]
    return f"{coming} in {in_words(away)}" if away > 0 else f"{past} {in_words(away)} ago"


class Anatomy(Shown):
    """The three parts of a token, decoded, and whether its signature is that of a key.

    Nothing in a token can raise: what is wrong with a part is said in its place.
    """

    def __init__(self, token: Any, key: str, key_name: str) -> None:
        token = token.decode("utf-8", "replace") if isinstance(token, bytes) else token
        self.token = token if isinstance(token, str) else repr(token)
        segments = self.token.split(".")
        self.problem = ""
        if len(segments) != 3:
            self.problem = f"A token has three parts, with a dot between them. This has {len(segments)}."
        self.header, header = self.decode(segments[0])
        self.claims, claims = self.decode(segments[1] if len(segments) > 1 else "")
        self.verified, signature = self.verify(key, key_name)
        says = {"header": header, "claims": claims, "signature": signature}
        coloured = ".".join(
            f'<span class="{kind}">{escape(segment)}</span>'
            for segment, kind in zip(segments, [*PARTS.values()] + ["bad"] * len(segments), strict=False)
        )
        shown = "".join(box(part, code(says[part]), kind) for part, kind in PARTS.items())
        problem = f'<p class="bad">{self.problem}</p>' if self.problem else ""
        self.html = styled(f'<div class="token">{coloured}</div>{problem}<div class="row">{shown}</div>')
        self.text = "\n\n".join(
            filter(None, [self.token, self.problem, *(f"{n}: {s}" for n, s in says.items())])
        )

    @staticmethod
    def decode(segment: str) -> tuple[dict | None, str]:
        """Return a part as an object, or None, and what is to be said of it."""
        if not segment:
            return None, "is empty"
        try:
            text = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None, f"is not base64url: {segment[:60]}"
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return None, f"is not JSON: {text[:60].decode('utf-8', 'replace')}"
        if not isinstance(said, dict):
            return None, f"is not a JSON object: {json.dumps(said)[:60]}"
        lines = [
            f"{name}: {json.dumps(value)}  {time_in_words(name, value)}".rstrip()
            for name, value in said.items()
        ]
        return said, "\n".join(lines)

    def verify(self, key: str, key_name: str) -> tuple[bool, str]:
        """Return whether the signature is that of a key, and this in words."""
        try:
            jwt.PyJWS().decode(self.token, key, algorithms=["HS256", "HS384", "HS512"])
        except (jwt.InvalidTokenError, RecursionError, UnicodeError) as error:
            return False, f"NOT VERIFIED with {key_name}: {error}"
        return True, f"verified with {key_name}, of {len(key.encode())} bytes"


# what an app answers


class Forgeries(Shown):
    """A table of what was tried and what the app answered."""

    def __init__(self, tried: list[tuple[str, str, httpx.Response]]) -> None:
        self.answers = {what: response.status_code for what, _, response in tried}
        rows, lines = "", []
        for what, token, response in tried:
            kind, words = verdict(response.status_code)
            body = response.json() if "json" in response.headers.get("Content-Type", "") else {}
            said = body.get("message") or body.get("description") or ""
            rows += (
                f"<tr><td>{escape(what)}</td><td><code>{escape(shorten(token))}</code></td>"
                f'<td class="{kind}">{words}</td><td>{escape(str(said))}</td></tr>'
            )
            lines.append(f"{what:36} {words:14} {said}")
        heads = "".join(f"<th>{head}</th>" for head in ("the token", "", "the app's answer", "what it says"))
        self.html, self.text = styled(f"<table><tr>{heads}</tr>{rows}</table>"), "\n".join(lines)


def shorten(token: str) -> str:
    """Return a token with the middle of each part cut out."""
    return ".".join(part if len(part) < 12 else f"{part[:5]}…{part[-4:]}" for part in token.split("."))


class Lifetime(Shown):
    """A token's life as it is written in the token, over what the app answered; times are in seconds."""

    def __init__(self, life: int, begins: int, leeway: float, answers: list[tuple[float, int]]) -> None:
        self.life, self.begins, self.leeway, self.answers = life, begins, leeway, answers
        accepted = [age for age, status in answers if status != 401]
        self.last_accepted = max(accepted, default=0) - life
        self.html = styled(self.svg())
        self.text = "\n".join(
            f"{age - life:+8.1f} s from its end: {status} {'refused' if status == 401 else 'accepted'}"
            for age, status in answers
        )

    def svg(self) -> str:
        """Return the plot as SVG whose text has the colour of the text around it."""
        import matplotlib
        from matplotlib.figure import Figure

        style = {"svg.fonttype": "none", "svg.hashsalt": "demo", "font.family": "sans-serif", "font.size": 12}
        inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
        style |= dict.fromkeys(inked, INK) | {"axes.titlesize": 12, "hatch.color": REFUSED}
        is_near = [self.life - 30 < age < self.life + self.leeway + 30 for age, _ in self.answers]
        near, far = list(compress(self.answers, is_near)), list(compress(self.answers, map(not_, is_near)))
        unit, seconds = ("minutes", 60) if self.life > 600 else ("seconds", 1)
        with matplotlib.rc_context(style):
            figure = Figure(figsize=(11, 3.2), layout="constrained")
            whole, end = figure.subplots(1, 2, sharey=True, width_ratios=[5, 6])
            self.draw(whole, far, 0, seconds)
            whole.set(title="the whole life", xlabel=f"{unit} since it was issued")
            self.draw(end, near, self.life, 1)
            end.set(title="its end: ● accepted   ✕ refused   ▨ leeway", xlabel="seconds after exp")
            end.set_xlim(near[0][0] - self.life - 1, near[-1][0] - self.life + 1)
            figure.patch.set_alpha(0)
            picture = io.StringIO()
            figure.savefig(picture, format="svg", metadata={"Date": None})
        svg = picture.getvalue()
        return svg[svg.index("<svg") :].replace(INK, "currentColor")

    def draw(self, axes: Any, answers: list[tuple[float, int]], origin: float, unit: float) -> None:
        """Draw what the token says over what the app answers, as so many units from an origin."""
        from matplotlib.ticker import MaxNLocator

        times = self.begins, self.life, self.life + self.leeway
        begins, ends, refused = ((at - origin) / unit for at in times)
        axes.barh(1, ends - begins, left=begins, height=0.5, color=ACCEPTED)
        axes.barh(1, refused - ends, left=ends, height=0.5, color="none", edgecolor=REFUSED, hatch="///")
        for accepted, marker, colour in ((True, "o", ACCEPTED), (False, "x", REFUSED)):
            ages = [(age - origin) / unit for age, status in answers if (status != 401) == accepted]
            axes.plot(ages, [0] * len(ages), marker, color=colour, markersize=8, markeredgewidth=2.5)
        axes.axvline(ends, color=INK, linewidth=1, linestyle=":")
        axes.set(ylim=(-0.6, 1.6), yticks=[0, 1], yticklabels=["the app\nanswers", "the token\nsays"])
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
        axes.patch.set_alpha(0)

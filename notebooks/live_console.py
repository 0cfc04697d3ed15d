"""Show the playground's console inside a notebook. It talks to the app through the notebook's kernel."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import jinja2
import traitlets
from markupsafe import Markup

from lesson_loader import LESSONS
from show import Display, styled

HERE = Path(__file__).parent
PLAYGROUND = LESSONS / "playground"
Message = dict[str, Any]


class LiveConsole(anywidget.AnyWidget):
    """A frame with the console. `respond` returns the reply to each message that the frame sends.

    Without a live kernel, for example in slides, `picture` and `line` are shown instead.
    """

    _esm = (HERE / "live_console.js").read_text(encoding="utf-8")
    page = traitlets.Unicode().tag(sync=True)

    def __init__(self, respond: Callable[[Message], Message], picture: Display, line: str) -> None:
        super().__init__(page=render_page())
        self.respond = respond
        self.static = {
            "text/html": picture.html + styled(f"<p>{escape(line)}</p>"),
            "text/plain": f"{picture.text}\n\n{line}",
        }
        self.on_msg(self.reply)

    def reply(self, widget: object, message: Message, buffers: object) -> None:
        """Send the reply to a message, with the same id."""
        self.send(self.respond(message) | {"id": message["id"]})

    def _repr_mimebundle_(self, **options: Any) -> tuple[Message, Message]:
        """Return the frame, and the picture as HTML and as text."""
        frame = super()._repr_mimebundle_(**options)
        assert frame  # a widget with a view has one
        return frame[0] | self.static, frame[1]


def render_page() -> str:
    """Return the page in the frame. It contains everything that it needs, so it loads nothing."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([HERE, PLAYGROUND]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    playground = environment.get_template("page.html")
    return environment.get_template("live_console.html").render(
        style=Markup((PLAYGROUND / "page.css").read_text(encoding="utf-8")),
        modules={name: module_url(PLAYGROUND / name) for name in ("page.js", "token.js")},
        console=Markup("".join(playground.blocks["console"](playground.new_context()))),
    )


def module_url(file: Path) -> str:
    """Return a module as a data: URL. In such a URL, imports are names, which the page's import map knows."""
    source = file.read_text(encoding="utf-8").replace('from "./', 'from "')
    return f"data:text/javascript;base64,{base64.b64encode(source.encode()).decode()}"

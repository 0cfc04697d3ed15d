"""Run a lesson's notebook and write it as slides: one HTML page that loads no other files.

    python notebooks/slides.py 2    writes notebooks/02_token_expiry.html

Each heading begins a slide. The text below a heading is for the speaker: the page hides it at first.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
from copy import copy
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

FOLDER = Path(__file__).resolve().parent
STYLE = (FOLDER / "slides.css").read_text(encoding="utf-8")


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook from its file, without running it."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def run_notebook(path: Path, timeout: int = 120) -> NotebookNode:
    """Run a notebook's cells in order and return it with their outputs.

    The limit for each cell is `timeout` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Use sockets in a private folder, because every user of this machine can connect to a TCP port.
        channel = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{folder}/kernel"}
        return NotebookClient(
            read_notebook(path),
            timeout=timeout,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            config=Config({"KernelManager": channel}),
        ).execute()


def split_into_slides(notebook: NotebookNode) -> list[list[NotebookNode]]:
    """Return the cells of each slide. Each heading begins a slide."""
    slides: list[list[NotebookNode]] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            slides.append([])
        slides[-1].append(cell)
    return slides


def render(notebook: NotebookNode) -> str:
    """Return an HTML page that shows a notebook and its outputs."""
    exporter = HTMLExporter(template_name="basic")  # type: ignore[no-untyped-call]
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = exporter.exclude_anchor_links = True

    def to_html(cells: list[NotebookNode]) -> str:
        part = copy(notebook)
        part.cells = cells
        html, _ = exporter.from_notebook_node(part)
        return html

    sections = ""
    for heading, *cells in split_into_slides(notebook):
        title, _, text = heading.source.partition("\n")
        notes = copy(heading)
        notes.source = text
        aside = f"<details><summary>Notes</summary>{to_html([notes])}</details>" if text.strip() else ""
        sections += f"<section><h1>{title.lstrip('# ')}</h1>{aside}{to_html(cells)}</section>\n"
    light, dark = HtmlFormatter(style="default"), HtmlFormatter(style="github-dark")
    colours = light.get_style_defs(".highlight") + (
        "@media (prefers-color-scheme: dark) {" + dark.get_style_defs(".highlight") + "}"
    )
    name = re.sub("<.*?>", "", notebook.cells[0].source.partition("\n")[0].lstrip("# "))
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{name}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{colours}{STYLE}</style>\n{sections}</html>\n"
    )


def write_slides(number: str) -> None:
    """Write a lesson's slides beside its notebook.

    Exits with a message if there is no such notebook, or if one of its cells fails.
    """
    notebooks = {int(path.name[:2]): path for path in sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))}
    if not number.isdecimal() or int(number) not in notebooks:
        sys.exit(f"There is no notebook {number!r}. Choose one of these: {', '.join(map(str, notebooks))}")
    notebook = notebooks[int(number)]
    try:
        page = render(run_notebook(notebook))
    except CellExecutionError as error:
        sys.exit(f"A cell of {notebook.name} failed, so no slides were written: {error.evalue}")
    slides = notebook.with_suffix(".html")
    slides.write_text(page, encoding="utf-8")
    print(f"Wrote {slides.relative_to(FOLDER.parent).as_posix()}. Open it in a browser; it needs no network.")


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if `head` closes the pipe
    write_slides(sys.argv[1] if len(sys.argv) > 1 else "")

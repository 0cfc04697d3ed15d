"""Write a lesson's notebook, run from top to bottom, as one HTML page of slides that loads nothing.

    python notebooks/slides.py 2    writes notebooks/02_token_expiry.html

Each heading begins a slide; Page Down and Page Up turn them. What is below a heading is the speaker's and is
folded away. Raises no error that is the reader's: an unknown number and a cell that fails are each one line.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
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


def run(path: Path, timeout: int = 120) -> NotebookNode:
    """Return a notebook with the outputs of its cells, run in order; each may take `timeout` seconds."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        # sockets in a folder of one's own: TCP would be open to every user of the machine
        channel = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{folder}/kernel"}
        return NotebookClient(
            notebook,
            timeout=timeout,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            config=Config({"KernelManager": channel}),
        ).execute()


def slides_of(notebook: NotebookNode) -> list[list[NotebookNode]]:
    """Return the cells of each slide; a heading begins one."""
    slides: list[list[NotebookNode]] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            slides.append([])
        slides[-1].append(cell)
    return slides


def render(notebook: NotebookNode) -> str:
    """Return the page."""
    exporter = HTMLExporter(template_name="basic")
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = exporter.exclude_anchor_links = True
    sections = ""
    for heading, *cells in slides_of(notebook):
        title, _, notes = heading.source.partition("\n")
        body, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=cells))
        folded, _ = exporter.from_notebook_node(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(notes)])
        )
        aside = f"<details><summary>Notes</summary>{folded}</details>" if notes.strip() else ""
        sections += f"<section><h1>{title.lstrip('# ')}</h1>{aside}{body}</section>\n"
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


def main(number: str) -> None:
    """Write the slides of a lesson beside its notebook."""
    notebooks = {int(path.name[:2]): path for path in sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))}
    if not number.isdecimal() or int(number) not in notebooks:
        sys.exit(f"There is no notebook {number!r}. There are: {', '.join(map(str, notebooks))}")
    notebook = notebooks[int(number)]
    try:
        page = render(run(notebook))
    except CellExecutionError as error:
        sys.exit(f"A cell of {notebook.name} failed, so there are no slides: {error.evalue}")
    target = notebook.with_suffix(".html")
    target.write_text(page, encoding="utf-8")
    print(f"notebooks/{target.name} is written, and needs nothing but a browser.")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")

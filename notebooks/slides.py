"""Run notebooks and write them as slides. A deck is one HTML file, and it needs no network.

    python notebooks/slides.py 2    writes slides/02_token_expiry.html
    python notebooks/slides.py      writes the slides of all lessons, and slides/index.html

The metadata `slideshow.slide_type` of each cell says where a slide begins. reveal.js shows the slides.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import logging
import os
import re
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.reader import NotJSONError
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from live import find_notebook, find_notebooks

FOLDER = Path(__file__).resolve().parent
# A deck loads nothing. The presenter window shows the same deck in frames.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "frame-src file: http: https:"
)
FAILURES = (CellControlSignal, DeadKernelError)  # what nbclient raises if a cell fails
LINES = 22  # A slide has room for this many lines of a diff or a file.

# a paragraph that only links to several files
LIST_OF_FILES = r'<p>[^<]*(?:<a\b[^>]*href="\.\./[^>]*>[^<]*</a>[^<]*){2,}</p>'


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook from its file, without running it."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def run_notebook(path: Path, timeout: int = 120) -> NotebookNode:
    """Run a notebook's cells in order and return it with their outputs.

    The limit for each cell is `timeout` seconds.
    """
    return asyncio.run(run_notebook_async(path, timeout))


async def run_notebook_async(path: Path, timeout: int = 120) -> NotebookNode:
    """Do the same as run_notebook(), but let other notebooks run at the same time."""
    with tempfile.TemporaryDirectory() as folder:
        # Use sockets in a private folder, because every user of this machine can connect to a TCP port.
        channel = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{folder}/kernel"}
        return await NotebookClient(
            read_notebook(path),
            timeout=timeout,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            config=Config({"KernelManager": channel}),
        ).async_execute(stderr=DEVNULL)  # a kernel that Ctrl-C ends would print a traceback


def why_it_failed(error: Exception) -> str:
    """Return, in one line, why a cell failed. The error is one of FAILURES."""
    return str(getattr(error, "evalue", "it took too long or ended Python")).partition("\n")[0]


# from cells to slides


@dataclass
class Slide:
    """One idea. A slide with a long output has several bodies, which are shown one after the other."""

    title: str
    minutes: str = ""
    is_question: bool = False
    bodies: list[str] = field(default_factory=lambda: [""])
    notes: str = ""


class CellExporter(HTMLExporter):
    """Turn the text of a Markdown cell, or the outputs of a code cell, into HTML."""

    def __init__(self) -> None:
        super().__init__(template_name="basic")  # type: ignore[no-untyped-call]
        self.exclude_input = self.exclude_output_prompt = self.exclude_anchor_links = True

    def to_html(self, cell: NotebookNode) -> str:
        """Return HTML without links to files and servers, because a deck that is sent by mail has neither."""
        html, _ = self.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))  # type: ignore[no-untyped-call]
        html = re.sub(LIST_OF_FILES, "", html)
        return re.sub(r'<a\b[^>]*href="(?!https://)[^"]*"[^>]*>(.*?)</a>', r"\1", html, flags=re.DOTALL)

    def markdown_to_html(self, text: str) -> str:
        """Return Markdown as HTML."""
        return self.to_html(nbformat.v4.new_markdown_cell(text))  # type: ignore[no-untyped-call]


def split_into_slides(notebook: NotebookNode) -> list[Slide]:
    """Return the slides of a notebook that has run."""
    exporter = CellExporter()
    slides: list[Slide] = []
    title, is_left_out = "", False
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if kind == "notes":
            if slides and not is_left_out:
                # In JupyterLab, notes are folded. The presenter window shows them unfolded.
                text = re.sub("</?details>|<summary>.*?</summary>", "", cell.source)
                slides[-1].notes += exporter.markdown_to_html(text)
            continue
        # The servers of a notebook end with it, so a deck does not show their addresses.
        is_left_out = kind == "skip" or ".serve(" in cell.source
        if is_left_out:
            continue
        text, minutes = cell.source, ""
        if heading := re.match(r"#+ (.+?)(?: \((\d+ minutes?)\))?(?:\n|$)", text):
            title, minutes, text = heading[1], heading[2] or "", text[heading.end() :]
        if kind in ("slide", "subslide") or not slides:
            is_question = kind == "subslide" and cell.cell_type == "markdown"
            slides.append(Slide(title, minutes, is_question))
        if cell.cell_type == "markdown":
            slides[-1].bodies[-1] += exporter.markdown_to_html(text)
        elif cell.cell_type == "code":
            add_code(slides[-1], cell, exporter)
    return slides


def add_code(slide: Slide, cell: NotebookNode, exporter: CellExporter) -> None:
    """Add a code cell and its outputs to a slide. The outputs after a question follow on the next slide."""
    source = exporter.markdown_to_html(f"````python\n{cell.source}\n````")
    source = f'<div class="source">{source}</div>'
    slide.bodies[-1] += source
    if not cell.outputs:
        return
    if slide.is_question:
        question = slide.bodies[0].removesuffix(source)
        slide.bodies.append(f'<div class="question">{question}</div>{source}')
    first, *others = split_output(exporter.to_html(cell))
    slide.bodies[-1] += f'<div class="output">{first}</div>'
    slide.bodies += [f'<div class="output">{other}</div>' for other in others]


def split_output(html: str) -> list[str]:
    """Split an output that is one long text, such as a diff or a file, into parts that fit on a slide."""
    texts = re.findall(r"<pre\b.*?</pre>", html, re.DOTALL)
    if len(texts) != 1 or texts[0].count("\n") <= LINES:
        return [html]
    before, text, after = html.partition(texts[0])
    start, body = text[: text.index(">") + 1], text[text.index(">") + 1 : -len("</pre>")]
    lines = re.findall(r"[^\n]*\n(?:</span>)*|[^\n]+$", body)
    return [f"{before}{start}{''.join(part)}</pre>{after}" for part in split_lines(lines)]


def split_lines(lines: list[str]) -> list[list[str]]:
    """Pack lines into parts of at most LINES lines, and repeat the name of a diff's file in each part.

    A part begins at a file or a hunk of a diff, or after a blank line, if there is one.
    """
    parts: list[list[str]] = [[]]
    file_name: list[str] = []
    for piece in split_at_gaps(lines):
        if is_file_name(piece[0]):
            file_name = piece[:2]
        if len(parts[-1]) + len(piece) > LINES and parts[-1]:
            parts.append([] if is_file_name(piece[0]) else [*file_name])
        for line in piece:
            if len(parts[-1]) == LINES:
                parts.append([*file_name])
            parts[-1].append(line)
    return parts


def split_at_gaps(lines: list[str]) -> list[list[str]]:
    """Split lines before each file and each hunk of a diff, and after blank lines."""
    pieces: list[list[str]] = []
    previous = ""
    for line in lines:
        text = plain_text(line)
        is_hunk = text.startswith("@@") and not previous.startswith("+++")
        is_after_gap = text.strip("+- \n") and not previous.strip("+- \n")
        if not pieces or is_file_name(line) or is_hunk or is_after_gap:
            pieces.append([])
        pieces[-1].append(line)
        previous = text
    return pieces


def plain_text(html: str) -> str:
    """Return the text of some HTML, without its tags."""
    return re.sub("<.*?>", "", html)


def is_file_name(line: str) -> bool:
    """Return whether a line of a diff names the file before the change. The next line names the new file."""
    return plain_text(line).startswith("--- ")


# from slides to a page


def read_style() -> str:
    """Return our style sheet and the colours of code, light and dark."""
    light, dark = (
        HtmlFormatter(style=name).get_style_defs(".highlight") for name in ("default", "github-dark")
    )
    own = (FOLDER / "slides.css").read_text(encoding="utf-8")
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{{dark}}}\n{own}"


def read_reveal(name: str) -> str:
    """Return a file of reveal.js, ready to be part of a page.

    The files are in the package sphinx-revealjs. We cannot import it, because Sphinx is not installed.
    """
    spec = importlib.util.find_spec("sphinx_revealjs")
    assert spec
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "_static/revealjs" / name
    return file.read_text(encoding="utf-8").replace("</script", r"<\/script")


def title_to_html(title: str) -> str:
    """Return a heading's text as HTML, without the minutes."""
    return re.sub("`(.+?)`", r"<code>\1</code>", escape(title))


def slide_to_html(slide: Slide, with_notes: bool, is_first: bool) -> str:
    """Return a `<section>` for each body of a slide."""
    level = "h1" if is_first else "h2"
    minutes = f"<p><strong>{slide.minutes}</strong></p>" if slide.minutes else ""
    notes = f'<aside class="notes">{minutes}{slide.notes}</aside>' if with_notes else ""
    keys = f"← → move · Esc overview · F full screen{' · S presenter' * with_notes}"
    hint = f'<p class="keys">{keys}</p>' if is_first else ""
    sections = ""
    for number, body in enumerate(slide.bodies, 1):
        is_part = len(slide.bodies) > 1 and not slide.is_question
        count = f" <small>({number} of {len(slide.bodies)})</small>" if is_part else ""
        heading = f"<{level}>{title_to_html(slide.title)}{count}</{level}>"
        sections += f'<section>{heading}<div class="body">{body}</div>{hint}{notes}</section>\n'
    return sections


def render(notebook: NotebookNode, with_notes: bool = True) -> str:
    """Return a deck: an HTML page with the slides of a notebook that has run."""
    slides = split_into_slides(notebook)
    sections = "".join(slide_to_html(slide, with_notes, slide is slides[0]) for slide in slides)
    # Each output brings the same style sheet, and one copy is enough.
    styles = dict.fromkeys(re.findall(r"<style>(.*?)</style>", sections, re.DOTALL))
    sections = re.sub(r"<style>.*?</style>", "", sections, flags=re.DOTALL)
    scripts = [read_reveal("dist/reveal.js"), (FOLDER / "slides.js").read_text(encoding="utf-8")]
    if with_notes:
        scripts.insert(1, read_reveal("plugin/notes/notes.js"))
    style = "\n".join([read_reveal("dist/reveal.css"), *styles, read_style()])
    body = f'<main><div class="deck"><div class="slides">\n{sections}</div></div></main>\n'
    body += "".join(f"<script>{script}</script>\n" for script in scripts)
    return render_page(slides[0].title, style, body)


def render_page(title: str, style: str, body: str) -> str:
    """Return a complete HTML page."""
    # With the class print-pdf, reveal.js leaves the style of printed pages to us.
    return (
        '<!doctype html>\n<html lang="en" class="print-pdf"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title.replace('`', ''))}</title><style>{style}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )


def render_index(notebooks: list[Path]) -> str:
    """Return a page with a link to each deck and the minutes that it takes."""
    items = ""
    for path in notebooks:
        heading = read_notebook(path).cells[0].source.partition("\n")[0].lstrip("# ")
        title, _, minutes = heading.removesuffix(")").rpartition(" (")
        items += f'<li><a href="{path.stem}.html">{title_to_html(title)}</a> <span>{minutes}</span></li>\n'
    return render_page(
        "Slides", read_style(), f'<main class="index"><h1>Slides</h1><ul>\n{items}</ul></main>'
    )


# the command


def choose_notebooks(number: str | None) -> list[Path]:
    """Return the notebook with this number, or all notebooks without a number."""
    if number is None:
        return list(find_notebooks(FOLDER).values())
    return [find_notebook(number, FOLDER)]


class InterruptibleLoop(asyncio.SelectorEventLoop):
    """An event loop that lets Ctrl-C end the whole program, not only one kernel."""

    def add_signal_handler(self, *arguments: Any) -> None:  # type: ignore[override]
        """Refuse the handlers of nbclient. It expects this error."""
        raise RuntimeError


def interrupt(*_: object) -> None:
    """Raise KeyboardInterrupt, as Python does. asyncio would replace Python's own handler."""
    raise KeyboardInterrupt


async def write_decks(notebooks: list[Path], out: Path, with_notes: bool) -> list[str]:
    """Run notebooks and write their decks into a folder. Return a message for each notebook that failed."""
    problems = []
    # One kernel for each of two cores. More of them would only wait for each other.
    limit = asyncio.Semaphore(2)

    async def write_deck(notebook: Path) -> None:
        deck = out / f"{notebook.stem}.html"
        try:
            async with limit:
                result = await run_notebook_async(notebook)
                page = await asyncio.to_thread(render, result, with_notes)
            new = deck.with_suffix(".new")  # on a full disk, the old deck stays complete
            new.write_text(page, encoding="utf-8")
            new.replace(deck)
            print(f"Wrote {deck}")
        except NotJSONError:
            problems.append(f"{notebook.name} is not a notebook, so {deck} was not written.")
        except FAILURES as error:
            reason = why_it_failed(error)
            problems.append(f"A cell of {notebook.name} failed, so {deck} was not written: {reason}")

    await asyncio.gather(*map(write_deck, notebooks))
    return problems


def main() -> None:
    """Write the decks that the command line asks for. Exits with a message if something fails."""
    parser = argparse.ArgumentParser(prog="slides.py", description="Write notebooks as slides.")
    parser.add_argument("number", nargs="?", help="the lesson's number; without it, all lessons")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write (default: slides)")
    parser.add_argument("--without-notes", action="store_true", help="leave out your notes")
    options = parser.parse_args()
    notebooks = choose_notebooks(options.number)
    with_notes = not options.without_notes
    # Both kinds have their own folder, so that nobody sends the answers to students by mistake.
    out = options.out or (Path("slides") if with_notes else Path("slides/students"))
    try:
        out.mkdir(parents=True, exist_ok=True)
        print("Running the cells. This takes a minute for all lessons.", flush=True)
        with asyncio.Runner(loop_factory=InterruptibleLoop) as runner:
            problems = runner.run(write_decks(notebooks, out, with_notes))
        if options.number is None:
            written = [notebook for notebook in notebooks if (out / f"{notebook.stem}.html").exists()]
            (out / "index.html").write_text(render_index(written), encoding="utf-8")
            print(f"Wrote {out / 'index.html'}, a list of all slides.")
    except OSError as error:
        sys.exit(f"Cannot write the slides into {out}: {error.strerror}. Choose another folder with --out.")
    except KeyboardInterrupt:
        print("\nYou stopped the command. Run it again to write the slides that are missing.", flush=True)
        os._exit(130)  # nbclient would end its kernels at the exit, but they have ended already
    if problems:
        sys.exit("\n".join(problems))
    if with_notes:
        print("These slides contain your notes and the answers. For your students, add ARGS=--without-notes.")
    else:
        print("These slides contain no notes, but they show the results of all cells, and so the answers to")
        print("the quiz. Give them to your students after the class.")
    print("Open them in a browser. They need no network.")


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if `head` closes the pipe
    signal.signal(signal.SIGINT, interrupt)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it would log what Ctrl-C ends
    main()

"""Test the slides: what is on them, what `make slides` writes, and what an instructor sees in a browser."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat import NotebookNode

import slides
from helpers import wait_until
from lesson_loader import find_lessons, read_about
from slides import LINES, main, read_notebook, render, split_into_slides, split_lines

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LESSONS = find_lessons()
NOTEBOOKS = {number: slides.FOLDER / f"{folder.name}.ipynb" for number, folder in LESSONS.items()}
SIZES = [(1280, 720), (1920, 1080), (390, 844)]
STYLE = "<style>.demo { color: red }</style>"


def cell(kind: str, source: str, **outputs: str) -> NotebookNode:
    """Return a cell with a slide type. With outputs, it is a code cell that has run: html="…", plain="…"."""
    if not outputs:
        new = nbformat.v4.new_markdown_cell(source)
    else:
        data = {f"text/{name}": text for name, text in outputs.items()}
        new = nbformat.v4.new_code_cell(source, outputs=[nbformat.v4.new_output("display_data", data=data)])
    new.metadata["slideshow"] = {"slide_type": kind}
    return new


def notebook_of(*cells: NotebookNode) -> NotebookNode:
    return nbformat.v4.new_notebook(cells=list(cells))


TITLE = cell("slide", "# Lesson 2: How `exp` works (10 minutes)\n\nWho decides?")
ANSWER = cell("notes", "<details>\n<summary>Notes</summary>\n\n**Answer** The server.\n\n</details>")
LONG_DIFF = [
    "--- 01/app.py\n",
    "+++ 02/app.py\n",
    *("@@ -1 +1 @@\n", *["-old line\n"] * 15),
    *("@@ -9 +9 @@\n", *["+new line\n"] * 15),
    "--- 01/db.py\n",
    "+++ 02/db.py\n",
    *("@@ -1 +1 @@\n", *[" same line\n"] * 50),
]


# The cells of each slide.


def test_a_slide_begins_at_each_slide_and_subslide_and_skipped_cells_are_left_out():
    parts = [TITLE, cell("subslide", "1", plain="one"), cell("-", "2", plain="two"), cell("skip", "secret")]
    first, second = split_into_slides(notebook_of(*parts))
    assert "Who decides?" in first.bodies[0]
    assert [text in second.bodies[0] for text in ("one", "two")] == [True, True]
    assert "secret" not in render(notebook_of(*parts))


def test_a_slide_has_the_heading_of_its_section_and_the_notes_have_its_minutes():
    page = render(
        notebook_of(TITLE, cell("slide", "## Why (1 minute)"), cell("subslide", "6 * 7", plain="42"))
    )
    assert re.findall("<h[12]>(.+?)</h[12]>", page) == ["Lesson 2: How <code>exp</code> works", "Why", "Why"]
    assert "<title>Lesson 2: How exp works</title>" in page
    assert re.findall(r"<strong>(\d+ minutes?)</strong>", page) == ["10 minutes", "1 minute"]


def test_notes_belong_to_the_slide_before_them_and_are_unfolded():
    page = render(notebook_of(TITLE, ANSWER, cell("slide", "## Why")))
    first, second = page.split("<section>")[1:]
    assert re.search('<aside class="notes">.*<strong>Answer</strong> The server', first, re.DOTALL)
    assert "The server" not in second
    assert "<details>" not in page


def test_slides_without_notes_contain_neither_the_notes_nor_the_presenter_window():
    notebook = notebook_of(TITLE, ANSWER)
    with_notes, without = render(notebook), render(notebook, with_notes=False)
    for text in ("The server", "speaker-controls", "S presenter", "<aside"):
        assert text in with_notes
        assert text not in without


def test_a_code_cell_is_above_its_output():
    assert re.search(
        'class="source">.*class="output">', render(notebook_of(cell("slide", "1", plain="2"))), re.DOTALL
    )


def test_the_output_after_a_question_is_on_the_next_slide_below_the_same_question():
    question, answer = split_into_slides(
        notebook_of(TITLE, cell("subslide", "**Question 1.** Guess."), cell("-", "6 * 7", plain="the output"))
    )[1].bodies
    assert "Guess" in question
    assert "the output" not in question
    assert answer.index("Guess") < answer.index("the output")


def test_a_served_lesson_and_its_notes_are_left_out():
    """The server ends with the notebook, so its address on a slide would lead nowhere."""
    parts = [TITLE, cell("subslide", "lesson.serve()", plain="runs at http://127.0.0.1:8000"), ANSWER]
    page = render(notebook_of(*parts))
    assert "127.0.0.1" not in page
    assert "The server" not in page


def test_a_widget_is_shown_as_its_picture():
    widget = cell("slide", "lesson.console()", html="<b>a picture</b>")
    widget.outputs[0]["data"]["application/vnd.jupyter.widget-view+json"] = {"model_id": "1"}
    page = render(notebook_of(widget))
    assert "<b>a picture</b>" in page
    assert "model_id" not in page


def test_links_to_files_become_text_because_a_deck_can_be_sent_without_them():
    links = "[app](../lessons/app.py), [page](http://127.0.0.1:8000), [RFC](https://www.rfc-editor.org)"
    page = render(notebook_of(cell("slide", f"# Links\n\nSee {links}.")))
    assert re.search('See app, page, <a href="https://www.rfc-editor.org".*>RFC</a>', page)


def test_a_list_of_links_to_files_is_left_out():
    output = cell("subslide", "lesson", markdown="The idea.\n\nOpen a file: [a](../a.py) · [b](../b.py)")
    page = render(notebook_of(TITLE, output))
    assert "The idea" in page
    assert "Open a file" not in page


def test_each_style_sheet_of_the_outputs_is_kept_once():
    cells = [cell("subslide", "1", html=f"{STYLE}<p>red</p>") for _ in range(3)]
    page = render(notebook_of(TITLE, *cells))
    assert page.count("<p>red</p>") == 3
    assert page.count(".demo { color: red }") == 1


# long outputs


def test_a_long_diff_is_split_at_its_files_and_hunks_and_each_part_names_the_file():
    parts = split_lines(LONG_DIFF)
    assert max(map(len, parts)) <= LINES
    assert [part[2] for part in parts[:3]] == ["@@ -1 +1 @@\n", "@@ -9 +9 @@\n", "@@ -1 +1 @@\n"]
    assert [part[1] for part in parts] == ["+++ 02/app.py\n"] * 2 + ["+++ 02/db.py\n"] * (len(parts) - 2)
    names = ("---", "+++")
    lines = [line for part in parts for line in part if not line.startswith(names)]
    assert lines == [line for line in LONG_DIFF if not line.startswith(names)]


def test_a_long_file_is_split_after_blank_lines():
    parts = split_lines([*["one\n"] * 15, "\n", *["two\n"] * 15])
    assert parts == [[*["one\n"] * 15, "\n"], ["two\n"] * 15]


def test_the_parts_of_a_long_output_are_numbered_and_have_the_same_notes():
    spans = "".join(f'<span class="added">{line}</span>' for line in LONG_DIFF)
    diff = cell(
        "subslide", "lesson.diff()", html=f'{STYLE}<div class="demo"><pre class="diff">{spans}</pre></div>'
    )
    page = render(notebook_of(TITLE, diff, ANSWER))
    numbers = re.findall(r"<small>\((\d) of (\d)\)</small>", page)
    assert numbers == [(str(number), str(len(numbers))) for number in range(1, len(numbers) + 1)]
    assert page.count('<pre class="diff">') == len(numbers) == page.count("The server") > 2


# the command


@pytest.fixture
def short_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook with a title and one cell, in a folder of its own, which is the current folder."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("slides.css", "slides.js"):
        (folder / name).write_text((slides.FOLDER / name).read_text())
    monkeypatch.setattr(slides, "FOLDER", folder)
    monkeypatch.chdir(tmp_path)
    code = nbformat.v4.new_code_cell("6 * 7")
    nbformat.write(notebook_of(TITLE, ANSWER, code), folder / "02_token_expiry.ipynb")
    return folder / "02_token_expiry.ipynb"


def write(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Call main() as `python notebooks/slides.py …` does."""
    monkeypatch.setattr(sys, "argv", ["slides.py", *arguments])
    main()


def test_all_slides_and_an_index_with_minutes_are_written(short_notebook, monkeypatch, capsys):
    write(monkeypatch)
    assert "42" in Path("slides/02_token_expiry.html").read_text()
    index = Path("slides/index.html").read_text()
    assert '<a href="02_token_expiry.html">Lesson 2: How <code>exp</code> works</a>' in index
    assert "10 minutes" in index
    assert "These slides contain your notes and the answers" in capsys.readouterr().out


def test_slides_for_students_go_into_another_folder(short_notebook, monkeypatch, capsys):
    write(monkeypatch, "2", "--without-notes")
    assert "The server" not in Path("slides/students/02_token_expiry.html").read_text()
    assert not Path("slides/02_token_expiry.html").exists()
    assert "Give them to your students after the class." in capsys.readouterr().out


def test_a_notebook_that_fails_leaves_the_old_slides_unchanged(short_notebook, monkeypatch):
    short_notebook.write_text(short_notebook.read_text().replace("6 * 7", "1 / 0"))
    Path("slides").mkdir()
    Path("slides/02_token_expiry.html").write_text("old slides")
    with pytest.raises(SystemExit, match=r"A cell of 02_token_expiry\.ipynb failed, .+: division by zero"):
        write(monkeypatch)
    assert Path("slides/02_token_expiry.html").read_text() == "old slides"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_ends_the_kernels_and_says_what_to_do(tmp_path):
    process = subprocess.Popen(
        [sys.executable, slides.FOLDER / "slides.py", "2", "--out", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline().startswith("Running the cells.")
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends the signal to the kernels too
    output, _ = process.communicate(timeout=30)  # returns when the kernels have closed this output too
    assert process.returncode == 130
    assert output == "\nYou stopped the command. Run it again to write the slides that are missing.\n"


@pytest.mark.parametrize("number", ["99", "x", "", "²", "../2"])
def test_an_unknown_number_gets_a_message_with_the_known_ones(number, monkeypatch):
    with pytest.raises(SystemExit, match=rf"There is no notebook '{re.escape(number)}'\. .+: 0, 1"):
        write(monkeypatch, number)


def test_a_folder_that_cannot_be_written_gets_a_message(short_notebook, monkeypatch):
    Path("file").write_text("")
    with pytest.raises(
        SystemExit, match=r"Cannot write the slides into file: .+ Choose another folder with --out"
    ):
        write(monkeypatch, "2", "--out", "file")


# our notebooks


@pytest.mark.parametrize("number", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS.values()])
def test_every_slide_of_our_notebooks_has_a_title_and_their_notes_are_hidden(number):
    deck = split_into_slides(read_notebook(NOTEBOOKS[number]))
    assert deck[0].title == read_about(LESSONS[number]).title
    assert all(slide.title for slide in deck)
    assert any("<strong>Answer</strong>" in slide.notes for slide in deck)
    for body in (body for slide in deck for body in slide.bodies):
        assert "<strong>Say</strong>" not in body
        assert "<strong>Answer</strong>" not in body


# in a browser


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The decks of two lessons. The second one has the longest diffs."""
    folder = tmp_path_factory.mktemp("slides")
    chosen = [NOTEBOOKS[2], NOTEBOOKS[8]]
    assert asyncio.run(slides.write_decks(chosen, folder, with_notes=True)) == []
    return [folder / f"{notebook.stem}.html" for notebook in chosen]


@pytest.fixture(scope="module")
def site_url(decks: list[Path]) -> Iterator[str]:
    """The address of a web server for the decks."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=decks[0].parent)) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def open_deck(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A function that opens a deck. The pages may request nothing but the deck, and cause no error."""
    contexts, requests, errors = [], [], []

    def open_at(url: str, width: int = 1280, height: int = 720, **options: str) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.on("request", lambda request: requests.append(request.url.partition("?")[0]))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        page = context.new_page()
        page.goto(url)
        page.wait_for_function("innerWidth < 700 || Reveal.isReady()")
        requests[:] = [request for request in requests if request != url.partition("?")[0]]
        return page

    yield open_at
    for context in contexts:
        context.close()
    # Chromium asks a web server for an icon. The presenter window shows the deck itself in two frames.
    others = [request for request in requests if not request.endswith(("/favicon.ico", ".html"))]
    assert others == errors == []


SLIDES_THAT_DO_NOT_FIT = """() => {
  const problems = [];
  const scale = Reveal.isReady() ? Reveal.getScale() : 1;
  for (const slide of document.querySelectorAll(".slides > section")) {
    const display = slide.style.display;
    slide.style.display = "block";
    if (slide.scrollWidth > slide.clientWidth || slide.scrollHeight > slide.clientHeight)
      problems.push(`${slide.innerText.slice(0, 60)}: the content is larger than the slide`);
    for (const element of slide.querySelectorAll(".body *")) {
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      const svg = element.closest("svg");
      const zoom = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
                       : scale * element.currentCSSZoom;
      const size = parseFloat(getComputedStyle(element).fontSize) * zoom;
      const smallest = innerWidth === 1920 ? 20 : 12;
      if (hasText && size < smallest) problems.push(`${element.textContent}: ${size} px`);
    }
    slide.style.display = display;
  }
  if (document.documentElement.scrollWidth > innerWidth) problems.push("the page is wider than the window");
  return problems;
}"""


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_slide_fits_and_its_text_is_large(decks, open_deck, width, height):
    for deck in decks:
        assert open_deck(deck.as_uri(), width, height).evaluate(SLIDES_THAT_DO_NOT_FIT) == []


@pytest.mark.slow
def test_the_keys_move_the_slides_and_open_the_overview(decks, open_deck):
    page = open_deck(decks[0].as_uri())
    assert page.locator(".keys").inner_text() == "← → move · Esc overview · F full screen · S presenter"
    total = page.locator(".slides > section").count()
    for key, number in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", total), ("Home", 1)):
        page.keyboard.press(key)
        assert page.locator(".slide-number").inner_text().split() == [str(number), "/", str(total)]
    page.keyboard.press("Escape")
    page.locator(".reveal.overview").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", "http"])
def test_the_presenter_window_and_the_deck_move_each_other(decks, site_url, open_deck, kind):
    page = open_deck(decks[0].as_uri() if kind == "file" else f"{site_url}/{decks[0].name}")
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    presenter = opened.value
    notes = presenter.locator(".speaker-controls-notes")
    notes.get_by_text("20 minutes").wait_for()
    notes.get_by_text("Next slide: Lesson 2").wait_for()
    assert re.search(r"\d\d:\d\d:\d\d", presenter.locator(".timer").inner_text())
    assert re.search(r"\d+:\d\d [AP]M", presenter.locator(".clock-value").inner_text())
    page.keyboard.press("ArrowRight")
    notes.get_by_text("Next slide: What changes").wait_for()
    presenter.keyboard.press("ArrowRight")
    wait_until(lambda: page.evaluate("Reveal.getIndices().h") == 2)
    notes.get_by_text("2 minutes").wait_for()


@pytest.mark.slow
def test_a_printed_deck_has_one_light_page_for_each_slide(decks, open_deck):
    for deck in decks:
        page = open_deck(deck.as_uri(), color_scheme="dark")
        pdf = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == page.locator(".slides > section").count()
        page.emulate_media(media="print")
        assert page.evaluate(SLIDES_THAT_DO_NOT_FIT) == []
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


@pytest.mark.slow
def test_with_notes_in_the_address_the_printed_pages_contain_the_notes(decks, open_deck):
    page = open_deck(f"{decks[0].as_uri()}?notes")
    notes = page.locator("aside.notes").first
    assert not notes.is_visible()
    page.emulate_media(media="print")
    assert notes.is_visible()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_slide_has_a_serious_accessibility_problem(decks, open_deck, axe, scheme):
    """On a phone, all slides are visible at once. Only the title slide has the hint and the number."""
    all_slides = open_deck(decks[0].as_uri(), 390, 844, color_scheme=scheme)
    title_slide = open_deck(decks[0].as_uri(), color_scheme=scheme)
    assert axe(all_slides) + axe(title_slide) == []

"""Test the notebooks in JupyterLab: what an instructor and a class see, and what it saves."""

from __future__ import annotations

import copy
import json
import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from traitlets.config import Config

import live
from helpers import ROOT, wait_until
from repository.playground import Console

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NOTEBOOK = "02_token_expiry.ipynb"
OWN = re.compile(r"(http|ws)://127\.0\.0\.1:\d+/|data:|blob:")


# in a browser


@pytest.fixture(scope="module")
def requests() -> list[str]:
    """The URL of each request that JupyterLab sends."""
    return []


@pytest.fixture(scope="module")
def open_notebook(jupyter_lab, browser: Browser, requests: list[str]) -> Iterator[Callable[..., Page]]:
    """A function that opens a notebook and waits until its kernel has started."""
    contexts = []

    def open_and_wait(notebook: str = NOTEBOOK, **options) -> Page:
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: requests.append(request.url))
        page.goto(jupyter_lab.url(notebook))
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        return page

    yield open_and_wait
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def opened(open_notebook: Callable[..., Page]) -> tuple[Page, list[str]]:
    """The page that opens first, and the names of its tabs before any test opens more tabs."""
    page = open_notebook()
    return page, page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab").all_inner_texts()


@pytest.fixture(scope="module")
def page(jupyter_lab, opened: tuple[Page, list[str]]) -> Page:
    """The notebook after the instructor has run all its cells and saved it."""
    page, _ = opened
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    file = jupyter_lab.folder / "notebooks" / NOTEBOOK
    cells = [cell for cell in json.loads(file.read_text())["cells"] if cell["cell_type"] == "code"]
    page.get_by_text(f"[{len(cells)}]:").first.wait_for()
    return page


def git_status(folder: Path) -> str:
    return subprocess.run(
        ["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.slow
def test_the_notebook_opens_without_dialogs_and_with_closed_side_bars(page, opened):
    assert page.locator(".jp-Dialog").count() == page.locator(".Toastify__toast").count() == 0
    assert page.locator(".jp-FileBrowser").is_hidden()
    assert opened[1] == [NOTEBOOK]


@pytest.mark.slow
@pytest.mark.parametrize(("size", "pixels"), [((1280, 800), 16), ((1920, 1080), 20)])
def test_code_and_text_are_large_enough_for_the_last_row(page, size, pixels):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for selector in (".jp-CodeCell .cm-content", ".jp-MarkdownCell p"):
        font_size = "element => parseFloat(getComputedStyle(element).fontSize)"
        assert page.locator(selector).first.evaluate(font_size) >= pixels
    notebook = page.locator(".jp-Notebook")
    assert notebook.evaluate("element => element.scrollWidth <= element.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.slow
def test_running_all_cells_leaves_the_notes_folded_and_one_click_opens_them(page):
    notes = page.locator(".jp-MarkdownCell details")
    notes.first.wait_for(state="attached")
    notes.first.scroll_into_view_if_needed()
    assert page.locator("details[open]").count() == 0
    assert notes.first.locator("p").first.is_hidden()
    notes.first.locator("summary").click()
    assert notes.first.locator("p").first.is_visible()
    notes.first.locator("summary").click()


@pytest.mark.slow
def test_git_sees_no_change_in_a_saved_notebook_with_outputs_until_its_text_changes(page, jupyter_lab):
    file = jupyter_lab.folder / "notebooks" / NOTEBOOK
    original = file.stat().st_mtime_ns
    assert page.locator(".jp-OutputArea-output").count()
    page.locator(".jp-MarkdownCell h1").first.click()
    page.keyboard.press("Control+s")
    wait_until(lambda: file.stat().st_mtime_ns != original)
    wait_until(lambda: git_status(jupyter_lab.folder) == "")
    page.locator(".jp-MarkdownCell h1").first.dblclick()
    page.keyboard.type("A new sentence. ")
    page.keyboard.press("Control+s")
    wait_until(lambda: git_status(jupyter_lab.folder) == f" M notebooks/{NOTEBOOK}\n")


@pytest.mark.slow
def test_a_click_opens_a_file_of_the_lesson_in_a_tab(page):
    link = page.locator("a[href*='02_token_expiry/app.py']").first
    link.scroll_into_view_if_needed()
    link.click()
    page.locator(".lm-TabBar-tab", has_text="app.py").wait_for()
    page.locator(".jp-FileEditor", has_text="JWT_EXPIRATION_DELTA").wait_for()
    page.locator(".lm-TabBar-tab", has_text=NOTEBOOK).click()


@pytest.mark.slow
def test_jupyterlab_opens_in_the_dark_theme_of_the_system(opened, open_notebook):
    page = open_notebook("00_setup.ipynb", color_scheme="dark")
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")


@pytest.mark.slow
def test_jupyterlab_follows_the_theme_of_the_system(page):
    for scheme, is_light in (("dark", "false"), ("light", "true")):
        page.emulate_media(color_scheme=scheme)
        page.locator(f"body[data-jp-theme-light={is_light}]").wait_for(state="attached")


@pytest.mark.slow
def test_jupyterlab_asks_no_other_host(page, requests):
    assert requests
    assert [url for url in requests if not OWN.match(url)] == []


# saving


@pytest.fixture(scope="module")
def remove_outputs() -> Callable[..., None]:
    """The function that JupyterLab calls before it saves a file."""
    config = Config()
    settings = ROOT / "notebooks/.jupyter/jupyter_lab_config.py"
    runpy.run_path(str(settings), init_globals={"get_config": lambda: config})
    return config.FileContentsManager.pre_save_hook


def run_in_jupyterlab(file: Path) -> dict:
    """Return the content of a notebook as JupyterLab sends it: with an output and a version of Python."""
    notebook = json.loads(file.read_text(encoding="utf-8"))
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.99"}
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "42"}]
            cell["execution_count"] = 7
    return notebook


def test_a_saved_notebook_has_the_same_bytes_as_the_committed_one(remove_outputs):
    """Otherwise git would show a change after the first save."""
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        model = {"type": "notebook", "content": run_in_jupyterlab(file)}
        remove_outputs(model=model, path=f"notebooks/{file.name}")
        assert nbformat.writes(model["content"]) + "\n" == file.read_text(encoding="utf-8"), file.name


def test_an_edit_is_saved_and_other_notebooks_keep_their_outputs(remove_outputs):
    content = run_in_jupyterlab(ROOT / "notebooks" / NOTEBOOK)
    content["cells"][0]["source"] += "A new sentence."
    for path, has_outputs in ((f"notebooks/{NOTEBOOK}", False), ("lessons/my.ipynb", True)):
        model = {"type": "notebook", "content": copy.deepcopy(content)}
        remove_outputs(model=model, path=path)
        saved = json.dumps(model["content"])
        assert "A new sentence." in saved
        assert ('"42"' in saved) == ("3.99" in saved) == has_outputs


def test_files_that_are_no_notebooks_are_saved_as_they_are(remove_outputs):
    model = {"type": "file", "content": "print(1)"}
    remove_outputs(model=model, path="notebooks/demo.py")
    assert model == {"type": "file", "content": "print(1)"}


# the command


def run_live(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "notebooks/live.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["99"], "There is no notebook '99'. Choose one of these: 0, 1, 2"),
        (["two"], "There is no notebook 'two'. Choose one of these: 0, 1, 2"),
        (["--port", "70000"], "'70000' is not a port. Choose a number from 1024 to 65535"),
    ],
)
def test_a_wrong_argument_gets_a_clear_line(arguments, message):
    run = run_live(*arguments)
    assert run.returncode
    assert message in run.stderr
    assert "Traceback" not in run.stderr


def test_a_busy_port_gets_a_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        run = run_live("2", "--port", str(port))
    assert run.returncode == 1
    assert run.stderr == (
        f"Port {port} is in use by another program. "
        f"Choose another one: make notebook-2 PORT={max(port, 8000) + 1}\n"
    )


def test_without_a_port_jupyterlab_uses_the_first_free_one_from_8888_on(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(live, "PORT", port)
        assert live.first_free_port() > port
    assert live.first_free_port() == port


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="on Windows a test cannot press Ctrl-C")
def test_ctrl_c_stops_jupyterlab_at_once(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name in ("live.py", ".jupyter", NOTEBOOK):
        copy_item = shutil.copytree if name == ".jupyter" else shutil.copy
        copy_item(ROOT / "notebooks" / name, tmp_path / "notebooks" / name)
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "TMPDIR")
    for name in names:
        (tmp_path / name).mkdir()
    terminal, other_end = os.openpty()  # without a terminal, JupyterLab handles Ctrl-C in another way
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, tmp_path / "notebooks/live.py", "2", "--port", "0", "--no-browser"],
            env=os.environ | {name: str(tmp_path / name) for name in names},
            stdin=other_end,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: "/lab/tree/" in log.read_text() or process.poll() is not None, seconds=60)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0, log.read_text()
    finally:
        process.kill()
        os.close(terminal)
        os.close(other_end)
    assert "Traceback" not in log.read_text()
    assert not list((tmp_path / "TMPDIR").iterdir())


# what a notebook shows


@pytest.mark.slow
def test_pictures_fit_and_can_be_read_from_the_last_row(page):
    for width, height, pixels in ((1280, 800, 15), (1920, 1080, 20)):
        page.set_viewport_size({"width": width, "height": height})
        demos = page.locator(".demo")
        demos.first.wait_for(state="attached")
        for demo in demos.all():
            assert demo.evaluate("element => element.scrollWidth <= element.clientWidth")
            assert demo.evaluate("element => parseFloat(getComputedStyle(element).fontSize)") >= pixels
        lines = "element => element.getClientRects().length"
        assert all(span.evaluate(lines) <= 4 for span in page.locator(".demo .token span").all())
        text = page.locator(".demo svg text").first
        assert text.evaluate("element => element.getBoundingClientRect().height") >= pixels
    page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.slow
def test_the_console_in_a_notebook_sends_a_changed_token_to_the_app(page):
    page.locator("iframe[title=Console]").first.scroll_into_view_if_needed()
    console = Console(page.locator("iframe[title=Console]").first.element_handle().content_frame())
    assert console.send("Log in as bob") == "200"
    assert console.send("GET /users") == "200"
    console.click("Another user")
    page.wait_for_timeout(1000)  # the frame is still growing, and a click could miss the moving button
    assert console.send_again() == "401"
    assert console.refused_by == "Signature"

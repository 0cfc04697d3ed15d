"""Fixtures for the tests in a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helpers import ROOT, chromium, needs, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = ROOT / ".venv/node/node_modules/axe-core/axe.min.js"
OWN = re.compile(r"(http://127\.0\.0\.1:\d+/|data:|blob:http://127\.0\.0\.1:)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def all_problems() -> list[str]:
    """Everything that goes wrong in the pages of a module. A test fails only for its own problems."""
    return []


@pytest.fixture
def problems(all_problems: list[str]) -> Iterator[list[str]]:
    """The problems of one test, which fails if any are left. A test can remove a problem that it expects."""
    all_problems.clear()
    yield all_problems
    assert not all_problems, "\n".join(all_problems)


@pytest.fixture(scope="module")
def open_page(browser: Browser, all_problems: list[str]) -> Callable[..., Page]:
    """A function that opens a page. No page may cause an error, or ask another host for anything."""

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: all_problems.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (all_problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def open_in_new_context(**options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        context.set_default_timeout(20_000)
        context.on("page", watch)
        context.on(
            "console",
            lambda message: (
                message.type in ("error", "warning")
                # a status such as 401 is what a student asks for
                and not message.text.startswith("Failed to load resource")
                and all_problems.append(f"{message.type}: {message.text}")
            ),
        )
        context.on(
            "request",
            lambda request: OWN.match(request.url) or all_problems.append(f"another host: {request.url}"),
        )
        context.on(
            "response",
            lambda response: (
                response.status >= 400
                and response.request.resource_type != "fetch"
                and all_problems.append(f"{response.status}: {response.url}")
            ),
        )
        return context.new_page()

    return open_in_new_context


@pytest.fixture
def new_page(open_page: Callable[..., Page], problems: list[str]) -> Iterator[Callable[..., Page]]:
    """A function that opens a page for one test. See open_page."""
    contexts = []

    def open_for_test(**options: Any) -> Page:
        page = open_page(**options)
        contexts.append(page.context)
        return page

    yield open_for_test
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def module_page(open_page: Callable[..., Page]) -> Page:
    return open_page()


@pytest.fixture
def page(module_page: Page, problems: list[str]) -> Page:
    """A page that the tests of a module share, because opening one takes a while.

    A test that changes more than the page itself, such as its clock or its permissions, needs new_page.
    """
    return module_page


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. If several processes run the tests, one of them builds the site for all."""
    needs("node", "npm")
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    site = shared / "built site"
    try:
        (shared / "build has begun").mkdir()
    except FileExistsError:
        wait_until(site.exists, seconds=300)
        return site
    command = [sys.executable, ROOT / "lessons/playground/site/build.py", "--out", site]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return site


@pytest.fixture(scope="session")
def axe(site: Path) -> Callable[[Page], list[str]]:
    """A function that returns the serious and critical problems that axe-core finds in a page.

    The build of the site installs axe-core.
    """
    script = AXE.read_text(encoding="utf-8")

    def find_problems(page: Page) -> list[str]:
        page.evaluate(script)
        violations = page.evaluate("axe.run()")["violations"]
        return [
            f"{violation['id']}: {node['html']}: {node['failureSummary']}"
            for violation in violations
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    return find_problems


@dataclass
class JupyterLab:
    """A running JupyterLab on a copy of the lessons and notebooks."""

    folder: Path
    address: str

    def url(self, notebook: str) -> str:
        """Return the URL that opens a notebook, such as 02_token_expiry.ipynb."""
        return re.sub(r"[^/]+\.ipynb", notebook, self.address)


@pytest.fixture(scope="module")
def jupyter_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """JupyterLab as `make notebook-2` starts it, but without personal settings, in a clone of its own."""
    needs("git")
    folder = tmp_path_factory.mktemp("clone")
    generated = shutil.ignore_patterns("__pycache__", "data.db", "answer.py", ".ipynb_checkpoints")
    for room in ("lessons", "notebooks"):
        shutil.copytree(ROOT / room, folder / room, ignore=generated)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / ".gitignore").write_text(".venv\n__pycache__\n.ipynb_checkpoints\n")
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=test"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "JUPYTERLAB_SETTINGS_DIR",
    )
    own = {name: str(tmp_path_factory.mktemp(name)) for name in names}
    log = tmp_path_factory.mktemp("log") / "log"
    with open(log, "w") as output:
        process = subprocess.Popen(
            [sys.executable, "notebooks/live.py", "2", "--port", "0", "--no-browser"],
            cwd=folder,
            env=os.environ | own,
            stdout=output,
            stderr=output,
        )
    address = re.compile(r"http://127\.0\.0\.1:\d+/lab/tree/\S+")
    try:
        wait_until(lambda: address.search(log.read_text()) or process.poll() is not None, seconds=60)
        found = address.search(log.read_text())
        assert found, log.read_text()
        yield JupyterLab(folder, found[0])
    finally:
        process.terminate()
        process.wait()

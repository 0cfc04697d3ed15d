"""Check that this computer is ready for a class, in about a minute.

    python notebooks/rehearse.py      runs all notebooks
    python notebooks/rehearse.py 2    runs only notebook 2

Prints one line for each check. The exit status is 1 if there is a problem.
"""

from __future__ import annotations

import ctypes.util
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from packaging.requirements import Requirement

from demo import Lesson, Problem
from live import find_notebook, find_notebooks
from make_venv import GROUPS, ROOT, WHEELS
from slides import FAILURES, read_reveal, run_notebook, why_it_failed

OK, NOTE, PROBLEM = "ok", "note", "problem"
LOCKS = [Path(ROOT, lock) for group in ("lessons", "exercises", "notebooks") for lock in GROUPS[group][1]]
MEGABYTE = 10**6
Result = tuple[str, str]


def main(arguments: list[str]) -> None:
    """Print the result of each check. Exit with status 1 if there is a problem."""
    notebooks = [find_notebook(arguments[0])] if arguments else list(find_notebooks().values())
    problems = 0
    for check in (
        check_packages,
        check_ports,
        check_browser,
        check_disk,
        check_clock,
        check_wheels,
        check_grading,
        check_slides,
        check_jupyterlab,
        check_exercise,
        lambda: check_notebooks(notebooks),
    ):
        for kind, sentence in check():
            print(f"{kind:8} {sentence}", flush=True)
            problems += kind == PROBLEM
    if problems:
        sys.exit("\nThis computer is not ready. Solve the problems above, then run make rehearse again.")
    print("\nThis computer is ready for the class.")


def check_packages() -> Iterator[Result]:
    """Compare the installed packages with the lock files."""
    different = []
    for lock in LOCKS:
        for line in re.findall(r"^[^\s#].*==[^\\\n]*", lock.read_text(encoding="utf-8"), re.MULTILINE):
            requirement = Requirement(line)
            if requirement.marker and not requirement.marker.evaluate():
                continue
            try:
                version = metadata.version(requirement.name)
            except metadata.PackageNotFoundError:
                version = ""
            if version not in requirement.specifier:
                different.append(requirement.name)
    if different:
        names = ", ".join(sorted(set(different)))
        yield (
            PROBLEM,
            f"These packages are missing or have another version: {names}. Run: make clean rehearse",
        )
    else:
        yield OK, f"Python {platform.python_version()} has all packages, so you need no internet."


def check_ports() -> Iterator[Result]:
    """Check that nothing uses the ports of the lessons and of JupyterLab."""
    for port, instead in ((8000, "make lesson-1 PORT=8001"), (8888, "make notebooks PORT=8890")):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            yield NOTE, f"Another program uses port {port}. Stop it, or choose another port: {instead}"
        else:
            yield OK, f"Port {port} is free."


def check_browser() -> Iterator[Result]:
    """Check that Python finds a browser to open."""
    try:
        webbrowser.get()
    except webbrowser.Error:
        yield (
            NOTE,
            "No browser opens by itself here. Copy the address that JupyterLab prints into your browser.",
        )
    else:
        yield OK, "A browser opens by itself."


def check_disk() -> Iterator[Result]:
    """Check that there is room for databases, slides and submissions."""
    free = shutil.disk_usage(ROOT).free // MEGABYTE
    if free < 500:
        yield PROBLEM, f"The disk has only {free} MB left. Free at least 500 MB."
    else:
        yield OK, "The disk has enough room."


def check_clock() -> Iterator[Result]:
    """Check that the clock is not behind the files of the course: tokens would then expire at wrong times."""
    newest = max(lock.stat().st_mtime for lock in LOCKS)
    now = time.strftime("%Y-%m-%d %H:%M")
    if time.time() < newest:
        yield PROBLEM, f"The clock shows {now}, but some files are newer. Set the clock: tokens depend on it."
    else:
        yield OK, f"The clock shows {now}. Tokens depend on it, so compare it with your watch."


def check_wheels() -> Iterator[Result]:
    """Say whether students could install without internet."""
    if os.path.isdir(WHEELS):
        yield OK, "The folder wheels contains packages for students without internet."
    else:
        yield NOTE, "If your students will have no internet, run make wheels and give them the folder wheels."


def check_grading() -> Iterator[Result]:
    """Check that `make grade` finds what it needs."""
    if sys.platform != "linux":
        yield NOTE, "make grade needs Linux, because it keeps the students' code in a sandbox."
    elif not shutil.which("bwrap") or not ctypes.util.find_library("seccomp"):
        yield NOTE, "make grade will refuse to start. Install: sudo apt install bubblewrap libseccomp2"
    elif subprocess.run(
        ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True
    ).returncode:
        yield NOTE, "make grade will refuse to start, because this system lets nobody make a sandbox."
    else:
        yield OK, "make grade finds its sandbox."


def check_slides() -> Iterator[Result]:
    """Check that the slides find reveal.js."""
    try:
        read_reveal("dist/reveal.js")
    except (OSError, SystemExit) as error:
        yield PROBLEM, f"make slides does not find reveal.js: {error}"
    else:
        yield OK, "make slides finds reveal.js."


def check_jupyterlab() -> Iterator[Result]:
    """Start JupyterLab without a network, and send it a request."""
    nowhere = "http://127.0.0.1:9"  # no program listens there
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("live.py")), "--port", "0", "--no-browser"],
                env=os.environ | {"HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "NO_PROXY": "127.0.0.1"},
                stdout=output,
                stderr=output,
            )
        start = time.monotonic()
        try:
            address = None
            while not address and process.poll() is None and time.monotonic() < start + 60:
                time.sleep(0.1)
                address = re.search(r"(http://127\.0\.0\.1:\d+/)lab", log.read_text(encoding="utf-8"))
            if address:
                build_opener(ProxyHandler({})).open(f"{address[1]}api", timeout=20).close()
                yield OK, f"JupyterLab starts in {time.monotonic() - start:.0f} seconds."
            else:
                reason = log.read_text(encoding="utf-8").strip().rpartition("\n")[2]
                yield PROBLEM, f"JupyterLab does not start: {reason}"
        except OSError as error:
            yield PROBLEM, f"JupyterLab does not respond: {error}"
        finally:
            process.terminate()
            process.wait()


def check_exercise() -> Iterator[Result]:
    """Check exercise 1 as students do: the untouched copy gets no points, the solution gets all."""
    try:
        starter, solution = (Lesson(1).check(target) for target in ("starter", "solution"))
    except Problem as error:
        yield PROBLEM, f"The checks of exercise 1 do not run: {error}"
        return
    if starter.points == 0 and solution.points == solution.possible:
        yield (
            OK,
            f"The checks of exercise 1 give 0 points to the starter and {solution.points:g} to the solution.",
        )
    else:
        yield (
            PROBLEM,
            f"Exercise 1: the starter gets {starter.points:g} points instead of 0, and the solution "
            f"{solution.points:g} instead of {solution.possible:g}. "
            "Undo your changes: git restore lessons solutions tests",
        )


def check_notebooks(notebooks: list[Path]) -> Iterator[Result]:
    """Run notebooks from top to bottom, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(check_notebook, notebooks)


def check_notebook(path: Path) -> Result:
    """Run one notebook from top to bottom."""
    start = time.monotonic()
    try:
        run_notebook(path)
    except FAILURES as error:
        return PROBLEM, f"A cell of {path.name} fails: {why_it_failed(error)}"
    return OK, f"Notebook {path.name} runs in {time.monotonic() - start:.0f} seconds."


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if `head` closes the pipe
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # also stop the JupyterLab that it has started
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nYou stopped the rehearsal.")

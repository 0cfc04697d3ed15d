"""Measure how long students wait for each step, compared with a bare baseline in the same run.

    make bench

set-up           lessons/make_venv.py, against one bare environment and one bare install
first response   `lessons serve`, against `flask run --reload` of a hello-world app
check            `lessons check`, against pytest with one empty test that imports Flask and httpx
notebooks        the test that runs each notebook and reads every cell, against nbclient running them

The commands take turns, so that a machine that slows down affects both. Prints medians and their ratio.
"""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv")
HELLO = (
    "from flask import Flask\napp = Flask(__name__)\napp.add_url_rule('/users', view_func=lambda: 'hello')\n"
)
RUN_NOTEBOOKS = """
import pathlib, sys, nbformat
from nbclient import NotebookClient
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.ipynb")):
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(nbformat.read(path, 4), kernel_name="python3", resources=where).execute()
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        print(f"set-up with {'uv' if UV else 'venv and pip'}, with the packages already cached")
        compare(5, lambda: time_our_setup(Path(folder)), {"bare": lambda: time_bare_setup(Path(folder))})
        print("first response of lesson 6")
        (Path(folder) / "app.py").write_text(HELLO)
        hello = [sys.executable, "-m", "flask", "run", "--reload", "--port"]
        lesson = [sys.executable, ROOT / "lessons", "serve", "6", "--port"]
        compare(
            15,
            lambda: time_first_response(lesson, ROOT),
            {"hello, flask run --reload": lambda: time_first_response(hello, folder)},
        )
        print("check of a right answer to exercise 6")
        for name in ("lessons", "solutions", "tests/exercises", "tests/tokens.py", "pyproject.toml"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, Path(folder) / "course" / name)
        lesson_folder = Path(folder) / "course/lessons/06_current_identity"
        shutil.copy(ROOT / "solutions/06_current_identity.py", lesson_folder / "answer.py")
        empty = Path(folder) / "test_empty.py"
        empty.write_text("import flask, httpx\n\n\ndef test_nothing():\n    pass\n")
        compare(
            10,
            lambda: time_commands([sys.executable, Path(folder) / "course/lessons", "check", "6"]),
            {"empty pytest": lambda: time_commands([sys.executable, "-m", "pytest", "-q", empty])},
        )
        print("the notebooks, one after the other")
        pytest = [sys.executable, "-m", "pytest", "-q", "-n0", ROOT / "tests/repository/test_notebooks.py"]
        nbclient = [sys.executable, "-c", RUN_NOTEBOOKS, ROOT / "notebooks"]
        compare(
            3,
            lambda: time_commands([*pytest, "-k", "every_cell"]),
            {"bare nbclient": lambda: time_commands(nbclient)},
        )


def compare(runs, ours, baselines):
    """Time ours and each baseline in turns, after one turn to warm up, and print the medians."""
    contestants = {"ours": ours, **baselines}
    times = {name: [] for name in contestants}
    for turn in range(runs + 1):
        for name, contestant in contestants.items():
            seconds = contestant()
            if turn:
                times[name].append(seconds)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, median in medians.items():
        spread = f"{min(times[name]):.2f} to {max(times[name]):.2f} s"
        print(f"  {name:28}{median:6.2f} s  ({spread})  ours is {medians['ours'] / median:.2f} x")


def time_our_setup(folder):
    """Return the seconds that make_venv.py takes in a copy of the files it needs."""
    shutil.rmtree(folder / "ours", ignore_errors=True)
    (folder / "ours/lessons").mkdir(parents=True)
    for name in ("make_venv.py", "requirements.txt", "requirements-build.txt"):
        shutil.copy(ROOT / "lessons" / name, folder / "ours/lessons")
    return time_commands([base_python(), folder / "ours/lessons/make_venv.py"])


def time_bare_setup(folder):
    """Return the seconds that it takes to make an environment and install the same packages."""
    venv = folder / "bare"
    shutil.rmtree(venv, ignore_errors=True)
    locks = ["-r", ROOT / "lessons/requirements-build.txt", "-r", ROOT / "lessons/requirements.txt"]
    options = ["--quiet", "--no-deps", "--require-hashes", *locks]
    if UV:
        create, install = [UV, "venv", "--quiet", venv], [UV, "pip", "install", "--python", venv]
    else:
        create, install = [base_python(), "-m", "venv", venv], [venv / "bin/python", "-m", "pip", "install"]
    return time_commands(create, [*install, *options])


def base_python():
    """Return the Python that made .venv."""
    return Path(sys.base_prefix) / "bin" / "python3"


def time_commands(*commands):
    """Return the seconds that commands take, one after the other."""
    start = time.perf_counter()
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def time_first_response(command, folder):
    """Return the seconds from the start of a server to its first response."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
    start = time.perf_counter()
    server = subprocess.Popen(
        [*command, str(port)],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request("GET", "/users")
                connection.getresponse().read()
                return time.perf_counter() - start
            except ConnectionRefusedError:
                time.sleep(0.002)
            finally:
                connection.close()
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # `head` closed the pipe, or Ctrl-C
        main()

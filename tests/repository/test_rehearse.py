"""Test `make rehearse`: what it prints on a computer that is ready, and on one that is not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import webbrowser
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

import rehearse
from helpers import ROOT
from rehearse import NOTE, OK, PROBLEM


def kinds(check) -> list[str]:
    return [kind for kind, _ in check()]


def test_a_computer_without_problems_is_ready(monkeypatch, capsys):
    replace_checks(monkeypatch, {"check_disk": OK, "check_ports": NOTE})
    rehearse.main(["1"])
    output = capsys.readouterr().out
    assert output.endswith("\n\nThis computer is ready for the class.\n")
    assert "ok       The check check_disk." in output
    assert "note     The check check_ports." in output


def test_a_problem_ends_with_status_1_and_what_to_do(monkeypatch, capsys):
    replace_checks(monkeypatch, {"check_disk": PROBLEM})
    with pytest.raises(SystemExit, match=r"not ready\. Solve the problems above, then run make rehearse"):
        rehearse.main(["1"])
    assert "problem  The check check_disk." in capsys.readouterr().out


def replace_checks(monkeypatch, results: dict[str, str]) -> None:
    """Replace each check by one that has this result, or none."""
    for name in [name for name in vars(rehearse) if name.startswith("check_")]:
        result = [(results[name], f"The check {name}.")] if name in results else []
        monkeypatch.setattr(rehearse, name, lambda *_, result=result: result)


def test_an_unknown_number_gets_a_clear_line():
    with pytest.raises(SystemExit, match=r"There is no notebook '99'\. Choose one of these: 0, 1, "):
        rehearse.main(["99"])


def test_a_package_of_another_version_is_a_problem(monkeypatch):
    monkeypatch.setattr(rehearse.metadata, "version", lambda name: "0.0.1" if name == "httpx" else "")
    [(kind, sentence)] = rehearse.check_packages()
    assert kind == PROBLEM
    assert "httpx" in sentence
    assert sentence.endswith("Run: make clean rehearse")
    assert "colorama" not in sentence or sys.platform == "win32"


def test_a_busy_port_gets_another_one(monkeypatch):
    def create_server(address):
        if address[1] == 8000:
            raise OSError
        return socket.socket()

    monkeypatch.setattr(rehearse.socket, "create_server", create_server)
    lessons, jupyterlab = rehearse.check_ports()
    assert lessons == (
        NOTE,
        "Another program uses port 8000. Stop it, or choose another port: make lesson-1 PORT=8001",
    )
    assert jupyterlab == (OK, "Port 8888 is free.")


def test_a_clock_that_is_behind_the_files_is_a_problem(monkeypatch):
    assert kinds(rehearse.check_clock) == [OK]
    monkeypatch.setattr(rehearse.time, "time", lambda: 0)
    assert kinds(rehearse.check_clock) == [PROBLEM]


def test_a_full_disk_is_a_problem(monkeypatch):
    monkeypatch.setattr(rehearse.shutil, "disk_usage", lambda _: SimpleNamespace(free=499 * 10**6))
    assert list(rehearse.check_disk()) == [(PROBLEM, "The disk has only 499 MB left. Free at least 500 MB.")]


def test_a_computer_without_a_browser_gets_a_note(monkeypatch):
    def get():
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "get", get)
    assert kinds(rehearse.check_browser) == [NOTE]


def test_a_computer_that_cannot_grade_gets_a_note_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(rehearse.shutil, "which", lambda _: None)
    [(kind, sentence)] = rehearse.check_grading()
    assert kind == NOTE
    assert sentence.endswith("Install: sudo apt install bubblewrap libseccomp2")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert kinds(rehearse.check_grading) == [NOTE]


def test_a_starter_with_points_is_a_problem(monkeypatch):
    lesson = SimpleNamespace(check=lambda target: SimpleNamespace(points=2.5, possible=10))
    monkeypatch.setattr(rehearse, "Lesson", lambda number: lesson)
    [(kind, sentence)] = rehearse.check_exercise()
    assert kind == PROBLEM
    assert "the starter gets 2.5 points instead of 0, and the solution 2.5 instead of 10." in sentence


@pytest.mark.slow
def test_a_notebook_that_fails_is_a_problem_that_names_the_error(tmp_path: Path):
    cell = nbformat.v4.new_code_cell("1 / 0")
    file = tmp_path / "01_auth_url.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), file)
    assert rehearse.check_notebook(file) == (PROBLEM, "A cell of 01_auth_url.ipynb fails: division by zero")


@pytest.mark.slow
def test_a_rehearsal_of_one_lesson_starts_jupyterlab_and_runs_its_notebook(tmp_path: Path):
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    start = time.monotonic()
    run = subprocess.run(
        [sys.executable, ROOT / "notebooks/rehearse.py", "1"],
        env=os.environ | {place: str(tmp_path / place) for place in places},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for part in ("JupyterLab starts in ", "The checks of exercise 1 give 0 points to the starter and 10 "):
        assert f"ok       {part}" in run.stdout
    assert "Notebook 01_auth_url.ipynb runs in " in run.stdout
    assert "02_token_expiry" not in run.stdout
    assert time.monotonic() - start < 90

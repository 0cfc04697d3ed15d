"""The set-up: what it installs, in what order, and what it prints if something is missing."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from threading import Thread

import pytest

import make_venv
from helpers import ROOT, wait_until


@pytest.fixture
def without_uv(monkeypatch):
    monkeypatch.setattr(make_venv, "UV", None)


def test_a_python_that_is_too_old_gets_a_message_that_says_what_to_install(without_uv, monkeypatch):
    monkeypatch.setattr(make_venv, "OLDEST", (99, 1))
    problem = make_venv.what_to_install()
    assert problem.startswith(
        f"Python 3.{sys.version_info[1]} is too old for the lessons. Install Python 99.1"
    )
    assert problem.endswith("make lesson-1 PYTHON=python99.1")
    assert "\n" not in problem


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_gets_a_message_that_says_what_to_install(without_uv, monkeypatch, module):
    assert make_venv.what_to_install() is None
    monkeypatch.setitem(sys.modules, module, None)
    assert make_venv.what_to_install().endswith("sudo apt install python3-venv")


def test_uv_works_with_any_python(monkeypatch):
    monkeypatch.setattr(make_venv, "UV", "uv")
    monkeypatch.setattr(make_venv, "OLDEST", (99, 1))
    assert make_venv.what_to_install() is None


def test_an_unknown_group_prints_the_list_of_groups():
    command = [sys.executable, ROOT / "lessons/make_venv.py", "kitchen"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("There is no group 'kitchen'. Choose from: lessons, exercises, ")


def test_a_group_needs_an_environment_first(monkeypatch, tmp_path):
    monkeypatch.setattr(make_venv, "VENV", str(tmp_path / ".venv"))
    with pytest.raises(
        SystemExit, match=r"There is no \.venv yet\. Make it first: python3 lessons/make_venv"
    ):
        make_venv.main(["exercises"])


def test_every_group_has_its_lock_files_and_its_make_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for group, (_, locks) in make_venv.GROUPS.items():
        assert all((ROOT / lock).is_file() for lock in locks)
        assert all(f" {lock}" in makefile for lock in locks)
        assert f"\n.venv/.installed-{group}: " in makefile


@pytest.mark.parametrize("uv", [None, "uv"])
def test_the_set_up_installs_exactly_what_is_locked(tmp_path, monkeypatch, capsys, uv):
    commands = []
    venv = tmp_path / ".venv"
    python = Path(make_venv.python_in(str(venv)))

    def run(*command):
        commands.append(command)
        if "venv" in command:
            python.parent.mkdir(parents=True)
            python.symlink_to(sys.executable)

    (venv / "stale").mkdir(parents=True)
    for name, value in {"UV": uv, "VENV": str(venv), "run": run}.items():
        monkeypatch.setattr(make_venv, name, value)
    monkeypatch.setattr(make_venv.subprocess, "check_output", lambda *_, **__: f"{venv}\n")
    make_venv.main([])
    make_venv.main(["exercises"])
    assert not (venv / "stale").exists()
    locks = ["lessons/requirements-build.txt", "lessons/requirements.txt", "tests/exercises/requirements.txt"]
    assert [command[-1] for command in commands[1:]] == locks
    for command in commands[1:]:
        assert {"--no-deps", "--no-build-isolation", "--require-hashes"} < set(command)
    assert {path.name for path in venv.glob(".installed-*")} == {
        ".installed-lessons",
        ".installed-exercises",
    }
    assert capsys.readouterr().out == (
        "Installing what the lessons need. This can take a minute.\n"
        "Installing what the exercises need. This can take a minute.\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such lock")
@pytest.mark.parametrize("first_succeeds", [True, False])
def test_a_second_set_up_waits_for_the_first_one(tmp_path, monkeypatch, capsys, first_succeeds):
    mark = tmp_path / ".installed-exercises"
    python = Path(make_venv.python_in(str(tmp_path)))
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    installed = []
    monkeypatch.setattr(make_venv, "VENV", str(tmp_path))
    monkeypatch.setattr(make_venv, "install", lambda locks, venv: installed.extend(locks))
    with open(make_venv.__file__, "a") as file:
        make_venv.lock(file.fileno())
        second = Thread(target=make_venv.main, args=(["exercises"],))
        second.start()
        output = ""

        def waits():
            nonlocal output
            output += capsys.readouterr().out
            return output == "Another command is installing packages. Waiting...\n"

        wait_until(waits)
        if first_succeeds:
            mark.touch()
    second.join()
    assert installed == ([] if first_succeeds else ["tests/exercises/requirements.txt"])
    assert mark.exists()


def test_a_group_that_could_not_be_installed_is_not_marked_as_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(make_venv, "VENV", str(tmp_path))
    python = Path(make_venv.python_in(str(tmp_path)))
    python.parent.mkdir(parents=True)
    python.symlink_to(shutil.which("false"))
    with pytest.raises(SystemExit, match="This command failed: "):
        make_venv.main(["exercises"])
    assert not list(tmp_path.glob(".installed-*"))


def test_an_environment_still_finds_the_lessons_after_its_folder_is_moved(tmp_path):
    (tmp_path / "before/lessons").mkdir(parents=True)
    shutil.copy(ROOT / "lessons/make_venv.py", tmp_path / "before/lessons")
    (tmp_path / "before/lessons/lesson_loader.py").write_text("found = True\n")
    code = "import make_venv; make_venv.make_environment(make_venv.VENV)"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "before/lessons", check=True)
    (tmp_path / "before").rename(tmp_path / "after")
    python = make_venv.python_in(str(tmp_path / "after/.venv"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = "import lesson_loader; print(lesson_loader.found)"
    run = subprocess.run([python, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.stdout == "True\n", run.stderr


def test_the_supported_pythons_are_the_same_everywhere():
    oldest = "{}.{}".format(*make_venv.OLDEST)
    assert f'requires-python = ">={oldest}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"Python {oldest} or newer" in (ROOT / "README.md").read_text(encoding="utf-8")
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    tested = re.findall(r'"(3\.\d+)"', re.search(r"python: \[(.+)\]", workflow)[1])
    assert tested[0] == oldest
    contributing = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"Python {tested[0]} to {tested[-1]}" in contributing
    for system in ("macos", "windows"):
        assert re.findall(rf'os: {system}-latest, python: "(3\.\d+)"', workflow) == [tested[0], tested[-1]]


# wheels


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what the set-up reads."""
    files = ["lessons/make_venv.py", *(lock for _, locks in make_venv.GROUPS.values() for lock in locks)]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def run_make_venv(repository: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "lessons/make_venv.py", *arguments]
    return subprocess.run(
        command, cwd=repository, env=os.environ | environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
def test_a_copy_with_wheels_is_set_up_without_a_network(repository):
    run = run_make_venv(repository, "wheels", "lessons")
    assert run.returncode == 0, run.stderr
    version = "{}.{}".format(*sys.version_info)
    assert f"has these packages for Python {version} on {sysconfig.get_platform()}." in run.stdout
    nowhere = "http://127.0.0.1:9/simple"
    offline = dict.fromkeys(("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "HTTPS_PROXY", "HTTP_PROXY"), nowhere)
    run = run_make_venv(repository, PIP_CONFIG_FILE=os.devnull, PIP_RETRIES="0", **offline)
    assert run.returncode == 0, run.stderr
    python = make_venv.python_in(str(repository / ".venv"))
    subprocess.run(
        [python, "-c", "import flask_restful, importlib.metadata as m; m.version('Flask-JWT')"], check=True
    )
    [flask] = (repository / "wheels").glob("flask-3*")
    flask.unlink()
    run = run_make_venv(repository, PIP_CONFIG_FILE=os.devnull, PIP_RETRIES="0", **offline)
    assert run.returncode == 1
    assert (
        "The folder wheels has no packages that fit this Python and this system. Run make wheels"
        in run.stderr
    )


@pytest.mark.parametrize("lock_has_changed", [False, True])
def test_wheels_are_used_only_for_the_locks_that_they_were_downloaded_for(
    repository, monkeypatch, lock_has_changed
):
    commands = []
    monkeypatch.setattr(make_venv, "ROOT", str(repository))
    monkeypatch.setattr(make_venv, "WHEELS", str(repository / "wheels"))
    monkeypatch.setattr(make_venv.subprocess, "call", lambda command, **_: commands.append(command))
    (repository / "wheels").mkdir()
    lock = "tests/exercises/requirements.txt"
    shutil.copy(repository / lock, make_venv.copy_of(lock))
    if lock_has_changed:
        (repository / lock).write_text("httpx==99\n")
    make_venv.install([lock, "notebooks/requirements.txt"], str(repository / ".venv"))
    assert ["--no-index" in command for command in commands] == [not lock_has_changed, False]


def test_wheels_of_an_unknown_group_print_the_list_of_groups(repository):
    run = run_make_venv(repository, "wheels", "kitchen")
    assert run.returncode == 1
    assert run.stderr.startswith("There is no group 'kitchen'. Choose from: lessons, exercises, ")
    assert not (repository / "wheels").exists()


@pytest.mark.parametrize("uv", [None, "uv"])
def test_wheels_are_checked_against_the_hashes_of_the_locks(repository, monkeypatch, capsys, uv):
    commands = []
    settings = {"UV": uv, "ROOT": str(repository), "WHEELS": str(repository / "wheels"), "run": None}
    settings["run"] = lambda *command: commands.append(command)
    for name, value in settings.items():
        monkeypatch.setattr(make_venv, name, value)
    monkeypatch.setattr(make_venv.subprocess, "check_output", lambda *_, **__: "3 14 win-amd64\n")
    (repository / "wheels").mkdir()
    make_venv.main(["wheels"])
    venv, *pips = commands
    assert ("--seed" in venv) == bool(uv)
    assert all("--require-hashes" in command for command in pips)
    locks = ["lessons/requirements-build.txt", "lessons/requirements.txt", "tests/exercises/requirements.txt"]
    assert [command[-1] for command in pips if "download" in command] == locks
    assert all(make_venv.is_downloaded(lock) for lock in locks)
    assert "for Python 3.14 on win-amd64." in capsys.readouterr().out

"""Tests of the loader: it loads any number of lessons into one process, always from their current files."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import originals
from helpers import ROOT
from lesson_loader import BadExercises, code_files, explain, find_exercises, find_lessons, load_app

LESSONS = find_lessons()


def test_the_error_names_a_folder_that_is_not_a_lesson(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no app\.py\. Use a lesson's folder"):
        load_app(tmp_path)


def test_the_error_names_a_file_without_an_app(tmp_path):
    (tmp_path / "app.py").write_text("application = 1")
    with pytest.raises(AttributeError, match=r"^app\.py defines no `app`"):
        load_app(tmp_path)


def test_loading_a_lesson_leaves_other_modules_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "security", os)
    before, path = dict(sys.modules), list(sys.path)
    apps = [load_app(LESSONS[number]) for number in (3, 2, 3)]
    assert [app.config.get("JWT_AUTH_USERNAME_KEY") for app in apps] == ["email", "username", "email"]
    assert len({id(app) for app in apps}) == 3
    assert sys.modules["security"] is os
    assert sys.path == path
    assert "app" not in sys.modules.keys() - before.keys()


def test_an_edited_file_is_loaded_again(copy):
    db = copy / "00_setup/db.py"
    for name in ("carol", "ellen"):  # both edits have the same length and happen within one second
        db.write_text((ROOT / "lessons/00_setup/db.py").read_text().replace("alice", name))
        app = load_app(copy / "00_setup")
        app.config["DATABASE"] = copy / f"{name}.db"
        login = app.test_client().post("/auth", json={"username": name, "password": "wonderland"})
        assert login.status_code == 200


@pytest.mark.parametrize("folder", LESSONS.values(), ids=lambda folder: folder.name)
def test_a_lesson_reads_its_key_and_its_database_from_the_environment(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("FLASK_SECRET_KEY", "k" * 40)
    monkeypatch.setenv("FLASK_DATABASE", str(tmp_path / "elsewhere.db"))

    def signing_key(app):  # Flask-JWT copies SECRET_KEY to JWT_SECRET_KEY; Flask-JWT-Extended does not
        return app.config["JWT_SECRET_KEY"] or app.config["SECRET_KEY"]

    app = load_app(folder)
    assert signing_key(app) == "k" * 40
    assert app.config["DATABASE"] == str(tmp_path / "elsewhere.db")
    monkeypatch.setenv("FLASK_SECRET_KEY", "7" * 40)
    assert signing_key(load_app(folder)) == "7" * 40  # text, although all its characters are digits


MODULE = """\
def crash():
    raise LookupError("lost")
"""
EXPLAINED = {
    "from models.lost import crash\n\ncrash()\n": "LookupError: lost\nin answer.py, line 3:  crash()",
    "from models.lost import crash as app\n": (
        'LookupError: lost\nin models/lost.py, line 2:  raise LookupError("lost")'
    ),
    "1 +\n": 'File "answer.py", line 1\n    1 +\n       ^\nSyntaxError: invalid syntax',
}


@pytest.mark.parametrize("code", EXPLAINED)
def test_an_error_names_the_line_in_the_answer_or_else_in_a_file_of_the_lesson(code, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/lost.py").write_text(MODULE)
    answer = tmp_path / "answer.py"
    answer.write_text(code)
    with pytest.raises((LookupError, SyntaxError)) as problem:
        load_app(tmp_path, "answer.py")()
    assert explain(problem.value, answer) == EXPLAINED[code]


def test_a_copy_in_a_hidden_folder_is_no_file_of_a_lesson(copy):
    """JupyterLab writes such a copy when somebody opens a file."""
    lesson = copy / "01_auth_url"
    files = code_files(lesson)
    (lesson / ".ipynb_checkpoints").mkdir()
    (lesson / ".ipynb_checkpoints/app-checkpoint.py").write_text("old = True\n")
    assert code_files(lesson) == files


@pytest.mark.parametrize(
    "path", ["my_solution.py", "Solution_3.py", "answer-1.py", ".app.py", "old/app.py", "models/old/user.py"]
)
def test_a_private_file_beside_an_app_is_no_file_of_the_lesson(path, copy):
    lesson = copy / "01_auth_url"
    files = code_files(lesson)
    (lesson / path).parent.mkdir(exist_ok=True)
    (lesson / path).write_text("private = True\n")
    assert code_files(lesson) == files


# the originals


@pytest.mark.parametrize("folder", LESSONS.values(), ids=lambda folder: folder.name)
def test_saving_the_originals_again_gives_the_same_bytes(folder, tmp_path, monkeypatch):
    archive = (originals.ORIGINALS / f"{folder.name}.zip").read_bytes()
    monkeypatch.setattr(originals, "ORIGINALS", tmp_path)
    originals.save(folder)
    assert (tmp_path / f"{folder.name}.zip").read_bytes() == archive


def test_make_originals_names_the_files_that_are_new(copy, tmp_path, monkeypatch, capsys):
    lesson = copy / "03_auth_key"
    monkeypatch.setattr(originals, "ORIGINALS", tmp_path)
    monkeypatch.setattr(originals, "find_lessons", lambda: {3: lesson})
    originals.save(lesson)
    (lesson / "my_module.py").touch()
    originals.main()
    assert capsys.readouterr().out.startswith("New in 03_auth_key: my_module.py\n")
    originals.main()
    assert "New in" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "path", ["/tmp/app.py", "../app.py", "models/../../app.py", "C:/app.py", "models//user.py"]
)
def test_an_archive_whose_paths_lead_elsewhere_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.setattr(originals, "ORIGINALS", tmp_path)
    with zipfile.ZipFile(tmp_path / "01_auth_url.zip", "w") as archive:
        archive.writestr(path, "app = None\n")
    with pytest.raises(originals.NoOriginals, match=r"01_auth_url\.zip is missing or damaged"):
        originals.read("01_auth_url")


# additional exercises that cannot be used


def test_a_folder_of_exercises_that_cannot_be_read_gets_a_clear_line(tmp_path, monkeypatch):
    def iterdir(folder):  # the administrator can read every folder, so removing permissions is not enough
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("EXERCISES", str(tmp_path))
    monkeypatch.setattr(Path, "iterdir", iterdir)
    line = f"Cannot read the folder of your own exercises, {tmp_path}: Permission denied."
    with pytest.raises(BadExercises, match=re.escape(line)):
        find_exercises()


def lessons(exercises, *arguments):
    """Run a command for students and return the lines of its output."""
    environment = os.environ | {"EXERCISES": str(exercises)}
    command = [sys.executable, ROOT / "lessons", *arguments]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8")
    assert result.returncode == 1
    return (result.stdout + result.stderr).splitlines()


def test_a_folder_of_an_unknown_user_gets_a_clear_line():
    sentence = "EXERCISES=~nouser/x is not a folder. Choose the folder of your own exercises."
    assert lessons("~nouser/x", "progress") == [sentence]


def test_an_exercise_that_is_no_text_or_cannot_be_read_gets_a_clear_line(tmp_path):
    folder = tmp_path / "03b_pin_login"
    folder.mkdir()
    for name, command in (("exercise.py", "start"), ("hints.md", "hint")):
        (folder / name).write_bytes("é".encode("latin-1"))
        sentence = f"{folder / name} is not UTF-8 text. Save it with the encoding UTF-8."
        assert lessons(tmp_path, command, "3b") == [sentence]
    (folder / "hints.md").unlink()
    (folder / "hints.md").mkdir()
    assert lessons(tmp_path, "hint", "3b") == [f"Cannot use {folder}/hints.md: Is a directory."]

"""Tests of the loader: it loads any number of lessons into one process, always from their current files."""

import os
import sys

import pytest

from helpers import ROOT
from lesson_loader import code_files, explain, find_lessons, load_app

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

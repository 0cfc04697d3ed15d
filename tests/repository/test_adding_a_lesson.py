"""Add the next lesson and its exercise to a copy of the repository, as CONTRIBUTING.md describes."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from helpers import ROOT, needs
from lesson_loader import diff, find_lessons, read_about

pytestmark = pytest.mark.slow

LAST, LAST_FOLDER = max(find_lessons().items())
NUMBER = LAST + 1
NAME = f"{NUMBER:02}_health"
HEALTH = """

@app.get("/health")
def health():
    \"\"\"Return 200 while the app runs.\"\"\"
    return {"status": "ok"}
"""
README = """\
# Lesson {number}: Ask whether the app is running

After this lesson, everyone can ask whether your app is running. About 5 minutes.

## The question

Another program must learn whether your app is running, but this program has no account.

## How it works

A view without `@jwt_required()` needs no token.

## What changes

There is a new view at the end of `app.py`:

```diff
{diff}```

## Try it

Which status do you get without a token?

```sh
# Ask without a token. → 200 "ok"
curl -si 127.0.0.1:8000/health
# Ask for the users without a token. → 401
curl -si 127.0.0.1:8000/users
# Send a POST to the health check. → 405
curl -si -X POST 127.0.0.1:8000/health
```

```pycon
>>> from app import app
>>> app.test_client().get("/health").status
'200 OK'

```

## Watch out

- The health check responds with JSON.[^json]

## Your turn

Start the exercise with `make start-{number}`.

[^json]: [test_the_health_check_is_json](../../tests/claims/test_{name}.py)
"""
NEXT = "## Your turn\n\nNext: [Lesson {number}](../{name}/)\n\n"  # what the last lesson gets at its end
LESSON_TESTS = '''\
"""Lesson {number}: the health check needs no token."""


def test_the_health_check_needs_no_token(client):
    """A health check needs no token."""
    assert client.get("/health").status_code == 200
'''
STATEMENT_TESTS = '''\
"""What the README of lesson {number} states."""

from lesson_loader import find_lessons, load_app


def test_the_health_check_is_json(tmp_path, monkeypatch):
    """The health check responds with JSON."""
    monkeypatch.setenv("FLASK_DATABASE", str(tmp_path / "data.db"))
    assert load_app(find_lessons()[{number}]).test_client().get("/health").json == {{"status": "ok"}}
'''
TABLE_ROW = '| {number} | [Ask whether the app is running](lessons/{name}/) | `@app.get("/health")` | 5 |\n'
NOTEBOOK_OUTPUTS = "Lesson {number}: Ask whether the app is running\n200 accepted\n"


def git(folder, *arguments):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(tmp_path):
    """A copy of the repository with one commit."""
    needs("git")
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "data.db", "answer*.py")
    copy = shutil.copytree(ROOT, tmp_path / "copy", ignore=ignored)
    git(copy, "init", "-q")
    git(copy, "add", "-A")
    git(copy, "commit", "-qm", "before")
    return copy


def write(path, text, **values):
    path.write_text(text.format(number=NUMBER, name=NAME, **values), "utf-8")


def add_lesson(repository):
    """Follow the steps of *Add a lesson*."""
    before = repository / "lessons" / LAST_FOLDER.name
    lesson = repository / "lessons" / NAME
    shutil.copytree(before, lesson, ignore=shutil.ignore_patterns("exercise.py", "*.md", "*.svg"))
    app = lesson / "app.py"
    app.write_text(app.read_text("utf-8") + HEALTH, "utf-8")
    write(lesson / "README.md", README, diff=diff(before, lesson))
    write(repository / f"tests/lessons/test_{NAME}.py", LESSON_TESTS)
    write(repository / f"tests/claims/test_{NAME}.py", STATEMENT_TESTS)
    add_notebook(repository)
    readme = repository / "README.md"
    text = readme.read_text("utf-8")
    last_row = re.search(rf"^\| {LAST} \|.+\n", text, re.MULTILINE)[0]
    readme.write_text(text.replace(last_row, last_row + TABLE_ROW.format(number=NUMBER, name=NAME)), "utf-8")
    readme = before / "README.md"
    heading, following = "## Your turn\n\n", NEXT.format(number=NUMBER, name=NAME)
    readme.write_text(readme.read_text("utf-8").replace(heading, following), "utf-8")
    make_originals(repository)


def make_originals(repository):
    """Run what `make originals` runs. It must leave the originals of all other lessons as they are."""
    subprocess.run([sys.executable, repository / "lessons/originals.py"], check=True)


def add_notebook(repository):
    import nbformat

    notebook = nbformat.read(ROOT / "notebooks" / f"{LAST_FOLDER.name}.ipynb", as_version=4)
    title = f"# Lesson {NUMBER}: Ask whether the app is running (5 minutes)\n\n**Say** Is it running?"
    headings = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"][1:]
    names = [re.match(r"#+ (.+) \(\d+ minutes?\)", heading)[1] for heading in headings]
    markdown, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    sections = [markdown(f"## {name} (1 minute)\n\n**Ask** Is it running?") for name in names]
    notebook.cells = [markdown(title), *sections]
    first = f"from demo import Lesson\n\nlesson = Lesson({NUMBER})\nlesson"
    notebook.cells[1:1] = [code(first), code('lesson.client.get("/health")')]
    nbformat.write(notebook, repository / "notebooks" / f"{NAME}.ipynb")
    write(repository / f"tests/repository/notebook_outputs/{NAME}.txt", NOTEBOOK_OUTPUTS)


def add_exercise(repository):
    """Follow the steps of *Add an exercise*, with the exercise of the lesson before."""
    before = LAST_FOLDER.name
    for name in ("exercise.py", "hints.md"):
        shutil.copy(LAST_FOLDER / name, repository / "lessons" / NAME / name)
    shutil.copy(ROOT / f"solutions/{before}.py", repository / f"solutions/{NAME}.py")
    checks = repository / "tests/exercises"
    shutil.copy(checks / f"test_{before}.py", checks / f"test_{NAME}.py")
    for folder in ("mistakes", "alternatives"):
        if (checks / folder / before).exists():
            shutil.copytree(checks / folder / before, checks / folder / NAME)
    make_originals(repository)


def run_tests(repository, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository / "lessons")},
        capture_output=True,
        text=True,
    )


def test_adding_a_lesson_touches_few_other_files_and_all_tests_pass(repository):
    add_lesson(repository)
    add_exercise(repository)
    touched = [line[3:] for line in git(repository, "status", "--porcelain", "-uall").splitlines()]
    assert [name for name in touched if NAME not in name] == [
        "README.md",
        f"lessons/{LAST_FOLDER.name}/README.md",
    ]
    git(repository, "add", "-A")
    # These tests take long and cannot notice a new lesson, like the tests of the other lessons.
    unaffected = (
        "test_flask_jwt_compat or test_make_venv or test_grading or test_playground or test_site"
        " or test_console or (test_exercise_loop and not progress)"
    )
    run = run_tests(
        repository,
        "tests/repository",
        "tests/grading",
        "-m",
        "not slow",
        "-n",
        "2",
        "-k",
        f"not ({unaffected})",
    )
    assert run.returncode == 0, run.stdout
    run = run_tests(
        repository, "-m", "slow or not slow", "-k", f"{NAME} and not (a_mistake_fails or same_marks)"
    )
    assert run.returncode == 0, run.stdout
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) > 20
    assert " skipped" not in run.stdout
    assert (
        read_about(repository / "lessons" / NAME).title == f"Lesson {NUMBER}: Ask whether the app is running"
    )


def test_a_lesson_without_its_notebook_is_noticed(repository):
    add_lesson(repository)
    (repository / f"notebooks/{NAME}.ipynb").unlink()
    run = run_tests(repository, "tests/repository/test_promises.py", "-k", "folders_contain_the_same_names")
    assert run.returncode == 1
    assert "notebooks/*.ipynb" in run.stdout

"""Begin a lesson and its exercise in a copy of the course, and fill in their TODOs, as an author does."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from helpers import ROOT
from lesson_loader import find_lessons

pytestmark = pytest.mark.slow

LAST = max(find_lessons())
NUMBER = LAST + 1
NAME = f"{NUMBER:02}_realm"
COPIED = (
    *("lessons", "notebooks", "solutions", "tests", ".github"),
    *("LICENSE", "Makefile", "README.md", "pyproject.toml"),
)
TODO = "TODO(author): "
MISTAKE = '''"""The app accepts POST too.

fails: test_a_post_is_refused
shows: got       200
points: 5
"""
'''


@pytest.fixture
def course(tmp_path):
    """A copy of the course."""
    copy = tmp_path / "course"
    copy.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "data.db", "answer.py")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


def run(course, *command):
    """Run a Python command in the top folder of a copy."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=course,
        env=os.environ | {"PYTHONPATH": str(course / "lessons"), "EXERCISES": ""},
        capture_output=True,
        text=True,
    )


def new(course, *arguments):
    result = run(course, "tests/course/new.py", *arguments)
    assert result.returncode == 0, result.stdout + result.stderr


def check(course):
    """Return what check.py says is missing, without the headings and the last lines."""
    result = run(course, "tests/course/check.py")
    assert result.stderr == ""
    *lines, last = result.stdout.splitlines()
    missing = [line.strip() for line in lines if line.startswith("  ")]
    assert result.returncode == bool(missing)
    assert last.startswith(f"{len(missing)} thing" if missing else "Nothing is missing.")
    return missing


def new_files(course):
    """Return the texts that the scaffolds wrote."""
    files = [path for path in course.rglob("*") if NAME in path.as_posix()]
    return [path for path in files if path.suffix in (".py", ".md", ".ipynb", ".txt", ".sql")]


def todos(course):
    """Return the place of each TODO in the new files. The diff in the README repeats those of the app."""
    return [
        f"{path.relative_to(course).as_posix()}:{number}"
        for path in new_files(course)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if TODO in line and not line.startswith("+")
    ]


def write_all_todos(course):
    """Write a text at each TODO. The words behind it will do."""
    for path in new_files(course):
        path.write_text(path.read_text("utf-8").replace(TODO, ""), "utf-8")


def add_answers(course):
    """Add the wrong answer and the four right answers that check.py asks for."""
    answers = course / "tests/exercises"
    solution = (course / f"solutions/{NAME}.py").read_text("utf-8")
    wrong = re.sub(r'(@app)\.get(\("/exercise-.+?")', r'\1.route\2, methods=["GET", "POST"]', solution)
    (answers / f"mistakes/{NAME}/post_accepted.py").write_text(MISTAKE + wrong, "utf-8")
    for number in range(1, 5):
        other = solution.replace("def ready():", f"def ready_{number}():")
        header = f'"""This answer has name {number}."""\n'
        (answers / f"alternatives/{NAME}/name_{number}.py").write_text(header + other, "utf-8")


def test_a_new_lesson_and_its_exercise_need_only_what_check_course_lists(course):
    before = set(course.rglob("*"))
    new(course, "lesson", str(NUMBER), "realm")
    assert run(course, "lessons", "test", str(NUMBER)).returncode == 0
    places = [line.partition(": TODO: ")[0] for line in check(course)]
    assert sorted(places) == sorted(todos(course))

    assert "First finish the app" in run(course, "tests/course/new.py", "exercise", str(NUMBER)).stderr
    write_all_todos(course)
    [originals] = check(course)
    assert originals.endswith("Run: make originals")
    run(course, "lessons/originals.py")
    assert check(course) == []

    new(course, "exercise", str(NUMBER))
    run(course, "lessons", "start", str(NUMBER))
    assert "\n0 of 10 points.\n" in run(course, "lessons", "check", str(NUMBER)).stdout
    (course / "lessons" / NAME / "answer.py").unlink()
    expected = len(todos(course)) + 2  # a wrong answer for the second check, and four right answers
    assert len(check(course)) == expected
    write_all_todos(course)
    add_answers(course)
    run(course, "lessons/originals.py")
    assert check(course) == []

    changed = [path for path in set(course.rglob("*")) - before if "__pycache__" not in path.parts]
    assert {path for path in changed if NAME not in path.as_posix()} == set()
    tests = [f"tests/repository/test_{name}.py" for name in ("promises", "exercises", "pages", "notebooks")]
    result = run(
        course,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "slow or not slow"),
        *("-k", f"{NAME} or between_the_lessons or every_link", "tests/lessons", "tests/claims", *tests),
    )
    assert result.returncode == 0, result.stdout
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) > 40

"""Test that the terminal, the notebooks, the grader and the site give an answer the same marks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo import Lesson
from helpers import ROOT
from lesson_loader import Exercise, find_exercises
from mistakes import mistakes_of

EXERCISES = [exercise for exercise in find_exercises().values() if not exercise.is_additional]
Marks = list[
    tuple[str, float]
]  # the result of each check, in order: passed, failed or skipped, and the points


def files_to_check(exercise: Exercise) -> list[Path]:
    """Return a right answer, the starter and a recorded mistake that gets points for some checks."""
    mistake = next(mistake for mistake in mistakes_of(exercise) if mistake.points)
    return [exercise.solution, exercise.folder / "exercise.py", mistake.path]


def marks_in_the_terminal(exercise: Exercise, file: Path) -> Marks:
    """Return what the checks print, as for `make check-N`."""
    command = [sys.executable, "-m", "pytest", "-pno:terminal", exercise.checks, "--target", file]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    lines = re.findall(r"^  (passed|FAILED|skipped) *(\S+) of \S+  \S", output, re.MULTILINE)
    return [(word.lower(), float(points)) for word, points in lines]


def marks_in_a_notebook(exercise: Exercise, file: Path) -> Marks:
    results = Lesson(int(exercise.label)).check(str(file))
    lines = re.findall(r"^  (passed|FAILED|skipped) *(\S+) of \S+  \S", results.text, re.MULTILINE)
    marks = [(word.lower(), float(points)) for word, points in lines]
    assert results.points == pytest.approx(sum(points for _, points in marks))
    return marks


def marks_of_the_grader(students: list[str], folder: Path) -> dict[tuple[str, str], Marks]:
    """Return the marks that the grader gives, by student and exercise."""
    command = [sys.executable, ROOT / "tests/grading", folder / "submissions", "--out", folder / "grades"]
    labels = [exercise.label for exercise in EXERCISES]
    subprocess.run([*command, "--no-sandbox", "--exercises", *labels], check=True, capture_output=True)
    marks = {}
    for student in students:
        record = json.loads((folder / f"grades/students/{student}/record.json").read_text(encoding="utf-8"))
        for exercise in record["exercises"]:
            checks = [(check["outcome"], check["max_points"]) for check in exercise["checks"]]
            marks[student, exercise["exercise"]] = [simplify(*check) for check in checks]
    return marks


def simplify(outcome: str, points: float) -> tuple[str, float]:
    """Return the mark of a check. The grader has more words for a failure than the terminal."""
    return outcome if outcome in ("passed", "skipped") else "failed", points * (outcome == "passed")


@pytest.mark.parametrize("exercise", EXERCISES[:2], ids=lambda exercise: exercise.name)
def test_a_notebook_gives_the_same_marks_as_the_terminal(exercise):
    files = files_to_check(exercise)
    with ThreadPoolExecutor(2) as pool:
        in_terminal = list(pool.map(lambda file: marks_in_the_terminal(exercise, file), files))
        in_notebook = list(pool.map(lambda file: marks_in_a_notebook(exercise, file), files))
    assert all(in_terminal)
    assert in_notebook == in_terminal


@pytest.mark.slow
def test_the_grader_gives_the_same_marks_as_a_notebook(tmp_path):
    students = ["solution", "starter", "mistake"]
    files = {
        (student, exercise.name): file
        for exercise in EXERCISES
        for student, file in zip(students, files_to_check(exercise), strict=True)
    }
    for (student, name), file in files.items():
        folder = tmp_path / "submissions" / student
        folder.mkdir(parents=True, exist_ok=True)
        changed = file.read_bytes() + b"# The grader does not run the checks on an unchanged starter.\n"
        (folder / f"{name}.py").write_bytes(changed)
    graded = marks_of_the_grader(students, tmp_path)
    by_name = {exercise.name: exercise for exercise in EXERCISES}
    with ThreadPoolExecutor(2) as pool:
        ours = pool.map(lambda key: marks_in_a_notebook(by_name[key[1]], files[key]), files)
    assert graded == dict(zip(files, ours, strict=True))


@pytest.mark.slow
def test_the_site_gives_the_same_marks_as_a_notebook(site):
    exercise = EXERCISES[1]
    files = files_to_check(exercise)
    script = ROOT / "lessons/playground/site/smoke.mjs"
    command = ["node", script, site, exercise.name, *files]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for file, result in zip(files, map(json.loads, lines), strict=True):
        checks = [(check["outcome"], check["points"]) for check in result["checks"]]
        assert [simplify(*check) for check in checks] == marks_in_a_notebook(exercise, file)

"""Make a course of nbgrader's with a class of notebooks: with_nbgrader.py COURSE ANSWER..."""

import sys
from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook, writes

import notes_checks


def cell(name, source, points=None, solution=False):
    graded = {"grade": points is not None, "solution": solution, "locked": not solution, "task": False}
    about = {"schema_version": 3, "grade_id": name, **graded} | ({"points": points} if points else {})
    return new_code_cell(source, metadata={"nbgrader": about})


def notebook(answer):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    # nothing may be logged: for nbgrader, a check that writes to standard error has failed
    quiet = "import logging\n\nlogging.disable()"
    start = cell("start", f"{quiet}\nimport notes_checks\n\nnotes_app = notes_checks.NotesApp(app)")
    checks = [
        cell(check.__name__, f"notes_checks.{check.__name__}(notes_app)", points)
        for check, points in notes_checks.CHECKS.items()
    ]
    return writes(
        new_notebook(metadata=kernel, cells=[cell("answer", answer, solution=True), start, *checks])
    )


def hand_in(folder, answer):
    folder = folder / "06_current_identity"
    folder.mkdir(parents=True)
    (folder / "notes.ipynb").write_text(notebook(answer), encoding="utf-8")


course = Path(sys.argv[1])
hand_in(course / "source", (notes_checks.LESSON / "exercise.py").read_text(encoding="utf-8"))
for file in map(Path, sys.argv[2:]):
    hand_in(course / "submitted" / file.parent.name, file.read_text(encoding="utf-8"))

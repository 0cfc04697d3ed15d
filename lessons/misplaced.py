"""Find answers that are in the wrong folder, for example because a lesson has a new number."""

from __future__ import annotations

from pathlib import Path

import originals
from lesson_loader import LESSONS, display_path, find_exercises, find_lessons


def describe_unread() -> list[str]:
    """Return a sentence for each answer.py in the old folder of a lesson that has moved.

    No command reads these files.
    """
    lessons = find_lessons().values()
    files = [file for file in sorted(LESSONS.glob("[0-9][0-9]_*/answer.py")) if file.parent not in lessons]
    return [
        f"{display_path(file)} is in the old folder of a lesson that has moved. "
        f"Read {display_path(file.parent)}/README.md."
        for file in files
    ]


def describe_misplaced(answers: list[Path]) -> list[str]:
    """Return a sentence for each of these answers that seems to belong to another exercise.

    If the folder of that exercise has an answer already, nothing is said, because a move could replace it.
    """
    exercises = {exercise.name: exercise for exercise in find_exercises().values()}
    starters = read_starters() if answers else {}
    closest = {file: exercises[closest_exercise(file, starters)] for file in answers}
    return [
        f"{display_path(file)} looks like an answer to exercise {exercise.label}. "
        f"If it is one, move it to {display_path(exercise.answer)}."
        for file, exercise in closest.items()
        if exercise.name != file.parent.name and not exercise.answer.exists()
    ]


def read_starters() -> dict[str, set[str]]:
    """Return the lines of each exercise's starter (see read_code), by a name such as 01_auth_url."""
    return {
        exercise.name: read_code(originals.read_starter(exercise)) for exercise in find_exercises().values()
    }


def closest_exercise(answer: Path, starters: dict[str, set[str]]) -> str:
    """Return the name of the exercise whose starter is closest to an answer.

    The closest starter has the largest share of lines that are also in the answer.
    """
    lines = read_code(originals.read_lines(answer))
    return max(
        starters,
        key=lambda name: (
            len(lines & starters[name]) / max(1, len(lines | starters[name])),
            name == answer.parent.name,
        ),
    )


def read_code(content: bytes) -> set[str]:
    """Return the lines of a Python file without indentation, blank lines and comments."""
    lines = {line.strip() for line in content.decode("utf-8", "replace").splitlines()}
    return {line for line in lines if line and not line.startswith("#")}

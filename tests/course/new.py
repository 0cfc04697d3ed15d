"""Begin a lesson or an exercise. The new files run at once, and each TODO(author) in them says what to write.

    .venv/bin/python tests/course/new.py lesson 11 realm
    .venv/bin/python tests/course/new.py exercise 3b pin_login

The second command writes the folder 03b_pin_login. This folder is in `exercises`, or in the folder that the
environment variable EXERCISES names. A lesson's own exercise, such as 11, has no letter. Its files are in the
folder of the lesson, in `solutions` and in `tests/exercises`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import click

TESTS = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(TESTS), str(TESTS.parent / "lessons")]  # so that the imports below find their modules

import originals  # noqa: E402  must come after the line above
from course.problems import find_todos  # noqa: E402
from lesson_loader import (  # noqa: E402
    BadExercises,
    Exercise,
    additional_exercise,
    code_files,
    diff,
    display_path,
    exercises_folder,
    find_exercises,
    find_lessons,
    own_exercise,
)

ROOT = TESTS.parent
TEMPLATES = Path(__file__).resolve().parent / "templates"
PLACE = "\ndb.init_app(app)\n"  # the code of an exercise goes below this line of its lesson's app


@click.group(help="Begin a lesson or an exercise.")
def main() -> None:
    pass


@main.command("lesson")
@click.argument("number")
@click.argument("name", default="")
def new_lesson(number: str, name: str) -> None:
    """Begin the next lesson, such as 11 realm, with the app of the lesson before it."""
    last, previous = max(find_lessons().items())
    if number != str(last + 1):
        stop(f"The last lesson is {last}, so the next one is {last + 1}: make new-{last + 1} NAME=realm")
    check_name(name, f"make new-{number} NAME=realm")
    lesson = ROOT / "lessons" / f"{last + 1:02}_{name}"
    words = {
        "NUMBER": number,
        "PREVIOUS": str(last),
        "FOLDER": lesson.name,
        "TITLE": name.replace("_", " ").capitalize(),
    }
    app = {lesson / path.relative_to(previous): path.read_text("utf-8") for path in code_files(previous)}
    app[lesson / "app.py"] += "\n\n" + fill("lesson/change.py", words)
    templates = {
        lesson / "README.md": "lesson/README.md",
        ROOT / f"tests/lessons/test_{lesson.name}.py": "lesson/tests.py",
        ROOT / f"tests/claims/test_{lesson.name}.py": "lesson/claims.py",
        ROOT / f"notebooks/{lesson.name}.ipynb": "lesson/notebook.ipynb",
        ROOT / f"tests/repository/notebook_outputs/{lesson.name}.txt": "lesson/outputs.txt",
    }
    refuse_existing([*app, *templates])
    write(app)
    words["DIFF"] = diff(previous, lesson)
    write({file: fill(template, words) for file, template in templates.items()})
    link = f"Next: [Lesson {number}: {words['TITLE']}](../{lesson.name}/)"
    end_section(previous / "README.md", "Your turn", link)
    add_row(last, fill("lesson/row.md", words))
    originals.save(lesson)
    print(f"{display_path(lesson)} is the new lesson. It runs already: make lesson-{number}")
    print(f"\nNext: make check-course ARGS={number} lists what to write.")


@main.command("exercise")
@click.argument("label")
@click.argument("name", default="")
def new_exercise(label: str, name: str) -> None:
    """Begin an exercise: 3b pin_login is another one for lesson 3, and 11 is the one of lesson 11."""
    lessons = find_lessons()
    match = re.fullmatch(r"0?(0|[1-9][0-9]?)([a-z]{,9})", label)  # 3b or 03b, but not 003b
    if not match or int(match[1]) not in lessons:
        last = max(lessons)
        stop(f"{label!r} is not a label. Write a lesson from 0 to {last} and lower-case letters, such as 3b.")
    number, letters = int(match[1]), match[2]
    label = f"{number}{letters}"
    if not letters:
        add_exercise_of_lesson(lessons[number])
        return
    check_name(name, f"make new-exercise-{label} NAME=pin_login")
    parent = exercises_folder()
    create_folder(parent)
    if existing := find_exercises().get(label):
        stop(f"Exercise {label} exists: {display_path(existing.folder)}. Choose other letters.")
    folder = parent / f"{number:02}{letters}_{name}"
    exercise = additional_exercise(folder, lessons[number])
    files = exercise_files(exercise)
    create_folder(folder)
    write(files)
    argument = exercise.argument
    print(f"{display_path(folder)} is the new exercise. Try it: make start-{label} check-{argument}")
    print(f"\nNext: make check-course ARGS={argument} lists what to write.")


def add_exercise_of_lesson(lesson: Path) -> None:
    """Begin a lesson's own exercise, such as 11."""
    number = int(lesson.name[:2])
    if number == 0:
        stop("Lesson 0 has no exercise of this kind. Add a letter: make new-exercise-0b NAME=first_token")
    if str(number) in find_exercises():
        example = f"make new-exercise-{number}b NAME=pin_login"
        stop(f"Exercise {number} exists. For another one, add a letter: {example}")
    if todos := find_todos([lesson / "app.py"]):
        stop(f"First finish the app of lesson {number}, because the exercise copies it.\n{todos[0]}")
    exercise = own_exercise(lesson)
    write(exercise_files(exercise))
    originals.save(lesson)
    end_section(lesson / "README.md", "Your turn", fill("exercise/your_turn.md", {"LABEL": exercise.label}))
    add_to_notebook(lesson.name, fill("exercise/homework.md", {"LABEL": exercise.label}))
    print(f"{display_path(lesson)} has an exercise now. Try it: make start-{number} check-{number}")
    print(f"\nNext: make check-course ARGS={number} lists what to write.")


def stop(sentence: str) -> NoReturn:
    sys.exit(sentence)


def check_name(name: str, example: str) -> None:
    """Exit unless a name can be a part of the name of a Python file."""
    if not name:
        stop(f"Give it a name: {example}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        stop(f"{name!r} is not a name. Use lower-case letters, digits and underscores, such as: {example}")
    if len(name) > 40:  # the names of several files contain it, and a system limits their length
        stop(f"{name!r} is too long. Use a name with 40 characters or fewer, such as: {example}")


def create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(f"Cannot create the folder {folder}: {error.strerror}. Choose another one with EXERCISES=folder")


def fill(template: str, words: dict[str, str]) -> str:
    """Return a template with these words replaced."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def refuse_existing(files: Iterable[Path]) -> None:
    """Exit if one of the files exists."""
    if existing := [file for file in files if file.exists()]:
        stop(f"{display_path(existing[0])} exists. Rename it, or delete it, and run this command again.")


def write(files: dict[Path, str]) -> None:
    """Write new files. Exit if one exists or cannot be written."""
    refuse_existing(files)
    for file, text in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            stop(f"Cannot write {display_path(file)}: {error.strerror}.")


def exercise_files(exercise: Exercise) -> dict[Path, str]:
    """Return the files of a new exercise: the content of each file by its path."""
    app = (exercise.lesson / "app.py").read_text(encoding="utf-8")
    if PLACE not in app:
        stop(
            f"{display_path(exercise.lesson)}/app.py has no line `{PLACE.strip()}`, so copy another exercise."
        )
    beginning, _, end = app.partition(PLACE)
    words = {"LABEL": exercise.label, "NAME": exercise.name.partition("_")[2].replace("_", " ")}

    def answer(code: str, header: str | None = None) -> str:
        docstring = fill(header, words) + "\n" if header else ""
        return f"{docstring}{beginning}{PLACE}\n\n{fill(code, words)}\n\n{end.lstrip()}"

    return {
        exercise.folder
        / "exercise.py": f"{beginning}{PLACE}\n{fill('exercise/todo.py', words)}{end.lstrip()}",
        exercise.folder / "hints.md": fill("exercise/hints.md", words),
        exercise.checks: fill("exercise/checks.py", words),
        exercise.solution: answer("exercise/solution.py"),
        exercise.mistakes / "value_is_text.py": answer("exercise/mistake.py", "exercise/mistake_header.txt"),
        exercise.alternatives / "no_decorator.py": answer(
            "exercise/alternative.py", "exercise/alternative_header.txt"
        ),
    }


def end_section(file: Path, heading: str, text: str) -> None:
    """Add a paragraph at the end of a section in a Markdown file, above the footnotes."""
    before, title, section = file.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    content, *rest = re.split(r"\n(?=\[\^[\w-]+\]: |## )", section, maxsplit=1)
    longer = "\n".join([f"{before}{title}{content.rstrip()}\n\n{text.strip()}\n", *rest])
    file.write_text(longer, encoding="utf-8", newline="\n")


def add_row(last: int, row: str) -> None:
    """Add a row to the table of the lessons, below the row of the last lesson."""
    file = ROOT / "README.md"
    text = file.read_text(encoding="utf-8")
    text = re.sub(rf"^\| {last} \| .+\n", lambda match: match[0] + row, text, flags=re.MULTILINE)
    file.write_text(text, encoding="utf-8", newline="\n")


def add_to_notebook(name: str, homework: str) -> None:
    """Extend a lesson's notebook with homework and a cell that runs the checks."""
    file = ROOT / f"notebooks/{name}.ipynb"
    notebook = json.loads(file.read_text(encoding="utf-8"))
    cells = notebook["cells"]
    for cell in cells:
        if "".join(cell["source"]).startswith("## Homework"):
            cell["source"] += ["\n", "\n", *homework.splitlines()]
    last = next(
        (index for index, cell in enumerate(cells) if cell["source"] == ["lesson.serve()"]), len(cells)
    )
    cells.insert(last, json.loads(fill("exercise/cell.json", {})))
    file.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    outputs = ROOT / f"tests/repository/notebook_outputs/{name}.txt"
    lines = outputs.read_text(encoding="utf-8").splitlines(keepends=True)
    lines.insert(-1, fill("exercise/output.txt", {}))
    outputs.write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    try:
        main()
    except BadExercises as error:
        stop(str(error))

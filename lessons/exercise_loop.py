"""What students do with an exercise: start it, check their answer, get hints, see the solution.

Each exercise is the file exercise.py in a lesson's folder. The student's answer is answer.py in the same
folder. The repository never contains an answer.py, so pulling an update cannot conflict with it. The starter
and the files that the checks use come from `originals`, so only answer.py decides the marks.
"""

from __future__ import annotations

import ast
import logging
import os
import re
import subprocess
import sys
from difflib import unified_diff
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

import originals
from lesson_loader import LESSONS, display_path, find_lessons, has_exercise
from misplaced import describe_misplaced, describe_unread

if TYPE_CHECKING:
    import pytest

ROOT = LESSONS.parent
CHECKS = ROOT / "tests/exercises"
WATCHING = "LESSONS_WATCHING"  # `watch` sets this variable, because a save is then enough to check again


def start(number: int) -> None:
    """Copy the exercise to answer.py, unless that file exists."""
    answer = answer_file(number)
    if answer.exists():
        sys.exit(
            f"{display_path(answer)} already exists. Continue with make check-{number}, "
            f"or start again with make reset-{number}, which keeps your old answer."
        )
    answer.write_bytes(originals.read_starter(answer.parent.name))
    print(f"{display_path(answer)} is your copy. Change it at the TODO:\n\n{read_todo(number)}\n")
    print(f"Next: change the file, then run make check-{number}")


def check(number: int) -> None:
    """Check the answer and print what to do next. If every check passes, print how the solution differs.

    Exits with status 1 if a check fails.
    """
    answer = existing_answer(number)
    print(f"\nExercise {number}: {display_path(answer)}\n")
    status, results = run_checks(CHECKS / f"test_{answer.parent.name}.py")
    if changed := originals.find_changed(answer.parent):
        print(f"\n{describe_changes(answer.parent, changed)}")
    if status == 0:
        print(f"\n{comparison(number)}\n\n{next_step_after(number)}")
        return
    if status != 1:
        print(f"\nThe checks stopped before the end (pytest ended with status {status}).")
    elif originals.read_lines(answer) == originals.read_starter(answer.parent.name):
        print("\nYou have not changed your copy of the exercise yet, so you have no points.")
    else:
        print_notes(describe_misplaced(answers_without_points(results)))
    then = " and save it" if WATCHING in os.environ else f", then run make check-{number}"
    print(f"\nNext: change {display_path(answer)}{then}. If you are stuck: make hint-{number}")
    sys.exit(1)


def describe_changes(lesson: Path, changed: list[str]) -> str:
    """Return what a student should know about lesson files that differ from the originals."""
    lines = []
    for path in changed:
        exists = (lesson / path).exists()
        problem = "differs from the file that came with this course." if exists else "is missing."
        lines.append(f"{display_path(lesson / path)} {problem}")
    lines += [
        "The checks use the original files, so they ignore these changes.",
        "If your answer needs a change, write it into answer.py.",
        f"To get the original files back: make restore-{int(lesson.name[:2])}",
    ]
    blocking = dict.fromkeys(filter(None, (find_blocking(lesson, path) for path in changed)))
    lines += [
        f"This command keeps your {file.relative_to(lesson).as_posix()} as {old_name(file).name}."
        for file in blocking
    ]
    return "\n".join(lines)


def find_blocking(lesson: Path, path: str) -> Path | None:
    """Return what exists where an original file belongs, or None.

    This is a changed file, a folder with the name of the file, or a file with the name of its folder.
    """
    file = lesson / path
    parents = [parent for parent in file.relative_to(lesson).parents if (lesson / parent).is_file()]
    return lesson / parents[0] if parents else file if file.exists() else None


def restore(number: int) -> None:
    """Restore the original files of a lesson. Keep each changed file under a new name."""
    lesson = find_lessons()[number]
    contents = originals.read(lesson.name)
    changed = originals.find_changed(lesson)
    if not changed:
        print(f"Nothing to do: lessons/{lesson.name} contains all its original files, unchanged.")
    for path in changed:
        if blocking := find_blocking(lesson, path):
            print(f"Your {display_path(blocking)} is now {blocking.rename(old_name(blocking)).name}.")
        originals.write_file(lesson, path, contents[path])
        result = "is the original file again" if blocking else "was missing and is back"
        print(f"{display_path(lesson / path)} {result}.")


def watch(number: int) -> None:
    """Check the answer now and after each save, until Ctrl-C. Show only the newest result."""
    from watchfiles import watch as wait_for_changes

    logging.getLogger("watchfiles").setLevel(logging.ERROR)  # no warning about Ctrl-C

    answer = existing_answer(number)
    check_in_new_process(number)

    def is_answer(change: object, path: str) -> bool:
        return Path(path) == answer

    for _ in wait_for_changes(answer.parent, watch_filter=is_answer, raise_interrupt=False):
        if answer.exists():
            check_in_new_process(number)


def check_in_new_process(number: int) -> None:
    click.clear()  # does nothing if the output is not a terminal
    subprocess.call([sys.executable, str(LESSONS), "check", str(number)], env=os.environ | {WATCHING: "1"})
    print("\nWaiting for your next save. Press Ctrl-C to stop.", flush=True)


def hint(number: int, level: int) -> None:
    """Print hint 1, 2 or 3. The first asks a question; the third almost gives the solution."""
    hints = read_hints(exercise_folder(number) / "hints.md")
    print(f"Hint {level} of {len(hints)}\n\n{hints[level - 1]}\n")
    more = f"make hint-{number} LEVEL={level + 1}" if level < len(hints) else f"make solution-{number} PEEK=1"
    print(f"Next: make check-{number}. If this hint does not help: {more}")


def solution(number: int, peek: bool) -> None:
    """Print the solution if the answer passes its checks, or if the student wants to peek."""
    if not peek:
        answer = existing_answer(number)
        command = [sys.executable, str(LESSONS), "check", str(number)]
        if subprocess.call(command, stdout=subprocess.DEVNULL):
            sys.exit(
                f"You can see the solution when {display_path(answer)} passes all its checks: "
                f"make check-{number}. To see it now: make solution-{number} PEEK=1"
            )
    print(solution_file(number).read_text(encoding="utf-8"))


def reset(number: int) -> None:
    """Rename answer.py to answer-1.py (or the next free number) and copy the exercise again."""
    answer = existing_answer(number)
    old = answer.rename(next_free(answer, "answer-{}.py"))
    answer.write_bytes(originals.read_starter(answer.parent.name))
    print(f"{display_path(answer)} is a new copy of the exercise. Your old answer is in {old.name}.\n")
    print(f"Next: change the file, then run make check-{number}")


def progress() -> None:
    """Check every exercise, print one line for each, and name the next one to do."""
    _, results = run_checks(CHECKS, "--brief")
    print_notes(describe_misplaced(answers_without_points(results)) + describe_unread())
    unfinished = [number for number, folder in find_lessons().items() if folder.name in results.incomplete]
    if not unfinished:
        print("\nYou have solved every exercise.")
    elif answer_file(unfinished[0]).exists():
        print(f"\nNext: make check-{unfinished[0]}")
    else:
        lesson = display_path(answer_file(unfinished[0]).parent)
        print(f"\nNext: read {lesson}/README.md, then run make start-{unfinished[0]}")


def print_notes(sentences: list[str]) -> None:
    for sentence in sentences:
        print(f"\n{sentence}")


def answers_without_points(results: Results) -> list[Path]:
    """Return the answers that were checked and did not earn a single point."""
    names = results.incomplete - results.with_points
    files = [folder / "answer.py" for folder in find_lessons().values() if folder.name in names]
    return [file for file in files if file.is_file()]


class Results:
    """A pytest plugin that remembers the names of exercises.

    `incomplete` contains the exercises with a check that does not pass. `with_points` contains the exercises
    with a check that passes.
    """

    def __init__(self) -> None:
        self.incomplete: set[str] = set()
        self.with_points: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = Path(report.fspath).stem.removeprefix("test_")
        if not report.passed:
            self.incomplete.add(name)
        elif report.when == "call":
            self.with_points.add(name)


def run_checks(path: Path, *options: str) -> tuple[int, Results]:
    """Run checks in this process. Return pytest's exit status and the results."""
    results = Results()
    return run_pytest(path, *options, plugin=results), results


def run_pytest(path: Path, *options: str, plugin: object) -> int:
    """Run pytest in this process with one plugin and without its own output. Return its exit status."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = (
        "1"  # no other plugin is needed, and loading them takes time
    )
    import pytest

    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "--capture=sys", "-W", "ignore"]
    return int(pytest.main([str(path), *quiet, *options], plugins=[plugin]))


def comparison(number: int) -> str:
    """Return the difference between a passing answer and the solution."""
    answer, ours = answer_file(number), solution_file(number)
    code = normalize_code(answer), normalize_code(ours)
    if code[0] == code[1]:
        return "All checks pass, and your code is the same as our solution."
    lines = unified_diff(*code, display_path(answer), display_path(ours), n=2, lineterm="")
    difference = "\n".join("…" if line.startswith("@@") else line for line in lines)
    return (
        "All checks pass. Our solution differs: the lines with - are yours, and the lines with + are ours.\n"
        "Yours can be just as good, but look: does ours do something that yours does not? The comparison\n"
        "ignores comments, docstrings, blank lines and the style of quotation marks, and it sorts functions\n"
        f"and classes by name:\n\n{difference}"
    )


def normalize_code(file: Path) -> list[str]:
    """Return a Python file's lines in a normal form, so that style and order make no difference.

    The functions and classes come last, sorted by name.
    """
    tree = ast.parse(file.read_bytes())
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, *definitions)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    tree.body.sort(key=lambda node: node.name if isinstance(node, definitions) else "")
    return [line for line in ast.unparse(tree).splitlines() if line]


def next_step_after(number: int) -> str:
    if following := find_lessons().get(number + 1):
        return f"Next: read {display_path(following)}/README.md, then run make lesson-{number + 1}"
    return "This was the last exercise. To see all your points: make progress"


def read_hints(file: Path) -> list[str]:
    """Return the items of a numbered list."""
    items = re.split(r"^\d\. +", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [item.strip().replace("\n   ", "\n") for item in items]


def read_todo(number: int) -> str:
    """Return the comment of an exercise that begins with TODO, or an empty string."""
    starter = originals.read_starter(exercise_folder(number).name).decode()
    todo = re.search(r"^# TODO:.*\n(#.*\n)*", starter, re.MULTILINE)
    return todo[0].rstrip() if todo else ""


def command_after(number: int) -> str:
    """Return the command that follows a lesson. It starts an exercise, serves a lesson or shows progress."""
    if has_exercise(find_lessons()[number]):
        return f"make start-{number}"
    return f"make lesson-{number + 1}" if number + 1 in find_lessons() else "make progress"


def exercise_folder(number: int) -> Path:
    """Return the folder of a lesson with an exercise, or exit and name the first exercise."""
    lesson = find_lessons()[number]
    if not has_exercise(lesson):
        sys.exit(f"Lesson {number} has no exercise. Start the first exercise: make start-1")
    return lesson


def answer_file(number: int) -> Path:
    """Return the path of a student's answer.py, which may not exist yet. Exit if it is a folder."""
    answer = exercise_folder(number) / "answer.py"
    if answer.is_dir():
        sys.exit(f"{display_path(answer)} is a folder. Rename it, then start with: make start-{number}")
    return answer


def existing_answer(number: int) -> Path:
    """Return a student's answer.py, or exit and say how to start."""
    answer = answer_file(number)
    if not answer.exists():
        sys.exit(f"There is no {display_path(answer)} yet. Start with: make start-{number}")
    return answer


def solution_file(number: int) -> Path:
    return ROOT / "solutions" / f"{exercise_folder(number).name}.py"


def old_name(file: Path) -> Path:
    """Return the free path under which `restore` keeps a file, such as security.py.old-1."""
    return next_free(file, f"{file.name}.old-{{}}")


def next_free(file: Path, pattern: str) -> Path:
    """Return the first free path beside a file for a pattern such as answer-{}.py."""
    paths = (file.with_name(pattern.format(number)) for number in count(1))
    return next(path for path in paths if not path.exists())

"""What students do with an exercise: start it, check their answer, get hints, see the solution.

Each exercise is the file exercise.py in a folder. The student's answer is answer.py in the same folder. The
repository never contains an answer.py, so pulling an update cannot conflict with it. The lesson's files that
the checks use come from `originals`, so only answer.py decides the marks.
"""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stderr
from difflib import unified_diff
from io import StringIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import originals
from lesson_loader import LESSONS, Exercise, display_path, find_exercises, find_lessons, read_text
from misplaced import describe_misplaced, describe_unread

if TYPE_CHECKING:
    import pytest

ROOT = LESSONS.parent
WATCHING = "LESSONS_WATCHING"  # `watch` sets this variable, because a save is then enough to check again


class ChecksStopped(Exception):
    """The checks stopped before the end. The message says why."""


def start(exercise: Exercise) -> None:
    """Copy the exercise to answer.py, unless that file exists."""
    answer, label = answer_file(exercise), exercise.argument
    if answer.exists():
        sys.exit(
            f"{display_path(answer)} already exists. Continue with make check-{label}, "
            f"or start again with make reset-{label}, which keeps your old answer."
        )
    answer.write_bytes(originals.read_starter(exercise))
    print(f"{display_path(answer)} is your copy. Change it at the TODO:\n\n{read_todo(exercise)}\n")
    print(f"Next: change the file, then run make check-{label}")


def check(exercise: Exercise, *options: str) -> None:
    """Check the answer and print what to do next. If every check passes, print how the solution differs.

    Exits with status 1 if a check fails.
    """
    answer = existing_answer(exercise)
    require(exercise.checks)
    print(f"\nExercise {exercise.label}: {display_path(answer)}\n")
    results = run_checks([exercise], *options)
    if changed := originals.find_changed(exercise.lesson):
        print(f"\n{describe_changes(exercise.lesson, changed)}")
    if results.problem:
        print(f"\n{results.problem}")
    elif not results.incomplete:
        print(f"\n{comparison(exercise)}\n\n{next_step_after(exercise)}")
        return
    elif originals.read_lines(answer) == originals.read_starter(exercise):
        print("\nYou have not changed your copy of the exercise yet, so you have no points.")
    else:
        print_notes(describe_misplaced(answers_without_points(results)))
    then = " and save it" if WATCHING in os.environ else f", then run make check-{exercise.argument}"
    print(f"\nNext: change {display_path(answer)}{then}. If you are stuck: make hint-{exercise.argument}")
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


def watch(exercise: Exercise) -> None:
    """Check the answer now and after each save, until Ctrl-C. Show only the newest result."""
    from watchfiles import watch as wait_for_changes

    logging.getLogger("watchfiles").setLevel(logging.ERROR)  # no warning about Ctrl-C

    answer = existing_answer(exercise)
    check_in_new_process(exercise)

    def is_answer(change: object, path: str) -> bool:
        return Path(path) == answer

    for _ in wait_for_changes(answer.parent, watch_filter=is_answer, raise_interrupt=False):
        if answer.exists():
            check_in_new_process(exercise)


def check_in_new_process(exercise: Exercise) -> None:
    click.clear()  # does nothing if the output is not a terminal
    subprocess.call([sys.executable, str(LESSONS), "check", exercise.label], env=os.environ | {WATCHING: "1"})
    print("\nWaiting for your next save. Press Ctrl-C to stop.", flush=True)


def hint(exercise: Exercise, level: int) -> None:
    """Print a hint. The first one asks a question; the last of three almost gives the solution."""
    file, label = exercise.folder / "hints.md", exercise.argument
    require(file)
    hints = read_hints(file)
    if level > len(hints):
        last = f"make hint-{label} LEVEL={len(hints)}"
        sys.exit(f"Exercise {exercise.label} has no hint {level}. The last one is: {last}")
    print(f"Hint {level} of {len(hints)}\n\n{hints[level - 1]}\n")
    if level < len(hints):
        more = f" If this hint does not help: make hint-{label} LEVEL={level + 1}"
    elif exercise.solution.exists():
        more = f" If this hint does not help: make solution-{label} PEEK=1"
    else:
        more = " If this hint does not help, ask your instructor."
    print(f"Next: make check-{label}.{more}")


def solution(exercise: Exercise, peek: bool) -> None:
    """Print the solution if the answer passes its checks, or if the student wants to peek."""
    if not exercise.solution.exists():
        print(
            f"Your instructor has the solution to exercise {exercise.label}. "
            "Your copy of the course does not contain it."
        )
        return
    if not peek:
        answer = existing_answer(exercise)
        command = [sys.executable, str(LESSONS), "check", exercise.label]
        if subprocess.call(command, stdout=subprocess.DEVNULL):
            sys.exit(
                f"You can see the solution when {display_path(answer)} passes all its checks: "
                f"make check-{exercise.argument}. To see it now: make solution-{exercise.argument} PEEK=1"
            )
    print(exercise.solution.read_text(encoding="utf-8"))


def reset(exercise: Exercise) -> None:
    """Rename answer.py to answer-1.py (or the next free number) and copy the exercise again."""
    answer = existing_answer(exercise)
    old = answer.rename(next_free(answer, "answer-{}.py"))
    answer.write_bytes(originals.read_starter(exercise))
    print(f"{display_path(answer)} is a new copy of the exercise. Your old answer is in {old.name}.\n")
    print(f"Next: change the file, then run make check-{exercise.argument}")


def progress() -> None:
    """Check every exercise, print one line for each, and name the next one to do."""
    exercises = find_exercises().values()
    results = run_checks(exercises, "--brief")
    problem = [results.problem] if results.problem else []
    print_notes(problem + describe_misplaced(answers_without_points(results)) + describe_unread())
    unfinished = [exercise for exercise in exercises if exercise.name in results.incomplete]
    if not unfinished:
        if not results.problem:
            print("\nYou have solved every exercise.")
    elif answer_file(unfinished[0]).exists():
        print(f"\nNext: make check-{unfinished[0].argument}")
    else:
        readme = display_path(unfinished[0].lesson / "README.md")
        print(f"\nNext: read {readme}, then run make start-{unfinished[0].argument}")


def print_notes(sentences: list[str]) -> None:
    for sentence in sentences:
        print(f"\n{sentence}")


def answers_without_points(results: Results) -> list[Path]:
    """Return the answers that were checked and did not earn a single point."""
    names = results.incomplete - results.with_points
    answers = [exercise.answer for exercise in find_exercises().values() if exercise.name in names]
    return [answer for answer in answers if answer.is_file()]


class Results:
    """A pytest plugin that keeps the result of each check. All values can be written as JSON.

    `problem` says why the checks stopped before the end, or is empty.
    """

    def __init__(self) -> None:
        self.checks: list[dict[str, Any]] = []
        self.problem = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.when == "setup" and not report.passed):
            problem = getattr(report, "problem", None)
            message = report.longreprtext
            if isinstance(report.longrepr, tuple):  # for a skipped check: (file, line, reason)
                message = report.longrepr[2].removeprefix("Skipped: ")
            parts = {name: getattr(problem, name, "") for name in ("sent", "expected", "got", "question")}
            self.checks.append(
                dict(report.user_properties)  # the exercise, the sentence and the points
                | {
                    "name": report.nodeid.rpartition("::")[2],
                    "outcome": report.outcome,
                    "kind": problem.outcome if problem else report.outcome,
                    "message": message,
                    "printed": report.capstdout,
                }
                | parts
            )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.problem = f"The checks of an exercise cannot be read:\n\n{report.longreprtext}"

    @property
    def incomplete(self) -> set[str]:
        """The names of the exercises with a check that does not pass."""
        return {check["exercise"] for check in self.checks if check["outcome"] != "passed"}

    @property
    def with_points(self) -> set[str]:
        """The names of the exercises with a check that passes."""
        return {check["exercise"] for check in self.checks if check["outcome"] == "passed"}


def run_checks(exercises: Iterable[Exercise], *options: str) -> Results:
    """Run the checks of exercises in this process and return the results."""
    paths = [exercise.checks for exercise in exercises]
    results = Results()
    if missing := [path for path in paths if not path.is_file()]:
        results.problem = (
            f"{display_path(missing[0])} is missing. This file contains the checks of an exercise."
        )
    # The checks of additional exercises are in another folder than conftest.py.
    plugins = ["--noconftest", "-pexercises.conftest", "--continue-on-collection-errors"]
    status = run_pytest(*(path for path in paths if path.is_file()), *plugins, *options, plugin=results)
    if status not in (0, 1) and not results.problem:
        results.problem = f"The checks stopped before the end (pytest ended with status {status})."
    return results


def run_pytest(*arguments: Path | str, plugin: object) -> int:
    """Run pytest in this process with one plugin and without its own output. Return its exit status.

    Print what pytest says about a bad option, but not the long traceback of an error in pytest or a plugin.
    """
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = (
        "1"  # no other plugin is needed, and loading them takes time
    )
    import pytest

    # The last two plugins collect garbage after each test, and that takes as long as the checks do.
    unused = ("terminal", "cacheprovider", "unraisableexception", "threadexception")
    quiet = [
        f"-c{ROOT / 'pyproject.toml'}",
        *(f"-pno:{name}" for name in unused),
        "--capture=sys",
        "-Wignore",
    ]
    with redirect_stderr(StringIO()) as errors:
        status = int(pytest.main([*map(str, arguments), *quiet], plugins=[plugin]))
    if status != pytest.ExitCode.INTERNAL_ERROR:
        sys.stderr.write(errors.getvalue())
    return status


def collect(exercise: Exercise, target: str = "answer", *options: str) -> list[dict[str, Any]]:
    """Check a target in a new process and return the result of each check, as Results keeps it.

    `target` is answer, starter, solution or the path of a file. Raises ChecksStopped.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.json"
        command = [sys.executable, __file__, str(file), exercise.label, f"--target={target}", *options]
        run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8")
        if not file.exists():
            raise ChecksStopped(f"The checks stopped before the end.\n{run.stderr}")
        problem, checks = json.loads(file.read_text(encoding="utf-8"))
    if problem:
        raise ChecksStopped(problem + run.stderr)
    return list(checks)


def comparison(exercise: Exercise) -> str:
    """Return the difference between a passing answer and the solution."""
    answer, ours = answer_file(exercise), exercise.solution
    if not ours.exists():
        return "All checks pass."
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


def next_step_after(exercise: Exercise) -> str:
    """Return the next exercise of the same lesson, or the next lesson."""
    exercises = list(find_exercises().values())
    for following in exercises[exercises.index(exercise) + 1 :][:1]:
        if following.lesson == exercise.lesson:
            return f"Next: make start-{following.argument}"
    number = int(exercise.lesson.name[:2]) + 1
    if lesson := find_lessons().get(number):
        return f"Next: read {display_path(lesson)}/README.md, then run make lesson-{number}"
    return "This was the last exercise. To see all your points: make progress"


def read_hints(file: Path) -> list[str]:
    """Return the items of a numbered list."""
    items = re.split(r"^\d\. +", read_text(file), flags=re.MULTILINE)[1:]
    return [item.strip().replace("\n   ", "\n") for item in items]


def read_todo(exercise: Exercise) -> str:
    """Return the comment of an exercise that begins with TODO, or an empty string."""
    starter = originals.read_starter(exercise).decode()
    todo = re.search(r"^# TODO:.*\n(#.*\n)*", starter, re.MULTILINE)
    return todo[0].rstrip() if todo else ""


def command_after(number: int) -> str:
    """Return the command that follows a lesson. It starts an exercise, serves a lesson or shows progress."""
    if str(number) in find_exercises():
        return f"make start-{number}"
    return f"make lesson-{number + 1}" if number + 1 in find_lessons() else "make progress"


def answer_file(exercise: Exercise) -> Path:
    """Return the path of a student's answer.py, which may not exist yet. Exit if it is a folder."""
    if exercise.answer.is_dir():
        sys.exit(
            f"{display_path(exercise.answer)} is a folder. "
            f"Rename it, then start with: make start-{exercise.argument}"
        )
    return exercise.answer


def require(file: Path) -> None:
    """Exit if a file of the course is missing."""
    if not file.exists():
        sys.exit(f"{display_path(file)} is missing. Get this file again from where you got the course.")


def existing_answer(exercise: Exercise) -> Path:
    """Return a student's answer.py, or exit and say how to start."""
    answer = answer_file(exercise)
    if not answer.exists():
        sys.exit(f"There is no {display_path(answer)} yet. Start with: make start-{exercise.argument}")
    return answer


def old_name(file: Path) -> Path:
    """Return the free path under which `restore` keeps a file, such as security.py.old-1."""
    return next_free(file, f"{file.name}.old-{{}}")


def next_free(file: Path, pattern: str) -> Path:
    """Return the first free path beside a file for a pattern such as answer-{}.py."""
    paths = (file.with_name(pattern.format(number)) for number in count(1))
    return next(path for path in paths if not path.exists())


def main(file: str, label: str, *options: str) -> None:
    """Check one exercise for `collect` and write the results to a file."""
    results = run_checks([find_exercises()[label]], *options)
    Path(file).write_text(json.dumps([results.problem, results.checks]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Say in plain lines what is still missing in the lessons and exercises.

    .venv/bin/python tests/course/check.py           all lessons and exercises
    .venv/bin/python tests/course/check.py 11 3b     only these, and run everything that they contain

Each line names the file, the line and what to do. The wrong and right answers of additional exercises always
run. While a lesson or an exercise contains a TODO(author), its commands, tests and answers run too.

Exit status 0: nothing is missing. 1: something is. 2: the command has a mistake. 130: you pressed Ctrl-C.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path


def stop(*_: object) -> None:
    """End the program after Ctrl-C."""
    print("You stopped the command.", file=sys.stderr)
    sys.exit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, stop)  # the imports below take a second
    TESTS = Path(__file__).resolve().parent.parent
    sys.path[:1] = [str(TESTS), str(TESTS.parent / "lessons")]  # so that the imports below find their modules

from course import answer_runs, exercise_rules, lesson_rules, lesson_runs  # noqa: E402
from lesson_loader import (  # noqa: E402
    BadExercises,
    Exercise,
    display_path,
    exercises_option,
    find_exercises,
    find_lessons,
)
from mistakes import checking_process  # noqa: E402


def main() -> None:
    labels = sys.argv[1:]
    if problems := report("The course", lesson_rules.unusable_readmes()):
        print_end(problems, labels)  # the other rules read these files
        sys.exit(1)
    try:
        known = find_labels()
    except BadExercises as error:
        sys.exit(str(error))
    if unknown := [label for label in labels if label not in known]:
        print(
            f"There is no lesson or exercise {unknown[0]}. Choose from: {', '.join(known)}", file=sys.stderr
        )
        sys.exit(2)
    problems = report("The course", check_course())
    for label in labels or known:
        problems += check(label, run=bool(labels))
    print_end(problems, labels)
    sys.exit(1 if problems else 0)


def find_labels() -> list[str]:
    """Return the labels of all lessons and exercises, each once, in order: 0, 1, 2, 3, 3b, … 10."""
    labels = {*map(str, find_lessons()), *find_exercises()}
    return sorted(labels, key=lambda label: label.rjust(len(label.lstrip("0123456789")) + 2, "0"))


def check(label: str, run: bool) -> list[str]:
    """Report what is missing in the lesson and the exercise with this label, and return it."""
    problems = []
    lesson = find_lessons()[int(label)] if label.isdecimal() else None
    title = f"Lesson {label} ({display_path(lesson)})" if lesson else ""
    if lesson:
        problems += report(title, check_lesson(lesson, run))
    if exercise := find_exercises().get(label):
        heading = f"Exercise {label} ({display_path(exercise.folder)})"
        problems += report(heading, check_exercise(exercise, run), exercise_rules.find_advice(exercise))
    if lesson and (not problems or lesson_rules.answers_import_old_files(lesson)):
        problems += report(title, lesson_rules.old_originals(lesson))
    return problems


def check_course() -> list[str]:
    return lesson_rules.find_problems_between_lessons() + exercise_rules.files_without_an_exercise()


def check_lesson(lesson: Path, run: bool) -> list[str]:
    """Return what is missing in a lesson. Run its code if `run` is true or if it has a TODO(author)."""
    todos = lesson_rules.todos(lesson)
    problems = lesson_rules.find_problems(lesson)
    if (run or todos) and lesson_rules.can_run(lesson):
        problems += lesson_runs.find_problems(lesson)
    return todos + problems


def check_exercise(exercise: Exercise, run: bool) -> list[str]:
    """Return what is missing in an exercise. Run its answers as check_lesson does, or if it is additional."""
    todos = exercise_rules.todos(exercise)
    problems = exercise_rules.find_problems(exercise)
    runs = run or todos or exercise.is_additional
    if runs and exercise_rules.can_run(exercise):
        with checking_process() as run_checks:
            problems += answer_runs.find_problems(exercise, run_checks)
    return todos + problems


def report(heading: str, problems: list[str], advice: Sequence[str] = ()) -> list[str]:
    """Print what is missing, and advice that nobody has to follow. Return what is missing."""
    if problems or advice:
        print(heading)
        for sentence in problems:
            print(f"  {sentence}")
        for sentence in advice:
            print(f"  Advice: {sentence}")
        print(flush=True)
    return problems


def print_end(problems: list[str], labels: list[str]) -> None:
    """Print how many things are missing, and what to do next."""
    arguments = f" ARGS='{' '.join(labels)}'" if labels else ""
    again = f"make check-course{arguments}{exercises_option()}"
    if problems:
        place = problems[0].partition(": ")[0]
        things = "1 thing is" if len(problems) == 1 else f"{len(problems)} things are"
        print(f"{things} missing. Next: begin with {place}, then run {again}")
    elif own := [label for label in labels or find_labels() if not label.isdecimal()]:
        exercise = find_exercises()[own[-1]]
        command = "reset" if exercise.answer.exists() else "start"
        print(f"Nothing is missing. Next: try your exercise, with make {command}-{exercise.argument}")
    else:
        print("Nothing is missing. Next: make format lint test")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:  # unlike SystemExit, no app can raise it by itself
        stop()

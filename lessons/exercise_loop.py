"""The student's loop: start an exercise, check it, get a hint, compare with the solution.

An exercise is a lesson's exercise.py. A student's answer to it is answer.py beside it, which the
repository never holds, so that no update can get in its way.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from lesson_loader import LESSONS, diff_files, find_lessons

ROOT = LESSONS.parent
CHECKS = ROOT / "tests/exercises"


class Outcome:
    """A pytest plugin that keeps which files of checks have one that does not pass."""

    def __init__(self) -> None:
        self.incomplete: set[str] = set()

    def pytest_runtest_logreport(self, report) -> None:
        if not report.passed:
            self.incomplete.add(Path(report.fspath).stem.removeprefix("test_"))


def run_checks(path: Path, *options: str) -> tuple[int, set[str]]:
    """Run checks in this process; return pytest's exit status and the exercises not wholly passed."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # half of pytest's start, and none is needed
    import pytest

    outcome = Outcome()
    quietly = ["-p", "no:terminal", "-p", "no:cacheprovider", "--capture=sys", "-W", "ignore"]
    return int(pytest.main([str(path), *quietly, *options], plugins=[outcome])), outcome.incomplete


def start(number: int) -> None:
    """Copy the exercise to answer.py, unless there is one."""
    answer = answer_to(number)
    if answer.exists():
        sys.exit(
            f"{shown(answer)} is there already. Go on with make check-{number}, "
            f"or begin again with make reset-{number}, which keeps it."
        )
    shutil.copy(exercise_of(number), answer)
    print(f"{shown(answer)} is yours to change, where it says TODO:\n\n{todo(answer)}\n")
    print(f"Next: make check-{number}")


def check(number: int) -> None:
    """Run the checks on answer.py, and say what to do next; on full marks, compare with the solution."""
    answer = existing_answer(number)
    print(f"\nExercise {number}: {shown(answer)}\n")
    status, _ = run_checks(CHECKS / f"test_{answer.parent.name}.py")
    if status == 0:
        print("\n" + comparison(number) + "\n\n" + what_comes_after(number))
        return
    if status == 1 and answer.read_bytes() == exercise_of(number).read_bytes():
        print("\nThis is still the exercise as you got it, and it is meant to fail: the work is yours.")
    elif status != 1:
        print(f"\nThe checks did not run to their end (pytest's status is {status}).")
    print(f"\nNext: change {shown(answer)}, then make check-{number}. If you are stuck: make hint-{number}")
    sys.exit(1)


def watch(number: int) -> None:
    """Check an answer now and whenever it is saved, until Ctrl-C."""
    from watchfiles import watch as changes

    answer = existing_answer(number)
    command = [sys.executable, str(LESSONS), "check", str(number)]
    subprocess.call(command)
    print("\nWaiting for you to save it. Ctrl-C ends this.", flush=True)
    for _ in changes(answer.parent, watch_filter=lambda _, path: Path(path) == answer, raise_interrupt=False):
        if answer.exists():
            subprocess.call(command)
            print("\nWaiting for you to save it. Ctrl-C ends this.", flush=True)


def hint(number: int, level: int) -> None:
    """Print one of the three hints, of which the first asks and the last nearly tells."""
    hints = read_hints(exercise_of(number).with_name("hints.md"))
    print(f"Hint {level} of {len(hints)}\n\n{hints[level - 1]}\n")
    more = f"make hint-{number} LEVEL={level + 1}" if level < len(hints) else f"make solution-{number} PEEK=1"
    print(f"Next: make check-{number}. If it does not help: {more}")


def solution(number: int, peek: bool) -> None:
    """Print the solution to those whose answer passes, or who insist."""
    if not peek:
        answer = existing_answer(number)
        command = [sys.executable, str(LESSONS), "check", str(number)]
        if subprocess.call(command, stdout=subprocess.DEVNULL):
            sys.exit(
                f"The solution opens when {shown(answer)} passes: make check-{number}. "
                f"To look all the same: make solution-{number} PEEK=1"
            )
    print(solution_to(number).read_text(encoding="utf-8"))


def reset(number: int) -> None:
    """Begin an exercise again, and keep the answer that there was."""
    answer = existing_answer(number)
    kept = next(
        path for count in range(1, 10**6) if not (path := answer.with_name(f"answer-{count}.py")).exists()
    )
    answer.rename(kept)
    shutil.copy(exercise_of(number), answer)
    print(
        f"{shown(answer)} is the exercise again; what you had is in {kept.name}.\n\nNext: make check-{number}"
    )


def progress() -> None:
    """Run the checks of every exercise and print how far each is."""
    _, incomplete = run_checks(CHECKS, "--brief")
    waiting = [number for number, folder in find_lessons().items() if folder.name in incomplete]
    if not waiting:
        print("\nAll of them pass. That was the last one.")
    elif answer_to(waiting[0]).exists():
        print(f"\nNext: make check-{waiting[0]}")
    else:
        print(f"\nNext: make start-{waiting[0]}")


def comparison(number: int) -> str:
    """Return what the solution does otherwise than an answer that passes."""
    answer, ours = answer_to(number), solution_to(number)
    difference = diff_files(answer, ours, shown(answer), shown(ours))
    if not difference:
        return "All checks pass, and your answer is the solution, letter by letter."
    return f"All checks pass. From your answer to ours, which need not be better:\n\n{difference.rstrip()}"


def what_comes_after(number: int) -> str:
    following = number + 1
    if following not in find_lessons():
        return "That was the last exercise. Look back with make progress."
    return f"Next: make lesson-{following}, then make start-{following}"


def read_hints(file: Path) -> list[str]:
    """Return the items of a numbered list."""
    items = re.split(r"^\d\. +", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [item.strip().replace("\n   ", "\n") for item in items]


def todo(file: Path) -> str:
    """Return the comment that says what is to do."""
    return re.search(r"^# TODO:.*\n(#.*\n)*", file.read_text(encoding="utf-8"), re.MULTILINE)[0].rstrip()


def exercise_of(number: int) -> Path:
    """Return a lesson's exercise, or explain that it has none."""
    file = find_lessons()[number] / "exercise.py"
    if not file.exists():
        sys.exit(f"Lesson {number} has no exercise. The first one is make start-1")
    return file


def answer_to(number: int) -> Path:
    return exercise_of(number).with_name("answer.py")


def existing_answer(number: int) -> Path:
    """Return a student's answer, or explain how to begin one."""
    answer = answer_to(number)
    if not answer.exists():
        sys.exit(f"There is no {shown(answer)} yet. Begin with make start-{number}")
    return answer


def solution_to(number: int) -> Path:
    return ROOT / "solutions" / f"{exercise_of(number).parent.name}.py"


def shown(path: Path) -> str:
    """Return a path as a student types it, from the top of the repository."""
    return path.relative_to(ROOT).as_posix()

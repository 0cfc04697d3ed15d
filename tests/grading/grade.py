"""Grades submissions: one, by a checker that stays warm, or all of them, by any executor."""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from exercises.client import add_points
from grading.record import CheckResult, ExerciseResult, Outcome, StudentResult, from_json, to_json
from grading.submissions import HandedIn, Submission
from lesson_loader import LESSONS, find_exercises
from originals import ORIGINALS

ROOT = LESSONS.parent
GRADING = Path(__file__).parent
IDLE: deque[Checker] = deque()  # the checkers that wait for an answer, whichever thread has one
BUSY: set[Checker] = set()  # those that have one
STOPPED = threading.Event()
SPARE = 120  # seconds that a checker may take on top of an answer's own, before it counts as lost


@dataclass(frozen=True)
class Course:
    """What is the same for every submission of a run."""

    exercises: dict[str, list[dict[str, Any]]]  # the checks: name, sentence and max_points of each
    seed: int
    seconds: float  # that an answer may take to start, and for each response
    deadline: float  # seconds that an answer may take for all of that
    sandboxed: bool
    checks: str = ""  # the digest of all that decides a mark

    def digest(self, submission: Submission) -> str:
        """Return a digest of all that the result of a submission depends on."""
        return digest_of(repr(self), repr(submission))

    def seed_for(self, student: str, answer: HandedIn) -> int:
        """Return what makes the users, passwords and key for one answer."""
        return int(digest_of(str(self.seed), student, repr(answer))[:8], 16)


class CheckerLost(Exception):
    """A checker ended, or hung, where none should; or it could not list the checks."""


class Checker:
    """A process of grading.checker."""

    program = ("-m", "grading.checker")

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="grading-")
        self.process = subprocess.Popen(
            [sys.executable, *self.program, self.folder],
            cwd=ROOT,
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join([str(GRADING.parent), str(LESSONS)]),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # which would take longer than to check an answer
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the grader, which lets it finish
        )

    def ask(self, task: dict[str, Any], seconds: float = SPARE) -> dict[str, Any]:
        """Return what comes back for a task within so many seconds; see grading.checker for both.

        Raises CheckerLost if nothing does.
        """
        try:
            self.process.stdin.write(json.dumps(task).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            self.close()
            raise CheckerLost("the checker has ended") from None
        output = select.poll()
        output.register(self.process.stdout, select.POLLIN)
        ready = output.poll(1000 * seconds)
        line = self.process.stdout.readline() if ready else b""
        if not line.endswith(b"\n"):
            self.close()
            raise CheckerLost("the checker has ended" if ready else "the checker hangs")
        return json.loads(line)

    def close(self) -> None:
        self.process.kill()
        with suppress(subprocess.TimeoutExpired):
            self.process.communicate(timeout=SPARE)
        shutil.rmtree(self.folder, ignore_errors=True)


def grade(course: Course, submission: Submission) -> str:
    """Return the result of a submission as JSON. Whatever goes wrong in here becomes a grader error."""
    result = StudentResult(
        submission.student,
        submission.source,
        problem=submission.problem,
        sandboxed=course.sandboxed,
        digest=course.digest(submission),
    )
    for exercise in course.exercises:
        result.exercises.append(grade_exercise(course, submission, exercise))
    return to_json(result)


def grade_exercise(course: Course, submission: Submission, exercise: str) -> ExerciseResult:
    """Return how an answer went. What fails in the grader is tried once more."""
    problem = submission.problem or submission.problems.get(exercise, "")
    if problem:
        return without_checks(course, exercise, Outcome.UNREADABLE, problem)
    answer = submission.answers.get(exercise)
    if answer is None:
        return without_checks(course, exercise, Outcome.NOT_HANDED_IN)
    if course.checks != digest_of_checks():
        return without_checks(course, exercise, Outcome.GRADER_ERROR, "this worker has other checks")
    task = {
        "exercise": exercise,
        "answer": answer.content.decode("latin-1"),
        "seed": course.seed_for(submission.student, answer),
        "seconds": course.seconds,
        "deadline": course.deadline,
        "sandboxed": course.sandboxed,
    }
    said = ask_a_checker(task)
    if "problem" in said:  # which may have been the machine's, and over now
        said = ask_a_checker(task)
    shown = {"file": answer.file, "seed": task["seed"]}
    expected = [check["name"] for check in course.exercises[exercise]]
    checks = [
        CheckResult(**check | {"outcome": Outcome(check["outcome"])}) for check in said.get("checks", ())
    ]
    if [check.name for check in checks] != expected:
        problem = said.get("problem") or "not every check ran"
        return replace(without_checks(course, exercise, Outcome.GRADER_ERROR, problem), **shown)
    failed = (check.message for check in checks if check.outcome is Outcome.GRADER_ERROR)
    problem = next(failed, "").partition("\n")[0]
    return ExerciseResult(
        exercise, points_of(course, exercise), checks, printed=said["printed"], problem=problem, **shown
    )


def ask_a_checker(task: dict[str, Any]) -> dict[str, Any]:
    """Ask a checker that is idle, or a new one. One that gets lost is not idle again."""
    checker = None
    try:
        checker = idle_checker() or Checker()
        BUSY.add(checker)
        if STOPPED.is_set():
            raise CheckerLost("the grader was stopped")
        said = checker.ask(task, task["deadline"] + SPARE)
    except (CheckerLost, OSError) as error:
        return {"problem": str(error)}
    finally:
        BUSY.discard(checker)
    IDLE.append(checker)
    return said


def list_checks() -> dict[str, list[dict[str, Any]]]:
    """Return the checks of each exercise, from a checker which then is idle."""
    checker = Checker()
    exercises = checker.ask({})
    IDLE.append(checker)
    if "problem" in exercises:
        raise CheckerLost(exercises["problem"])
    return exercises


def stop() -> None:
    """Interrupt what is being checked, and have nothing checked any more."""
    STOPPED.set()
    for checker in list(BUSY):
        checker.process.send_signal(signal.SIGINT)


def idle_checker() -> Checker | None:
    """Take one of those that wait and live, if there is any."""
    with suppress(IndexError):
        while (checker := IDLE.pop()).process.poll() is not None:
            checker.close()
        return checker
    return None


def without_checks(course: Course, exercise: str, outcome: Outcome, problem: str = "") -> ExerciseResult:
    """Return the result of an exercise none of whose checks ran."""
    checks = [CheckResult(outcome=outcome, **check) for check in course.exercises[exercise]]
    return ExerciseResult(exercise, points_of(course, exercise), checks, problem=problem)


def points_of(course: Course, exercise: str) -> float:
    return add_points(check["max_points"] for check in course.exercises[exercise])


def grade_all(
    course: Course, submissions: Iterable[Submission], executor: Executor, window: int, **options: Any
) -> Iterator[StudentResult]:
    """Give the result of each submission, as each is ready, with at most `window` of them on their way.

    The executor is of threads on this machine, or distributed.Client.get_executor()'s; options are for its
    submit().
    """
    waiting: dict[Future[str], Submission] = {}
    for submission in submissions:
        waiting[executor.submit(grade, course, submission, **options)] = submission
        while len(waiting) >= window:
            yield from finished(course, waiting)
    while waiting:
        yield from finished(course, waiting)


def finished(course: Course, waiting: dict[Future[str], Submission]) -> Iterator[StudentResult]:
    """Wait for one result or more, and take them out of those that are waited for."""
    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
        submission = waiting.pop(future)
        if error := future.exception():
            exercises = [
                without_checks(course, name, Outcome.GRADER_ERROR, f"{type(error).__name__}: {error}")
                for name in course.exercises
            ]
            yield StudentResult(submission.student, submission.source, exercises, sandboxed=course.sandboxed)
        else:
            yield from_json(future.result())


def digest_of(*parts: str) -> str:
    """Return a digest of texts, in which no two lists of texts are alike."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def digest_of_checks() -> str:
    """Return a digest of every file that decides a mark, of their names and content."""
    files = [*sorted((ROOT / "tests/exercises").glob("*.py")), ROOT / "tests/tokens.py"]
    files += [exercise.checks for exercise in find_exercises().values() if exercise.is_additional]
    files.append(ROOT / "lessons/requirements.txt")
    files += [
        GRADING / f"{name}.py"
        for name in ("box", "checker", "grade", "record", "sandbox", "seccomp", "serve", "wire")
    ]
    files += [LESSONS / f"{name}.py" for name in ("flask_jwt_compat", "lesson_loader", "originals")]
    files += sorted(ORIGINALS.glob("*.zip"))
    return digest_of(*(text for file in files for text in (file.name, file.read_bytes().decode("latin-1"))))

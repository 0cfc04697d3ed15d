"""Grades submissions: one with a pool of checkers, or all of them with any executor."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from exercises.client import add_points
from grading.pool import ROOT, SPARE, CheckerLost, CheckerPool
from grading.record import (
    CheckResult,
    ExerciseResult,
    Outcome,
    Person,
    StudentResult,
    from_json,
    read_check,
    to_json,
)
from grading.submissions import Answer, Submission, is_unchanged_starter
from lesson_loader import LESSONS, Exercise, find_exercises, label_of
from originals import ORIGINALS

# A change in these files can change points.
DECIDING = "bubblewrap checker grade host http_messages record sandbox seccomp serve"
OTHER_CHECKS = "this worker has other checks: compare its clone, its packages and its EXERCISES"
STARTER = "This is the starter without a change."
REFUSED = "[Errno 38]"  # what Python prints if the sandbox refuses a system call
REFUSED_CALL = "The sandbox refused a system call of an answer or of a library. Tell your instructor."

Submit = Callable[["Course", "Work"], "Future[str]"]


@dataclass(frozen=True)
class Course:
    """What is the same for all submissions of a run."""

    checks: dict[str, list[dict[str, Any]]]  # of each exercise: name, sentence and max_points of its checks
    seed: int
    seconds: float  # for the start of an answer, and for each response
    time_limit: float  # seconds for everything that is checked in an answer
    sandboxed: bool
    version: str = ""  # the digest of all files that decide about points


@dataclass(frozen=True)
class Work:
    """A person, what they handed in, and the names of the exercises that count for them."""

    person: Person
    submission: Submission | None
    exercises: tuple[str, ...]

    def digest(self, course: Course) -> str:
        """Return a digest of everything that decides about the points."""
        checks = {name: course.checks[name] for name in self.exercises}
        return digest_of(self.person.id, repr(replace(course, checks=checks)), repr(self.submission))


def digest_of(*parts: str) -> str:
    """Return a SHA-256 digest of texts. Two different lists of texts have different digests."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def version_of_checks() -> str:
    """Return a digest of the names and contents of all files that decide about points."""
    files = [*(ROOT / "tests/exercises").glob("*.py"), ROOT / "tests/tokens.py"]
    files += [exercise.checks for exercise in find_exercises().values() if exercise.is_additional]
    files += [Path(__file__).with_name(f"{name}.py") for name in DECIDING.split()]
    files += [*ORIGINALS.glob("*.zip"), ROOT / "lessons/requirements.txt"]
    files += [LESSONS / f"{name}.py" for name in ("flask_jwt_compat", "lesson_loader", "originals")]
    contents = sorted((file.name, file.read_bytes().decode("latin-1")) for file in files)
    return digest_of(*(text for name_and_content in contents for text in name_and_content))


def grade(course: Course, work: Work, pool: CheckerPool) -> str:
    """Return the result of a submission as JSON. A failure of the grader becomes a grader error."""
    submission = work.submission or Submission("")
    result = StudentResult(
        work.person,
        submission.source,
        problem=submission.error or submission.problem,
        notes=list(submission.notes),
        submitted=submission.submitted,
        repository=submission.repository,
        commit=submission.commit,
        sandboxed=course.sandboxed,
        digest=work.digest(course),
    )
    known = find_exercises()
    results = {name: result_without_checks(course, submission, name, known) for name in work.exercises}
    answers = {name: submission.answers[name] for name, found in results.items() if found is None}
    checked = ask_checker(course, work.person, answers, pool) if answers else {}
    result.exercises = [results[name] or checked[name] for name in work.exercises]
    if REFUSED in to_json(result):
        result.notes.append(REFUSED_CALL)
    return to_json(result)


def result_without_checks(
    course: Course, submission: Submission, exercise: str, known: dict[str, Exercise]
) -> ExerciseResult | None:
    """Return the result of an exercise whose checks cannot run, or None if they can."""
    if submission.error:
        return unchecked(course, exercise, Outcome.GRADER_ERROR, submission.error)
    if problem := submission.problem or submission.problems.get(exercise):
        return unchecked(course, exercise, Outcome.UNREADABLE, problem)
    answer = submission.answers.get(exercise)
    if answer is None:
        return unchecked(course, exercise, Outcome.NOT_HANDED_IN)
    if course.version != version_of_checks():
        return unchecked(course, exercise, Outcome.GRADER_ERROR, OTHER_CHECKS)
    if is_unchanged_starter(known[label_of(exercise)], answer.content):
        return replace(unchecked(course, exercise, Outcome.NOT_CHANGED, STARTER), file=answer.file)
    return None


def ask_checker(
    course: Course, person: Person, answers: dict[str, Answer], pool: CheckerPool
) -> dict[str, ExerciseResult]:
    """Return the result of each answer by exercise."""
    seeds = {name: seed_for(course, person, answer) for name, answer in answers.items()}
    contents = {name: answer.content.decode("latin-1") for name, answer in answers.items()}
    task = {
        "answers": {name: {"content": contents[name], "seed": seeds[name]} for name in answers},
        "seconds": course.seconds,
        "time_limit": course.time_limit,
        "sandboxed": course.sandboxed,
    }
    try:  # each answer may be checked twice
        responses = pool.ask(task, 2 * len(answers) * course.time_limit + SPARE)
    except (CheckerLost, OSError) as error:
        responses = {"problem": str(error)}
    results = {name: read_results(course, name, responses.get(name, responses)) for name in answers}
    return {
        name: replace(result, file=answers[name].file, seed=seeds[name]) for name, result in results.items()
    }


def seed_for(course: Course, person: Person, answer: Answer) -> int:
    """Return the seed of the random users for an answer."""
    return int(digest_of(str(course.seed), person.id, repr(answer))[:8], 16)


def read_results(course: Course, exercise: str, response: dict[str, Any]) -> ExerciseResult:
    """Return the result in a checker's response. If a check has no result, return a grader error."""
    checks = [read_check(check) for check in response.get("checks", ())]
    if [check.name for check in checks] != [check["name"] for check in course.checks[exercise]]:
        problem = response.get("problem", "not every check ran")
        return unchecked(course, exercise, Outcome.GRADER_ERROR, problem)
    errors = (check.message for check in checks if check.outcome is Outcome.GRADER_ERROR)
    problem = next(errors, "").partition("\n")[0]
    points = max_points(course, exercise)
    return ExerciseResult(exercise, points, checks, printed=response["printed"], problem=problem)


def unchecked(course: Course, exercise: str, outcome: Outcome, problem: str = "") -> ExerciseResult:
    """Return a result in which every check has this outcome, because no check ran."""
    checks = [CheckResult(outcome=outcome, **check) for check in course.checks[exercise]]
    return ExerciseResult(exercise, max_points(course, exercise), checks, problem=problem)


def grader_error(course: Course, person: Person, exercises: Iterable[str], problem: str) -> StudentResult:
    """Return a result without a mark, because the grader failed for this student."""
    results = [unchecked(course, name, Outcome.GRADER_ERROR, problem) for name in exercises]
    return StudentResult(person, exercises=results, sandboxed=course.sandboxed)


def max_points(course: Course, exercise: str) -> float:
    return add_points(check["max_points"] for check in course.checks[exercise])


def grade_all(course: Course, works: Iterable[Work], submit: Submit, window: int) -> Iterator[StudentResult]:
    """Yield each result as soon as it is ready. At most `window` submissions are in memory or under way."""
    waiting: dict[Future[str], Work] = {}
    for work in works:
        waiting[submit(course, work)] = work
        while len(waiting) >= window:
            yield from finished(course, waiting)
    while waiting:
        yield from finished(course, waiting)


def finished(course: Course, waiting: dict[Future[str], Work]) -> Iterator[StudentResult]:
    """Wait for one result or more, remove them from `waiting` and yield them."""
    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
        work = waiting.pop(future)
        if error := future.exception():
            yield grader_error(course, work.person, work.exercises, f"{type(error).__name__}: {error}")
        else:
            yield from_json(future.result())

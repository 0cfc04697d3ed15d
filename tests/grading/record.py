"""What grading finds out about one student: the one record that every report is made from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from exercises.client import add_points


class Outcome(StrEnum):
    """How a check, or an exercise as a whole, went. Only a grader error is no mark."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"  # a check that it needs did not pass
    DID_NOT_START = "did not start"
    NO_RESPONSE_IN_TIME = "no response in time"
    DIED = "died"
    NOT_HANDED_IN = "not handed in"
    UNREADABLE = "unreadable"  # an archive, or a file, that is not taken
    GRADER_ERROR = "grader error"


WORST_FIRST = (
    Outcome.GRADER_ERROR,
    Outcome.UNREADABLE,
    Outcome.NOT_HANDED_IN,
    Outcome.DID_NOT_START,
    Outcome.DIED,
    Outcome.NO_RESPONSE_IN_TIME,
    Outcome.FAILED,
    Outcome.SKIPPED,
    Outcome.PASSED,
)


@dataclass
class CheckResult:
    """How one check went. All text that an answer had a part in is as it came: hostile."""

    name: str  # test_login_has_moved
    sentence: str  # Users log in with POST /api/v1/session.
    max_points: float
    outcome: Outcome
    sent: str = ""
    expected: str = ""
    got: str = ""
    question: str = ""
    message: str = ""  # where nothing was sent: the traceback, or what is needed

    @property
    def points(self) -> float:
        return self.max_points if self.outcome is Outcome.PASSED else 0


@dataclass
class ExerciseResult:
    """How a student's answer to one exercise went, or why there is nothing to say of it."""

    exercise: str  # 01_auth_url
    max_points: float
    checks: list[CheckResult]  # in the order in which they ran; each of them, whatever happened
    file: str = ""  # where the answer was, as the student named it: hostile
    seed: int = 0  # repeats the run, as --seed does
    printed: str = ""  # what the answer wrote to its standard output and error, cut: hostile
    problem: str = ""  # why an answer is unreadable, or what went wrong in the grader

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of its checks."""
        return min((check.outcome for check in self.checks), key=WORST_FIRST.index)

    @property
    def points(self) -> float | None:
        """The points reached, or None if the grader failed: then there is no mark."""
        if self.outcome is Outcome.GRADER_ERROR:
            return None
        return add_points(check.points for check in self.checks)


@dataclass
class StudentResult:
    """How a student's submission went."""

    student: str  # the name of the folder or archive, without its ending: hostile
    source: str  # the name of the folder or archive
    exercises: list[ExerciseResult] = field(default_factory=list)  # in the order of the lessons
    problem: str = ""  # why the whole submission is unreadable, if it is: hostile in part
    sandboxed: bool = True
    digest: str = ""  # of all that the result depends on: the answers, the checks, the limits

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of the exercises; a submission without any was not to be read."""
        return min(
            (exercise.outcome for exercise in self.exercises),
            key=WORST_FIRST.index,
            default=Outcome.UNREADABLE,
        )

    @property
    def points(self) -> float | None:
        """The points reached, or None if one of the exercises has no mark."""
        points = [exercise.points for exercise in self.exercises]
        return None if None in points else add_points(points)

    @property
    def max_points(self) -> float:
        return add_points(exercise.max_points for exercise in self.exercises)


def to_json(result: StudentResult) -> str:
    """Return a result as JSON, in ASCII, which holds any text that Python can."""
    return json.dumps(asdict(result), indent=1)


def from_json(text: str) -> StudentResult:
    """Return the result that to_json made.

    Raises ValueError, KeyError or TypeError if the text is anything else.
    """
    data = json.loads(text)
    exercises = []
    for exercise in data.pop("exercises"):
        checks = [read_check(check) for check in exercise.pop("checks")]
        exercises.append(ExerciseResult(checks=checks, **exercise))
    return StudentResult(exercises=exercises, **data)


def read_check(check: dict[str, Any]) -> CheckResult:
    """Return the result of a check that asdict took apart."""
    return CheckResult(**check | {"outcome": Outcome(check["outcome"])})

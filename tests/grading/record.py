"""What the grader knows about one student. Every report is made from this record."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from exercises.client import add_points


class Outcome(StrEnum):
    """The outcomes of a check or a whole exercise, from best to worst. Only a grader error gives no mark."""

    PASSED = "passed"
    SKIPPED = "skipped"  # a check that this check needs did not pass
    FAILED = "failed"
    NO_RESPONSE_IN_TIME = "no response in time"
    DIED = "died"  # the app's process ended before it responded
    DID_NOT_START = "did not start"
    NOT_CHANGED = "starter not changed"
    NOT_HANDED_IN = "not handed in"
    UNREADABLE = "unreadable"  # the grader does not accept the file or the archive
    GRADER_ERROR = "grader error"


RANK = list(Outcome).index  # a later outcome is worse


@dataclass(frozen=True)
class Person:
    """A student, as the roster describes them."""

    id: str  # in the roster; without a roster, the name of the folder or archive, which is unsanitized
    name: str = ""  # "Ada Lovelace" or "Lovelace, Ada"
    email: str = ""
    due: str = ""  # a date and time in ISO 8601; an extension replaces the class's date


@dataclass
class CheckResult:
    """How one check went. All text fields hold unsanitized student output."""

    name: str  # test_login_has_moved
    sentence: str  # Users log in with POST /api/v1/session.
    max_points: float
    outcome: Outcome
    sent: str = ""
    expected: str = ""
    got: str = ""
    question: str = ""
    message: str = ""  # if no request was sent: the traceback, or the check that this check needs

    @property
    def points(self) -> float:
        return self.max_points if self.outcome is Outcome.PASSED else 0


@dataclass
class ExerciseResult:
    """How a student's answer to one exercise went."""

    exercise: str  # 01_auth_url
    max_points: float
    checks: list[CheckResult]  # every check, in the order in which the checks run
    file: str = ""  # where the student put the answer: unsanitized
    seed: int = 0  # of the answer's random users: for `lessons check --seed`, not for the grader's --seed
    printed: str = ""  # the beginning of what the answer printed: unsanitized
    problem: str = ""  # why the answer is unreadable, or what failed in the grader
    manual_points: float | None = None  # from overrides.csv: these count instead of the checks' points
    comment: str = ""  # from overrides.csv

    @property
    def outcome(self) -> Outcome:
        return max((check.outcome for check in self.checks), key=RANK)

    @property
    def points_of_checks(self) -> float | None:
        """The points without those by hand, or None if the grader failed."""
        failed = self.outcome is Outcome.GRADER_ERROR
        return None if failed else add_points(check.points for check in self.checks)

    @property
    def points(self) -> float | None:
        """The points, or None if the grader failed and nobody gave points by hand."""
        return self.points_of_checks if self.manual_points is None else self.manual_points


@dataclass
class StudentResult:
    """How a student's submission went."""

    person: Person
    source: str = ""  # the names of the files, folders or archives that belong to the student: unsanitized
    exercises: list[ExerciseResult] = field(default_factory=list)  # in the order of the lessons
    problem: str = ""  # why the whole submission is unreadable, or what failed in the grader
    notes: list[str] = field(default_factory=list)  # what the student should know: partly unsanitized
    submitted: str = ""  # when it was handed in, in ISO 8601, where that is known
    repository: str = ""  # the URL of the student's repository, where that is known
    commit: str = ""  # the commit of the student's repository, as 40 hexadecimal digits
    sandboxed: bool = True
    pseudonym: str = ""  # with --anonymous, the reports show it instead of the person
    digest: str = ""  # of everything the points depend on: the answers, the checks, the limits

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of the exercises. A submission without exercises is unreadable."""
        return max((exercise.outcome for exercise in self.exercises), key=RANK, default=Outcome.UNREADABLE)

    @property
    def points(self) -> float | None:
        """The total, or None if an exercise has no points because the grader failed."""
        points = [exercise.points for exercise in self.exercises if exercise.points is not None]
        return add_points(points) if len(points) == len(self.exercises) else None

    @property
    def max_points(self) -> float:
        return add_points(exercise.max_points for exercise in self.exercises)


def to_json(result: StudentResult) -> str:
    """Return a result as JSON in ASCII, which can hold every text that Python can."""
    return json.dumps(asdict(result), indent=1)


def from_json(text: str) -> StudentResult:
    """Return a result from JSON. Raises ValueError, KeyError or TypeError if to_json did not write it."""
    fields = json.loads(text)
    person = Person(**fields.pop("person"))
    exercises = [
        ExerciseResult(**exercise | {"checks": list(map(read_check, exercise["checks"]))})
        for exercise in fields.pop("exercises")
    ]
    return StudentResult(person, exercises=exercises, **fields)


def read_check(fields: dict[str, Any]) -> CheckResult:
    """Return a check's result from the dictionary of asdict."""
    return CheckResult(**fields | {"outcome": Outcome(fields["outcome"])})

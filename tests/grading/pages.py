"""The pages of a result: one for each student, and one of the class for whoever teaches it.

Each is one HTML file that runs nothing and loads nothing, and says so in a policy that browsers enforce. What
stands in {{ }} in a template is cleaned and then escaped, whatever it is: no template has to think of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grading.formats import clean, clean_name, said
from grading.record import ExerciseResult, Outcome, StudentResult
from lesson_loader import label_of

ROWS = 2_000  # of the table of students, which nobody reads, and no phone shows, beyond that
SYMBOLS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✗",
    Outcome.SKIPPED: "↷",
    Outcome.DID_NOT_START: "⊘",
    Outcome.NO_RESPONSE_IN_TIME: "⋯",
    Outcome.DIED: "†",
    Outcome.NOT_HANDED_IN: "–",  # noqa: RUF001
    Outcome.UNREADABLE: "?",
    Outcome.GRADER_ERROR: "!",
}
WHOLE = (Outcome.DID_NOT_START, Outcome.UNREADABLE, Outcome.GRADER_ERROR)  # not a thing of one check


def title(exercise: str) -> str:
    """Return the name of an exercise in words: 01_auth_url is Exercise 1: auth url."""
    return f"Exercise {label_of(exercise)}: {exercise.partition('_')[2].replace('_', ' ')}"


def mean(points: Counter[float | None]) -> str:
    """Return the mean of those that are marks, in words; there may be none."""
    marks = Counter({mark: count for mark, count in points.items() if mark is not None})
    total = sum(mark * count for mark, count in marks.items())
    return f"{total / marks.total():.1f}" if marks else "no mark yet"


TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    finalize=lambda value: clean(value) if type(value) is str else value,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"name": clean_name, "title": title, "label": label_of, "mean": mean}
TEMPLATES.globals |= {"said": said, "symbols": SYMBOLS, "WHOLE": WHOLE, "Outcome": Outcome}


def student_page(result: StudentResult) -> str:
    """Return the page of one student."""
    return TEMPLATES.get_template("student.html").render(result=result)


@dataclass
class CheckSummary:
    """How one check went in the class."""

    sentence: str
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    @property
    def missed(self) -> int:
        """How many got as far as this check and did not pass it."""
        missed = (Outcome.FAILED, Outcome.NO_RESPONSE_IN_TIME, Outcome.DIED)
        return sum(self.outcomes[outcome] for outcome in missed)


@dataclass
class ExerciseSummary:
    """How one exercise went in the class."""

    max_points: float
    points: Counter[float | None] = field(default_factory=Counter)
    checks: dict[str, CheckSummary] = field(default_factory=dict)

    def add(self, exercise: ExerciseResult) -> None:
        self.points[exercise.points] += 1
        for check in exercise.checks:
            self.checks.setdefault(check.name, CheckSummary(check.sentence)).outcomes[check.outcome] += 1


@dataclass
class ClassSummary:
    """How the class went, in counts: they take no more memory for 100,000 students than for 2,000."""

    page_of: Callable[[str], str]  # the address of a student's page, as seen from that of the class
    students: int = 0
    unsandboxed: int = 0
    max_points: float = 0
    points: Counter[float | None] = field(default_factory=Counter)
    exercises: dict[str, ExerciseSummary] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, result: StudentResult) -> None:
        self.students += 1
        self.unsandboxed += not result.sandboxed
        self.max_points = max(self.max_points, result.max_points)
        self.points[result.points] += 1
        row = {"student": result.student, "page": self.page_of(result.student), "points": result.points}
        for exercise in result.exercises:
            summary = ExerciseSummary(exercise.max_points)
            self.exercises.setdefault(exercise.exercise, summary).add(exercise)
            if exercise.points is None and len(self.errors) < ROWS:
                self.errors.append(
                    row | {"exercise": exercise.exercise, "problem": clean(exercise.problem, 300)}
                )
        if len(self.rows) < ROWS:
            marks = {exercise.exercise: (exercise.points, exercise.outcome) for exercise in result.exercises}
            self.rows.append(row | {"problem": clean(result.problem, 300), "marks": marks})

    def histogram(self) -> list[tuple[int, int, int]]:
        """Return points, from and to, with how many students have them; without a mark, one is not there."""
        # 11 bars at most. With 100 points, these are 0 to 9, 10 to 19 and so on, and 100 by itself.
        width = -(-(int(self.max_points) + 1) // 11)
        counts = Counter[int]()
        for mark, count in self.points.items():
            if mark is not None:
                counts[int(mark) // width] += count
        lows = range(0, int(self.max_points) + 1, width)
        return [(low, min(low + width - 1, int(self.max_points)), counts[low // width]) for low in lows]


def class_page(summary: ClassSummary) -> str:
    """Return the page of the class."""
    checks = [
        (check.missed, name, check)
        for name, exercise in sorted(summary.exercises.items())
        for check in exercise.checks.values()
        if check.missed
    ]
    missed = sorted(checks, key=lambda check: -check[0])[:3]
    return TEMPLATES.get_template("class.html").render(summary=summary, missed=missed)

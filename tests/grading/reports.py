"""Keep the results of a class in a folder, so that the same command can continue after a stop.

    grades.csv  totals.csv  index.html      the class
    run.json                                the seed
    students/NAME/record.json               the result of a student
    students/NAME/index.html  results.json (Gradescope)  result.json (Classroom 50)  junit.xml

With --anonymous, the last four files are in anonymous/PSEUDONYM. A student is done if there is a record
without a grader error, and if its digest is still right.
"""

import csv
import errno
import fcntl
import hashlib
import json
import os
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO
from unicodedata import normalize

from grading import formats
from grading.grade import REFUSED_CALL
from grading.record import Outcome, StudentResult, from_json, to_json
from grading.submissions import safe_name

ROWS = 2_000  # the class page lists at most this many students


class Busy(Exception):
    """Another run writes to the same folder."""


def make_pseudonym(seed: int, id: str) -> str:
    """Return a name that hides who the student is, except from those who know the seed and the id."""
    return f"student-{hashlib.sha256(f'{seed} {id}'.encode(errors='surrogatepass')).hexdigest()[:16]}"


def count_missed(outcomes: Counter[Outcome]) -> int:
    """Return on how many answers a check ran and did not pass."""
    return outcomes[Outcome.FAILED] + outcomes[Outcome.NO_RESPONSE_IN_TIME] + outcomes[Outcome.DIED]


@dataclass
class ClassSummary:
    """How the class went. It counts every student, but lists at most ROWS of them, to limit its memory."""

    unmatched: Collection[str] = ()  # the ids of submissions of nobody in the roster
    students: int = 0
    full: int = 0  # students with all points
    unsandboxed: int = 0
    errors: int = 0  # answers on which the grader failed
    max_points: float = 0
    points: Counter[float | None] = field(default_factory=Counter)
    exercises: dict[str, tuple[float, Counter[float | None]]] = field(default_factory=dict)
    checks: dict[tuple[str, str, str], Counter[Outcome]] = field(default_factory=lambda: defaultdict(Counter))
    # A student without their exercises, their points, and more about the points by exercise.
    rows: list[tuple[StudentResult, float | None, dict[str, Any]]] = field(default_factory=list)

    def add(self, result: StudentResult) -> None:
        self.students += 1
        self.full += 0 < result.max_points <= (result.points or 0)
        self.unsandboxed += not result.sandboxed
        self.max_points = max(self.max_points, result.max_points)
        self.points[result.points] += 1
        marks = {}
        for exercise in result.exercises:
            name, points = exercise.exercise, exercise.points
            marks[name] = points, exercise.outcome, exercise.manual_points is not None, exercise.problem
            self.errors += points is None
            self.exercises.setdefault(name, (exercise.max_points, Counter()))[1][points] += 1
            for check in exercise.checks:
                self.checks[name, check.name, check.sentence][check.outcome] += 1
        if len(self.rows) < ROWS:
            self.rows.append((replace(result, exercises=[]), result.points, marks))

    def histogram(self) -> list[tuple[str, int]]:
        """Return the labels and counts of at most 11 bars. "5+" also counts points up to the next bar."""
        marks = [mark for mark in self.points.elements() if mark is not None]
        highest = max([self.max_points, *marks])
        width = int(highest) // 11 + 1
        counts = Counter(int(mark) // width for mark in marks)
        is_exact = width == 1 and all(mark == int(mark) for mark in marks)
        lows = range(0, int(highest) + 1, width)
        return [(f"{low}" if is_exact or low == highest else f"{low}+", counts[low // width]) for low in lows]


def class_page(summary: ClassSummary) -> str:
    """Return the page of the class. Its Content-Security-Policy allows one script, by its digest."""
    # Of two checks that equally many students missed, the one that fewer students passed comes first.
    by_missed = sorted(summary.checks.items(), key=lambda item: item[1][Outcome.PASSED])
    most = sorted(by_missed, key=lambda item: -count_missed(item[1]))[:3]
    rows = sorted(summary.rows, key=lambda row: normalize("NFKD", formats.display_name(row[0])).casefold())
    script = formats.TEMPLATES.get_template("class.js").render()
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    functions = {"count_missed": count_missed, "REFUSED_CALL": REFUSED_CALL}
    page = formats.TEMPLATES.get_template("class.html", globals=functions)
    return page.render(summary=summary, most_missed=most, rows=rows, digest=digest)


class Reports:
    """The results in a folder. An OSError of these methods names the file that cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other runs out of the folder. Raises Busy if there is one."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise Busy(
                f"Another run writes to {self.folder}. Wait for it, or choose another --out."
            ) from None
        finally:
            os.close(folder)

    def seed(self, new: int | None, otherwise: int) -> int:
        """Return the new seed. Without it, return the folder's seed, or `otherwise` if there is none."""
        if new is None:
            with suppress(OSError, ValueError, KeyError, TypeError):
                return int(json.loads((self.folder / "run.json").read_text())["seed"])
        seed = otherwise if new is None else new
        write(self.folder / "run.json", json.dumps({"seed": seed}))
        return seed

    def find(self, id: str) -> StudentResult | None:
        """Return a student's result, or None if there is no record that can be read."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            return from_json((self.folder / "students" / safe_name(id) / "record.json").read_text())
        return None

    def keep(self, result: StudentResult) -> None:
        """Write a student's reports, and then the record."""
        record = self.make_folder(f"students/{safe_name(result.person.id)}") / "record.json"
        reports = self.make_folder(formats.report_folder(result))
        record.unlink(missing_ok=True)
        write(reports / "index.html", formats.render("student.html", result))
        write(reports / "junit.xml", formats.render("junit.xml", result))
        for name in ("results.json", "result.json"):
            if result.points is None:
                (reports / name).unlink(missing_ok=True)  # an earlier run may have written it
            else:
                write(reports / name, formats.render(name, result))
        write(record, to_json(result))

    def results(self, expected: list[StudentResult]) -> Iterator[StudentResult]:
        """Yield each student's result: from the record, or otherwise the expected one, a grader error."""
        for result in expected:
            yield self.find(result.person.id) or result

    def finish(
        self, expected: list[StudentResult], exercises: list[str], unmatched: Collection[str] = ()
    ) -> ClassSummary:
        """Write the reports of the class, and return its summary."""
        summary = ClassSummary(frozenset(unmatched))
        with open_draft(self.folder / "grades.csv") as file, open_draft(self.folder / "totals.csv") as other:
            grades, totals = (csv.writer(each, lineterminator="\n") for each in (file, other))
            other.write("\ufeff")  # so that Excel reads UTF-8
            grades.writerow(formats.GRADES)
            totals.writerow(formats.totals_columns(exercises))
            for result in self.results(expected):
                summary.add(result)
                grades.writerows(formats.grades_rows(result))
                totals.writerow(formats.totals_row(result, exercises))
        write(self.folder / "index.html", class_page(summary))
        return summary

    def make_folder(self, name: str) -> Path:
        """Make a folder and the one above it. Raises NotADirectoryError if one of them is a link."""
        folder = self.folder / name
        for path in (folder.parent, folder):
            path.mkdir(exist_ok=True)
            if path.is_symlink():
                raise NotADirectoryError(errno.ENOTDIR, "it is a link, not a folder", str(path))
        return folder


def write(path: Path, text: str) -> None:
    with open_draft(path) as file:
        file.write(text)


@contextmanager
def open_draft(path: Path) -> Iterator[TextIO]:
    """Yield a file to write to. Without an error, it replaces the old file at the end of the block."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.unlink(missing_ok=True)  # a run that was killed may have left it
        with open(draft, "x", encoding="utf-8", newline="") as file:  # "x" follows no link
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        error.filename = error.filename if error.filename not in (None, str(draft)) else str(path)
        raise
    finally:
        draft.unlink(missing_ok=True)

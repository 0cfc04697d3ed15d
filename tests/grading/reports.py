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
import secrets
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TextIO
from unicodedata import normalize

from grading import formats
from grading.grade import REFUSED_CALL
from grading.record import CheckResult, Outcome, StudentResult, from_json, to_json
from grading.submissions import safe_name


class Busy(Exception):
    """Another run writes to the same folder."""


def make_pseudonym(seed: int, id: str) -> str:
    """Return a name that hides who the student is, except from those who know the seed and the id."""
    return f"student-{hashlib.sha256(f'{seed} {id}'.encode(errors='surrogatepass')).hexdigest()[:16]}"


def count_missed(outcomes: Counter[Outcome]) -> int:
    """Return on how many answers a check ran and did not pass."""
    return outcomes[Outcome.FAILED] + outcomes[Outcome.NO_RESPONSE_IN_TIME] + outcomes[Outcome.DIED]


def make_histogram(points: Collection[float], max_points: float) -> list[tuple[str, int]]:
    """Return the labels and counts of at most 11 bars. "5+" also counts points up to the next bar."""
    highest = max([max_points, *points])
    width = int(highest) // 11 + 1
    counts = Counter(int(number) // width for number in points)
    is_exact = width == 1 and all(number == int(number) for number in points)
    lows = range(0, int(highest) + 1, width)
    return [(f"{low}" if is_exact or low == highest else f"{low}+", counts[low // width]) for low in lows]


def class_page(students: list[StudentResult], unmatched: Collection[str] = ()) -> str:
    """Return the page of the class. `unmatched` are the ids of submissions of nobody in the roster.

    Its Content-Security-Policy allows one script, by its digest.
    """
    checks: dict[tuple[str, str, str], Counter[Outcome]] = defaultdict(Counter)
    for exercise in (exercise for student in students for exercise in student.exercises):
        for check in exercise.checks:
            checks[exercise.exercise, check.name, check.sentence][check.outcome] += 1
    # If equally many students missed two checks, the check that fewer students passed comes first.
    missed = sorted(checks.items(), key=lambda item: (-count_missed(item[1]), item[1][Outcome.PASSED]))
    max_points = max((student.max_points for student in students), default=0)
    points = [student.points for student in students if student.points is not None]
    script = formats.TEMPLATES.get_template("class.js").render()
    return formats.TEMPLATES.get_template("class.html").render(
        students=sorted(students, key=lambda one: normalize("NFKD", formats.display_name(one)).casefold()),
        checks=checks,
        most_missed=missed[:3],
        full=sum(0 < student.max_points <= (student.points or 0) for student in students),
        max_points=max_points,
        bars=make_histogram(points, max_points),
        unmatched=unmatched,
        digest=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        count_missed=count_missed,
        REFUSED_CALL=REFUSED_CALL,
    )


class Reports:
    """The results in a folder. An OSError of these methods names the file that cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other runs out of the folder. Raises Busy if there is one."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"Another run writes to {self.folder}. Wait for it, or choose another --out."
                raise Busy(message) from None
            yield

        finally:
            os.close(folder)

    def choose_seed(self, seed: int | None, regrade: bool) -> int:
        """Return and store a seed. If `seed` is None, return the stored one, or a new one for `regrade`."""
        if seed is None and not regrade:
            with suppress(OSError, ValueError, KeyError, TypeError):
                return int(json.loads((self.folder / "run.json").read_text())["seed"])
        seed = secrets.randbelow(10**18) if seed is None else seed  # nobody can try all, to find who is who
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
        for name in ("junit.xml", "results.json", "result.json"):
            if result.points is None and name != "junit.xml":
                (reports / name).unlink(missing_ok=True)  # an earlier run may have written it
            else:
                write(reports / name, formats.render(name, result))
        write(record, to_json(result))

    def finish(
        self, results: Iterable[StudentResult], exercises: list[str], unmatched: Collection[str] = ()
    ) -> list[StudentResult]:
        """Write the reports of the class, and return the results without what was sent and printed."""
        students = []
        share = cache(CheckResult)  # equal checks are one object, so that a whole class needs little memory
        with open_draft(self.folder / "grades.csv") as file, open_draft(self.folder / "totals.csv") as other:
            grades, totals = (csv.writer(each, lineterminator="\n") for each in (file, other))
            other.write("\ufeff")  # so that Excel reads UTF-8
            grades.writerow(formats.GRADES)
            totals.writerow(formats.totals_columns(exercises))
            for result in results:
                grades.writerows(formats.grades_rows(result))
                totals.writerow(formats.totals_row(result, exercises))
                for each in result.exercises:
                    each.printed = ""
                    each.checks = [
                        share(one.name, one.sentence, one.max_points, one.outcome) for one in each.checks
                    ]
                students.append(result)
        write(self.folder / "index.html", class_page(students, unmatched))
        return students

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
        error.filename = str(path)
        raise
    finally:
        draft.unlink(missing_ok=True)

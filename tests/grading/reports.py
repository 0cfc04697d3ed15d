"""Keeps what grading finds out in a folder, so that a run which is broken off can go on.

    grades.csv  index.html          the class
    run.json                        the seed
    students/NAME/record.json       what is known of a student; what is below is made from it
    students/NAME/index.html  results.json (Gradescope)  result.json (Classroom 50)  junit.xml

A record is written last and at once: where there is one, that student is done.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from grading.formats import NoMark, classroom50, gradescope, junit, write_csv
from grading.pages import ClassSummary, class_page, student_page
from grading.record import Outcome, StudentResult, from_json, to_json
from grading.submissions import safe_name

UNKNOWN = dict.fromkeys(("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL"), "")


class Busy(Exception):
    """Another run writes to the same folder."""


class Reports:
    """The results in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other runs away from the folder. Raises Busy where one is at work."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise Busy(
                f"Another run is writing to {self.folder}: wait for it, or take another --out"
            ) from None
        finally:
            os.close(folder)

    def seed(self, new: int | None, otherwise: int) -> int:
        """Return the seed of this run: a new one, or that which the run began with."""
        if new is None:
            with suppress(OSError, ValueError, KeyError, TypeError):
                return int(json.loads((self.folder / "run.json").read_text())["seed"])
        seed = otherwise if new is None else new
        write(self.folder / "run.json", json.dumps({"seed": seed}))
        return seed

    def find(self, student: str) -> StudentResult | None:
        """Return what is known of a student, if anything is."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return from_json((self.place(student) / "record.json").read_text())
        return None

    def is_done(self, student: str, digest: str) -> bool:
        """Tell if a student has a result that holds: of the same answers, checks and limits, with a mark."""
        result = self.find(student)
        return result is not None and result.digest == digest and result.outcome is not Outcome.GRADER_ERROR

    def keep(self, result: StudentResult) -> None:
        """Write the reports on a student, and last the record."""
        place = self.place(result.student)
        place.mkdir(parents=True, exist_ok=True)
        (place / "record.json").unlink(missing_ok=True)
        write(place / "index.html", student_page(result))
        write(place / "junit.xml", junit(result))
        for name, make in (("results.json", gradescope), ("result.json", for_classroom50)):
            try:
                write(place / name, json.dumps(make(result), indent=1))
            except NoMark:
                (place / name).unlink(missing_ok=True)  # there may be one of a run before
        write(place / "record.json", to_json(result))

    def finish(self, students: Iterable[str]) -> ClassSummary:
        """Write the reports on the class, of those who have a record; return how it went."""
        summary = ClassSummary(lambda student: f"students/{safe_name(student)}/index.html")

        def results() -> Iterator[StudentResult]:
            for result in filter(None, map(self.find, students)):
                summary.add(result)
                yield result

        with atomic(self.folder / "grades.csv") as file:
            write_csv(results(), file)
        write(self.folder / "index.html", class_page(summary))
        return summary

    def place(self, student: str) -> Path:
        return self.folder / "students" / safe_name(student)


def for_classroom50(result: StudentResult) -> dict[str, object]:
    return classroom50(result, UNKNOWN | os.environ)


def write(path: Path, text: str) -> None:
    with atomic(path) as file:
        file.write(text)


@contextmanager
def atomic(path: Path) -> Iterator[TextIO]:
    """Give a file to write to, that is there under its name when it is whole, or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    with open(draft, "w", encoding="utf-8", newline="") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)

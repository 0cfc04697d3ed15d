"""A result in the formats that others read: CSV, Gradescope's, Classroom 50's, JUnit's, Markdown.

Each is a function of the record and of nothing else. Every text that an answer or a student had a part in
goes through clean. Where the grader itself failed there is no mark: an empty cell, an error, or NoMark.
"""

from __future__ import annotations

import csv
import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from grading.record import CheckResult, ExerciseResult, Outcome, StudentResult
from lesson_loader import label_of

LIMIT = 4_000  # characters of a text
NAME_LIMIT = 255  # as file systems have it, so that no two names are cut to the same

ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-Z\\^-~]")
# What a terminal obeys, what turns the order of what follows, what cannot be seen, and what neither XML nor
# UTF-8 has. Two joiners stay, U+200C and U+200D: Persian, Hindi and many an emoji are not right without them.
UNWANTED = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]+"
)
# The wide and the small ones as well, which Excel takes for the same, and also after what it may split at.
FORMULA = re.compile(r"(^|[,;])(\s*)(?=[=+\-@＝＋－ー＠﹦﹢﹣﹫])")  # noqa: RUF001


UNPROTECTED = "Graded without a sandbox, as another user at most."


class NoMark(Exception):
    """The grader failed on a part of a submission, so that there is no mark to tell anyone."""


def clean(text: str, limit: int = LIMIT) -> str:
    """Return a text that is safe to show: without control characters or colours, and not too long.

    What is unwanted leaves a mark, so that a name with it is not the name without.
    """
    text = ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = UNWANTED.sub("\ufffd", text)
    return text if len(text) <= limit else f"{text[: limit - 8]} … (cut)"


def clean_name(text: str) -> str:
    """Return a name on one line, safe to show."""
    return clean(re.sub(r"[\n\r\t\x1b]", "\0", text), NAME_LIMIT)


def said(exercise: ExerciseResult) -> list[tuple[CheckResult, dict[str, str]]]:
    """Return each check with what there is to say of it: what was sent, expected, got and so on; or nothing.

    An app that does not start gives every check the same message, which is said of the first alone.
    """
    names = ("sent", "expected", "got", "question", "message")
    told = [(check, {name: clean(getattr(check, name)) for name in names}) for check in exercise.checks]
    for check, parts in told:
        if check.outcome is Outcome.GRADER_ERROR:  # of which only the record has all, and it is the grader's
            parts["message"] = parts["message"].partition("\n")[0]
    for _, parts in told[1:]:
        parts["message"] = parts["message"] if parts["message"] != told[0][1]["message"] else ""
    return told


def numbered(exercises: Iterable[ExerciseResult]) -> Iterator[tuple[str, CheckResult, str]]:
    """Yield the number of each check, as 1.2, the check, and in lines what there is to say of it."""
    for exercise in exercises:
        for place, (check, parts) in enumerate(said(exercise), start=1):
            lines = [check.outcome.value, parts.pop("message")]
            lines += [
                f"{name:10}" + text.replace("\n", "\n" + " " * 10) for name, text in parts.items() if text
            ]
            yield f"{label_of(exercise.exercise)}.{place}", check, "\n".join(filter(None, lines))


def points_of(result: StudentResult) -> float:
    """Return the points. Raises NoMark if the grader failed, and they are not known."""
    if result.points is None:
        raise NoMark("The grader failed, and not the answer. There is no mark until it is graded again.")
    return result.points


# a table, with the columns of `nbgrader export` (nbgrader/plugins/export.py) and one more

CSV_COLUMNS = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score", "outcome"),
)


def csv_rows(result: StudentResult) -> list[dict[str, str]]:
    """Return a row for each exercise; what is not known is empty, and so is a mark that there is not.

    No spreadsheet takes a name in it for a formula (OWASP, "CSV Injection").
    """
    rows = []
    for exercise in result.exercises:
        row = dict.fromkeys(CSV_COLUMNS, "")
        row |= {
            "assignment": exercise.exercise,
            "student_id": FORMULA.sub(r"\1\2'", clean_name(result.student)),
        }
        row |= {"max_score": str(exercise.max_points), "outcome": exercise.outcome.value}
        if exercise.points is not None:
            row |= dict.fromkeys(("raw_score", "score"), str(exercise.points))
        rows.append(row)
    return rows


def write_csv(results: Iterable[StudentResult], file: TextIO) -> None:
    """Write the table to a file that was opened with encoding="utf-8" and newline=""."""
    writer = csv.DictWriter(file, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for result in results:
        writer.writerows(csv_rows(result))


def gradescope(result: StudentResult) -> dict[str, Any]:
    """Return what goes into results.json (gradescope-autograders.readthedocs.io/en/latest/specs).

    Raises NoMark if the grader failed. Write no results.json then: where there is none, Gradescope says "The
    autograder failed to execute correctly", and whatever score is in one, it takes.
    """
    notes = [result.problem, "" if result.sandboxed else UNPROTECTED]
    for exercise in result.exercises:
        label = f"Exercise {label_of(exercise.exercise)}"
        notes.append(
            f"{label}: {exercise.outcome}, {exercise.points} of {exercise.max_points}. {exercise.problem}"
        )
        notes.append(
            exercise.printed and f"{label} printed or logged, with seed {exercise.seed}:\n{exercise.printed}"
        )
    tests = [
        {
            "number": number,
            "name": check.sentence,
            "status": "passed" if check.outcome is Outcome.PASSED else "failed",
            "score": check.points,
            "max_score": check.max_points,
            "output": text,
            "output_format": "text",
            "visibility": "visible",
        }
        for number, check, text in numbered(result.exercises)
    ]
    return {
        "score": points_of(result),
        "output": "\n".join(clean(note).strip() for note in notes if note),
        **dict.fromkeys(("output_format", "test_output_format", "test_name_format"), "text"),
        "visibility": "visible",
        "stdout_visibility": "hidden",  # that is the grader's own; what an answer printed is in the output
        "tests": tests,
    }


def classroom50(result: StudentResult, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what goes into result.json (foundation50/classroom50, wiki/Advanced-Autograding.md).

    Its runner adds owner, assignment_type and datetime, and shows the tests' names in a table of Markdown, so
    nothing of a student's is in them. Takes the environment in which the runner starts an autograder. Raises
    KeyError in any other, and NoMark if the grader failed: end with a status other than 0 then.
    """
    tests = [
        {
            "test-name": f"{number} {check.sentence}",
            "passed": check.outcome is Outcome.PASSED,
            "score": check.points,
            "max-score": check.max_points,
            "output": text,
        }
        for number, check, text in numbered(result.exercises)
    ]
    return {
        "schema": "classroom50/result/v1",
        "classroom": environment["CLASSROOM"],
        "assignment": environment["ASSIGNMENT"],
        "submission": environment["SUBMISSION_TAG"],
        "commit": environment["COMMIT_URL"],
        "release": environment["RELEASE_URL"],
        "review": environment.get("REVIEW_URL") or environment["COMMIT_URL"],
        "score": points_of(result),
        "max-score": result.max_points,
        "tests": tests,
    }


def junit(result: StudentResult) -> str:
    """Return XML as pytest's xunit2 has it: a suite for each exercise, with the points as properties."""
    tags = {Outcome.FAILED: "failure", Outcome.NOT_HANDED_IN: "failure", Outcome.SKIPPED: "skipped"}
    root = ET.Element("testsuites", name=clean_name(result.student))
    for exercise in result.exercises:
        suite = ET.SubElement(root, "testsuite", name=exercise.exercise, tests=str(len(exercise.checks)))
        for _, check, text in numbered([exercise]):
            classname = f"tests.exercises.test_{exercise.exercise}"
            case = ET.SubElement(suite, "testcase", classname=classname, name=check.name)
            properties = ET.SubElement(case, "properties")
            for name in ("sentence", "points", "max_points"):
                ET.SubElement(properties, "property", name=name, value=str(getattr(check, name)))
            if check.outcome is not Outcome.PASSED:
                tag = tags.get(check.outcome, "error")
                ET.SubElement(case, tag, message=check.outcome.value).text = text
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
        for tag, text in (("system-out", exercise.printed), ("system-err", exercise.problem)):
            if text:
                ET.SubElement(suite, tag).text = clean(text)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


ADVICE = "A mark from your own repository is advice: what counts is your instructor's run."


def summary_markdown(result: StudentResult) -> str:
    """Return the points as GitHub shows them below a run, with nothing in it that an answer has said."""
    points = "no mark" if result.points is None else f"{result.points} of {result.max_points} points"
    lines = [f"## {points}", "", ADVICE, ""]
    lines += [] if result.sandboxed else [UNPROTECTED, ""]
    lines += [markdown(result.problem), ""] if result.problem else []
    lines += ["| Exercise | Points | What is missing |", "|---|---|---|"]
    for exercise in result.exercises:
        points = "no mark" if exercise.points is None else f"{exercise.points} of {exercise.max_points}"
        missing = [check.sentence for check in exercise.checks if check.outcome is not Outcome.PASSED]
        told = " ".join([exercise.problem, *missing][: 1 if exercise.problem else None])
        if missing:
            told = f"{exercise.outcome}: {told}"
        lines.append(f"| {markdown(exercise.exercise)} | {points} | {markdown(told)} |")
    return "\n".join(lines) + "\n"


def markdown(text: str) -> str:
    """Return a text as Markdown that shows it on one line, and does nothing: no link, no name, no HTML."""
    text = html.escape(" ".join(clean(text, 1_000).split()), quote=False)
    text = re.sub(r"([\\`*_{}\[\]()#+!|~$<>:-])", r"\\\1", text)
    return text.replace("@", "@&#8203;").replace("www.", "www&#8203;.")

"""Write a result as rows of tables, and as text from the templates.

Every text that a student can influence goes through `clean`. If the grader itself failed, reports show no
points: an empty cell, "no mark", no file, or in junit.xml no property "points".
"""

import html
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from exercises.client import indent
from grading.record import CheckResult, ExerciseResult, Outcome, StudentResult
from grading.submissions import safe_name
from lesson_loader import BadExercises, find_exercises, label_of, read_text

LIMIT = 4_000  # characters of a text
TEXTS = ("sent", "expected", "got", "question")  # of a check, in the order in which reports show them

ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-Z\\^-~]")
# Characters that terminals obey, that change the order of text, that are invisible, or that XML or UTF-8
# forbid. Two invisible joiners stay, U+200C and U+200D: Persian, Hindi and many emoji need them.
UNWANTED = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]+"
)
# Excel also accepts wide and small signs. Some programs split a cell at a comma or a semicolon.
FORMULA = re.compile(r"(^|[,;])(\s*)(?=[=+\-@＝＋－ー＠﹦﹢﹣﹫])")  # noqa: RUF001


def clean(text: str, limit: int = LIMIT) -> str:
    """Return a text that is safe to show and not too long. A mark replaces unwanted characters."""
    text = ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = UNWANTED.sub("\ufffd", text)
    return text if len(text) <= limit else f"{text[: limit - 8]} … (cut)"


def clean_line(text: str) -> str:
    """Return a text on one line that is safe to show. A line break leaves a mark, too."""
    return clean(re.sub(r"[\n\r\t\x1b]", "\0", text))


def display_name(result: StudentResult) -> str:
    """Return the name that the reports show for a student."""
    return clean_line(result.pseudonym or result.person.name or result.person.id)


def report_folder(result: StudentResult) -> str:
    """Return the folder of a student's reports, in the folder of all reports."""
    return f"anonymous/{result.pseudonym}" if result.pseudonym else f"students/{safe_name(result.person.id)}"


@cache
def exercise_title(exercise: str) -> str:
    """Return an exercise's title from the first line of its checks, or otherwise from its name."""
    label, words = label_of(exercise), exercise.partition("_")[2].replace("_", " ")
    with suppress(BadExercises, KeyError, OSError, ValueError):
        checks = read_text(find_exercises()[label].checks)
        if match := re.match(rf'"""Exercise {label}: (.+?)\.?("""|\n)', checks):
            words = match[1]
    return f"Exercise {label}: {words[:1].upper()}{words[1:]}"


def display_points(part: ExerciseResult | StudentResult) -> str:
    """Return "8.5 of 10", or "no mark"."""
    return "no mark" if part.points is None else f"{part.points} of {part.max_points}"


def describe_instructor(exercise: ExerciseResult) -> str:
    """Return a sentence with the instructor's points and comment, or "" if there are none."""
    is_manual = exercise.manual_points is not None
    points = f"Your instructor gave {display_points(exercise)} points. " if is_manual else ""
    return (points + (f"Comment: {exercise.comment}" if exercise.comment else "")).strip()


def shorten_messages(exercise: ExerciseResult) -> list[CheckResult]:
    """Return the checks. If the app does not start, only the first check keeps the message."""
    checks: list[CheckResult] = []
    for check in exercise.checks:
        message = check.message
        if check.outcome is Outcome.GRADER_ERROR:  # the traceback, which is in the record, helps no student
            message = message.partition("\n")[0]
        is_repeated = bool(checks) and message == checks[0].message
        checks.append(replace(check, message="" if is_repeated else message))
    return checks


def describe_check(check: CheckResult) -> str:
    """Return the outcome and the texts of a check in one text."""
    texts = {name: clean(getattr(check, name)) for name in TEXTS}
    lines = [f"{name:10}{indent(text)}" for name, text in texts.items() if text]
    return "\n".join(filter(None, [check.outcome.value, clean(check.message), *lines]))


# CSV

GRADES = (  # the columns of `nbgrader export` (nbgrader/plugins/export.py) and two more
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score", "outcome", "comment"),
)
# Canvas expects these five columns first (lib/gradebook_importer.rb), and asks what the others are. Moodle
# asks too; "ID number" and "Email address" are its names.
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
MORE = ("Total", "Maximum points", "ID number", "Email address", "Outcome", "Comment", "Report")


def protect(text: str) -> str:
    """Return a cell's text that no spreadsheet runs as a formula (OWASP, "CSV Injection")."""
    return FORMULA.sub(r"\1\2'", clean_line(text))


def grades_rows(result: StudentResult) -> Iterator[list[Any]]:
    """Yield a row for each exercise, in the columns GRADES. Penalties for late submissions are always 0."""
    person = result.person
    last, comma, first = person.name.partition(",")  # "Lovelace, Ada King"
    if not comma:  # "Ada King Lovelace"
        first, _, last = person.name.rpartition(" ")
    texts = (person.due, result.submitted, person.id, last.strip(), first.strip(), person.email)
    fields = [protect(text) for text in texts]
    for exercise in result.exercises:
        points = [exercise.points_of_checks, 0, exercise.points, exercise.max_points]
        comment = protect(" ".join(exercise.comment.split()))
        yield [exercise.exercise, *fields, *points, exercise.outcome, comment]


def totals_columns(exercises: Iterable[str]) -> list[str]:
    """Return the columns of a table with one row for each student, for Canvas, Moodle and Excel."""
    return [*CANVAS, *map(exercise_title, exercises), *MORE]


def totals_row(result: StudentResult, exercises: Iterable[str]) -> list[Any]:
    """Return a student's row. The cell of an exercise that does not count for the student is empty."""
    points = {exercise.exercise: exercise.points for exercise in result.exercises}
    comments = [f"{label_of(one.exercise)}: {one.comment}" for one in result.exercises if one.comment]
    comment = protect(" ".join("; ".join(comments).split()))
    name, id = protect(result.person.name or result.person.id), protect(result.person.id)
    # "ID" stays empty: it is a number that Canvas chose, and our id could be another student's number there.
    row: list[Any] = [name, "", id, id, "", *map(points.get, exercises), result.points, result.max_points]
    return [*row, id, protect(result.person.email), result.outcome, comment, report_folder(result)]


def as_markdown(text: str) -> Markup:
    """Return Markdown that shows a text on one line, without links, names of people or HTML."""
    text = html.escape(" ".join(clean(text, 1_000).split()), quote=False)
    text = re.sub(r"([\\`*_{}\[\]()#+!|~$<>:-])", r"\\\1", text)
    return Markup(text.replace("@", "@&#8203;").replace("www.", "www&#8203;."))


TEMPLATES = Environment(  # cleans every text between {{ }}, and escapes it in HTML and XML
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(["html", "xml"]),
    finalize=lambda value: clean(value) if type(value) is str else value,
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
FUNCTIONS: tuple[Any, ...] = (as_markdown, clean, clean_line, describe_check, describe_instructor)
FUNCTIONS += (display_name, display_points, exercise_title, label_of, report_folder, shorten_messages)
TEMPLATES.globals |= {each.__name__: each for each in FUNCTIONS}
TEMPLATES.globals |= {"Outcome": Outcome, "environment": os.environ}
# ISO 8601 without T and seconds
TEMPLATES.filters["time"] = lambda time: re.sub(r"T(\d\d:\d\d)[:.\d]*", r" \1 ", time)


def render(template: str, result: StudentResult) -> str:
    """Return a student's report from a file in the folder `templates`."""
    return TEMPLATES.get_template(template).render(result=result)

"""Read the tables of a class: the students, and the points and comments that the instructor adds."""

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from exercises.client import add_points
from grading.record import Person, StudentResult
from grading.submissions import Source
from lesson_loader import find_exercises, label_of


class BadTable(Exception):
    """A table has a mistake. The message says where, and what was expected."""


@dataclass(frozen=True)
class Member:
    """A student in the roster."""

    person: Person
    listed: frozenset[str]  # the column alias, as `simplify` returns it
    aliases: frozenset[str]  # the same, the id and the e-mail address
    names: frozenset[str]  # the squeezed name, with each of its words first: adalovelace, lovelaceada
    labels: tuple[str, ...]  # the exercises that count for this student; () means those of the class
    where: str  # the file and line


class Override(NamedTuple):
    """What the instructor adds to a student's exercise."""

    points: float | None = None  # they replace the checks' points
    comment: str = ""


Overrides = dict[tuple[str, str], Override]  # by id and exercise


def read_table(path: Path, *required: str) -> Iterator[tuple[str, defaultdict[str, str]]]:
    """Yield for each row its file and line, and its cells by column. A column that is missing is empty."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeError:
        raise BadTable(f'{path} is not UTF-8 text. In Excel, save it as "CSV UTF-8".') from None
    separator = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = [name.strip().lower().replace("e-mail", "email") for name in next(rows, [])]
        for name in required:
            if columns.count(name) != 1:
                raise BadTable(f"{path}, line 1 needs one column {name!r}. It has {', '.join(columns)!r}.")
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            if len(row) > len(columns):
                advice = f'Write double quotes around a cell that contains "{separator}".'
                raise BadTable(f"{where} has {len(row)} cells, but line 1 has {len(columns)}. {advice}")
            if any(row):
                yield where, defaultdict(str, zip(columns, map(str.strip, row), strict=False))
    except csv.Error as error:
        raise BadTable(f"{path}, line {rows.line_num} is not CSV: {error}.") from None


def read_roster(path: Path) -> list[Member]:
    """Return the students. Raises BadTable."""
    members: dict[str, Member] = {}
    known = find_exercises()
    for where, row in read_table(path, "id"):
        id, due, labels = row["id"], row["extension"] or row["due"], tuple(row["exercises"].split())
        if not id or simplify(id) in members:
            raise BadTable(f"{where} has the id {id!r}. Every student needs a different id.")
        if unknown := set(labels) - known.keys():
            problem = f"{where} has the exercise {min(unknown)!r}. The exercises are {', '.join(known)}."
            advice = "Write spaces between numbers. For your own exercises, set EXERCISES to their folder."
            raise BadTable(f"{problem} {advice}")
        try:
            datetime.fromisoformat(due or "2026-03-31")
        except ValueError:
            advice = "Write 2026-03-31 or 2026-03-31T23:59. In Excel, format the column as text first."
            raise BadTable(f"{where} has the date {due!r}. {advice}") from None
        person = Person(id, row["name"], row["email"], due)
        words = person.name.replace(",", " ").split()
        names = frozenset(squeeze("".join(words[n:] + words[:n])) for n in range(len(words))) - {""}
        listed = frozenset(map(simplify, row["alias"].split(";"))) - {""}
        aliases = listed | {simplify(each) for each in (id, person.email) if each}
        members[simplify(id)] = Member(person, listed, aliases, names, labels, where)
    if not members:
        raise BadTable(f"{path} has no students. Write one line for each student.")
    return list(members.values())


def is_named(source: Source, aliases: frozenset[str]) -> bool:
    """Return True if one of a submission's names is one of these aliases."""
    return not aliases.isdisjoint(map(simplify, (source.name, *source.names)))


def simplify(name: str) -> str:
    """Return the form of a name that does not depend on case, spaces and the encoding of accents."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def squeeze(name: str) -> str:
    """Return the letters and digits of a name, without accents. Canvas names files in a similar way."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", name).casefold())


def assign(
    members: list[Member], sources: Mapping[str, Source]
) -> tuple[dict[str, Source | None], list[Source]]:
    """Return each student's submission by id, and the submissions of nobody in the roster. Raises BadTable.

    An alias that is the whole name of a submission decides first. Otherwise, it is a mistake if a part of the
    name fits two students: the number in a download is often another one than the id in the roster. If the
    column alias lists several submissions of a student, they become one.
    """
    assigned: dict[str, Source | None] = {member.person.id: None for member in members}
    unmatched = []
    for source in sources.values():
        words = {squeeze(name) for name in (source.name, *source.names)}
        exact = [member for member in members if simplify(source.name) in member.aliases]
        by_alias = [member for member in members if is_named(source, member.aliases)]
        by_name = [member for member in members if member.names & words]
        fitting = exact or [member for member in by_alias if member in by_name] or by_alias + by_name
        if not fitting:
            unmatched.append(source)
        elif len(fitting) > 1:
            lines = " and ".join(member.where for member in fitting)
            advice = f"Write {source.name!r} in the column alias of the right student."
            raise BadTable(f"{source.name!r} fits several students: {lines}. {advice}")
        for member in fitting:
            if other := assigned[member.person.id]:
                if not all(is_named(each, member.listed) for each in (other, source)):
                    both = f"{other.name!r} and {source.name!r}"
                    advice = "If both are from this student, write both in the column alias, as one;two."
                    raise BadTable(f"{member.where} fits {both}. {advice}")
                source = Source(other.name, other.paths + source.paths, other.names | source.names)
            assigned[member.person.id] = source
    return assigned, unmatched


def read_overrides(path: Path, exercises: Mapping[str, Mapping[str, float]]) -> Overrides:
    """Return points and comments. `exercises` has, by id, the maximum points of the exercises that count."""
    overrides: Overrides = {}
    for where, row in read_table(path, "id", "exercise", "points"):
        id, exercise, points = row["id"], row["exercise"], row["points"]
        if id not in exercises:
            raise BadTable(f"{where} has the id {id!r}. There is no student with this id.")
        labels = {label_of(name): name for name in exercises[id]}
        name = labels.get(exercise, exercise)
        if name not in exercises[id]:
            raise BadTable(f"{where} has the exercise {exercise!r}. For {id!r}, write {' or '.join(labels)}.")
        if (id, name) in overrides:
            raise BadTable(f"{where} has exercise {exercise} of {id!r} again. Remove one of the lines.")
        is_number = re.fullmatch(r"\d{0,9}[.,]?\d{1,9}", points, re.ASCII)
        number = add_points([float(points.replace(",", "."))]) if is_number else None
        most = exercises[id][name]
        if points and (number is None or number > most):
            raise BadTable(f"{where} has the points {points!r}. Write a number from 0 to {most}.")
        overrides[id, name] = Override(number, row["comment"])
    return overrides


def with_class(result: StudentResult, person: Person, overrides: Overrides, pseudonym: str) -> StudentResult:
    """Return the result with the person, points and comments that the tables have now."""
    exercises = []
    for exercise in result.exercises:
        points, comment = overrides.get((person.id, exercise.exercise), Override())
        exercises.append(replace(exercise, manual_points=points, comment=comment))
    return replace(result, person=person, pseudonym=pseudonym, exercises=exercises)

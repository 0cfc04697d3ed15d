"""Finds what students handed in and reads their answers, as bytes. All of it is hostile."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from grading.entries import (
    AGAIN,
    ANSWER_BYTES,
    CANNOT_READ,
    ENDING,
    FILE,
    FOLDER,
    FORMATS,
    LAYOUT,
    Entry,
    Unreadable,
    answer_place,
    hidden,
    list_entries,
    rooms,
    shown,
    too_much,
    wrapper,
)


class NoSubmissions(Exception):
    """The folder of all submissions is not one; the text says what was expected."""


@dataclass(frozen=True)
class HandedIn:
    """One answer."""

    file: str  # where it was, as the student named it: hostile
    content: bytes


@dataclass(frozen=True)
class Submission:
    """What one student handed in. It holds all of it, so that it can travel."""

    student: str  # the name of the folder, or of the archive without its ending: hostile
    source: str  # the name of the folder or archive: hostile
    answers: dict[str, HandedIn] = field(default_factory=dict)  # by the names of the exercises
    problems: dict[str, str] = field(default_factory=dict)  # why the answer to an exercise is not taken
    problem: str = ""  # why nothing is


def find_submissions(folder: Path) -> dict[str, list[Path]]:
    """Return by student what was handed in; that is one path, unless somebody did so twice."""
    where, expected = shown(str(folder)), f"expected a folder that holds, for each student, {FORMATS}"
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise NoSubmissions(f"{where} cannot be opened ({error.strerror}): {expected}") from None
    if any(re.fullmatch(r"lessons|\d\d[a-z]*_\w+\.py", entry.name, re.I) for entry in entries):
        raise NoSubmissions(f"{where} looks like what one student handed in: {expected}, so try its parent")
    students: dict[str, list[Path]] = {}
    for entry in entries:
        if student := student_of(entry):
            students.setdefault(student, []).append(Path(entry.path))
    if not students:
        raise NoSubmissions(f"{where} holds no submission: {expected}")
    return dict(sorted(students.items()))


def left_out(folder: Path) -> list[str]:
    """Return what is in the folder of all submissions and is nobody's, in quotes."""
    with os.scandir(folder) as found:
        names = sorted(entry.name for entry in found if not (hidden(entry.name) or student_of(entry)))
    return [shown(name) for name in names]


def student_of(entry: os.DirEntry[str]) -> str:
    """Return the student who handed this in, or nothing if it is no submission."""
    if hidden(entry.name):
        return ""
    ending = ENDING.search(entry.name)
    if entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and not ending):
        return entry.name
    return entry.name[: ending.start()] if ending else ""


def read_submission(student: str, paths: list[Path], exercises: Collection[str]) -> Submission:
    """Read the answers in what a student handed in, or say why not. Nothing a student does raises."""
    names = [path.name for path in paths]
    source = ", ".join(names)
    try:
        if len(paths) > 1:
            twice = " and ".join(map(shown, names))
            raise Unreadable(f"it was handed in more than once, as {twice}: expected one; remove the others")
        if paths[0].is_symlink():
            raise Unreadable(f"{shown(names[0])} is a link: expected {FORMATS}; hand in what it leads to")
        answers, problems = choose(list_entries(paths[0], exercises), exercises)
    except CANNOT_READ as error:
        return Submission(student, source, problem=why(error))
    return Submission(student, source, answers, problems)


def choose(entries: list[Entry], exercises: Collection[str]) -> tuple[dict[str, HandedIn], dict[str, str]]:
    """Find the answers among the entries, and what is wrong with the others."""
    answers, problems = {}, {}
    top = wrapper(entries, exercises)
    below = [(entry.place[len(top) :], entry) for entry in entries if not hidden(entry.place[0])]
    fork = any(place[:1] and place[0] in rooms(exercises) for place, _ in below)
    for exercise in exercises:
        wanted = answer_place(exercise) if fork else (f"{exercise}.py",)
        found = [entry for place, entry in below if concerns(place, entry.kind, wanted)]
        try:
            if found:
                answers[exercise] = read_answer(found, (*top, *wanted))
        except CANNOT_READ as error:
            problems[exercise] = why(error)
    if below and not (fork or answers or problems):
        raise Unreadable(f"it holds no answer: expected {LAYOUT}, not in another archive; {AGAIN}")
    return answers, problems


def concerns(place: tuple[str, ...], kind: str, wanted: tuple[str, ...]) -> bool:
    """Tell if this is an answer, or below its place, or in the place of one of the folders it is in."""
    return place[: len(wanted)] == wanted or (kind != FOLDER and place == wanted[: len(place)])


def read_answer(found: list[Entry], wanted: tuple[str, ...]) -> HandedIn:
    """Read the one file that is found where an answer is wanted."""
    expected = f"expected one file, {shown('/'.join(wanted))}; {AGAIN}"
    for entry in found:
        if entry.kind != FILE or entry.place != wanted:
            raise Unreadable(f"{shown(entry.name)} is {entry.kind}: {expected}")
    if len(found) > 1:
        both = " and ".join(shown(entry.name) for entry in found[:2])
        raise Unreadable(f"it is there more than once, as {both}: {expected}")
    content = found[0].read()
    if len(content) > ANSWER_BYTES:
        raise too_much(ANSWER_BYTES, "bytes")
    return HandedIn(found[0].name, content)


def why(error: Exception) -> str:
    """Return why something is not taken, in one line."""
    if isinstance(error, Unreadable):
        return str(error)
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"it cannot be read ({shown(reason)}): expected {FORMATS}, whole; {AGAIN}"


def safe_name(student: str) -> str:
    """Return a name for a student's reports that any system takes, and that no other student gets."""
    device = r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?"
    taken = r".*-[0-9a-f]{8}|.*\."  # looks like a name made below; or would lose its dot on Windows
    if re.fullmatch(rf"(?!({device}|{taken})\Z)[a-z0-9][a-z0-9._-]{{0,60}}", student):
        return student
    letters = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub("[^a-z0-9]+", "-", letters).strip("-")[:40] or "student"
    return f"{slug}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"

"""Find what students handed in, and the answers in it. All names and contents are hostile."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import originals
from grading.entries import (
    ENDING,
    ENTRIES,
    FOLDER,
    HIDDEN,
    Entry,
    MachineFault,
    Unreadable,
    check_limit,
    list_entries,
    quote,
)
from lesson_loader import Exercise, find_exercises, find_lessons

# lovelaceada_LATE_12345_678901_answer.py, LATE_anon_Xy12z_678901_answer.py, lovelaceada_12345_text.html
STUDENT = r"(?:late_)?(anon_[a-z0-9]+)|(\w+?)_(?:late_)?(\d+)"
CANVAS = rf"(?:{STUDENT})_(?:\d{{3,}}_|(?=(?:text|link)\.html\Z))(?P<file>.+\..+)"
# Ada Lovelace_12345_assignsubmission_file_answer.py. The name of a folder ends with _file or _file_.
MOODLE = r"(.+?)_(\d+)_assignsubmission_(?:[a-z]+_(?=[^.]))?(?P<file>.+)"
DOWNLOADS = [re.compile(pattern, re.I | re.S) for pattern in (MOODLE, CANVAS)]

COPIES = 9  # of one answer that we compare
PACKED = 10  # folders and archives of one student, which we keep in memory together
EXERCISE = r"\d\d[a-z]*_\w+"  # 01_auth_url, 03b_pin_login
# Browsers, Canvas, Windows and macOS name copies: "answer (1)", "answer-1", "answer - Copy", "answer copy 2".
COPY = r"(?: ?\(\d+\)|-\d+| - copy| copy(?: \d+)?)*"
ROOM = r"(?:lessons/|exercises/)"
ANSWER = re.compile(rf"{ROOM}?(?:(?P<folder>{EXERCISE}){COPY}/)?(?P<file>answer|{EXERCISE}){COPY}\.py")
OTHER_SCRIPT = re.compile(rf"{ROOM}?(?!\d\d[a-z]*_)[^/]+\.py")
# In a fork: lessons/my_answer.py, lessons/01_auth_url/answer.py.txt, answer.py, 01_auth_url.py
MISPLACED = re.compile(rf"(?:{ROOM}(?:[^/]+/)?)?(?=[^/]*answer)[^/]+|{ROOM}?\d\d[a-z]*_[^/]+")
RESET = re.compile(rf"{ROOM}[^/]+/answer-\d+\.py")  # make reset-1 keeps an old answer as answer-1.py
DECLARES_ENCODING = re.compile(rb"(?:[^\n]*\n)?[ \t\f]*#[^\n]*coding[:=]")  # in one of the first two lines
ORIGIN = re.compile(  # https://token@github.com/ada/course.git or git@github.com:ada/course
    rb'^\[remote "origin"\]\n(?:[ \t]++(?!url).*\n)*[ \t]++url = (?:(?:https?|ssh)://)?(?:[^@/\s]*@)?'
    rb"(\w[\w-]*(?:\.[\w-]+)+)(?::\d+/|[:/])([\w.-]+(?:/[\w.-]+)+)/?$",
    re.M,
)


class NoSubmissions(Exception):
    """This is not a folder with the submissions of a class. The message is for the instructor."""


@dataclass(frozen=True)
class Source:
    """Where the submission of one student is."""

    name: str  # of the folder or archive, or the part of it that names the student: unsanitized
    paths: tuple[Path, ...]
    names: frozenset[str]  # a roster can contain any of these


@dataclass(frozen=True)
class Answer:
    """One answer."""

    file: str  # its path as the student named it: unsanitized
    content: bytes


@dataclass(frozen=True)
class Submission:
    """What one student handed in."""

    source: str  # the names of the files, folders or archives: unsanitized
    answers: dict[str, Answer] = field(default_factory=dict)  # by names such as 01_auth_url
    problems: dict[str, str] = field(default_factory=dict)  # why the grader does not accept an answer
    problem: str = ""  # why the grader does not accept the submission
    error: str = ""  # why the machine cannot read the submission
    notes: tuple[str, ...] = ()  # what the student should know
    submitted: str = ""
    repository: str = ""  # such as https://github.com/ada/flask-jwt-companion
    commit: str = ""


def find_submissions(folder: Path) -> dict[str, Source]:
    """Return the source of each student by its name. Raises NoSubmissions."""
    where = quote(str(folder))
    expected = "It should contain a folder or archive for each student, or a download from Canvas or Moodle."
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise NoSubmissions(f"{where} cannot be opened: {error.strerror}. {expected}") from None
    if any(entry.name == "lessons" or ANSWER.fullmatch(entry.name.casefold()) for entry in entries):
        advice = "Use the folder above it."
        raise NoSubmissions(f"{where} looks like the submission of one student. {expected} {advice}")
    sources: dict[str, Source] = {}
    for entry in entries:
        names, file = split_name(entry.name)
        is_folder = entry.is_dir(follow_symlinks=False) or entry.is_symlink()
        if not HIDDEN.match(entry.name) and (is_folder or file or ENDING.search(entry.name)):
            name = "_".join(names)
            paths = sources[name].paths if name in sources else ()
            sources[name] = Source(name, (*paths, Path(entry.path)), frozenset(names))
    if not sources:
        raise NoSubmissions(f"{where} contains no submission. {expected}")
    return dict(sorted(sources.items()))


def ignored(folder: Path) -> list[str]:
    """Return the quoted names in the folder of all submissions that belong to no student."""
    used = {path.name for source in find_submissions(folder).values() for path in source.paths}
    names = set(os.listdir(folder)) - used - {"submission_metadata.yml"}  # from Gradescope
    return [quote(name) for name in sorted(names) if not HIDDEN.match(name)]


def split_name(name: str) -> tuple[tuple[str, ...], str]:
    """Return a student's names, and the student's name for a file, or "" if no download has such names."""
    # A student chooses the end of the name, so the match whose file begins first is the right one.
    matches = filter(None, (pattern.fullmatch(name) for pattern in DOWNLOADS))
    if match := min(matches, key=lambda match: match.start("file"), default=None):
        return tuple(filter(None, match.groups()[:-1])), match["file"]
    return (ENDING.sub("", name),), ""


def read_submission(source: Source, exercises: Collection[str]) -> Submission:
    """Read the answers to these exercises. No submission makes this function raise an exception."""
    text = ", ".join(path.name for path in source.paths)
    files = [(path, split_name(path.name)[1]) for path in source.paths]
    try:
        if len(files) > 1 and not all(name for _, name in files):
            such = "such as a folder and its .zip"
            raise Unreadable(f"There are several submissions with the same name, {such}. Expected one.")
        packed = [path for path, name in files if os.path.isdir(path) or ENDING.search(name or path.name)]
        check_limit(len(packed), PACKED, "folders and archives")
        entries: list[Entry] = []
        for path, name in files:
            entries += list_entries(path, name or path.name)
            check_limit(len(entries), ENTRIES, "entries")
        reader = Reader(entries, exercises)
        reader.read()
        git = reader.read_git()
        return Submission(text, reader.answers, reader.problems, notes=tuple(reader.notes), **git)
    except (MachineFault, MemoryError) as error:
        return Submission(text, error=str(error) or "There is not enough memory to read the submission.")
    except Unreadable as error:
        return Submission(text, problem=str(error))


class Reader:
    """Reads the answers to some exercises."""

    def __init__(self, entries: list[Entry], exercises: Collection[str]) -> None:
        self.answers: dict[str, Answer] = {}
        self.problems: dict[str, str] = {}
        self.notes: list[str] = []
        self.exercises = exercises
        self.files = {entry.place: entry for entry in entries}
        self.entries = [entry for entry in entries if not HIDDEN.search(entry.place)]
        self.is_fork = any(entry.place.startswith("lessons/") for entry in self.entries)
        self.single = next(iter(exercises)) if len(exercises) == 1 and not self.is_fork else ""
        self.known = {*exercises, *(exercise.name for exercise in find_exercises().values())}

    def read(self) -> None:
        """Read the answers and say what is wrong. Raises Unreadable if no answer can be read."""
        found = defaultdict[str, list[Entry]](list)
        for entry in self.entries:
            if entry.place in ("lessons", "exercises") and entry.kind != FOLDER:
                raise Unreadable(f"{quote(entry.name)} is {entry.kind}. Expected a folder.")
            found[self.exercise_of(entry.place)].append(entry)
        others = [entry for entry in found[""] if entry.kind != FOLDER]
        scripts = [entry for entry in others if OTHER_SCRIPT.fullmatch(entry.place)]
        if self.single and self.single not in found and len(scripts) == 1:
            self.notes.append(f"The grader used {quote(scripts[0].name)}, your only Python file.")
            found[self.single] = scripts
        for exercise in sorted(found.keys() & self.exercises):
            try:
                self.answers[exercise] = self.read_answer(exercise, found[exercise])
            except Unreadable as error:
                self.problems[exercise] = str(error)
        self.name_others(others)
        if self.is_fork:
            self.note_changed_files()

    def exercise_of(self, place: str) -> str:
        """Return the known exercise of an answer with this path, or ""."""
        if not (match := ANSWER.fullmatch(place)):
            return ""
        name = match["file"] if match["file"] != "answer" else match["folder"] or self.single
        return name if name in self.known else ""

    def read_answer(self, exercise: str, entries: list[Entry]) -> Answer:
        """Read an answer. If there are several files, all must have the same content."""
        if self.is_fork:  # an answer in the folder of its lesson counts more than one elsewhere
            entries = [entry for entry in entries if re.match(ROOM, entry.place)] or entries
        entries = [entry for entry in entries if not RESET.fullmatch(entry.place)] or entries
        contents = {entry.read() for entry in entries[:COPIES]}
        if len(entries) > COPIES or len(contents) > 1:
            names = list_names([quote(entry.name) for entry in entries])
            expected = self.expect([exercise])
            raise Unreadable(f"There is more than one file: {names}. Expected only one, {expected}.")
        content = contents.pop()
        is_utf_8 = content.decode("utf-8", "ignore").encode() == content
        if b"\0" in content or not (is_utf_8 or DECLARES_ENCODING.match(content)):
            advice = "Save it as UTF-8 (in Notepad: Save as, Encoding) and hand it in again."
            raise Unreadable(f"{quote(entries[0].name)} is not UTF-8 text. {advice}")
        return Answer(entries[0].name, content)

    def name_others(self, others: list[Entry]) -> None:
        """Name the other files if answers are missing. Raises Unreadable if there is no answer."""
        missing = [name for name in self.exercises if name not in self.answers | self.problems]
        if self.is_fork:
            others = [entry for entry in others if MISPLACED.fullmatch(entry.place)]
        if others and missing:
            found = list_names([quote(entry.name) for entry in others])
            self.notes.append(f"Found {found}; expected {self.expect(missing)}.")
            if sum(bool(split_name(entry.name.partition("/")[0])[1]) for entry in others) > 1:
                self.notes[-1] += " If this is a download of several students, move its files one folder up."
            if len(missing) == len(self.exercises) and not self.is_fork:
                raise Unreadable(self.notes[-1])

    def expect(self, exercises: list[str]) -> str:
        """Return the paths that the answers to these exercises should have."""
        if self.is_fork:
            rooms = {name: "exercises" if name[2].isalpha() else "lessons" for name in exercises}
            return list_names([f"{rooms[name]}/{name}/answer.py" for name in exercises])
        return ("answer.py or " if self.single else "") + list_names([f"{name}.py" for name in exercises])

    def note_changed_files(self) -> None:
        """Tell the student which files of the lessons in a fork differ from the originals."""
        numbers = {int(exercise[:2]) for exercise in self.exercises}
        changed = [
            f"lessons/{lesson.name}/{path}"
            for number, lesson in find_lessons().items()
            if number in numbers
            for path, original in originals.read(lesson.name).items()
            if normalize(self.read_file(f"lessons/{lesson.name}/{path}", original)) != normalize(original)
        ]
        if changed:
            advice = "The grader does not use these changes, only your answer.py."
            self.notes.append(f"You changed {list_names(changed)}. {advice}")

    def read_git(self) -> dict[str, str]:
        """Return the URL of the repository, and the commit in 40 hexadecimal digits, or "" for each."""
        url = ORIGIN.search(self.read_file(".git/config"))
        repository = b"https://%b/%b" % url.groups() if url else b""
        head = self.read_file(".git/head").strip()
        ref = head.removeprefix(b"ref: ")
        commits = [head, self.read_file(f".git/{os.fsdecode(ref)}"), self.read_file(".git/packed-refs")]
        commit = re.search(rb"^([0-9a-f]{40})(?: %b)?$" % re.escape(ref), b"\n".join(commits), re.M)
        return {
            "repository": repository.decode().removesuffix(".git"),
            "commit": commit[1].decode() if commit else "",
        }

    def read_file(self, path: str, missing: bytes = b"") -> bytes:
        """Return the content of a file. Return `missing` if there is none, and b"" if it is not readable."""
        with suppress(Unreadable):
            return self.files[path.casefold()].read() if path.casefold() in self.files else missing
        return b""


def list_names(names: list[str]) -> str:
    """Return up to three names, and the number of the others."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def is_unchanged_starter(exercise: Exercise, content: bytes) -> bool:
    """Return True if an answer is still the exercise.py that the student began with."""
    with suppress(originals.NoOriginals, UnicodeError):  # an additional exercise may have no starter
        return normalize(content) == normalize(originals.read_starter(exercise))
    return False


def normalize(content: bytes) -> bytes:
    """Return a text without a mark at its start, trailing blanks or Windows line endings."""
    lines = content.removeprefix(codecs.BOM_UTF8).splitlines()
    return b"\n".join(line.rstrip() for line in lines).strip()


def safe_name(id: str) -> str:
    """Return a name for the folder of a person. Every system accepts it, and no two ids share one."""
    device = r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?"
    reserved = r".*-[0-9a-f]{32}|.*\."  # looks like a name made below, or Windows would remove its dot
    if re.fullmatch(rf"(?!({device}|{reserved})\Z)[a-z0-9][a-z0-9._-]{{0,60}}", id):
        return id
    letters = unicodedata.normalize("NFKD", id).encode("ascii", "ignore").decode().lower()
    slug = re.sub("[^a-z0-9]+", "-", letters).strip("-")[:40] or "student"
    return f"{slug}-{hashlib.sha256(id.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"

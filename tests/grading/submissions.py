"""Find what students handed in, and the answers in it. All names and contents are hostile."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import originals
from grading.entries import ENDING, FOLDER, HIDDEN, Entry, MachineFault, Unreadable, list_entries, quote
from lesson_loader import find_exercises, label_of

# lovelaceada_LATE_12345_678901_answer.py, LATE_anon_Xy12z_678901_answer.py, lovelaceada_12345_text.html
STUDENT = r"(?:late_)?(anon_[a-z0-9]+)|(\w+?)_(?:late_)?(\d+)"
CANVAS = rf"(?:{STUDENT})_(?:\d{{3,}}_|(?=(?:text|link)\.html\Z))(?P<file>.+)"
# Ada Lovelace_12345_assignsubmission_file_answer.py. The name of a folder ends with _file or _file_.
MOODLE = r"(.+?)_(\d+)_assignsubmission_(?:[a-z]+_(?=[^.]))?(?P<file>.+)"
DOWNLOADS = [re.compile(pattern, re.I | re.S) for pattern in (MOODLE, CANVAS)]

COPIES = 9  # of one answer that we compare
EXERCISE = r"\d\d[a-z]*_\w+"  # 01_auth_url, 03b_pin_login
# Browsers, Canvas, Windows and macOS name copies: "answer (1)", "answer-1", "answer - Copy", "answer copy 2".
COPY = r"(?: ?\(\d+\)|-\d+| - copy| copy(?: \d+)?)*"
ROOM = r"(?:lessons/|exercises/)"
ANSWER = re.compile(
    rf"(?P<room>{ROOM})?(?:(?P<folder>{EXERCISE}){COPY}/)?(?P<file>answer|{EXERCISE}){COPY}\.py"
)
OTHER_SCRIPT = re.compile(rf"{ROOM}?(?!\d\d[a-z]*_)[^/]+\.py")
# In a fork: lessons/my_answer.py, lessons/01_auth_url/answer.py.txt, answer.py, 01_auth_url.py
MISPLACED = re.compile(rf"(?:{ROOM}(?:[^/]+/)?)?(?=[^/]*answer)[^/]+|{ROOM}?\d\d[a-z]*_[^/]+")
RESET = re.compile(rf"{ROOM}[^/]+/answer-\d+\.py")  # make reset-1 keeps an old answer as answer-1.py
DECLARES_ENCODING = re.compile(rb"(?:[^\n]*\n)?[ \t\f]*#[^\n]*coding[:=]")  # in one of the first two lines
ORIGIN = re.compile(  # https://token@github.com/ada/course.git or git@github.com:ada/course
    r'^\[remote "origin"\]\n(?:[ \t]++(?!url).*\n)*[ \t]++url = (?:(?:https?|ssh)://)?(?:[^@/\s]*@)?'
    r"(\w[\w-]*(?:\.[\w-]+)+)(?::\d+/|[:/])([\w.-]+(?:/[\w.-]+)+)/?$",
    re.M | re.A,
)


class NoSubmissions(Exception):
    """The folder of all submissions is not one. The message is for the instructor."""


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
    expected = "Expected a folder or archive for each student, or a download from Canvas or Moodle."
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
        entries = [entry for path, name in files for entry in list_entries(path, name or path.name)]
        reader = Reader(entries, exercises)
        reader.read()
        git = {"repository": reader.read_repository(), "commit": reader.read_commit()}
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
        self.known = {exercise.name: exercise for exercise in find_exercises().values()}

    def read(self) -> None:
        """Read the answers and say what is wrong. Raises Unreadable if no answer can be read."""
        found: dict[str, list[Entry]] = {}
        others = []
        for entry in self.entries:
            exercise = self.exercise_of(entry.place)
            if entry.place in ("lessons", "exercises") and entry.kind != FOLDER:
                raise Unreadable(f"{quote(entry.name)} is {entry.kind}. Expected a folder.")
            if exercise in self.exercises:
                found.setdefault(exercise, []).append(entry)
            elif exercise not in self.known and entry.kind != FOLDER:
                others.append(entry)
        scripts = [entry for entry in others if OTHER_SCRIPT.fullmatch(entry.place)]
        if self.single and not found and len(scripts) == 1:
            self.notes.append(f"The grader used {quote(scripts[0].name)}, your only Python file.")
            found[self.single] = scripts
        for exercise, entries in found.items():
            try:
                self.answers[exercise] = self.read_answer(exercise, entries)
            except Unreadable as error:
                self.problems[exercise] = str(error)
        self.name_others(others)
        if self.is_fork:
            self.note_changed_files()

    def exercise_of(self, place: str) -> str:
        """Return the exercise of an answer with this path, or "". The course may not have the exercise."""
        match = ANSWER.fullmatch(place)
        if not match:
            return ""
        return match["file"] if match["file"] != "answer" else match["folder"] or self.single

    def read_answer(self, exercise: str, entries: list[Entry]) -> Answer:
        """Read an answer. If there are several files, all must have the same content."""
        if self.is_fork:  # an answer in the folder of its lesson counts more than one elsewhere
            entries = [entry for entry in entries if re.match(ROOM, entry.place)] or entries
        entries = [entry for entry in entries if not RESET.fullmatch(entry.place)] or entries
        contents = {entry.read() for entry in entries[:COPIES]}
        if len(entries) > COPIES or len(contents) > 1:
            names = list_names([quote(entry.name) for entry in entries])
            raise Unreadable(f"There is more than one file: {names}. Expected {self.expect([exercise])}.")
        if not is_text(content := contents.pop()):
            advice = "Save it as UTF-8 (in Notepad: Save as, Encoding) and hand it in again."
            raise Unreadable(f"{quote(entries[0].name)} is not UTF-8 text. {advice}")
        return Answer(entries[0].name, content)

    def name_others(self, others: list[Entry]) -> None:
        """Name the other files if answers are missing. Raises Unreadable if there is no answer."""
        missing = [name for name in self.exercises if name not in self.answers | self.problems]
        if self.is_fork:
            others = [entry for entry in others if MISPLACED.fullmatch(entry.place)]
        if not others or not missing:
            return
        found = list_names([quote(entry.name) for entry in others])
        message = f"Found {found}; expected {self.expect(missing)}."
        if len(missing) == len(self.exercises) and not self.is_fork:
            raise Unreadable(message)
        self.notes.append(message)

    def expect(self, exercises: list[str]) -> str:
        """Return the paths that the answers to these exercises should have."""
        if not self.is_fork:
            return ("answer.py or " if self.single else "") + list_names([f"{name}.py" for name in exercises])
        rooms = {name: "exercises" if name[2].isalpha() else "lessons" for name in exercises}
        return list_names([f"{rooms[name]}/{name}/answer.py" for name in exercises])

    def note_changed_files(self) -> None:
        """Tell the student which files of the lessons in a fork differ from the originals."""
        lessons = {self.known[exercise].lesson.name for exercise in self.exercises if exercise in self.known}
        changed = [
            f"lessons/{lesson}/{path}"
            for lesson in sorted(lessons)
            for path, original in originals.read(lesson).items()
            if normalize(self.read_file(f"lessons/{lesson}/{path}", original)) != normalize(original)
        ]
        if changed:
            names = list_names(changed)
            self.notes.append(f"You changed {names}: the grader uses the original files and your answer.py.")

    def read_repository(self) -> str:
        """Return the URL of the repository, or "" if it is not known."""
        match = ORIGIN.search(self.read_text(".git/config"))
        return f"https://{match[1]}/{match[2]}".removesuffix(".git") if match else ""

    def read_commit(self) -> str:
        """Return the commit in 40 hexadecimal digits, or "" if it is not known."""
        head = self.read_text(".git/head").strip()
        ref = head.removeprefix("ref: ")
        lines = "\n".join([head, self.read_text(f".git/{ref}"), self.read_text(".git/packed-refs")])
        match = re.search(rf"^([0-9a-f]{{40}})(?: {re.escape(ref)})?$", lines, re.M)
        return match[1] if match else ""

    def read_text(self, path: str) -> str:
        return self.read_file(path).decode("utf-8", "replace")

    def read_file(self, path: str, missing: bytes = b"") -> bytes:
        """Return the content of a file. Return `missing` if there is none, and b"" if it is not readable."""
        entry = self.files.get(path.casefold())
        try:
            return entry.read() if entry else missing
        except Unreadable:
            return b""


def list_names(names: list[str]) -> str:
    """Return up to three names, and the number of the others."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def is_text(content: bytes) -> bool:
    """Return True for UTF-8, and for text that declares another encoding, which Python checks."""
    is_utf_8 = content.decode("utf-8", "ignore").encode() == content
    return b"\0" not in content and (is_utf_8 or DECLARES_ENCODING.match(content) is not None)


def is_unchanged_starter(exercise: str, content: bytes) -> bool:
    """Return True if an answer is still the exercise.py that the student began with."""
    found = find_exercises().get(label_of(exercise))
    try:
        return found is not None and normalize(content) == normalize(originals.read_starter(found))
    except (originals.NoOriginals, UnicodeError):  # an additional exercise may have no starter
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

"""The original files of the lessons, in one zip file for each lesson.

The checks run an answer beside these files, so a changed lesson file never changes a mark. `make restore-N`
copies the original files back. After you change a lesson on purpose, update the zip files with
`make originals`:

    .venv/bin/python lessons/originals.py
"""

from __future__ import annotations

import codecs
import re
import signal
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from lesson_loader import LESSONS, Exercise, code_files, display_path, find_lessons, read_text

ORIGINALS = LESSONS.parent / "tests/exercises/originals"


# What zipfile raises if an archive is missing or damaged.
UNREADABLE = (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)


class NoOriginals(Exception):
    """An original file is missing or damaged. The message says how to get it again."""


def read(name: str) -> dict[str, bytes]:
    """Return the original files of a lesson, such as 01_auth_url: the content of each file by its path.

    These are the files of the app and exercise.py. Raises NoOriginals if they cannot be read.
    """
    archive = ORIGINALS / f"{name}.zip"
    try:
        with zipfile.ZipFile(archive) as files:
            if all(is_plain(path) for path in files.namelist()):
                return {path: files.read(path) for path in files.namelist()}
            raise ValueError("a path leads out of the folder of the lesson")
    except UNREADABLE:
        raise NoOriginals(
            f"{display_path(archive)} is missing or damaged. "
            f"Get it again: git checkout {display_path(ORIGINALS)}"
        ) from None


def is_plain(path: str) -> bool:
    """Return True for a path such as models/user.py, which cannot lead out of its folder on any system."""
    parts = PurePosixPath(path).parts
    is_normal = path == "/".join(parts) and path.isprintable()
    return bool(parts) and is_normal and ".." not in parts and not re.search(r"^/|[\\:]", path)


def read_app(name: str) -> dict[str, bytes]:
    """Return the original files of a lesson's app by path: everything that an answer can import."""
    return {path: content for path, content in read(name).items() if path != "exercise.py"}


def read_starter(exercise: Exercise) -> bytes:
    """Return the original exercise.py of an exercise.

    Only its author changes the files of an additional exercise, so it has no other original. Raises
    NoOriginals if there is no such file, and UnicodeError if it is not UTF-8 text.
    """
    if not exercise.is_additional:
        return read(exercise.name)["exercise.py"]
    file = exercise.folder / "exercise.py"
    if not file.is_file():
        raise NoOriginals(f"{display_path(file)} is missing. Ask for this file where you got the exercise.")
    read_text(file)  # raises UnicodeError
    return read_lines(file)


def write_file(folder: Path, path: str, content: bytes) -> None:
    """Write one file of a lesson, and create its folder if necessary."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def find_changed(lesson: Path) -> list[str]:
    """Return the paths of the files in a lesson's folder that are missing or differ from the originals."""
    return [
        path
        for path, content in read(lesson.name).items()
        if not (lesson / path).is_file() or read_lines(lesson / path) != content
    ]


def read_lines(file: Path) -> bytes:
    """Return the content of a file with Unix line endings and without a byte order mark.

    Some editors on Windows change both when they save a file.
    """
    return file.read_bytes().removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")


def current_files(lesson: Path) -> dict[str, bytes]:
    """Return what the originals of a lesson should contain now: the content of each file by its path."""
    files = [*code_files(lesson), *lesson.glob("exercise.py")]
    return {file.relative_to(lesson).as_posix(): read_lines(file) for file in sorted(files)}


def save(lesson: Path) -> None:
    """Make the current files of a lesson its originals. The same files always give the same bytes."""
    ORIGINALS.mkdir(exist_ok=True)
    with zipfile.ZipFile(ORIGINALS / f"{lesson.name}.zip", "w") as archive:
        for path, content in current_files(lesson).items():
            info = zipfile.ZipInfo(path)  # its date is always in 1980, so the bytes stay the same
            info.create_system = 3  # Unix, on every system
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)


def find_new(lesson: Path) -> list[str]:
    """Return the paths of the current files that the archive of a lesson does not contain yet."""
    try:
        before = read(lesson.name)
    except NoOriginals:
        before = {}
    return [path for path in current_files(lesson) if path not in before]


def main() -> None:
    lessons = find_lessons().values()
    for lesson in lessons:
        for path in find_new(lesson):
            print(f"New in {lesson.name}: {path}")
        save(lesson)
    folder = display_path(ORIGINALS)
    print(f"{folder} now contains the current files of {len(lessons)} lessons.")


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if `head` closes the pipe
    main()

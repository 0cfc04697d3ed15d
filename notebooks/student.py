"""Write the course as students get it: without solutions, without third hints, without the grader.

make student OUT=folder                                or, without make:
.venv/bin/python notebooks/student.py folder           (--hints 3 to include the third hints)

Run the command again to update the folder, for example after a change of a lesson. It changes only the files
that it wrote itself and that nobody has edited since. The file `.edition` remembers them, in the format of
`sha256sum`. The same course always gives the same files.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import signal
import sys
from pathlib import Path, PurePosixPath
from textwrap import indent

import originals
from exercise_loop import read_hints
from lesson_loader import (
    LESSONS,
    BadExercises,
    Exercise,
    display_path,
    find_exercises,
    find_lessons,
    read_text,
)
from playground.pages import find_linked

ROOT = LESSONS.parent
LIST = ".edition"
TEMPORARY = ".edition.new"  # each file has this name until it is complete
# An edition in one of these folders could leak or be lost.
PRIVATE = ["exercises", "lessons", "notebooks", "solutions", "tests"]

# Every entry names one file, so no solution, answer or private file in a folder slips in.
FILES = [
    ".gitattributes",
    ".gitignore",
    "LICENSE",
    "lessons/README.md",
    "lessons/__main__.py",
    "lessons/exercise_loop.py",
    "lessons/flask_jwt_compat.py",
    "lessons/lesson_loader.py",
    "lessons/lesson_tests.py",
    "lessons/make_venv.py",
    "lessons/misplaced.py",
    "lessons/originals.py",
    "lessons/playground/console.js",
    "lessons/playground/console.png",
    "lessons/playground/console.py",
    "lessons/playground/icon.svg",
    "lessons/playground/page.css",
    "lessons/playground/page.html",
    "lessons/playground/page.js",
    "lessons/playground/pages.py",
    "lessons/playground/settings.py",
    "lessons/playground/token.js",
    "lessons/requirements-build.txt",
    "lessons/requirements.txt",
    "lessons/server.py",
    "tests/conftest.py",
    "tests/exercises/client.py",
    "tests/exercises/conftest.py",
    "tests/exercises/requirements.txt",
    "tests/helpers.py",
    "tests/tokens.py",
]

README = """\
{introduction}

## Start

You need Python 3.11 or newer, `make` and `curl`. Open a terminal in this folder, which contains the file
`Makefile`, and type:

```sh
make lesson-0
```

The first time, this installs what the lessons need. Then it serves lesson 0 until you press Ctrl-C. Open
http://127.0.0.1:8000 in a browser. Beside the text of the lesson, you can log in, send requests, look into
your token, change it, and see why the app refuses it:

{picture}

On Windows, or without `make`, use the other commands in [this table](lessons/README.md#every-command).

## The lessons

The minutes do not include the exercises.

{table}

## The exercises

From lesson 1 on, each lesson has an exercise. `make start-1` copies exercise 1 to
`lessons/01_auth_url/answer.py`. Change only this file, because your instructor grades only this file.
`make check-1` checks it and shows your points. `make progress` lists all exercises. Your instructor has the
solutions.

The [guide](lessons/README.md) explains the lessons and exercises, with every command and a glossary. The
license is [MIT](LICENSE).
"""

CLEAN = """\
## Clean up

clean: ## delete the environment, the databases and the caches
	@rm -rf .venv .pytest_cache lessons/*/data.db exercises/*/data.db

.PHONY: help list progress clean
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the course for students, without solutions.")
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="a new or empty folder, or an older edition"
    )
    parser.add_argument(
        "--hints", type=int, choices=(1, 2, 3), default=2, help="for each exercise (default: 2)"
    )
    options = parser.parse_args()
    folder: Path = options.folder.resolve()
    refuse_folder(folder)
    print_changes()
    files = make_edition(options.hints)
    edited, removed = update(folder, files)
    print(f"{options.folder} contains the course for your students: {len(files)} files, without solutions.")
    if additional := [exercise.label for exercise in find_exercises().values() if exercise.is_additional]:
        print(f"It includes your own exercises: {', '.join(additional)}")
    for path, content in files.items():
        if b"TODO(author)" in content:
            print(f"{path} is not finished, because it contains TODO(author).")
    if removed:
        print("\nThese files are no longer part of the course, so this command has deleted them:\n")
        print("".join(f"  {path}\n" for path in removed))
    if answers := sorted(folder.glob("*/*/answer*.py")):
        print(
            "\nThis folder contains answers. Delete them if they are yours, before you give the folder out:\n"
        )
        print("".join(f"  {answer.relative_to(folder).as_posix()}\n" for answer in answers))
    if edited:
        print("\nThese files stay as they are, because somebody has changed them.")
        print("To get the new version of a file, delete it and run this command again:\n")
        print("".join(f"  {path}\n" for path in edited))
    then = "commit and push it" if (folder / ".git").exists() else "give the folder to your students"
    cd = f"cd {shlex.quote(str(options.folder))}"
    print(f"Next: type {cd}, and try make lesson-0. Then type make clean, and {then}.")


def refuse_folder(folder: Path) -> None:
    """Exit if the folder belongs to this course, or if it contains files and no earlier edition."""
    choose = "Choose a new or empty folder, for example: make student OUT=../for-my-students"
    if ROOT.is_relative_to(folder):
        sys.exit(f"{folder} contains this course itself. {choose}")
    inside = folder.relative_to(ROOT).parts if folder.is_relative_to(ROOT) else ()
    if inside and (inside[0] in PRIVATE or inside[0].startswith(".")):
        sys.exit(f"{folder} is in the folder {inside[0]} of this course. {choose}")
    if folder.exists() and not folder.is_dir():
        sys.exit(f"{folder} is a file. {choose}")
    if folder.is_dir() and not (folder / LIST).exists():
        others = sorted(path.name for path in folder.iterdir() if path.name not in (".git", TEMPORARY))
        if others:
            sys.exit(f"{folder} contains {others[0]}, which no edition wrote. {choose}")


def print_changes() -> None:
    """Name the lesson files that differ from their originals, because the edition gets the originals."""
    for lesson in find_lessons().values():
        if changed := originals.find_changed(lesson):
            have = "has" if len(changed) == 1 else "have"
            paths = ", ".join(f"lessons/{lesson.name}/{path}" for path in changed)
            print(f"{paths} {have} changed since the last make originals. Your students get the original.")


def make_edition(hints: int) -> dict[str, bytes]:
    """Return the content of each file of the edition, by path."""
    files = {path: read_file(ROOT / path) for path in FILES}
    for lesson in find_lessons().values():
        files |= lesson_files(lesson)
    for exercise in find_exercises().values():
        files |= exercise_files(exercise, hints)
    texts = {
        path: without_proofs(content.decode()).encode()
        for path, content in files.items()
        if path.endswith(".md")
    }
    own = {"README.md": make_readme(), "Makefile": make_makefile(), "pyproject.toml": make_pyproject()}
    return files | texts | {path: text.encode() for path, text in own.items()}


def lesson_files(lesson: Path) -> dict[str, bytes]:
    """Return the files of a lesson: its app and starter as they came, its texts, pictures and tests."""
    readme = {f"lessons/{lesson.name}/README.md": read_file(lesson / "README.md")}
    linked = [file for suffix in ("md", "png", "svg") for file in find_linked(lesson, suffix)]
    tests = ROOT / "tests/lessons" / f"test_{lesson.name}.py"
    files = [*linked, tests, originals.ORIGINALS / f"{lesson.name}.zip"]
    app = {f"lessons/{lesson.name}/{path}": content for path, content in originals.read(lesson.name).items()}
    return app | readme | {file.relative_to(ROOT).as_posix(): read_file(file) for file in files}


def exercise_files(exercise: Exercise, hints: int) -> dict[str, bytes]:
    """Return the hints and checks of an exercise, and the starter of an additional one."""
    if exercise.is_additional:
        folder = checks = f"exercises/{exercise.name}"
        starter = {f"{folder}/exercise.py": read_file(exercise.folder / "exercise.py")}
    else:
        folder, checks, starter = f"lessons/{exercise.name}", "tests/exercises", {}
    return starter | {
        f"{folder}/hints.md": first_hints(exercise.folder / "hints.md", hints).encode(),
        f"{checks}/{exercise.checks.name}": read_file(exercise.checks),
    }


def first_hints(file: Path, number: int) -> str:
    """Return the first hints of an exercise as a numbered list. Exit unless the file has three hints.

    In a list with other numbers, a part of the third hint could be in another item.
    """
    numbers = re.findall(r"^\W*(\d+)[.)]\s", read_file(file).decode("utf-8-sig"), re.MULTILINE)
    hints = read_hints(file)
    if len(hints) != 3 or numbers != ["1", "2", "3"]:
        sys.exit(f"{display_path(file)} needs three hints as a list that begins with 1. 2. 3.")
    lines = [f"{count}. {indent(hint, '   ').lstrip()}\n" for count, hint in enumerate(hints, 1)]
    return "".join(lines[:number])


def without_proofs(text: str) -> str:
    """Remove what leads to the tests that prove statements: footnotes, links and the column *Test*.

    Some of these tests show how to solve an exercise. A line with the comment `full course` is about files
    that students do not have, such as the solutions, so remove it too.
    """
    text = re.sub(r"^.*<!-- full course -->.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^- \*Test\* .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(
        r"^(\|.*\|) Test \|\n(.*)---\|\n((?:\|.*\n)*)", without_last_column, text, flags=re.MULTILINE
    )
    text = re.sub(r"^\[\^[\w-]+\]: .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[\^[\w-]+\]", "", text)
    text = re.sub(r"\[(\w+)\]\([./]+/tests/claims/.+?\)", r"\1", text)
    return text.rstrip("\n") + "\n"


def without_last_column(table: re.Match[str]) -> str:
    """Return a Markdown table without its last column."""
    rows = re.sub(r"[^|]*\|$", "", table[3], flags=re.MULTILINE)
    return f"{table[1]}\n{table[2]}\n{rows}"


def make_readme() -> str:
    """Return the edition's README. Its introduction and its table of lessons come from ours."""
    text = read("README.md")
    table = "".join(re.findall(r"^\|.*\n", text, re.MULTILINE))
    pictures = re.findall(r"^!\[.*\]\(.*\)$", text, re.MULTILINE)
    introduction = text.partition("\n## ")[0].strip()
    return README.format(introduction=introduction, picture="\n\n".join(pictures), table=table.strip())


def make_makefile() -> str:
    """Return the edition's Makefile: the sections for learners, and the rules and variables that they use."""
    beginning, *sections = re.split(r"^(?=## )", read("Makefile"), flags=re.MULTILINE)
    learners = [section for section in sections if section.startswith("## Learn")]
    # This command only says that the instructor has the solutions, so the help does not list it.
    learners = [re.sub(r"^(solution-%:.*?) ##.*", r"\1", section, flags=re.MULTILINE) for section in learners]
    options = re.findall(r"^(?:port|level)_option = .*\n", sections[-1], re.MULTILINE)
    rules = re.findall(r"^\.venv/\.installed-(?:lessons|exercises):.*\n\t.*\n", sections[-1], re.MULTILINE)
    return "\n".join([beginning + "".join(learners) + CLEAN, "".join(options), *rules])


def make_pyproject() -> str:
    """Return the settings of pytest, which runs the checks and the lessons' tests."""
    section = re.search(r"^\[tool\.pytest\.ini_options\]\n.*?(?=^\[|\Z)", read("pyproject.toml"), re.M | re.S)
    assert section
    return section[0].strip() + "\n"


def read(path: str) -> str:
    return read_text(ROOT / path)


def read_file(file: Path) -> bytes:
    """Return the content of a file. Exit if it is a link to another folder, where files can be private.

    Raises UnicodeError if the file should be UTF-8 text and is not.
    """
    if not file.resolve().is_relative_to(file.parent.resolve()):
        sys.exit(f"{display_path(file)} is a link to another folder. Replace it with a copy of that file.")
    if file.suffix in (".md", ".py"):
        read_text(file)
    return file.read_bytes()


def update(folder: Path, files: dict[str, bytes]) -> tuple[list[str], list[str]]:
    """Write the files, and delete those that only an earlier edition contains.

    Return the paths of the files that stay because somebody has edited them, and of the deleted ones. A link
    in the folder counts as edited, because it can lead to files elsewhere.
    """
    current = {(digest(content), path) for path, content in files.items()}
    written = read_list(folder) | current
    folder.mkdir(parents=True, exist_ok=True)
    # First list both editions. If this command is interrupted, it then still knows every file that it wrote.
    write_list(folder, written)
    edited, removed = [], []
    for path in sorted({path for _, path in written}):
        file = folder / path
        if link := find_link(folder, path):
            edited.append(link)
        elif file.is_dir() or (file.exists() and (digest(file.read_bytes()), path) not in written):
            edited.append(path)
        elif path not in files:
            file.unlink(missing_ok=True)
            removed.append(path)
        else:
            write_file(folder, path, files[path])
    write_list(folder, current)
    return list(dict.fromkeys(edited)), removed


def find_link(folder: Path, path: str) -> str | None:
    """Return the first part of a path that is a symbolic link, such as lessons for lessons/README.md."""
    parts = [*reversed(PurePosixPath(path).parents), PurePosixPath(path)]
    return next((str(part) for part in parts[1:] if (folder / part).is_symlink()), None)


def write_file(folder: Path, path: str, content: bytes) -> None:
    """Write a file under a temporary name, and rename it when it is complete."""
    temporary = folder / TEMPORARY
    temporary.unlink(missing_ok=True)  # an interrupted run has left it
    with temporary.open("xb") as file:
        file.write(content)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    os.replace(temporary, folder / path)


def write_list(folder: Path, written: set[tuple[str, str]]) -> None:
    lines = sorted((path, value) for value, path in written)
    write_file(folder, LIST, "".join(f"{value}  {path}\n" for path, value in lines).encode())


def read_list(folder: Path) -> set[tuple[str, str]]:
    """Return the digest and path of each file that the last edition in this folder wrote.

    Anybody can have changed the list, so ignore each line whose path leads out of the folder or into .git.
    """
    file = folder / LIST
    if file.is_symlink():
        sys.exit(f"{file} is a link. Choose a new or empty folder, or delete the link.")
    lines = read_text(file).splitlines() if file.exists() else []
    matches = [re.fullmatch(r"([0-9a-f]{64})  (?!(?i:\.git/))(.+)", line) for line in lines]
    return {(match[1], match[2]) for match in matches if match and originals.is_plain(match[2])}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if `head` closes the pipe
    try:
        main()
    except (BadExercises, originals.NoOriginals, UnicodeError) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"make student stopped: {error}")

"""Find the lessons and exercises, load apps and compare files. The commands, tests and notebooks use this.

A lesson is a folder named NN_name beside this file, whose README.md begins with `# Lesson`. The only other
list of lessons is the table in the README.md of the top folder.

An additional exercise is a folder such as 03b_pin_login. Such folders are in the folder that the environment
variable EXERCISES names, or in the folder `exercises` of the top folder.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flask import Flask

LESSONS = Path(__file__).resolve().parent


def find_lessons() -> dict[int, Path]:
    """Return the folders of the lessons by number, in order."""
    readmes = sorted(LESSONS.glob("[0-9][0-9]_*/README.md"))
    # In a folder that a lesson has left, only a README is left, which leads to the new folder.
    lessons = [readme.parent for readme in readmes if readme.read_bytes().startswith(b"# Lesson ")]
    return {int(folder.name[:2]): folder for folder in lessons}


class BadExercises(Exception):
    """The folder of additional exercises cannot be used. The message says what to change."""


@dataclass(frozen=True)
class Exercise:
    """Where the files of an exercise are. Some may not exist, for example after a student deleted them."""

    name: str  # 03_auth_key, or 03b_pin_login for an additional exercise
    lesson: Path  # the folder of the lesson with its number: the answer runs beside that lesson's files
    folder: Path  # contains exercise.py, hints.md and the student's answer.py
    checks: Path
    solution: Path  # the students' edition of the course has no solutions
    mistakes: Path
    alternatives: Path

    @property
    def label(self) -> str:
        return label_of(self.name)

    @property
    def argument(self) -> str:
        """What follows `make check-`: the label and, if somebody has chosen one, the folder of exercises."""
        return self.label + (exercises_option() if self.is_additional else "")

    @property
    def answer(self) -> Path:
        return self.folder / "answer.py"

    @property
    def is_additional(self) -> bool:
        return self.folder != self.lesson


def label_of(name: str) -> str:
    """Return what students type for an exercise or a lesson: 3 for 03_auth_key, 3b for 03b_pin_login."""
    return name.partition("_")[0].removeprefix("0")


def find_exercises() -> dict[str, Exercise]:
    """Return the exercises by label, in order: 1, 2, 3, 3b, … 10.

    Raises BadExercises if the folder of additional exercises cannot be used.
    """
    exercises = [*own_exercises(), *additional_exercises()]
    exercises.sort(key=lambda exercise: exercise.name.partition("_")[0])
    return {exercise.label: exercise for exercise in exercises}


def own_exercises() -> Iterator[Exercise]:
    """Yield the exercises in the lessons' folders.

    A student may have deleted an exercise.py, so the checks are enough.
    """
    for exercise in map(own_exercise, find_lessons().values()):
        if (exercise.folder / "exercise.py").exists() or exercise.checks.exists():
            yield exercise


def own_exercise(lesson: Path) -> Exercise:
    """Return a lesson's own exercise, even if its files do not exist yet. They are in several folders."""
    name, root = lesson.name, LESSONS.parent
    return Exercise(
        name,
        lesson=lesson,
        folder=lesson,
        checks=root / "tests/exercises" / f"test_{name}.py",
        solution=root / "solutions" / f"{name}.py",
        mistakes=root / "tests/exercises/mistakes" / name,
        alternatives=root / "tests/exercises/alternatives" / name,
    )


def additional_exercises() -> Iterator[Exercise]:
    """Yield the additional exercises. Raises BadExercises if a folder has no good name."""
    lessons = find_lessons()
    prefixes: dict[str, Path] = {}
    for folder in additional_folders():
        match = re.fullmatch(r"((\d\d)[a-z]+)_[a-z0-9_]+", folder.name)
        if not match:
            raise BadExercises(
                f"{display_path(folder)} is not the name of an additional exercise. It needs two digits, a "
                "lower-case letter and a name, such as 03b_pin_login for an exercise of lesson 3."
            )
        if int(match[2]) not in lessons:
            raise BadExercises(
                f"{display_path(folder)} needs a lesson {int(match[2])}, but there is none. "
                f"Begin the name with the number of a lesson, from 00 to {max(lessons):02}."
            )
        if match[1] in prefixes:
            raise BadExercises(
                f"{display_path(prefixes[match[1]])} and {folder.name} are both exercise "
                f"{match[1].removeprefix('0')}. Give one of them another letter."
            )
        prefixes[match[1]] = folder
        yield additional_exercise(folder, lessons[int(match[2])])


def additional_exercise(folder: Path, lesson: Path) -> Exercise:
    """Return the additional exercise in a folder, which may not exist yet."""
    return Exercise(
        folder.name,
        lesson=lesson,
        folder=folder,
        checks=folder / f"test_{folder.name}.py",
        solution=folder / "solution.py",
        mistakes=folder / "mistakes",
        alternatives=folder / "alternatives",
    )


def additional_folders() -> list[Path]:
    """Return the folders of additional exercises: each begins with a digit. Other folders can be beside them.

    Raises BadExercises if there is no folder EXERCISES, or if it cannot be read.
    """
    parent = exercises_folder()
    try:
        if parent.is_dir():
            return sorted(
                folder for folder in parent.iterdir() if re.match(r"[0-9]", folder.name) and folder.is_dir()
            )
    except OSError as error:
        raise BadExercises(
            f"Cannot read the folder of your own exercises, {display_path(parent)}: {error.strerror}."
        ) from None
    if given := os.environ.get("EXERCISES"):
        raise BadExercises(not_a_folder(given))
    return []


def exercises_folder() -> Path:
    """Return the folder for additional exercises, which may not exist.

    A relative EXERCISES begins in the top folder, because some processes, such as a notebook, run elsewhere.
    """
    given = os.environ.get("EXERCISES") or "exercises"
    try:
        return (LESSONS.parent / Path(given).expanduser()).resolve()
    except (OSError, RuntimeError):  # such as ~nouser, or links in a circle
        raise BadExercises(not_a_folder(given)) from None


def exercises_option() -> str:
    """Return the option that tells make the chosen folder of exercises, such as " EXERCISES=mine".

    Return "" if nobody has chosen a folder.
    """
    given = os.environ.get("EXERCISES")
    return f" EXERCISES={shlex.quote(given)}" if given else ""


def not_a_folder(given: str) -> str:
    return f"EXERCISES={given} is not a folder. Choose the folder of your own exercises."


def display_path(path: Path) -> str:
    """Return a path as a student types it in the top folder. For a path outside, return its shorter form."""
    if path.is_relative_to(LESSONS.parent):
        return path.relative_to(LESSONS.parent).as_posix()
    return min(Path(os.path.relpath(path, LESSONS.parent)).as_posix(), path.as_posix(), key=len)


def load_app(folder: Path | str, file: Path | str = "app.py") -> Flask:
    """Run a Python file that imports a lesson's modules, and return its Flask app.

    The file is the lesson's app.py, or one that replaces it, such as an answer. It can be in any folder. Each
    call reads all files from disk again.

    Raises FileNotFoundError if there is no such file, and the errors of import_app.
    """
    folder = Path(folder).resolve()
    file = folder / file
    if not file.is_file():
        raise FileNotFoundError(f"{folder} has no {file.name}. Use a lesson's folder: lessons/01_auth_url")
    with isolated_imports(folder, file.stem):
        return import_app(file)


def import_app(file: Path) -> Flask:
    """Run a Python file as a module and return its Flask app. Call this in a block of isolated_imports.

    Raises AttributeError if the file defines no `app`, and every error that the file itself raises.
    """
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "app"):
        raise AttributeError(f"{file.name} defines no `app`: it needs a line like app = Flask(__name__)")
    app: Flask = module.app
    return app


@contextmanager
def isolated_imports(
    folder: Path, *names: str, modules: dict[str, ModuleType] | None = None
) -> Iterator[None]:
    """Look for modules in this folder first. At the end of the block, forget the modules found there.

    The modules of every lesson have the same names: app, security, models.user. Isolation makes it
    possible to load many lessons into one process, and to load one again after an edit. `names` are
    more top-level modules to isolate.

    `modules` keeps what this block imports. If a later block gets the same dict, an import in a function
    finds the module that its app already uses.
    """
    isolated = {*names, *(entry.stem for entry in folder.iterdir())}
    modules_before = remove_modules(isolated)
    sys.modules.update(modules or {})
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    # Python reuses bytecode if the source has the same size and was changed in the same second. A program
    # can edit a file and load it twice within one second, so write no bytecode here.
    bytecode_before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = bytecode_before
        sys.path.remove(str(folder))
        imported = remove_modules(isolated)
        if modules is not None:
            modules.update(imported)
        sys.modules.update(modules_before)


def remove_modules(top_level_names: set[str]) -> dict[str, ModuleType]:
    """Remove modules and their submodules from sys.modules, and return them by name."""
    names = [name for name in sys.modules if name.partition(".")[0] in top_level_names]
    return {name: sys.modules.pop(name) for name in names}


def explain(error: BaseException, path: Path) -> str:
    """Return an error's message, and the line of a student's code that led to it.

    `path` is the student's file, or the folder of a lesson. If no line of the student's file led to the
    error, the line is from another file in the same folder.
    """
    folder = path if path.is_dir() else path.parent
    lines = traceback.TracebackException.from_exception(error)
    message = "".join(lines.format_exception_only()).strip()
    if isinstance(error, SyntaxError):
        if "utf-8" in error.msg.lower() or "null bytes" in error.msg:
            return f"{Path(error.filename or path).name} is not UTF-8 text. Save it with the encoding UTF-8."
        return message.replace(f"{folder}{os.sep}", "")
    if isinstance(error, RuntimeError) and "lost sys.stdin" in message:
        message = "An app on a server has no keyboard: remove input()."
    if type(error) is ImportError and error.path and Path(error.path).is_relative_to(folder):
        original = Path(error.path).relative_to(folder).as_posix()
        message = message.replace(f" ({error.path})", "")
        message += f"\nThe checks use the original {original}. Write what you need from it in {path.name}."
    if isinstance(error, ModuleNotFoundError) and path != folder:
        message += "\nOnly answer.py is handed in. It can import the lesson's files and installed packages, "
        message += "but no other file of yours."
    # The lesson's api.py passes errors on, so its line explains nothing unless it raised the error itself.
    frames = [
        frame
        for frame in lines.stack
        if Path(frame.filename).is_relative_to(folder)
        and (Path(frame.filename).name != "api.py" or frame is lines.stack[-1])
    ]
    own = [frame for frame in frames if Path(frame.filename) == path]
    if not frames:
        return message
    frame = (own or frames)[-1]
    name = Path(frame.filename).relative_to(folder).as_posix()
    return f"{message}\nin {name}, line {frame.lineno}:  {frame.line}"


def read_text(file: Path) -> str:
    """Return the text of a file. Raises UnicodeError with a sentence that names the file."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeError:
        raise UnicodeError(
            f"{display_path(file)} is not UTF-8 text. Save it with the encoding UTF-8."
        ) from None


class About(NamedTuple):
    """The beginning of a lesson's README: its heading, its first paragraph and its first shell lines."""

    title: str
    idea: str
    curl: str


def read_about(folder: Path) -> About:
    """Return the beginning of a lesson's README."""
    text = read_text(folder / "README.md")
    heading, idea = text.split("\n\n")[:2]
    curl = text.partition("```sh\n")[2].partition("```")[0]
    return About(heading.removeprefix("# "), idea.replace("\n", " "), curl.strip())


def diff(before: Path, after: Path) -> str:
    """Return the unified diff between the apps of two lessons."""
    names = sorted({path.relative_to(lesson) for lesson in (before, after) for path in code_files(lesson)})
    return "".join(
        diff_files(
            before / name,
            after / name,
            f"{before.name}/{name.as_posix()}",
            f"{after.name}/{name.as_posix()}",
        )
        for name in names
    )


def code_files(folder: Path) -> list[Path]:
    """Return the files of a lesson's app: its modules, those in models/ and resources/, and schema.sql.

    Students get these files, so an exercise, an answer, a solution or a file in another folder is not among
    them. Some editors keep hidden copies of files.
    """
    python = [path for where in ("", "models/", "resources/") for path in folder.glob(f"{where}*.py")]
    others = re.compile(r"\.|exercise|answer|.*solution", re.IGNORECASE)
    return sorted([*(path for path in python if not others.match(path.name)), *folder.glob("schema.sql")])


def diff_files(before: Path, after: Path, before_name: str, after_name: str) -> str:
    """Return the unified diff of two files, with these names in it. A missing file counts as an empty one."""
    old, new = (
        read_text(path).splitlines(keepends=True) if path.exists() else [] for path in (before, after)
    )
    return "".join(unified_diff(old, new, before_name, after_name, n=2))

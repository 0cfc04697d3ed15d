"""Find the lessons, load their apps, compare their files: for the commands, the tests and the notebooks.

A lesson is a folder named NN_name beside this file. There is no other list of lessons.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flask import Flask

LESSONS = Path(__file__).resolve().parent


def find_lessons() -> dict[int, Path]:
    """Return every lesson's folder by its number, in order."""
    return {int(folder.name[:2]): folder for folder in sorted(LESSONS.glob("[0-9][0-9]_*/"))}


def load_app(folder: Path | str, file: Path | str = "app.py") -> Flask:
    """Run a file in a lesson's folder, as it is on disk now, and return its Flask app.

    The file is app.py, or one that can stand in for it and imports what the lesson has, wherever it is.
    Lessons share the names of their modules (app, security, models.user), so those are forgotten
    again afterwards: any number of lessons can be loaded into one process, each as often as needed.

    Raises FileNotFoundError if there is no such file, AttributeError if it defines no `app`, and
    whatever the file's own code raises.
    """
    folder = Path(folder).resolve()
    file = folder / file
    if not file.is_file():
        raise FileNotFoundError(
            f"{folder} has no {file.name}: name the folder of a lesson, like lessons/01_auth_url"
        )
    own_names = {file.stem, *(entry.stem for entry in folder.iterdir())}

    def take_own_modules() -> dict:
        names = [name for name in sys.modules if name.partition(".")[0] in own_names]
        return {name: sys.modules.pop(name) for name in names}

    modules_of_others = take_own_modules()
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    # bytecode is told from stale bytecode by the second, which is too coarse for an edit by a program
    writes_no_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes_no_bytecode
        sys.path.remove(str(folder))
        take_own_modules()
        sys.modules.update(modules_of_others)
    if not hasattr(module, "app"):
        raise AttributeError(f"{file} defines no `app`: it needs a line like app = Flask(__name__)")
    return module.app


def explain(error: BaseException, file: Path) -> str:
    """Return where in a student's file an error comes from, in that file's own words."""
    lines = traceback.TracebackException.from_exception(error)
    kind = "".join(lines.format_exception_only()).strip()
    if isinstance(error, SyntaxError):
        return kind
    frames = [frame for frame in lines.stack if Path(frame.filename) == file]
    if not frames:
        return kind
    return f"{kind}\nin {file.name}, line {frames[-1].lineno}:  {frames[-1].line}"


class About(NamedTuple):
    """What a lesson's README says first: its heading, its idea, the curl lines to try."""

    title: str
    idea: str
    curl: str


def read_about(folder: Path) -> About:
    """Return a lesson's heading, first paragraph and shell block, from its README."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    heading, idea = text.split("\n\n")[:2]
    curl = text.partition("```sh\n")[2].partition("```")[0]
    return About(heading.removeprefix("# "), idea.replace("\n", " "), curl.strip())


def diff(before: Path, after: Path) -> str:
    """Return the unified diff between the code of two lessons: what the later one changes."""
    names = sorted({path.relative_to(lesson) for lesson in (before, after) for path in code_files(lesson)})
    folders = before, after
    return "".join(
        diff_files(before / name, after / name, *(f"{folder.name}/{name.as_posix()}" for folder in folders))
        for name in names
    )


def code_files(folder: Path) -> list[Path]:
    """Return the Python files of a lesson's app; its exercise and the answers to that are none of them."""
    return sorted(path for path in folder.rglob("*.py") if not path.name.startswith(("exercise", "answer")))


def diff_files(before: Path, after: Path, before_name: str, after_name: str) -> str:
    """Return the unified diff between two files, of which either may be missing, under names to show."""
    texts = [path.read_text(encoding="utf-8") if path.exists() else "" for path in (before, after)]
    lines = [text.splitlines(keepends=True) for text in texts]
    return "".join(unified_diff(*lines, before_name, after_name, n=2))

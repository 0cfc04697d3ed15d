"""Sentences about what is missing in the course. Each one names the file, the line and what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from lesson_loader import display_path

TODO = "TODO(author): "  # new.py writes it where an author has to write something


def problem(path: Path, sentence: str, line: int | None = None) -> str:
    """Return a sentence with its place, such as `README.md:3: Add a row for lesson 11.`"""
    place = f"{display_path(path)}:{line}" if line else display_path(path)
    return f"{place}: {sentence}"


def line_of(path: Path, text: str) -> int | None:
    """Return the number of the first line that contains a text, or None."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), None)


def find_todos(paths: Iterable[Path]) -> list[str]:
    """Return a sentence for each TODO(author) in these files."""
    return [
        problem(path, f"TODO: {sentence}", number)
        for path in paths
        if path.is_file() and path.suffix in (".py", ".md", ".ipynb", ".txt", ".sql")
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if not line.startswith("+")  # a README repeats the lines of the app in its diff
        for sentence in re.findall(rf"{re.escape(TODO)}(.+?)(?: -->| → .+|\"*,?|\\n\",|\[\^.+)$", line)
    ]


def unreadable(paths: Iterable[Path]) -> list[str]:
    """Return a sentence for each of these files that is missing, is not UTF-8 or is not Python."""
    problems = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".py":
                ast.parse(text)
        except FileNotFoundError:
            problems.append(problem(path, "This file is missing."))
        except SyntaxError as error:
            problems.append(problem(path, f"Python cannot read this file: {error.msg}.", error.lineno))
        except ValueError:
            problems.append(problem(path, "This file is not UTF-8 text. Save it with the encoding UTF-8."))
        except OSError as error:
            problems.append(problem(path, f"This file cannot be read: {error.strerror}."))
    return problems

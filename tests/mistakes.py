"""The recorded mistakes, and a function that runs the checks of an exercise on any file.

A mistake is a wrong answer that a student could write. It is a file in tests/exercises/mistakes/NN_name
and begins with this header:

    The option is set after JWT(...), which has already read it.

    fails: test_the_default_url_is_gone
    shows: got       200
    points: 2

`fails` is the check that should catch the mistake, `shows` is part of that check's message, and `points` is
how many points the wrong answer still gets. To find the points, run the checks with `--target` and the file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest

EXERCISES = Path(__file__).resolve().parent / "exercises"


@dataclass(frozen=True)
class Mistake:
    """A wrong answer, and what the checks should say about it."""

    path: Path
    exercise: str  # 01_auth_url
    sentence: str  # what is wrong
    fails: str  # the check that should catch the mistake
    shows: str  # part of that check's message
    points: int  # how many points the wrong answer still gets

    def __str__(self) -> str:
        return f"{self.exercise}/{self.path.stem}"


def find_mistakes(folder: Path = EXERCISES / "mistakes") -> list[Mistake]:
    """Return the recorded mistakes, sorted by exercise and name.

    Raises ValueError if the header of a file is incomplete.
    """
    return [read_mistake(path) for path in sorted(folder.glob("*/*.py"))]


def read_mistake(path: Path) -> Mistake:
    """Return the mistake in a file. Raises ValueError if its header is incomplete."""
    header = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    fields = dict(re.findall(r"^(fails|shows|points): (.+)$", header, re.MULTILINE))
    for name in ("fails", "shows", "points"):
        if name not in fields:
            raise ValueError(f"{path}: the docstring needs a line that begins with `{name}: `")
    sentence = header.partition("\n\n")[0]
    return Mistake(path, path.parent.name, sentence, fields["fails"], fields["shows"], int(fields["points"]))


@dataclass(frozen=True)
class Result:
    """The result of one check."""

    outcome: str  # passed, skipped, failed, or a kind of failure such as "did not start"
    points: int  # how many points the file gets for this check
    message: str = ""  # why the check failed or was skipped


class Results:
    """A pytest plugin that keeps the result of each check."""

    def __init__(self) -> None:
        self.by_name: dict[str, Result] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.when == "setup" and not report.passed):
            points = dict(report.user_properties)["points"]
            assert isinstance(points, int)
            problem = getattr(report, "problem", None)
            self.by_name[report.nodeid.rpartition("::")[2]] = Result(
                problem.outcome if problem else report.outcome, points * report.passed, report.longreprtext
            )


def run_checks(exercise: str, file: Path, *options: str) -> dict[str, Result]:
    """Run the checks of an exercise on a file, in this process. Return the results by check, in order."""
    results = Results()
    # The last two plugins collect garbage after each test, and that takes as long as the checks do.
    unused = ("terminal", "cacheprovider", "randomly", "xdist", "unraisableexception", "threadexception")
    arguments = [str(EXERCISES / f"test_{exercise}.py"), f"--target={file}", "--capture=sys", "-Wignore"]
    without = [f"-pno:{plugin}" for plugin in unused]
    status = pytest.main([*arguments, *without, *options], plugins=[results])
    assert status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), f"pytest ended with {status!r}"
    return results.by_name


@contextmanager
def checking_process() -> Iterator[Callable[..., dict[str, Result]]]:
    """Yield a function that calls run_checks in another process.

    All calls share this process, because each new process would need half a second to start.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        yield lambda *arguments: process.submit(run_checks, *arguments).result(timeout=60)

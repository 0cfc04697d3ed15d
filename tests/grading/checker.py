"""The process that checks answers: it stays warm, with pytest and the checks loaded, for one after another.

    python -m grading.checker FOLDER

For each line of JSON that it reads, it writes one: for an empty object the catalogue of checks, for a task
how the checks of an answer went. It never runs a student's code: that is in a box. Its temporary files are in
the folder, which goes when there is no more to read.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from exercises.client import Client
from grading.box import Box, Boxes
from grading.record import CheckResult, Outcome
from grading.sandbox import forget_keys
from lesson_loader import find_exercises
from originals import read_app

ROOT = Path(__file__).parents[2]
UNUSED = (  # plugins of pytest; the first two collect garbage a dozen times in each session
    *("unraisableexception", "threadexception", "terminal", "cacheprovider", "faulthandler", "logging"),
    *("junitxml", "doctest", "unittest", "pastebin", "setuponly", "setupplan", "stepwise", "debugging"),
)
QUIETLY = [f"-pno:{name}" for name in UNUSED]
# The checks of additional exercises are in another folder than conftest.py.
QUIETLY += [f"-c{ROOT / 'pyproject.toml'}", "--noconftest", "-pexercises.conftest"]


class Host:
    """What the checks start apps with instead of in their own process: a plugin of pytest."""

    __name__ = "host"  # by which the checks find it

    def __init__(self, box: Box, lesson: str, answer: bytes) -> None:
        self.box = box
        self.files = read_app(lesson) | {"answer.py": answer}

    def ready(self, database: bytes, secret_key: str) -> Any:
        """Hand over what an app needs; return what starts one, as often as wanted."""
        self.box.ready(self.files, database, secret_key)
        return self.start

    def start(self, apart: bool = False) -> Client:
        return self.box.start(apart)


class Results:
    """A plugin of pytest that keeps how each check went."""

    def __init__(self) -> None:
        self.checks: list[CheckResult] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.when == "setup" and not report.passed):
            properties = dict(report.user_properties)
            name = report.nodeid.rpartition("::")[2]
            check = CheckResult(name, properties["sentence"], properties["points"], Outcome(report.outcome))
            if report.skipped:
                check.message = report.longrepr[2].removeprefix("Skipped: ")
            elif report.failed:
                describe(check, report)
            self.checks.append(check)


def describe(check: CheckResult, report: pytest.TestReport) -> None:
    """Say in a result why its check failed: by the answer's fault, or else by the grader's."""
    problem = getattr(report, "problem", None)
    check.outcome = Outcome(problem.outcome) if problem else Outcome.GRADER_ERROR
    if hasattr(problem, "sent"):
        for name in ("sent", "expected", "got", "question"):
            setattr(check, name, getattr(problem, name))
    else:
        check.message = str(problem or report.longrepr)[-4_000:]
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash and not problem:
            check.message = f"{crash.message}\n\n{check.message}"


class Catalogue:
    """A plugin of pytest that lists the checks."""

    def __init__(self) -> None:
        self.exercises: dict[str, list[dict[str, Any]]] = {}
        self.problem = ""  # why the checks of an exercise cannot be listed

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.problem = report.longreprtext

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            check = dict(item.user_properties)
            checks = self.exercises.setdefault(check["exercise"], [])
            checks.append({"name": item.name, "sentence": check["sentence"], "max_points": check["points"]})


def check(task: dict[str, Any], boxes: Boxes) -> dict[str, Any]:
    """Run the checks of an exercise on an answer, and return how they went and what it printed."""
    with boxes.open(task["seconds"], task["deadline"]) as box:
        exercise = next(each for each in find_exercises().values() if each.name == task["exercise"])
        host = Host(box, exercise.lesson.name, task["answer"].encode("latin-1"))
        results = Results()
        run_pytest(str(exercise.checks), f"--seed={task['seed']}", plugins=[host, results])
        box.end()
        return {"checks": [asdict(check) for check in results.checks], "printed": box.printed()}


def catalogue() -> dict[str, Any]:
    """Return the checks of each exercise, in the order in which they run, or why they cannot be listed."""
    found = Catalogue()
    paths = [str(exercise.checks) for exercise in find_exercises().values()]
    try:
        run_pytest(*paths, "--collect-only", plugins=[found])
    except RuntimeError:
        if not found.problem:
            raise
        return {"problem": found.problem}
    return found.exercises


def run_pytest(*options: str, plugins: list[object]) -> None:
    status = pytest.main([*QUIETLY, *options], plugins=plugins)
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest ended with status {int(status)}")


def main(folder: str) -> None:
    """Answer each line of standard input, until there are no more."""
    tempfile.tempdir = folder
    forget_keys()
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed here is not a result
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        boxes: dict[bool, Boxes] = {}
        for line in sys.stdin:
            try:
                task = json.loads(line)
                if task:
                    sandboxed = task["sandboxed"]
                    if sandboxed not in boxes:
                        boxes[sandboxed] = stack.enter_context(closing(Boxes(sandboxed)))
                    said = check(task, boxes[sandboxed])
                else:
                    said = catalogue()
            except Exception as error:
                said = {"problem": f"{type(error).__name__}: {error}"}
            print(json.dumps(said), file=output, flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):  # the grader has stopped, or has been stopped
        main(sys.argv[1])

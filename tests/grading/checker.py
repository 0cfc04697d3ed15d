"""The process that checks answers. It loads pytest and the checks once, and keeps them for all students.

    python -m grading.checker

It writes lines of JSON to standard output. The first line names the folder of its temporary files. Then it
responds to each line on standard input with one line. The response to `{}` lists the checks of all exercises.
The response to a task has the results of a student's answers. They run in a sandbox, never in this process.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from functools import cache
from typing import Any

import pytest

from grading.host import Host
from grading.record import CheckResult, Outcome
from grading.sandbox import Sandboxes
from lesson_loader import LESSONS, find_exercises, label_of

UNUSED_PLUGINS = (  # of pytest; the first one slows down each session, because it collects garbage
    *("unraisableexception", "threadexception", "terminal", "cacheprovider", "faulthandler", "logging"),
    *("junitxml", "doctest", "unittest", "pastebin", "setuponly", "setupplan", "stepwise", "debugging"),
)
OPTIONS = [f"-pno:{name}" for name in UNUSED_PLUGINS]
# The checks of additional exercises are in another folder than conftest.py.
OPTIONS += [f"-c{LESSONS.parent / 'pyproject.toml'}", "--noconftest", "-pexercises.conftest"]


class Results:
    """A plugin of pytest that keeps the result of each check."""

    def __init__(self) -> None:
        self.checks: dict[str, list[CheckResult]] = {}  # by exercise

    def pytest_configure(self, config: pytest.Config) -> None:
        config.option.tbstyle = "native"  # to make pytest's own tracebacks takes ten times as long

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.when == "setup" and not report.passed):
            properties: dict[str, Any] = dict(report.user_properties)
            name = report.nodeid.rpartition("::")[2]
            check = CheckResult(name, properties["sentence"], properties["points"], Outcome(report.outcome))
            if isinstance(report.longrepr, tuple):  # a skipped check: file, line, reason
                check.message = report.longrepr[2].removeprefix("Skipped: ")
            elif report.failed:
                describe_failure(check, report)
            self.checks.setdefault(properties["exercise"], []).append(check)


def describe_failure(check: CheckResult, report: pytest.TestReport) -> None:
    """Write into a result why its check failed. Only a problem found by conftest.py is the answer's fault."""
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
        self.problem = ""  # why pytest cannot read a file of checks

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.problem = report.longreprtext

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            check: dict[str, Any] = dict(item.user_properties)
            checks = self.exercises.setdefault(check["exercise"], [])
            checks.append({"name": item.name, "sentence": check["sentence"], "max_points": check["points"]})


def list_checks() -> dict[str, Any]:
    """Return the checks of each exercise in their order, or the `problem` if they cannot be listed."""
    catalogue = Catalogue()
    files = {exercise.name: exercise.checks for exercise in find_exercises().values()}
    if missing := [file.name for file in files.values() if not file.is_file()]:
        return {"problem": f"{missing[0]} is missing. This file contains the checks of an exercise."}
    try:
        run_pytest(*map(str, files.values()), "--collect-only", plugins=[catalogue])
    except RuntimeError:
        if not catalogue.problem:
            raise
        return {"problem": catalogue.problem}
    if without := [file for name, file in files.items() if name not in catalogue.exercises]:
        return {"problem": f"{without[0].name} contains no checks."}
    return catalogue.exercises


def check_answers(task: dict[str, Any], sandboxes: Sandboxes) -> dict[str, Any]:
    """Return the results of a student's answers by exercise: `checks` and `printed`, or `problem`.

    If an app or its sandbox ends too early, the machine may have failed: we check the answer once more.
    """
    with closing(Host(sandboxes, task)) as host:
        results = check_exercises(task["answers"], host)
        again = host.ended | host.lost.keys()
        host.lost.clear()
        for name in again:
            results |= check_exercises([name], host)
        return results | {name: {"problem": problem} for name, problem in host.lost.items()}


def check_exercises(names: Iterable[str], host: Host) -> dict[str, Any]:
    """Return `checks` and `printed` of some exercises, from one session of pytest."""
    exercises, results = find_exercises(), Results()
    run_pytest(*(str(exercises[label_of(name)].checks) for name in names), plugins=[host, results])
    return {
        name: {"checks": [asdict(check) for check in checks], "printed": host.printed.get(name, "")}
        for name, checks in results.checks.items()
    }


def run_pytest(*options: str, plugins: list[object]) -> None:
    status = pytest.main([*OPTIONS, *options], plugins=plugins)
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest ended with exit status {int(status)}")


def main() -> None:
    """Say where the temporary files are, and respond to each line of standard input."""
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # only results go to the real standard output
    with tempfile.TemporaryDirectory(prefix="grading-") as folder, ExitStack() as stack:
        os.chmod(folder, 0o711)  # without bubblewrap, answers run as another user in a folder below it
        tempfile.tempdir = folder
        print(json.dumps({"folder": folder}), file=output, flush=True)
        make_sandboxes = cache(lambda sandboxed: stack.enter_context(closing(Sandboxes(sandboxed))))
        for line in sys.stdin:
            try:
                task = json.loads(line)
                response = check_answers(task, make_sandboxes(task["sandboxed"])) if task else list_checks()
            except Exception as error:
                response = {"problem": f"{type(error).__name__}: {error}"}
            print(json.dumps(response), file=output, flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):  # the command has ended
        main()

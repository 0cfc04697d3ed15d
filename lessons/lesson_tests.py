"""Run the tests of one lesson on its files as they are now, and print them as `check` prints its checks."""

from __future__ import annotations

import os
import re
import sys

import pytest

from lesson_loader import LESSONS, explain, find_lessons

MOST_LINES = 8  # of a failed assertion


def run(number: int) -> None:
    """Print the result of each test and what to do next. Exit with status 1 if a test fails."""
    folder = find_lessons()[number]
    tests = LESSONS.parent / "tests/lessons" / f"test_{folder.name}.py"
    print(f"\nThe tests of lessons/{folder.name}\n")
    printer = Printer(folder.name)
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "--capture=sys", "-W", "ignore"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # no plugin is needed, and loading them takes time
    status = pytest.main([str(tests), "--stage=own", *quiet], plugins=[printer])
    print(f"\n{printer.passed} of {printer.total} tests passed.\n")
    if status != pytest.ExitCode.OK:
        print(f"Next: change a file in lessons/{folder.name}, then make test-{number}")
        sys.exit(1)
    if (folder / "exercise.py").exists():
        print(f"Next: the exercise, make start-{number}")
    else:
        print(f"Next: make lesson-{number + 1}")


class Printer:
    """A pytest plugin that prints a sentence for each test, and why it failed without a traceback."""

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson
        self.passed = self.total = 0
        self.printed: set[str] = set()  # reasons: the same reason is printed once
        self.reason = ""
        self.coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        for test in items:
            test.user_properties.append(("sentence", sentence_of(test, self.lesson)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Keep the reason of a failure. pytest then makes its report as usual."""
        if call.excinfo and call.excinfo.errisinstance(AssertionError):
            lines = call.excinfo.exconly().removeprefix("AssertionError: ").splitlines()
            self.reason = "\n".join(lines[:MOST_LINES])
        elif call.excinfo:
            self.reason = explain(call.excinfo.value, LESSONS / self.lesson)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        self.total += 1
        self.passed += report.passed
        word, colour = {"passed": ("passed", 32), "failed": ("FAILED", 31), "skipped": ("skipped", 33)}[
            report.outcome
        ]
        word = f"\033[{colour}m{word:8}\033[0m" if self.coloured else f"{word:8}"
        print_now(f"  {word}{dict(report.user_properties)['sentence']}")
        if report.failed:
            reason = "\n".join(filter(None, [self.reason, logged_error(report)]))
            if reason not in self.printed:
                print_now("", *(f"      {line}" for line in reason.splitlines()), "")
            self.printed.add(reason)


def sentence_of(test: pytest.Function, lesson: str) -> str:
    """Return a test's docstring, or its name as a sentence, and the parameters in brackets."""
    name = test.originalname.removeprefix("test_").replace("_", " ")
    sentence = " ".join((test.function.__doc__ or f"{name[0].upper()}{name[1:]}.").split())
    parameters = test.name.removeprefix(test.originalname).strip("[]").removeprefix(lesson).strip("-")
    return sentence + (f"  [{parameters}]" if parameters else "")


def logged_error(report: pytest.TestReport) -> str:
    """Return the last error in the app's log during a test, or an empty text."""
    errors = re.findall(r"^\w[\w.]*(?:Error|Exception)\b.*", report.caplog + report.capstderr, re.MULTILINE)
    return f"the app logged: {errors[-1]}" if errors else ""


def print_now(*lines: str) -> None:
    """Print past pytest, which captures standard output."""
    print(*lines, sep="\n", file=sys.__stdout__, flush=True)

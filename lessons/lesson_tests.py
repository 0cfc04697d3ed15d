"""Run the tests of one lesson on its current files, and print the results in the same form as `check`."""

from __future__ import annotations

import logging
import os
import queue
import re
import sys
from logging.handlers import QueueHandler

import pytest

from exercise_loop import command_after, run_pytest
from lesson_loader import LESSONS, explain, find_exercises, find_lessons

MAX_LINES = 8  # print at most so many lines of a failed assertion


def run(number: int) -> None:
    """Print the result of each test and what to do next. Exit with status 1 if a test fails."""
    folder = find_lessons()[number]
    tests = LESSONS.parent / "tests/lessons" / f"test_{folder.name}.py"
    print(f"\nThe tests of lessons/{folder.name}\n")
    printer = Printer(folder.name)
    logging.getLogger().addHandler(QueueHandler(printer.log))
    status = run_pytest(tests, "--run-on=own", plugin=printer)
    print(f"\n{printer.passed} of {printer.total} tests passed.\n")
    if status != pytest.ExitCode.OK:
        print(f"Next: correct your change in lessons/{folder.name}, then run make test-{number}.", end=" ")
        print(f"To get the original files back: make restore-{number}")
        sys.exit(1)
    print(
        f"Next: {'do the exercise with ' if str(number) in find_exercises() else ''}{command_after(number)}"
    )


class Printer:
    """A pytest plugin that prints a sentence for each test, and a reason without a traceback if it fails."""

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson
        self.passed = self.total = 0
        self.printed: set[str] = set()  # the reasons printed so far: each is printed only once
        self.reason = ""
        self.log: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()  # what the app logs
        self.coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        for test in items:
            test.user_properties.append(("sentence", read_sentence(test, self.lesson)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Remember the reason for a failure. pytest then makes its report as usual."""
        if call.excinfo and call.excinfo.errisinstance(AssertionError):
            lines = call.excinfo.exconly().removeprefix("AssertionError: ").splitlines()
            details = " +"  # pytest adds lines that begin with this, for people who know the test's code
            self.reason = "\n".join([line for line in lines if not line.startswith(details)][:MAX_LINES])
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
            reason = "\n".join(filter(None, [self.reason, self.logged_error()]))
            lines = reason.splitlines()
            if reason in self.printed and len(lines) > 1:
                lines = ["(the same reason as above)"]
            print_now("", *(f"      {line}" for line in lines), "")
            self.printed.add(reason)

    def logged_error(self) -> str:
        """Return the error that the app logged for a status 500, or an empty string."""
        errors: list[str] = []
        try:
            while "500" in self.reason and not errors:  # the app logs an error just after it responds
                text = self.log.get(timeout=2).getMessage()
                errors = re.findall(r"^\w[\w.]*(?:Error|Exception)\b.*", text, re.MULTILINE)
        except queue.Empty:
            pass
        return f"the app logged: {errors[-1]}" if errors else ""


def read_sentence(test: pytest.Function, lesson: str) -> str:
    """Return a test's docstring, or its name as a sentence, and the parameters in brackets."""
    name = test.originalname.removeprefix("test_").replace("_", " ")
    sentence = " ".join((test.function.__doc__ or f"{name[0].upper()}{name[1:]}.").split())
    parameters = test.name.removeprefix(test.originalname).strip("[]").removeprefix(lesson).strip("-")
    return sentence + (f"  [{parameters}]" if parameters else "")


def print_now(*lines: str) -> None:
    """Print to the real standard output, because pytest captures sys.stdout."""
    print(*lines, sep="\n", file=sys.__stdout__, flush=True)

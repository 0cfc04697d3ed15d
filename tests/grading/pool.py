"""The processes that check answers. Each of them stays in use for one submission after another."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import Any

from lesson_loader import LESSONS

ROOT = LESSONS.parent
SPARE = 120  # seconds that a checker may take in addition to the time limits of the answers


class CheckerLost(Exception):
    """A checker ended or did not respond, or it cannot list the checks."""


class Checker:
    """A process of grading.checker."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "grading.checker"],
            cwd=ROOT,
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(LESSONS)]),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # loading plugins takes longer than checking an answer
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the command, which ends the checkers
        )
        self.folder = ""  # of the checker's temporary files

    def ask(self, task: dict[str, Any], seconds: float = SPARE) -> dict[str, Any]:
        """Return the response to a task (see grading.checker). Raises CheckerLost if none comes in time."""
        assert self.process.stdin
        self.folder = self.folder or self.read_line(SPARE)["folder"]
        try:
            self.process.stdin.write(json.dumps(task).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise CheckerLost("the checker has ended") from None
        return self.read_line(seconds)

    def read_line(self, seconds: float) -> dict[str, Any]:
        assert self.process.stdout
        output = select.poll()
        output.register(self.process.stdout, select.POLLIN)
        ready = output.poll(1000 * seconds)
        line = self.process.stdout.readline() if ready else b""
        if not line.endswith(b"\n"):
            raise CheckerLost("the checker has ended" if ready else "the checker does not respond")
        result: dict[str, Any] = json.loads(line)
        return result

    def close(self) -> None:
        self.process.kill()  # its sandboxes end with it
        with suppress(subprocess.TimeoutExpired):
            self.process.communicate(timeout=SPARE)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)  # a killed checker leaves its folder behind


class CheckerPool:
    """Checkers for any number of threads. A thread that asks while all are busy gets a new checker."""

    def __init__(self) -> None:
        self.idle: deque[Checker] = deque()
        self.busy: set[Checker] = set()
        self.closed = threading.Event()

    def ask(self, task: dict[str, Any], seconds: float = SPARE) -> dict[str, Any]:
        """Return a checker's response to a task. Raises CheckerLost if two checkers in a row are lost."""
        try:
            return self.ask_one(task, seconds)
        except CheckerLost:
            return self.ask_one(task, seconds)

    def ask_one(self, task: dict[str, Any], seconds: float) -> dict[str, Any]:
        checker = self.take_idle() or Checker()
        self.busy.add(checker)
        try:
            if self.closed.is_set():  # only now does close() know this checker
                raise CheckerLost("the grader was stopped")
            response = checker.ask(task, seconds)
        except BaseException:
            checker.close()
            raise
        finally:
            self.busy.discard(checker)
        self.idle.append(checker)
        return response

    def take_idle(self) -> Checker | None:
        """Return an idle checker that is alive, if there is one."""
        with suppress(IndexError):
            while (checker := self.idle.pop()).process.poll() is not None:
                checker.close()
            return checker
        return None

    def list_checks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the checks of each exercise: name, sentence and max_points of each."""
        exercises = self.ask({})
        if "problem" in exercises:
            raise CheckerLost(exercises["problem"])
        return exercises

    def close(self) -> None:
        """End all checkers, also those that are checking something."""
        self.closed.set()
        for checker in [*self.busy, *self.idle]:
            checker.process.kill()
        while self.idle:
            self.idle.pop().close()

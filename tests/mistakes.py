"""The recorded mistakes, and a function that runs the checks of an exercise on any file.

A mistake is a wrong answer that a student could write. It is a file in tests/exercises/mistakes/NN_name, or
in the folder `mistakes` of an additional exercise. It begins with this header:

    The option is set after JWT(...), which has already read it.

    fails: test_the_default_url_is_gone
    shows: got       200
    points: 2

`fails` is the check that should catch the mistake, `shows` is part of that check's message, and `points` is
how many points the wrong answer still gets. To find the points, run the checks with `--target` and the file.
"""

from __future__ import annotations

import ast
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import exercise_loop
from exercises.client import add_points
from lesson_loader import Exercise, find_exercises

EXERCISES = Path(__file__).resolve().parent / "exercises"


@dataclass(frozen=True)
class Mistake:
    """A wrong answer, and what the checks should say about it."""

    path: Path
    exercise: str  # 01_auth_url
    sentence: str  # what is wrong
    fails: str  # the check that should catch the mistake
    shows: str  # part of that check's message
    points: float  # how many points the wrong answer still gets

    def __str__(self) -> str:
        return f"{self.exercise}/{self.path.stem}"


def find_mistakes(folder: Path = EXERCISES / "mistakes") -> list[Mistake]:
    """Return the recorded mistakes of our exercises, sorted by exercise and name.

    Raises ValueError if the header of a file is incomplete.
    """
    return [read_mistake(path, path.parent.name) for path in sorted(folder.glob("*/*.py"))]


def mistakes_of(exercise: Exercise) -> list[Mistake]:
    """Return the recorded mistakes of one exercise. Raises ValueError as find_mistakes does."""
    return [read_mistake(path, exercise.name) for path in sorted(exercise.mistakes.glob("*.py"))]


def read_mistake(path: Path, exercise: str) -> Mistake:
    """Return the mistake in a file. Raises ValueError if its header is incomplete."""
    header = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    fields = dict(re.findall(r"^(fails|shows|points): (.+)$", header, re.MULTILINE))
    for name in ("fails", "shows", "points"):
        if name not in fields:
            raise ValueError(f"{path}: the docstring needs a line that begins with `{name}: `")
    if not re.fullmatch(r"\d+(\.\d+)?", fields["points"]):
        raise ValueError(f"{path}: `points: ` needs a number such as 2 or 2.5, and not {fields['points']!r}")
    points = add_points([float(fields["points"])])
    sentence = header.partition("\n\n")[0]
    return Mistake(path, exercise, sentence, fields["fails"], fields["shows"], points)


@dataclass(frozen=True)
class Result:
    """The result of one check."""

    outcome: str  # passed, skipped, failed, or a kind of failure such as "did not start"
    points: float  # how many points the file gets for this check
    message: str = ""  # why the check failed or was skipped


def run_checks(exercise: str, file: Path, *options: str) -> dict[str, Result]:
    """Run the checks of an exercise on a file, in this process. Return the results by check, in order."""
    known = {each.name: each for each in find_exercises().values()}
    results = exercise_loop.run_checks([known[exercise]], f"--target={file}", *options)
    assert not results.problem, results.problem
    return {
        check["name"]: Result(
            check["kind"], check["points"] if check["outcome"] == "passed" else 0, check["message"]
        )
        for check in results.checks
    }


@contextmanager
def checking_process(seconds: float = 60) -> Iterator[Callable[..., dict[str, Result]]]:
    """Yield a function that calls run_checks in another process.

    All calls share this process, because each new process would need half a second to start. If the checks
    take longer than these seconds or end their process, the call raises AssertionError, and the next call
    starts another process.
    """
    process: CheckingProcess | None = None

    def run(*arguments: str | Path) -> dict[str, Result]:
        nonlocal process
        if process is None or not process.is_alive():
            process = CheckingProcess()
        return process.run(arguments, seconds)

    try:
        yield run
    finally:
        if process:
            process.end()


class CheckingProcess:
    """A process that runs checks, one call after the other. Only its owner reacts to Ctrl-C."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, other_end = context.Pipe()
        self.process = context.Process(target=answer_calls, args=(other_end,))
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the new process inherits this
        try:
            self.process.start()
        finally:
            signal.signal(signal.SIGINT, before)
        other_end.close()  # recv then raises EOFError when the process ends

    def is_alive(self) -> bool:
        return self.process.is_alive()

    def run(self, arguments: Sequence[str | Path], seconds: float) -> dict[str, Result]:
        """Return what run_checks returns. Raises AssertionError as checking_process says."""
        try:
            self.pipe.send(arguments)
            in_time = self.pipe.poll(seconds)
            results, problem = self.pipe.recv() if in_time else ({}, "")
        except (EOFError, OSError):
            self.end()
            raise AssertionError("These checks ended their process.") from None
        if not in_time:
            self.end()
            sentence = f"These checks do not end within {seconds:g} seconds. Is there an endless loop in one?"
            raise AssertionError(sentence)
        assert not problem, problem
        return dict(results)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def answer_calls(pipe: Connection) -> None:
    """Run checks until the other end of the pipe is closed. For each call, send the results and the problem.

    Discard what the checks print, because the caller gets all results.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with suppress(EOFError):
        while True:
            try:
                pipe.send((run_checks(*pipe.recv()), ""))
            except AssertionError as error:
                pipe.send(({}, str(error)))

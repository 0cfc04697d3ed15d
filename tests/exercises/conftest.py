"""Run the checks of an exercise on an answer, a starter or a solution, and print the result of each check.

python -m pytest tests/exercises/test_01_auth_url.py                      check your answer
python -m pytest tests/exercises/test_01_auth_url.py --target solution    check a solution (or starter, FILE)

The checks of an additional exercise are outside this folder, so name the configuration and this plugin too:

python -m pytest -c pyproject.toml --noconftest -p exercises.conftest FILE
"""

from __future__ import annotations

import math
import os
import random
import runpy
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import werkzeug.security
from werkzeug.security import generate_password_hash

from exercises.client import (
    CHEAP_HASH,
    CheckFailed,
    Client,
    DidNotStart,
    InProcess,
    Person,
    Response,
    TimedOut,
    add_points,
    indent,
    make_people,
    new_seed,
    start_timeout_message,
    time_limit,
)
from lesson_loader import (
    LESSONS,
    BadExercises,
    Exercise,
    display_path,
    explain,
    find_exercises,
    import_app,
    isolated_imports,
    label_of,
)
from originals import NoOriginals, read_app, write_file

ROOT = LESSONS.parent
# What a check raises if a response does not have the structure that the check assumes.
UNEXPECTED_SHAPE = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)
FAILED = pytest.StashKey[set[tuple[Path, str]]]()
SEED = pytest.StashKey[int]()
EXERCISES = pytest.StashKey[dict[str, Exercise]]()

Start = Callable[..., Client]  # start() returns a client of the app


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target", default="answer", help="answer, starter, solution or a file (default: answer)"
    )
    parser.addoption("--seed", type=int, help="use the users and the key of an earlier run")
    parser.addoption("--seconds", type=float, default=5, help="time limit for a start, and for each response")
    parser.addoption("--brief", action="store_true", help="print one line for each exercise")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "ignore")  # an answer may cause warnings
    config.addinivalue_line("markers", "points(n): how many points the check is worth")
    config.addinivalue_line("markers", "needs(name): skip the check if the check with this name has failed")
    given = config.getoption("--seed")
    try:
        config.stash[EXERCISES] = {exercise.name: exercise for exercise in find_exercises().values()}
    except BadExercises as problem:
        raise pytest.UsageError(str(problem)) from None
    config.stash[SEED] = new_seed() if given is None else given
    if not (config.pluginmanager.has_plugin("terminalreporter") or config.pluginmanager.has_plugin("host")):
        config.pluginmanager.register(Reporter(config))


def target_file(exercise: Exercise, target: str) -> Path:
    """Return the file to check for an exercise and a value of --target, such as solution."""
    named = {
        "answer": exercise.answer,
        "starter": exercise.folder / "exercise.py",
        "solution": exercise.solution,
    }
    return named.get(target) or Path(target).resolve()


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest) -> Any:
    """The plugin with which the grader starts apps in a sandbox, or None."""
    return request.config.pluginmanager.get_plugin("host")


@pytest.fixture(scope="module")
def seed(request: pytest.FixtureRequest, host: Any, exercise: Exercise) -> int:
    """The seed of the users and the key."""
    return host.seed(exercise) if host else request.config.stash[SEED]


@pytest.fixture(scope="module")
def people(seed: int) -> list[Person]:
    """Two users and an admin, with random names, passwords and ids."""
    return make_people(random.Random(seed))


@pytest.fixture(scope="module")
def user(people: list[Person]) -> Person:
    return people[0]


@pytest.fixture(scope="module")
def other(people: list[Person]) -> Person:
    return people[1]


@pytest.fixture(scope="module")
def admin(people: list[Person]) -> Person:
    return people[2]


@pytest.fixture(scope="module")
def secret_key(seed: int) -> str:
    return random.Random(f"key {seed}").randbytes(32).hex()


@pytest.fixture(scope="module")
def exercise(request: pytest.FixtureRequest) -> Exercise:
    """The exercise that the checks of this file belong to."""
    return request.config.stash[EXERCISES][name_of(request.path)]


@pytest.fixture(scope="module")
def originals(exercise: Exercise) -> Iterator[Path]:
    """A temporary folder with the lesson's files as they came. The answer runs beside them."""
    try:
        files = read_app(exercise.lesson.name)
    except NoOriginals as problem:
        pytest.fail(str(problem), pytrace=False)
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            write_file(Path(folder).resolve(), path, content)
        yield Path(folder).resolve()


@pytest.fixture(scope="module")
def start(
    request: pytest.FixtureRequest,
    host: Any,
    exercise: Exercise,
    originals: Path,
    people: list[Person],
    secret_key: str,
) -> Iterator[Start]:
    """A function that starts the app. Each start is like a new process with the same database.

    With apart=True, the app gets its own copy of the database and does not see what other apps change.
    """
    database = make_database(originals, people)
    option = request.config.getoption
    if host:
        with host.ready(exercise, database, secret_key) as start:
            yield start
        return
    file = target_file(exercise, option("--target"))
    if not file.is_file():
        advice = f"There is no {file.name} yet. Start with: make start-{exercise.argument}"
        pytest.fail(
            advice if file == exercise.answer else f"There is no {display_path(file)}.", pytrace=False
        )
    answer = originals / file.name
    answer.write_bytes(file.read_bytes())
    with start_in_process(answer, database, secret_key, option("--seconds")) as start:
        yield start


@contextmanager
def start_in_process(answer: Path, content: bytes, secret_key: str, seconds: float) -> Iterator[Start]:
    """Set up this process's environment for an app, and yield a function that starts the app.

    The lesson's files are in the folder of the answer. `content` is what the database file contains.
    `seconds` limits the start and each response. The yielded function raises DidNotStart if the app does not
    start.
    """

    def start_app(apart: bool = False) -> Client:
        if apart:
            shutil.copy(database, f"{database}.copy")
        patch.setenv("FLASK_DATABASE", f"{database}.copy" if apart else str(database))
        isolated = partial(isolated_imports, answer.parent, answer.stem, *hidden, modules={})
        try:
            with isolated(), time_limit(seconds):
                return Client(InProcess(import_app(answer), answer, seconds, isolated))
        except TimedOut:
            raise DidNotStart(start_timeout_message(answer.name, seconds)) from None
        except (Exception, SystemExit) as error:
            raise DidNotStart(f"{answer.name} does not start:\n{explain(error, answer)}") from None

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        database = Path(folder) / "data.db"
        database.write_bytes(content)
        cheaper = partial(generate_password_hash, method=CHEAP_HASH)
        patch.setattr(werkzeug.security, "generate_password_hash", cheaper)
        patch.chdir(folder)  # as in the grader, an answer may write files here, and they are gone afterwards
        for name in [name for name in os.environ if name.startswith("FLASK_")]:
            patch.delenv(name)  # the app reads every FLASK_… as an option
        patch.setenv("FLASK_SECRET_KEY", secret_key)
        patch.setenv("FLASK_RUN_FROM_CLI", "true")  # app.run() does nothing, as under `flask run`
        patch.setenv("TZ", "JST-9")  # a clock nine hours ahead of UTC, to catch local times in tokens
        apply_time_zone()
        # As in the grader, an answer can import the lesson's files and installed packages, and nothing else.
        shutil.copy(LESSONS / "flask_jwt_compat.py", folder)
        ours = {LESSONS, ROOT / "notebooks", ROOT / "tests", ROOT}
        others = [Path(path).resolve() for path in sys.path]
        others = [path for path in others if path not in ours and not (path / "flask_jwt_compat.py").exists()]
        patch.setattr(sys, "path", [folder, *map(str, others)])
        hidden = {path.stem for room in ours for path in room.glob("*")} - {"__main__", "flask_jwt_compat"}
        patch.setattr(sys, "stdin", None)  # input() fails at once
        yield start_app
    apply_time_zone()


@pytest.fixture(scope="module")
def client(start: Start) -> Client:
    """A client of the app that is being checked."""
    return start()


def apply_time_zone() -> None:
    """Make this process use the time zone in TZ. On Windows, the process keeps the system's time zone."""
    if hasattr(time, "tzset"):
        time.tzset()


def make_database(lesson: Path, people: list[Person]) -> bytes:
    """Return the lesson's database file with these people instead of bob and alice."""
    module = runpy.run_path(str(lesson / "db.py"))
    module["DEMO_USERS"].clear()
    with closing(sqlite3.connect(":memory:")) as db:
        module["create_tables"](db)
        for person in people:
            row = vars(person) | {"password_hash": generate_password_hash(person.password, CHEAP_HASH)}
            db.execute(
                "INSERT INTO users VALUES (:id, :username, :email, :phone, :password_hash, :is_admin)", row
            )
        db.commit()
        return db.serialize()


# The points of each check, the checks it needs, and the message of a failure.


def name_of(checks: Path) -> str:
    """Return the name of the exercise whose checks are in this file."""
    return checks.stem.removeprefix("test_")


def read_sentence(check: Callable[..., None]) -> str:
    """Return the docstring of a check. It is the sentence that students read."""
    return " ".join((check.__doc__ or "").split())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    # sort the checks as in the file, because a plugin such as pytest-randomly may have shuffled them
    items.sort(key=lambda item: (item.path.name, item.function.__code__.co_firstlineno))


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem() -> Generator[None, Any, Any]:
    """Add to each check what the reports need. A check without points is an error of its file."""
    collected = yield
    for check in collected if isinstance(collected, list) else []:
        name = name_of(check.path)
        if name not in check.config.stash[EXERCISES]:
            raise pytest.Collector.CollectError(
                f"{check.path.name}: there is no folder {name} of an exercise."
            )
        known = {"exercise": name, "sentence": read_sentence(check.function), "points": read_points(check)}
        check.user_properties += known.items()
    return collected


def read_points(check: pytest.Function) -> float:
    """Return the points of a check. Raises CollectError unless they are a number of 0.01 or more."""
    mark = check.get_closest_marker("points")
    points = mark.args[0] if mark and mark.args else None
    if not isinstance(points, int | float) or not 0.01 <= points < math.inf:
        raise pytest.Collector.CollectError(
            f"{check.path.name}: {check.name} has no points. Write a line such as @pytest.mark.points(2.5) "
            "above it, with a number of 0.01 or more."
        )
    return add_points([points])


def pytest_runtest_setup(item: pytest.Function) -> None:
    failed = item.session.stash.setdefault(FAILED, set())
    for mark in item.iter_markers("needs"):
        if (item.path, mark.args[0]) in failed:
            pytest.skip(f"needs: {read_sentence(getattr(item.module, mark.args[0]))}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Replace a traceback with the message of the check, and add the exception as `report.problem`."""
    report = yield
    if not report.passed:
        item.session.stash.setdefault(FAILED, set()).add((item.path, item.name))
    if call.excinfo and (problem := find_problem(item, call)):
        report.problem = problem
        report.longrepr = str(problem)
    return report


def find_problem(item: pytest.Item, call: pytest.CallInfo[None]) -> CheckFailed | DidNotStart | None:
    """Return what is wrong with the answer, or None if the check itself is wrong."""
    assert call.excinfo
    error = call.excinfo.value
    if isinstance(error, UNEXPECTED_SHAPE) and call.when == "call" and (response := last_response(item)):
        error = CheckFailed(
            response,
            f"a response that this check can read, but this response led to {call.excinfo.exconly()}",
            "Does each value in this response have the right type? For example, a number is not a string.",
        )
    if isinstance(error, CheckFailed):
        error.question = question_about(error, label_of(name_of(item.path))) or error.question
    return error if isinstance(error, CheckFailed | DidNotStart) else None


def last_response(item: pytest.Item) -> Response | None:
    """Return the latest response that a check got from the app, or None."""
    arguments: dict[str, object] = getattr(item, "funcargs", {})
    clients = [value for value in arguments.values() if isinstance(value, Client)]
    return clients[0].last if clients else None


def question_about(error: CheckFailed, label: str) -> str | None:
    """Return the question about a long wait, a crash or a redirect, or None to keep the check's question."""
    response = error.response
    if response.outcome == "no response in time":
        return "What makes your app wait?"
    if response.status == 500 and response.note:
        # The error of a library has no line of the student, and only the check's own question explains it.
        own_line = "\nin " in response.note
        return f"What does the error above say? {error.question}" if own_line else None
    if response.status == 500:
        return f"Does your code crash? If so, make try-{label} shows the error when you send this request."
    path = response.sent.split()[1]
    if response.redirects and response.headers["location"].partition("?")[0].endswith(f"{path}/"):
        return "Does the URL in your code end with a slash? The URL in this request must be exactly the same."
    return None


class Reporter:
    """A pytest plugin that prints a line for each check, and the message of each check that fails."""

    def __init__(self, config: pytest.Config) -> None:
        self.brief = config.getoption("--brief")
        self.exercises = config.stash[EXERCISES]
        terminal = sys.__stdout__ is not None and sys.__stdout__.isatty()  # sys.stdout is captured
        self.coloured = terminal and "NO_COLOR" not in os.environ
        self.printed: set[str] = set()  # the messages printed so far: each is printed only once
        self.points: dict[str, tuple[float, float]] = {}  # by exercise: points earned and points possible

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.when == "setup" and not report.passed):
            properties: dict[str, Any] = dict(report.user_properties)
            name, points = properties["exercise"], properties["points"]
            gained = points if report.passed else 0
            earned, possible = self.points.get(name, (0, 0))
            self.points[name] = (add_points([earned, gained]), add_points([possible, points]))
            if not self.brief:
                self.print_check(report, properties["sentence"], f"{gained} of {points}")

    def print_check(self, report: pytest.TestReport, sentence: str, points: str) -> None:
        word, colour = {"passed": ("passed", 32), "failed": ("FAILED", 31), "skipped": ("skipped", 33)}[
            report.outcome
        ]
        word = f"\033[{colour}m{word:8}\033[0m" if self.coloured else f"{word:8}"
        reason = ""
        if isinstance(report.longrepr, tuple):  # for a skipped check: (file, line, reason)
            reason = f"  ({report.longrepr[2].removeprefix('Skipped: ')})"
            if reason in self.printed:
                reason = ""
            self.printed.add(reason)
        self.print(f"  {word}{points}  {sentence}{reason}")
        if report.failed:
            message = str(report.longrepr)
            lines = ["(the same reason as above)"] if message in self.printed else message.splitlines()
            self.print("", *(f"      {line}" for line in lines), "")
            self.printed.add(message)
        if report.failed and report.capstdout:
            self.print(f"      printed   {indent(report.capstdout.strip()[:500])}", "")

    def pytest_sessionfinish(self) -> None:
        for name, (earned, possible) in sorted(self.points.items()):
            exercise = self.exercises[name]
            if self.brief:
                bar = ("#" * round(20 * earned / possible)).ljust(20, ".")
                hint = "" if exercise.answer.exists() else f"  not started: make start-{exercise.argument}"
                self.print(f"  {name:22} {bar} {earned:3} of {possible} points{hint}")
            else:
                self.print("", f"{earned} of {possible} points.")

    def print(self, *lines: str) -> None:
        print(*lines, sep="\n", file=sys.__stdout__, flush=True)

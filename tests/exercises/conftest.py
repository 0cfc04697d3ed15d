"""Run the checks of an exercise against an answer, a starter or a solution, and say how it went.

python -m pytest tests/exercises/test_01_auth_url.py                      your answer
python -m pytest tests/exercises/test_01_auth_url.py --target solution    or starter, or any file
"""

import os
import random
import runpy
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
import werkzeug.security
from werkzeug.security import generate_password_hash

from exercises.client import (
    Client,
    DidNotStart,
    InProcess,
    NoAnswer,
    TooSlow,
    Wrong,
    indent,
    make_people,
    never_starts,
    new_seed,
    time_limit,
)
from lesson_loader import LESSONS, explain, load_app

ROOT = LESSONS.parent
CHEAP = "scrypt:256:8:1"  # a hash that costs next to nothing, so that checks are quick
# What a check raises that takes a response for better than it is. No solution's response does that.
SENSELESS = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)
FAILED = pytest.StashKey[set]()
SEED = pytest.StashKey[int]()


def pytest_addoption(parser):
    parser.addoption(
        "--target", default="answer", help="answer, starter, solution or a file (default: answer)"
    )
    parser.addoption("--seed", type=int, help="repeat the run of this seed")
    parser.addoption(
        "--seconds",
        type=float,
        default=5,
        help="how long an answer may take to start, and a response to come",
    )
    parser.addoption("--brief", action="store_true", help="one line for each exercise")


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "ignore")  # an answer that warns is not a wrong one
    config.addinivalue_line("markers", "points(n): what the check is worth")
    config.addinivalue_line("markers", "needs(name): skip the check if the one of this name has failed")
    given = config.getoption("--seed")
    config.stash[SEED] = new_seed() if given is None else given
    if not (config.pluginmanager.has_plugin("terminalreporter") or config.pluginmanager.has_plugin("host")):
        config.pluginmanager.register(Reporter(config))


def target(name, choice):
    """Return the file to check, for the name of an exercise."""
    lesson = LESSONS / name
    named = {"answer": lesson / "answer.py", "starter": lesson / "exercise.py"}
    return named.get(choice) or (
        ROOT / "solutions" / f"{name}.py" if choice == "solution" else Path(choice).resolve()
    )


@pytest.fixture(scope="session")
def seed(request):
    """What makes a run's users, passwords and key; the same seed makes the same ones again."""
    return request.config.stash[SEED]


@pytest.fixture(scope="module")
def people(seed):
    """Two users and an admin, random in everything."""
    return make_people(random.Random(seed))


@pytest.fixture(scope="module")
def user(people):
    return people[0]


@pytest.fixture(scope="module")
def other(people):
    return people[1]


@pytest.fixture(scope="module")
def admin(people):
    return people[2]


@pytest.fixture(scope="module")
def secret_key(seed):
    return random.Random(f"key {seed}").randbytes(32).hex()


@pytest.fixture(scope="module")
def start(request, people, secret_key):
    """Start the app under check, as one of several processes with the same database and key.

    With apart=True, the database is a copy, made now, of which the others know nothing.
    """
    name = request.path.stem.removeprefix("test_")
    database = make_database(LESSONS / name, people)
    option = request.config.getoption
    host = request.config.pluginmanager.get_plugin("host")  # the grader's
    if host:
        yield host.ready(database, secret_key)
        return
    file = target(name, option("--target"))
    if not file.exists():
        pytest.fail(f"There is no {file.name} yet: make start-{int(name[:2])}", pytrace=False)
    with start_here(LESSONS / name, file, database, secret_key, option("--seconds")) as start:
        yield start


@contextmanager
def start_here(lesson, file, content, secret_key, seconds):
    """Give what starts an app in this process, and let this process be as the app's until then."""

    def start(apart=False):
        if apart:
            shutil.copy(database, f"{database}.copy")
        patch.setenv("DATABASE", f"{database}.copy" if apart else str(database))
        try:
            with time_limit(seconds):
                return Client(InProcess(load_app(lesson, file), file, seconds))
        except TooSlow:
            raise DidNotStart(never_starts(file.name, seconds)) from None
        except (Exception, SystemExit) as error:
            raise DidNotStart(f"{file.name} does not start:\n{explain(error, file)}") from None

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        database = Path(folder) / "data.db"
        database.write_bytes(content)
        cheaper = partial(generate_password_hash, method=CHEAP)
        patch.setattr(werkzeug.security, "generate_password_hash", cheaper)
        patch.setenv("SECRET_KEY", secret_key)
        patch.setenv("TZ", "JST-9")  # where the clock on the wall is nine hours ahead of UTC
        set_time_zone()
        yield start
    set_time_zone()


@pytest.fixture(scope="module")
def client(start):
    """A client of the app under check."""
    return start()


def set_time_zone():
    """Let this process have the time zone of its environment; on Windows it keeps the system's."""
    getattr(time, "tzset", lambda: None)()


def make_database(lesson, people):
    """Return the lesson's database, in which there are people instead of bob and alice."""
    models = runpy.run_path(str(lesson / "models/user.py"))
    models["DEMO_USERS"].clear()
    with closing(sqlite3.connect(":memory:")) as db:
        models["create_tables"](db)
        for person in people:
            row = vars(person) | {"password_hash": generate_password_hash(person.password, CHEAP)}
            db.execute(
                "INSERT INTO users VALUES (:id, :username, :email, :phone, :password_hash, :is_admin)", row
            )
        db.commit()
        return db.serialize()


# which check is worth what, which one needs another, and how a failure reads


def sentence_of(check):
    """Return the docstring of a check, which is what a student reads of it."""
    return " ".join(check.__doc__.split())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: (item.path, item.function.__code__.co_firstlineno))  # whoever shuffled them
    for item in items:
        item.user_properties.append(("sentence", sentence_of(item.function)))
        item.user_properties.append(("points", item.get_closest_marker("points").args[0]))


def pytest_runtest_setup(item):
    failed = item.session.stash.setdefault(FAILED, set())
    for mark in item.iter_markers("needs"):
        if (item.path, mark.args[0]) in failed:
            pytest.skip(f"needs: {sentence_of(getattr(item.module, mark.args[0]))}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if not report.passed:
        item.session.stash.setdefault(FAILED, set()).add((item.path, item.name))
    if call.excinfo and call.excinfo.errisinstance((Wrong, DidNotStart)):
        report.problem = call.excinfo.value
        report.longrepr = str(report.problem)
    elif call.when == "call" and call.excinfo and call.excinfo.errisinstance(SENSELESS):
        report.problem = NoAnswer(f"This check makes no sense of a response: {call.excinfo.exconly()}")
        report.longrepr = report.problem.note
    return report


class Reporter:
    """Prints a line for each check and what a student needs to know of those that fail."""

    def __init__(self, config):
        self.brief = config.getoption("--brief")
        self.coloured = sys.__stdout__.isatty() and "NO_COLOR" not in os.environ
        self.seed = config.stash[SEED]
        self.told = set()
        self.points = {}  # of each file: those reached, and those there are

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or (report.when == "setup" and not report.passed):
            properties = dict(report.user_properties)
            points = properties["points"]
            reached, possible = self.points.get(report.fspath, (0, 0))
            self.points[report.fspath] = (reached + points * report.passed, possible + points)
            if not self.brief:
                self.print_check(report, properties["sentence"], points)

    def print_check(self, report, sentence, points):
        word, colour = {"passed": ("passed", 32), "failed": ("FAILED", 31), "skipped": ("skipped", 33)}[
            report.outcome
        ]
        word = f"\033[{colour}m{word:8}\033[0m" if self.coloured else f"{word:8}"
        reason = f"  ({report.longrepr[2].removeprefix('Skipped: ')})" if report.skipped else ""
        self.print(f"  {word}{points * report.passed} of {points}  {sentence}{reason}")
        if report.failed and (message := str(report.longrepr)) not in self.told:
            self.told.add(message)
            self.print("", *(f"      {line}" for line in message.splitlines()), "")
        if report.failed and report.capstdout:
            self.print(f"      printed   {indent(report.capstdout.strip()[:500])}", "")

    def pytest_sessionfinish(self):
        for file, (reached, possible) in sorted(self.points.items()):
            name = Path(file).stem.removeprefix("test_")
            bar = ("#" * round(20 * reached / possible)).ljust(20, ".")
            started = (
                ""
                if (LESSONS / name / "answer.py").exists()
                else f"  not started: make start-{int(name[:2])}"
            )
            self.print(f"  {name:22} {bar} {reached:3} of {possible} points{started}" if self.brief else "")
            if not self.brief:
                self.print(f"{reached} of {possible} points, with users and passwords of seed {self.seed}.")

    def print(self, *lines):
        print(*lines, sep="\n", file=sys.__stdout__, flush=True)

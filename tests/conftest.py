"""Fixtures for all tests: a lesson's app behind a real server, and small apps with Flask-JWT."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import httpx
import pytest
from flask import Flask, Response, jsonify
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Api, Resource

from helpers import BOB, ROOT, load_lesson, serving
from lesson_loader import find_lessons
from tokens import authorization

GENERATED = shutil.ignore_patterns("__pycache__", "data.db")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--run-on",
        choices=("every", "own", "previous"),
        default="every",
        help="run lesson tests on every lesson they are for, only on their own, or on the lesson before it",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "also_on(name): run these lesson tests on another lesson too")
    config.addinivalue_line("markers", "slow: run by make test-slow, but not by make test")
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # a shell's background job ignores Ctrl-C, and so would everything that the tests start
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each lesson test the folder of its lesson. The test's file has the same name as the lesson."""
    if "lesson" not in metafunc.fixturenames:
        return
    lessons = {folder.name: folder for folder in find_lessons().values()}
    own = metafunc.definition.path.stem.removeprefix("test_")
    run_on = metafunc.config.getoption("--run-on")
    if run_on == "previous":
        names = list(lessons)[: list(lessons).index(own)][-1:]
    else:
        others = metafunc.definition.iter_markers("also_on") if run_on == "every" else ()
        names = [own, *(mark.args[0] for mark in others)]
    metafunc.parametrize("lesson", [lessons[name] for name in names], ids=names)


@pytest.fixture
def app(lesson: Path, tmp_path: Path) -> Flask:
    """The lesson's app, with its own database."""
    return load_lesson(lesson, tmp_path / "data.db")


@pytest.fixture
def client(app: Flask) -> Iterator[httpx.Client]:
    """An HTTP client of the lesson's app."""
    with serving(app) as url, httpx.Client(base_url=url, verify=False, trust_env=False) as client:
        yield client


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of lessons/ that a test may change."""
    return shutil.copytree(ROOT / "lessons", tmp_path / "lessons", ignore=GENERATED)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Flask]:
    """A function that copies a lesson, replaces strings in its app.py, and loads the copy."""

    def load_edited(number: int, changes: dict[str, str], file: str = "app.py") -> Flask:
        copy = Path(tempfile.mkdtemp(dir=tmp_path))
        shutil.copytree(find_lessons()[number], copy, ignore=GENERATED, dirs_exist_ok=True)
        source = (copy / file).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in source
            source = source.replace(old, new, 1)
        (copy / file).write_text(source, encoding="utf-8")
        return load_lesson(copy, copy / "data.db")

    return load_edited


class SmallApp(Flask):
    """A small app for testing one statement about Flask-JWT."""

    jwt: JWT


class User:
    """A user with the fields that a test needs."""

    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)


def authenticate(username: str, password: str) -> User | None:
    return User(id=1, username=username) if password == "builder" else None


def identity(payload: dict[str, Any]) -> User | None:
    return User(id=payload.get("identity"), username="bob")


class ProtectedResource(Resource):  # type: ignore[misc]  # Flask-RESTful has no types
    @jwt_required()  # type: ignore[untyped-decorator]
    def get(self) -> dict[str, str]:
        return {"username": current_identity.username}


@pytest.fixture
def make_app() -> Callable[..., SmallApp]:
    """A function that makes an app with a login, a protected view /view and a protected resource /resource.

    It sets the given options before JWT(...). The JWT object is `app.jwt`.
    """

    def make(
        authenticate: Callable[..., Any] = authenticate,
        identity: Callable[..., Any] = identity,
        **options: Any,
    ) -> SmallApp:
        app = SmallApp("claims")
        app.config.update({"SECRET_KEY": "k" * 64} | options)
        app.jwt = JWT(app, authenticate, identity)
        Api(app).add_resource(ProtectedResource, "/resource")

        @app.get("/view")
        @jwt_required()  # type: ignore[untyped-decorator]
        def view() -> Response:
            return jsonify(username=current_identity.username)

        return app

    return make


@pytest.fixture
def log_in() -> Callable[..., dict[str, str]]:
    """A function that logs bob in and returns the header that carries his token."""

    def log_in_as_bob(app: Flask, url: str = "/auth", **changes: Any) -> dict[str, str]:
        response = app.test_client().post(url, json=BOB | changes)
        assert response.status_code == 200, response.text
        return authorization(response.get_json()["access_token"])

    return log_in_as_bob

"""What the tests share: a lesson's app behind a real server, and small apps for facts about Flask-JWT."""

import shutil
import signal
import tempfile
from pathlib import Path

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import httpx
import pytest
from flask import Flask, jsonify
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Api, Resource

from helpers import ROOT, authorization, load_lesson, serving
from lesson_loader import find_lessons

NO_CACHES = shutil.ignore_patterns("__pycache__", "data.db")


def pytest_addoption(parser):
    parser.addoption(
        "--previous", action="store_true", help="run each lesson's stage tests on the lesson before it"
    )


def pytest_generate_tests(metafunc):
    """Give a stage test the folder of its lesson, which its file is named after.

    Lesson 7's run on lesson 8 as well, which is the same API; with --previous, each on the lesson before.
    """
    if "lesson" in metafunc.fixturenames:
        number = int(metafunc.definition.path.stem.split("_")[1])
        numbers = [7, 8] if number == 7 else [number]
        if metafunc.config.getoption("--previous"):
            numbers = [number - 1]
        folders = [folder for found, folder in find_lessons().items() if found in numbers]
        metafunc.parametrize("lesson", folders, ids=[folder.name for folder in folders])


def pytest_configure():
    """Let Ctrl-C reach what the tests start, also where the tests run in the background and ignore it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def app(lesson, tmp_path):
    """The lesson's app, on a database of its own."""
    return load_lesson(lesson, tmp_path / "data.db")


@pytest.fixture
def client(app):
    """An HTTP client of the lesson's app."""
    with serving(app) as url, httpx.Client(base_url=url, verify=False, trust_env=False) as client:
        yield client


@pytest.fixture
def copy(tmp_path):
    """A copy of the lessons, for a test to change."""
    return shutil.copytree(ROOT / "lessons", tmp_path / "lessons", ignore=NO_CACHES)


@pytest.fixture
def edited(tmp_path):
    """Load a lesson with texts of its app.py changed into others, as somebody at work on it would."""

    def edited(number, changes, file="app.py"):
        copy = Path(tempfile.mkdtemp(dir=tmp_path))
        shutil.copytree(find_lessons()[number], copy, ignore=NO_CACHES, dirs_exist_ok=True)
        source = (copy / file).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in source
            source = source.replace(old, new, 1)
        (copy / file).write_text(source, encoding="utf-8")
        return load_lesson(copy, copy / "data.db")

    return edited


BOB = {"username": "bob", "password": "builder"}


class User:
    """A user as an app might have it: with the fields it is given."""

    def __init__(self, **fields):
        vars(self).update(fields)


def authenticate(username, password):
    return User(id=1, username=username) if password == "builder" else None


def identity(payload):
    return User(id=payload.get("identity"), username="bob")


class Restful(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_identity.username}


@pytest.fixture
def make_app():
    """Make an app with a login, a protected view at /view and a protected resource at /resource.

    Its options are set before JWT(...), which is kept as app.jwt.
    """

    def make_app(authenticate=authenticate, identity=identity, **options):
        app = Flask("claims")
        app.config.update({"SECRET_KEY": "k" * 64} | options)
        app.jwt = JWT(app, authenticate, identity)
        Api(app).add_resource(Restful, "/resource")

        @app.get("/view")
        @jwt_required()
        def view():
            return jsonify(username=current_identity.username)

        return app

    return make_app


@pytest.fixture
def log_in():
    """Log in and give the header that carries the token."""

    def log_in(app, url="/auth", **changes):
        response = app.test_client().post(url, json=BOB | changes)
        assert response.status_code == 200, response.text
        return authorization(response.json["access_token"])

    return log_in

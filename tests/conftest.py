"""What the tests share: a lesson's app, loaded as a student runs it, behind a real server."""

from functools import partial

import httpx
import pytest
import werkzeug.security

from helpers import REAL_HASH, serving
from lesson_loader import find_lessons, load_app


def pytest_addoption(parser):
    parser.addoption(
        "--previous", action="store_true", help="run each lesson's stage tests on the lesson before it"
    )


@pytest.fixture
def lesson(request):
    """The folder of the lesson that the test file is named after, or of the one before it."""
    number = int(request.path.stem.split("_")[1])
    return find_lessons()[number - request.config.getoption("--previous")]


@pytest.fixture
def cheap_hashes(monkeypatch):
    """Hash passwords with scrypt's smallest parameters, which is not what the product does."""
    monkeypatch.setattr(
        werkzeug.security, "generate_password_hash", partial(REAL_HASH, method="scrypt:256:8:1")
    )


@pytest.fixture
def app(lesson, tmp_path, cheap_hashes):
    """The lesson's app, on a database of its own."""
    app = load_app(lesson)
    app.config["DATABASE"] = tmp_path / "data.db"
    return app


@pytest.fixture
def client(app):
    """An HTTP client of the lesson's app."""
    with serving(app) as url, httpx.Client(base_url=url, verify=False, trust_env=False) as client:
        yield client

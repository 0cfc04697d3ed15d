"""Hostile requests, sent through sockets: none of them gets a 5xx, and no app accepts a token by mistake.

Without the secret key, nobody can cause a 5xx, and no app accepts a token that it did not issue or that is
no longer valid. A few requests need the key: they test what flask_jwt_compat promises. The first lesson, the
last one with Flask-JWT and those with Flask-JWT-Extended must give each request the right status. No other
lesson, starter or solution may respond with a 5xx.
"""

import hashlib
import json
from contextlib import ExitStack

import pytest

from helpers import ROOT, load_lesson, serving
from lesson_loader import find_lessons
from repository.hostile_requests import (
    ATTACKS,
    ODD_REQUESTS,
    STATUS_WITH_FLASK_JWT_EXTENDED,
    VALID_REQUESTS,
    Target,
    credentials,
    http,
    read_differences,
    requests_of_a_user,
    says,
)

LESSONS = find_lessons()
EXTENDED = [
    number
    for number, folder in LESSONS.items()
    if "flask_jwt_extended" in (folder / "app.py").read_text(encoding="utf-8")
]
LAST_FLASK_JWT = max(LESSONS.keys() - EXTENDED)
TARGETS = [min(LESSONS), LAST_FLASK_JWT, *EXTENDED]


@pytest.fixture(scope="session")
def targets(tmp_path_factory):
    """A function that returns the Target for a lesson's number. The first call also serves the lesson."""
    served = {}
    with ExitStack() as stack:

        def target(number):
            if number not in served:
                app = load_lesson(LESSONS[number], tmp_path_factory.mktemp("lesson") / "data.db")
                url = stack.enter_context(serving(app))
                served[number] = Target(app, int(url.rpartition(":")[2]))
            return served[number]

        yield target


@pytest.mark.parametrize("number", TARGETS)
def test_each_hostile_request_gets_the_right_status(targets, number):
    target, wrong = targets(number), {}
    for name, (expected, request) in (ATTACKS | VALID_REQUESTS).items():
        if number in EXTENDED:
            expected = STATUS_WITH_FLASK_JWT_EXTENDED.get(name, expected)
        status, body = target.send(request(target))
        if status not in (expected if isinstance(expected, set) else {expected}) or b"Traceback" in body:
            wrong[name] = (status, expected, body[:500])
    assert wrong == {}, "these requests got (status, expected status, body)"


@pytest.mark.parametrize("number", TARGETS)
def test_no_odd_request_gets_a_5xx(targets, number):
    target = targets(number)
    responses = {name: target.send(request(target)) for name, request in ODD_REQUESTS.items()}
    assert {name: response for name, response in responses.items() if is_failure(*response)} == {}


def is_failure(status, body):
    """Tell whether a response is a 5xx, or looks like one and has no status line."""
    return status >= 500 or any(text in body for text in (b"Traceback", b"Internal Server Error"))


@pytest.mark.parametrize("number", EXTENDED)
def test_flask_jwt_extended_responds_like_flask_jwt_except_where_the_table_says_so(targets, number):
    rows, unexplained = read_differences(LESSONS[min(EXTENDED)]), {}
    requests = {name: request for name, (_, request) in (ATTACKS | VALID_REQUESTS).items()} | ODD_REQUESTS
    for name, request in requests.items():
        old, new = (read_response(targets(each), request) for each in (LAST_FLASK_JWT, number))
        # After a colon, PyJWT quotes a part of the token, which differs between the two apps.
        same = old[0] == new[0] and str(old[1]).partition(": ")[0] == str(new[1]).partition(": ")[0]
        if not same and not any(says(before, *old) and says(after, *new) for _, before, after in rows):
            unexplained[name] = (old, new)
    assert unexplained == {}, f"these differences are in no row of migration.md in lesson {min(EXTENDED)}"


def read_response(target, request):
    """Return the status of a response, and its message if it is JSON."""
    status, body = target.send(request(target))
    return status, json.loads(body).get("message") if body.startswith(b"{") and status else None


def apps_to_attack():
    """Return (folder, file) of each app that gets all requests in one test."""
    for number, folder in LESSONS.items():
        solution = ROOT / "solutions" / f"{folder.name}.py"
        if number not in TARGETS:
            yield pytest.param(folder, "app.py", id=folder.name)
        if solution.exists():
            yield pytest.param(folder, "exercise.py", id=f"{folder.name}-starter")
            yield pytest.param(folder, solution, id=f"{folder.name}-solution")


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "file"), list(apps_to_attack()))
def test_no_hostile_request_gets_a_5xx(folder, file, tmp_path):
    app = load_lesson(folder, tmp_path / "data.db", file)
    requests = ODD_REQUESTS | {name: request for name, (_, request) in ATTACKS.items()}
    with serving(app) as url:
        target = Target(app, int(url.rpartition(":")[2]))
        responses = {name: target.send(request(target)) for name, request in requests.items()}
        responses |= {name: target.send(request) for name, request in requests_of_a_user(target).items()}
        assert target.send(http("GET", "/nowhere"))[0] == 404  # the app still responds
    assert [name for name, response in responses.items() if is_failure(*response)] == []
    assert {status for status, _ in responses.values()} >= {400, 401, 404, 405}


@pytest.mark.parametrize("number", LESSONS)
def test_no_lesson_reveals_who_has_an_account(targets, number, monkeypatch):
    target, hashed, scrypt = targets(number), [], hashlib.scrypt
    target.send(credentials()(target))  # makes the database

    def counting_scrypt(*arguments, **parameters):
        hashed.append((parameters["n"], parameters["r"], parameters["p"]))
        return scrypt(*arguments, **parameters)

    monkeypatch.setattr(hashlib, "scrypt", counting_scrypt)
    wrong = target.send(credentials(password="wrong")(target))
    unknown = target.send(credentials(name="nobody")(target))
    assert wrong == unknown
    assert len(hashed) == 2
    assert hashed[0] == hashed[1]

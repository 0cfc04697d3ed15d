"""What the apps of all lessons have in common: their key, their database and their errors."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import httpx
import pytest

from helpers import BOB, lesson_server, load_lesson, run_sql, serving
from lesson_loader import find_lessons
from tokens import authorization, mint_for

LESSONS = find_lessons()
DEMO_KEY_WARNING = "The demo key is for the lessons only. Before you deploy, set FLASK_SECRET_KEY."


@pytest.fixture(params=LESSONS.values(), ids=lambda folder: folder.name)
def folder(request):
    """The folder of each lesson in turn."""
    return request.param


@pytest.fixture
def app(folder, tmp_path):
    return load_lesson(folder, tmp_path / "data.db")


def login_url(app):
    return app.config.get("JWT_AUTH_URL_RULE", "/login")


def credentials(app):
    """Return bob's username or e-mail address under this lesson's key, and his password."""
    key = app.config.get("JWT_AUTH_USERNAME_KEY", "email")
    return {key: "bob" if key == "username" else "bob@example.com", "password": "builder"}


def log_in(app):
    return app.test_client().post(login_url(app), json=credentials(app))


def get_users(app, identity=2):
    """Return the response to GET /users with the token of a user, by default of the admin."""
    prefix = app.config.get("JWT_AUTH_HEADER_PREFIX", "Bearer")
    header = authorization(mint_for(app, identity=identity), prefix)
    return app.test_client().get("/users", headers=header)


# the key


def test_an_app_warns_once_that_it_uses_the_demo_key(folder, tmp_path, caplog):
    app = load_lesson(folder, tmp_path / "data.db")
    log_in(app)
    log_in(app)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", DEMO_KEY_WARNING)
    ]


@pytest.mark.parametrize(
    ("name", "value"), [("FLASK_SECRET_KEY", "k" * 32), ("WERKZEUG_RUN_MAIN", "true")], ids=["key", "reload"]
)
def test_an_app_does_not_warn_with_another_key_or_after_a_reload(
    folder, tmp_path, caplog, monkeypatch, name, value
):
    monkeypatch.setenv(name, value)
    assert log_in(load_lesson(folder, tmp_path / "data.db")).status_code == 200
    assert caplog.records == []


def test_a_served_lesson_warns_once_although_it_reloads(copy, tmp_path):
    app = copy / "00_setup/app.py"
    with lesson_server(0, tmp_path, lessons=copy, FLASK_SECRET_KEY=None) as server:
        server.wait_for_status(401)
        app.write_text(app.read_text().replace('"/users"', '"/people"'))
        server.wait_for_status(401, "/people")
        assert server.output.count(DEMO_KEY_WARNING) == 1


def test_a_key_of_digits_stays_text(folder, tmp_path, monkeypatch):
    key = "1234567890" * 4
    monkeypatch.setenv("FLASK_SECRET_KEY", key)
    app = load_lesson(folder, tmp_path / "data.db")
    assert app.config["SECRET_KEY"] == key
    assert log_in(app).status_code == 200
    assert get_users(app).status_code == 200  # the token is signed with the text


@pytest.mark.parametrize("value", ["null", ""])
def test_an_app_without_a_key_does_not_start(folder, tmp_path, monkeypatch, value):
    """from_prefixed_env() reads null as None. As text, None would be a key that everybody knows."""
    monkeypatch.setenv("FLASK_SECRET_KEY", value)
    with pytest.raises(RuntimeError, match=r"needs a secret key\. Set FLASK_SECRET_KEY"):
        load_lesson(folder, tmp_path / "data.db")


# the database


def test_a_request_uses_one_connection_and_closes_it(app, monkeypatch):
    connections, connect = [], sqlite3.connect

    def recording_connect(*arguments, **options):
        connections.append(connect(*arguments, **options))
        return connections[-1]

    monkeypatch.setattr(sqlite3, "connect", recording_connect)
    assert get_users(app).status_code == 200
    [connection] = connections
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_database_of_an_older_schema_is_to_be_deleted(app, caplog):
    database = app.config["DATABASE"]
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password TEXT)")
    assert log_in(app).status_code == 500
    [error] = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert isinstance(error, RuntimeError)
    assert str(database) in str(error)
    assert "Delete this database" in str(error)
    database.unlink()
    assert log_in(app).status_code == 200


def test_a_database_with_more_tables_is_accepted(app):
    assert log_in(app).status_code == 200
    run_sql(app, "CREATE TABLE notes (id INTEGER PRIMARY KEY)")
    assert log_in(app).status_code == 200


def first_requests(urls, credentials):
    """Log in at each URL at the same moment, and return the statuses."""
    barrier = Barrier(len(urls))

    def request(url):
        barrier.wait()
        return httpx.post(url, json=credentials, trust_env=False, verify=False, timeout=20).status_code

    with ThreadPoolExecutor(max_workers=len(urls)) as pool:
        return list(pool.map(request, urls))


def test_many_first_requests_in_many_threads_succeed(app):
    with serving(app) as url:
        assert first_requests([url + login_url(app)] * 16, credentials(app)) == [200] * 16
    with closing(sqlite3.connect(app.config["DATABASE"])) as db:
        assert db.execute("SELECT count(*) FROM users").fetchone() == (2,)


def test_many_first_requests_to_two_processes_succeed(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    database = str(tmp_path / "data.db")
    with (
        lesson_server(0, tmp_path / "one", FLASK_DATABASE=database) as one,
        lesson_server(0, tmp_path / "two", FLASK_DATABASE=database) as two,
    ):
        urls = [f"http://127.0.0.1:{server.port}/auth" for server in (one, two)] * 4
        assert first_requests(urls, BOB) == [200] * 8


# who may see what


def test_the_list_contains_no_more_than_ids_and_usernames(app):
    users = get_users(app).json["users"]
    assert users == [{"id": 1, "username": "bob"}, {"id": 2, "username": "alice"}]


def test_a_deleted_user_gets_a_401(app):
    assert get_users(app, 1).status_code != 401
    run_sql(app, "DELETE FROM users WHERE username = 'bob'")
    assert get_users(app, 1).status_code == 401


def test_from_lesson_6_on_only_admins_see_the_list(folder, app):
    response = get_users(app, 1)
    if int(folder.name[:2]) < 6:
        assert response.status_code == 200
    else:
        assert (response.status_code, response.json["message"]) == (403, "bob is not an admin")


# errors


def test_a_bug_in_a_view_reaches_the_500_handler_of_the_app(app, tmp_path, caplog):
    """Debug mode, TESTING and PROPAGATE_EXCEPTIONS are off here, as in production."""
    app.register_error_handler(
        500, lambda error: ({"message": f"sorry, {type(error.original_exception)}"}, 500)
    )
    app.config["DATABASE"] = tmp_path  # a folder, so that every connection fails
    for response in (get_users(app), log_in(app)):
        assert response.status_code == 500
        assert response.json == {"message": f"sorry, {sqlite3.OperationalError}"}
    assert len([record for record in caplog.records if record.exc_info]) == 2


def test_a_missing_token_gets_a_401_although_nothing_is_propagated(app):
    assert app.config["PROPAGATE_EXCEPTIONS"] is None
    assert not app.debug
    assert app.test_client().get("/users").status_code == 401


@pytest.mark.parametrize(("method", "url", "status"), [("GET", "/nowhere", 404), ("DELETE", "/users", 405)])
def test_flask_answers_unknown_urls_and_methods(app, method, url, status):
    app.register_error_handler(status, lambda error: (f"our own page for {error.code}", error.code))
    response = app.test_client().open(url, method=method)
    assert (response.status_code, response.text) == (status, f"our own page for {status}")

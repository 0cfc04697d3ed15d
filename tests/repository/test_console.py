"""What `make lesson-N` and `make try-N` serve at / and below /_playground/, and what is for the app."""

import importlib
import json
import logging
import re
import shutil
from datetime import timedelta

import pytest

from exercise_loop import read_todo
from helpers import ROOT, lesson_server, load_lesson, serving, wait_until
from lesson_loader import find_exercises, find_lessons, isolated_imports, load_app, read_about
from playground.console import HEADERS, Console
from playground.settings import DEMO_KEY, describe_app
from repository.hostile_requests import ATTACKS, ODD_REQUESTS, VALID_REQUESTS, Target
from server import ConsoleInfo

LESSONS = find_lessons()
SETTINGS = "/_playground/settings.json"
EXERCISES = [each.folder for each in find_exercises().values() if not each.is_additional]
APPS = [
    *(folder / "app.py" for folder in LESSONS.values()),
    # The starter of exercise 3 expects an e-mail address after the key `username`, which students change.
    *(folder / "exercise.py" for folder in EXERCISES if folder.name != "03_auth_key"),
    *(ROOT / "solutions" / f"{folder.name}.py" for folder in EXERCISES),
]


@pytest.fixture
def console(tmp_path):
    """A function that loads a lesson with its console and returns the app."""

    def load(number, file="app.py"):
        app = load_lesson(LESSONS[number], tmp_path / "data.db")
        app.wsgi_app = Console(app, LESSONS[number] / file)
        return app

    return load


@pytest.fixture
def make_console(make_app):
    """A function that makes a small app with these options and a console, and returns the app's client."""

    def make(**options):
        app = make_app(**options)
        app.wsgi_app = Console(app, LESSONS[1] / "app.py")
        return app.test_client()

    return make


def describe(app, folder):
    """Return the settings of an app that has been loaded from this folder."""
    with isolated_imports(folder):
        return json.loads(json.dumps(describe_app(app)))


# the page


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_has_a_page_with_its_text_and_the_console(console, number):
    client = console(number).test_client()
    response = client.get("/")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert f"<h1>{read_about(LESSONS[number]).title}</h1>" in response.text
    assert '<script type="module" src="/_playground/console.js">' in response.text
    assert client.get("/_playground/").text == response.text
    assert client.get(f"/_playground/{LESSONS[number].name}/").text == response.text


def test_head_gets_the_headers_of_the_page(console):
    client = console(0).test_client()
    page, head = client.get("/"), client.head("/")
    assert head.headers == page.headers
    assert head.data == b""


def test_the_page_of_an_answer_shows_its_task(console):
    page = console(1, "answer.py").test_client().get("/").text
    assert "<h1>Exercise 1: your answer</h1>" in page
    first_line = read_todo(find_exercises()["1"]).removeprefix("# TODO: ").partition("\n")[0]
    assert f'<pre class="task">{first_line} ' in page  # the paragraph goes on in the same line
    assert not re.search('class="task">[^<]*^#', page, re.MULTILINE)
    assert "TODO" not in page
    assert 'class="task"' not in console(1).test_client().get("/").text


def test_the_commands_in_the_text_use_the_port_of_the_page(console):
    page = console(2).test_client().get("/", base_url="http://127.0.0.1:8123").text
    assert "curl -si 127.0.0.1:8123/users" in page
    assert "127.0.0.1:8000" not in page


def test_the_page_of_another_lesson_names_the_command_that_runs_it(console):
    client = console(7).test_client()
    assert (
        "<code>make lesson-9</code>" in client.get("/_playground/09_flask_jwt_extended/migration.html").text
    )
    assert "console.js" not in client.get("/_playground/09_flask_jwt_extended/").text
    for path in ("", "07_more_options/reference.html", "glossary.html"):
        assert "is not running" not in client.get(f"/_playground/{path}").text


def test_every_file_that_the_page_loads_is_served(console):
    client = console(2).test_client()
    loaded = set(re.findall(r'(?:src|<link .*href)="(/_playground/[^"]+)"', client.get("/").text))
    modules = {f"/_playground/{name}.js" for name in ("page", "token")}
    types = {path: client.get(path).mimetype for path in loaded | modules}
    assert types == {
        "/_playground/page.css": "text/css",
        "/_playground/icon.svg": "image/svg+xml",
        "/_playground/02_token_expiry/lifetime.svg": "image/svg+xml",
        **{f"/_playground/{name}.js": "text/javascript" for name in ("console", "page", "token")},
    }


@pytest.mark.parametrize(
    "path",
    [
        *("x", ".", "..", "../", "../../README.md", "%2e%2e/server.py", "..%2fserver.py", "..\\server.py"),
        *("/etc/passwd", "//etc/passwd", "page.css/", "page.css%00", "Page.css", "02_token_expiry"),
        *("page.html", "console.py", "settings.py", "site/build.py", "02_token_expiry/app.py"),
        *("02_token_expiry/hints.md", "02_token_expiry/README.md", "02_token_expiry/data.db", "../users"),
    ],
)
def test_nothing_else_below_the_reserved_path_is_served(console, path):
    with serving(console(2)) as url:
        target = Target(None, int(url.rpartition(":")[2]))
        status, body = target.send(f"GET /_playground/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert (status, body) == (404, b"There is no such page.")


def test_the_page_only_accepts_get(console):
    client = console(2).test_client()
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        response = client.open("/_playground/settings.json", method=method)
        assert response.status_code == 405
        assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["", "glossary.html", "page.js", "settings.json", "nowhere"])
def test_every_response_of_the_console_has_the_headers_that_protect_it(console, path):
    headers = console(2).test_client().get(f"/_playground/{path}").headers
    assert dict(headers).items() >= HEADERS.items()
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "default-src 'self'" in headers["Content-Security-Policy"]


# the lesson behind it


def test_a_route_of_the_app_comes_before_the_page(console):
    app = console(1)
    app.add_url_rule("/", view_func=lambda: "my own page")
    client = app.test_client()
    assert client.get("/").text == "my own page"
    assert "<h1>Lesson 1" in client.get("/_playground/").text


def test_other_methods_than_get_reach_the_app(console):
    client = console(1).test_client()
    assert client.post("/").status_code == 404
    assert client.options("/").status_code == 404


@pytest.mark.parametrize("number", [0, 8, max(LESSONS)])
def test_every_other_request_reaches_the_app_unchanged(console, tmp_path, number):
    """The app gets the same environ, so it sends the same bytes."""
    app = load_lesson(LESSONS[number], tmp_path / "data.db")
    received = []

    def record(environ, start_response):
        received.append((environ, dict(environ), start_response))
        start_response("204 No Content", [])
        return received

    app.wsgi_app = record
    wrapped = Console(app, LESSONS[number] / "app.py")
    for path in ("", "//", "/users", "/_playground", "/_playgroundx/", "/users/_playground/", "/\xff\0"):
        for method in ("GET", "HEAD", "POST", "X"):
            environ = {
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "HTTP_HOST": "evil.example",
                "odd": object(),
            }
            before, statuses = dict(environ), []

            def start(status, headers, statuses=statuses):
                statuses.append((status, headers))

            assert wrapped(environ, start) is received
            assert received[-1] == (environ, before, start)
            assert statuses == [("204 No Content", [])]


@pytest.mark.parametrize("number", [8, pytest.param(max(LESSONS), marks=pytest.mark.slow)])
def test_every_hostile_request_gets_the_bytes_that_the_bare_app_sends(tmp_path, number):
    bare, wrapped = (load_lesson(LESSONS[number], tmp_path / "data.db") for _ in range(2))
    wrapped.wsgi_app = Console(wrapped, LESSONS[number] / "app.py")
    requests = VALID_REQUESTS | ATTACKS | {name: (0, request) for name, request in ODD_REQUESTS.items()}
    with serving(bare) as bare_url, serving(wrapped) as url:
        targets = [Target(app, int(u.rpartition(":")[2])) for app, u in ((bare, bare_url), (wrapped, url))]
        for name, (_, request) in requests.items():
            if re.match(rb"(GET|HEAD) /+ ", request(targets[0])):
                continue  # Python's HTTP server reads many slashes as one, so this is a request for the page
            first, second = (mask(target.send(request(target)), target.port) for target in targets)
            assert first == second, name


def mask(response, port):
    """Replace what differs between two responses of the same app: tokens, their bytes and the port."""
    status, body = response
    body = re.sub(rb"Invalid (header|payload) string: [^\"]+", b"", body)
    body = re.sub(rb"can't decode byte[^\"]+", b"", body)
    body = re.sub(rb'"eyJ[^"]+"', b"token", body)
    return status, body.replace(str(port).encode(), b"port")


# the host


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost", "localhost:1", "localhost:65535", "127.0.0.1:8000", "[::1]", "[::1]:8000"],
)
def test_the_page_opens_under_the_names_of_this_computer(console, host):
    assert console(2).test_client().get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example", "evillocalhost", "127.0.0.1.nip.io"),
        *("", " ", "localhost.", "a@localhost", "localhost@evil.example", "localhost:x", "localhost:0"),
        *("localhost:99999", "localhost:80:80", "localhost,evil.example", "localhost/", "[::1", "::1", "["),
        *("[::2]", "[::1]evil.example", "0.0.0.0", "127.0.0.2", "2130706433", "l\xf6calhost", "local host"),
    ],
)
def test_the_page_refuses_every_other_name_and_says_what_to_do(console, host):
    client = console(2).test_client()
    for path in ("/", "/_playground/", SETTINGS, "/_playground/page.js"):
        response = client.get(path, environ_overrides={"HTTP_HOST": host})
        assert response.status_code == 403
        assert response.mimetype == "text/plain"
        assert "make lesson-2 ALLOWED_HOST=name" in response.text


def test_the_page_refuses_a_request_without_a_host(console):
    with serving(console(2)) as url:
        status, body = Target(None, int(url.rpartition(":")[2])).send(b"GET / HTTP/1.0\r\n\r\n")
    assert status == 403
    assert b"ALLOWED_HOST" in body


def test_the_page_of_an_answer_names_its_own_command(console):
    response = console(2, "answer.py").test_client().get("/", headers={"Host": "evil.example"})
    assert "make try-2 ALLOWED_HOST=name" in response.text


def test_the_app_answers_under_every_name(console):
    response = console(2).test_client().get("/users", headers={"Host": "evil.example"})
    assert response.status_code == 401


def test_allowed_host_adds_names(console, monkeypatch):
    client = console(2).test_client()
    monkeypatch.setenv("ALLOWED_HOST", "One.example:8000, two.example")
    hosts = ("one.example", "two.example:443", "localhost", "three.example", "")
    statuses = [client.get("/", environ_overrides={"HTTP_HOST": host}).status_code for host in hosts]
    assert statuses == [200, 200, 200, 403, 403]


# the settings


@pytest.mark.parametrize("file", APPS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_settings_of_an_app_are_enough_to_log_in_and_to_use_the_token(tmp_path, file):
    folder = file.parent if file.parent.name != "solutions" else file.parents[1] / "lessons" / file.stem
    app = load_lesson(folder, tmp_path / "data.db", file)
    settings = describe(app, folder)
    login, user, client = settings["login"], settings["users"][0], app.test_client()
    body = {login["name_key"]: user[login["name_key"]], login["password_key"]: user["password"]}
    response = client.post(login["path"], json=body)
    assert response.status_code == 200, response.text
    token = re.search(r'"access_token": ?"(.+?)"', response.text)[1]
    path = next(route["path"] for route in settings["routes"] if route["method"] == "GET")
    response = client.get(path, headers={"Authorization": f"{settings['prefix']} {token}"})
    assert response.status_code in (200, 403)
    assert settings["key"] in (DEMO_KEY, 2 * DEMO_KEY)
    assert {"method": "POST", "path": login["path"]} not in settings["routes"]


def test_the_settings_follow_the_running_app(console):
    app = console(2)
    client = app.test_client()
    assert client.get(SETTINGS).get_json()["leeway"] == 10
    app.config["JWT_LEEWAY"] = timedelta(minutes=1)
    assert client.get(SETTINGS).get_json()["leeway"] == 60


def test_the_settings_contain_the_options_of_flask_jwt_extended(tmp_path):
    app = load_lesson(LESSONS[9], tmp_path / "data.db")
    app.config.update(JWT_HEADER_TYPE="Token", JWT_DECODE_LEEWAY=timedelta(seconds=2))
    settings = describe(app, LESSONS[9])
    assert (settings["prefix"], settings["leeway"]) == ("Token", 2)


def test_the_settings_list_the_required_claims_and_the_users(tmp_path):
    settings = describe(load_lesson(LESSONS[8], tmp_path / "data.db"), LESSONS[8])
    assert settings["required"] == ["exp", "iat", "nbf", "username"]
    assert settings["users"][1] == {
        "username": "alice",
        "email": "alice@example.com",
        "phone": "555-0102",
        "password": "wonderland",
    }


def test_the_settings_contain_a_path_for_each_route(make_app):
    app = make_app()
    for rule in ("/a/<int:id>", "/b/<name>/<int(min=1):n>", "/c/<path:rest>", "/d/<any(x, y):letter>"):
        app.add_url_rule(rule, endpoint=rule, view_func=lambda **_: "", methods=["GET", "DELETE"])
    routes = describe_app(app)["routes"]
    assert [f"{route['method']} {route['path']}" for route in routes] == [
        *("GET /resource", "GET /view", "DELETE /a/1", "GET /a/1", "DELETE /b/name/1", "GET /b/name/1"),
        *("DELETE /c/rest", "GET /c/rest", "DELETE /d/letter", "GET /d/letter"),
    ]


ODD_VALUES = [
    None,
    7,
    1.5,
    True,
    b"x",
    "",
    [],
    ["a", 1],
    {},
    {"a"},
    object(),
    timedelta(1),
    float("nan"),
    10**400,
]


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("options", [["JWT_AUTH_URL_RULE"], ["JWT_HEADER_TYPE", "JWT_DECODE_LEEWAY"]])
def test_an_option_of_a_wrong_type_does_not_break_the_settings(make_console, value, options):
    client = make_console()
    app = client.application
    names = [name for name in app.config if name.startswith("JWT_")] + options
    for name in names:
        app.config[name] = value
    if "JWT_AUTH_URL_RULE" not in options:
        del app.config["JWT_AUTH_URL_RULE"]
    response = client.get(SETTINGS)
    assert response.status_code == 200
    settings = json.loads(response.text, parse_constant=pytest.fail)  # NaN is not JSON
    assert all(isinstance(text, str) for text in [*settings["login"].values(), settings["prefix"]])
    assert isinstance(settings["leeway"], int | float)
    assert all(isinstance(claim, str) for claim in settings["required"])
    assert settings["key"] is None


def test_missing_options_do_not_break_the_settings(make_app):
    app = make_app()
    app.config.clear()
    login = {"path": "/login", "name_key": "email", "password_key": "password"}
    assert describe_app(app).items() >= {"login": login, "leeway": 0, "required": [], "key": None}.items()


@pytest.mark.parametrize("users", ["None", "[1, 2]", "'bob'", "[('bob',)]", "[(object(), b'x', 1, None, 5)]"])
def test_a_changed_list_of_users_does_not_break_the_settings(tmp_path, make_app, users):
    (tmp_path / "db.py").write_text(f"DEMO_USERS = {users}\n")
    assert isinstance(describe(make_app(), tmp_path)["users"], list)


def test_an_app_without_a_list_of_users_has_settings(tmp_path, make_app):
    (tmp_path / "db.py").write_text("raise ImportError\n")
    assert describe(make_app(), tmp_path)["users"] == []


# the key


def test_the_demo_key_is_the_one_in_every_lesson():
    for folder in LESSONS.values():
        with isolated_imports(folder):
            assert importlib.import_module("security").DEMO_KEY == DEMO_KEY


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"SECRET_KEY": DEMO_KEY}, DEMO_KEY),
        ({"SECRET_KEY": DEMO_KEY * 2}, DEMO_KEY * 2),
        ({"SECRET_KEY": "my own key" * 5}, None),
        ({"SECRET_KEY": DEMO_KEY + "x"}, None),
        ({"SECRET_KEY": DEMO_KEY[:-1]}, None),
        ({"SECRET_KEY": None}, None),
        ({"SECRET_KEY": b"bytes" * 9}, None),
        ({"SECRET_KEY": DEMO_KEY, "JWT_SECRET_KEY": "my own key" * 5}, None),
        ({"SECRET_KEY": "my own key" * 5, "JWT_SECRET_KEY": DEMO_KEY}, DEMO_KEY),
    ],
)
def test_only_the_demo_key_reaches_the_page(make_console, options, expected):
    response = make_console(**options).get(SETTINGS)
    assert response.get_json()["key"] == expected
    assert expected or not re.search("my own key|bytes|for-the-lessons", response.text)


def test_a_key_from_the_environment_stays_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("FLASK_SECRET_KEY", "a key of my own, which is secret")
    for folder in LESSONS.values():
        assert describe(load_app(folder), folder)["key"] is None


# make lesson-N and make try-N


def test_a_lesson_is_served_with_its_page_and_a_quiet_log(tmp_path):
    with lesson_server(2, tmp_path) as server:
        server.wait_for_status(200, "/")
        assert f"Open http://127.0.0.1:{server.port} in a browser" in server.output
        assert server.get(SETTINGS).json()["users"][0]["email"] == "bob@example.com"
        for path in ("/?x=1", "/_playground/page.css", "/_playground/nowhere", "/nowhere"):
            server.get(path)
        wait_until(lambda: "GET /nowhere" in server.output)
        requests = re.findall(r'"(?:\033\[\d+m)*([A-Z]+ .*) HTTP', server.output)
        assert requests == ["GET /nowhere"]


def test_a_lesson_itself_has_no_page(tmp_path):
    app = load_lesson(LESSONS[2], tmp_path / "data.db")
    assert app.test_client().get("/").status_code == 404


def test_the_log_shows_a_request_for_the_apps_own_root(copy, tmp_path):
    app = copy / "01_auth_url/app.py"
    app.write_text(app.read_text() + '\napp.add_url_rule("/", view_func=lambda: "mine")\n')
    with lesson_server(1, tmp_path, lessons=copy) as server:
        server.wait_for_status(200, "/")
        assert server.get("/").text == "mine"
        assert "<h1>Lesson 1" in server.get("/_playground/").text
        wait_until(lambda: '"GET / HTTP' in server.output)
        assert "_playground" not in server.output


@pytest.mark.parametrize(
    ("mistake", "problem"),
    [
        ("app = Flask(", "SyntaxError: '(' was never closed\nin app.py, line "),
        ("import nothing_like_this", "No module named 'nothing_like_this'"),
        ("1 / 0", "ZeroDivisionError: division by zero\nin app.py, line "),
    ],
)
def test_the_settings_say_why_an_app_does_not_start(copy, monkeypatch, mistake, problem):
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")  # the process that serves has this variable
    monkeypatch.setattr(logging.getLogger("werkzeug"), "filters", [])
    file = copy / "01_auth_url/app.py"
    file.write_text(f"{file.read_text()}\n{mistake}\n")
    info = ConsoleInfo(file)
    info.app_import_path = str(file)
    with isolated_imports(file.parent, "app"):
        client = info.load_app().test_client()
    settings = client.get(SETTINGS)
    assert settings.status_code == 503
    assert problem in settings.json["problem"]
    assert "Traceback" not in settings.text
    assert str(copy) not in settings.text
    assert "<h1>Lesson 1" in client.get("/").text


def test_a_lesson_that_does_not_start_works_again_after_the_next_edit(copy, tmp_path):
    app = copy / "01_auth_url/app.py"
    right = app.read_text()
    with lesson_server(1, tmp_path, lessons=copy) as server:
        server.wait_for_status(401)
        app.write_text(f"{right}\napp = Flask(\n")
        server.wait_for_status(500)
        assert "<h1>Lesson 1" in server.get("/").text
        assert "'(' was never closed" in server.get(SETTINGS).json()["problem"]
        app.write_text(right)
        server.wait_for_status(401)
        assert server.get(SETTINGS).json()["login"]["path"] == "/login"
        assert "_playground" not in server.output


def test_an_answer_is_served_with_its_page(copy, tmp_path):
    originals = ROOT / "tests/exercises/originals"
    shutil.copytree(originals, copy.parent / "tests/exercises/originals")
    answer = copy / "03_auth_key/answer.py"
    shutil.copy(ROOT / "solutions/03_auth_key.py", answer)
    with lesson_server(3, tmp_path, lessons=copy, command="try") as server:
        server.wait_for_status(200, "/")
        assert "<h1>Exercise 3: your answer</h1>" in server.get("/").text
        login = server.get(SETTINGS).json()["login"]
        assert login == {"path": "/login", "name_key": "phone", "password_key": "pin"}
        answer.write_text("import nothing_like_this\n")
        server.wait_for_status(500)
        assert "Only answer.py is handed in." in server.get(SETTINGS).json()["problem"]

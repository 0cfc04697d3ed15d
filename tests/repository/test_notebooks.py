"""Test the notebooks: what is in them, what their cells show, and how tokens and responses look."""

from __future__ import annotations

import gc
import os
import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import jwt
import pytest
from nbformat import NotebookNode

import lesson_loader
from demo import Lesson, Problem
from helpers import BOB, ROOT, make_exercise_1b
from lesson_loader import find_lessons
from probe import read_claims
from show import exchange_html, exchange_text
from slides import run_notebook
from token_pictures import Anatomy, colour_parts, describe_time, format_duration

LESSONS = find_lessons()
FIRST, LAST = min(LESSONS), max(LESSONS)
PATHS = {number: ROOT / "notebooks" / f"{folder.name}.ipynb" for number, folder in LESSONS.items()}
OUTPUTS = Path(__file__).with_name("notebook_outputs")
KEY = "k" * 32


EVERY_NOTEBOOK = pytest.mark.parametrize("number", PATHS, ids=[path.stem for path in PATHS.values()])

# Running a notebook takes seconds, so `make test` runs only the first one and the last one.
FIRST_AND_LAST_FAST = pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, id=path.stem, marks=() if number in (FIRST, LAST) else pytest.mark.slow)
        for number, path in PATHS.items()
    ],
)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def read_patterns(number: int) -> list[str]:
    """Return what each code cell of a notebook must show, as regular expressions, in order.

    They are the lines of a file in notebook_outputs/ that is named after the lesson. In these patterns,
    a dot also matches a line break. `#` begins a comment. For a cell that shows nothing, the line is `^$`.
    """
    lines = (OUTPUTS / f"{PATHS[number].stem}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def displayed_text(cell: NotebookNode) -> str:
    """Return the plain text that a cell shows, and the message of the error that stopped it."""
    texts = [output.get("data", {}).get("text/plain") or output.get("text", "") for output in cell.outputs]
    errors = ["\n".join(output.traceback) for output in cell.outputs if output.output_type == "error"]
    return "\n".join(texts + errors)


# what is in the notebooks


# what the cells show


@FIRST_AND_LAST_FAST
def test_every_cell_shows_what_it_should(number):
    cells = code_cells(run_notebook(PATHS[number]))
    for cell, pattern in zip(cells, read_patterns(number), strict=True):
        text = displayed_text(cell)
        assert re.search(pattern, text, re.DOTALL), f"{cell.source}\n\n{text}"
        assert "Traceback" not in text.partition("the server's log:")[0]
        assert not [output for output in cell.outputs if output.get("name") == "stderr"]


# what demo.py does


@pytest.fixture
def lesson_1(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Lesson:
    """Lesson 1 from a copy of all lessons, so that a test may change its files."""
    monkeypatch.setattr(lesson_loader, "LESSONS", copy)
    return Lesson(1)


def change_app(lesson: Lesson, old: str, new: str) -> None:
    file = lesson.folder / "app.py"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_after_an_edit_the_new_code_is_shown_and_run(lesson_1):
    assert lesson_1.client.get("/users").status_code == 401
    change_app(lesson_1, '"/users"', '"/people"')
    assert '"/people"' in repr(lesson_1.source())
    assert '+api.add_resource(UserList, "/people")' in repr(lesson_1.diff())
    assert [lesson_1.client.get(path).status_code for path in ("/users", "/people")] == [404, 401]


def test_an_edited_copy_leaves_the_lesson_unchanged(lesson_1):
    before = lesson_1.source().text
    moved = lesson_1.edited('"/login"', '"/enter"')
    assert moved.log_in("bob")
    assert repr(moved.diff()).count('"/enter"') == 1
    assert lesson_1.source().text == before
    with pytest.raises(Problem, match=r"app\.py of lesson 1 does not contain 'nonsense'"):
        lesson_1.edited("nonsense", "")


def test_an_edited_copy_is_shown_as_the_diff_of_the_edit():
    moved = Lesson(1).edited('"/login"', '"/enter"')
    removed, added = repr(moved).splitlines()[5:7]
    assert removed.startswith('-app.config["JWT_AUTH_URL_RULE"] = "/login"')
    assert added.startswith('+app.config["JWT_AUTH_URL_RULE"] = "/enter"')
    assert moved._repr_html_() == moved.diff().html
    assert moved._repr_markdown_().startswith("```diff\n--- 01_auth_url/app.py\n")


def test_a_lesson_is_shown_with_a_link_to_each_of_its_files():
    shown = Lesson(1)._repr_markdown_()
    assert shown.startswith("You will move the login to a URL that you choose.\n")
    links = re.findall(r"\[(.+?)\]\((.+?)\)", shown)
    assert {"README.md", "app.py", "resources/user.py", "exercise.py"} <= {name for name, _ in links}
    for name, link in links:
        assert (ROOT / "notebooks" / link).resolve() == ROOT / "lessons/01_auth_url" / name
        assert (ROOT / "notebooks" / link).read_bytes()


def test_each_lesson_object_has_a_database_and_deletes_it_at_the_end():
    lesson, other = Lesson(FIRST), Lesson(FIRST)
    lesson.log_in("bob")
    database = lesson.load().config["DATABASE"]
    assert database != other.load().config["DATABASE"]
    assert os.path.exists(database)
    assert not Path(database).is_relative_to(ROOT)
    del lesson
    gc.collect()
    assert not os.path.exists(database)


def test_a_client_keeps_the_database_of_its_lesson():
    client = Lesson(FIRST).client
    assert client.post("/auth", json=BOB).status_code == 200


def test_several_threads_can_load_lessons():
    """A server that serve() started can load its lesson while a cell loads another one."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Lesson.load, [Lesson(FIRST), Lesson(LAST)] * 20))
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize("number", [LAST + 1, 99, -1, "2", None])
def test_an_unknown_number_gets_a_message_with_the_known_ones(number):
    with pytest.raises(Problem, match=rf"There is no lesson {number!r}\. Choose one from 0 to {LAST}"):
        Lesson(number)


def test_the_first_lesson_has_no_diff():
    with pytest.raises(Problem, match="No lesson comes before lesson 0"):
        Lesson(FIRST).diff()


@pytest.mark.parametrize("name", ["nonsense.py", "../../README.md", "exercise.py"])
def test_an_unknown_file_gets_a_message_with_the_known_ones(name):
    with pytest.raises(Problem, match=rf"Lesson 1 has no file {name}\. It has api\.py, app\.py, "):
        Lesson(1).source(name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("app = Flask(__name__)", "app = Flask(__name__", r"SyntaxError: .+, line \d+"),
        ("app = Flask(__name__)", "1 / 0", "ZeroDivisionError: division by zero"),
        ("app = Flask(__name__)", "import sys; sys.exit('stop')", "SystemExit: stop"),
        ("from security import", "from securities import", "No module named 'securities'"),
    ],
)
def test_an_app_that_does_not_start_gets_one_line_without_a_traceback(lesson_1, old, new, message):
    change_app(lesson_1, old, new)
    with pytest.raises(Problem, match=rf"(?s)Lesson 1 does not start\. .*{message}") as problem:
        lesson_1.client.get("/users")
    [line] = problem.value._render_traceback_()
    assert line.startswith("Problem: Lesson 1 does not start.")


def test_a_missing_app_file_is_reported(lesson_1):
    (lesson_1.folder / "app.py").unlink()
    with pytest.raises(Problem, match=r"FileNotFoundError: .*has no app\.py"):
        lesson_1.token()


def test_a_500_is_shown_as_the_client_gets_it_and_beside_it_the_servers_log():
    broken = Lesson(2).edited("timedelta(minutes=30)", "1800")
    response = broken.client.post("/login", json=BOB)
    url = re.search(r"http://\S+\d", repr(broken.serve(port=0)))[0]
    served = httpx.post(f"{url}/login", json=BOB, trust_env=False)
    broken.stop()
    assert (response.status_code, response.text) == (served.status_code, served.text)
    assert dict(response.headers).items() <= dict(served.headers).items()
    client, _, log = exchange_text(response).partition("\n\nthe server's log:\n")
    assert "500 INTERNAL SERVER ERROR\nContent-Type: text/html" in client
    assert "TypeError" not in client
    assert re.match(
        r'Traceback .+\n  File "flask_jwt/__init__.py", line \d+, in .+\n    .+\nTypeError: ', log
    )
    assert "the server&#x27;s log" in exchange_html(response)
    with pytest.raises(Problem, match="The login of bob got a 500: TypeError"):
        broken.token()


def test_the_servers_log_shows_only_the_lines_of_the_lesson():
    broken = Lesson(6).edited("not current_identity.is_admin", "current_identity.no", "resources/user.py")
    log = broken.get_users(broken.log_in("bob")).extensions["log"]
    assert re.findall(r'File "(.+?)"', log) == ["resources/user.py"]
    assert log.endswith("AttributeError: 'UserModel' object has no attribute 'no'")


def test_an_error_that_flask_does_not_handle_is_a_500_with_a_log_too():
    teardown = "@app.teardown_request\ndef fail(error):\n    1 / 0\n\n\n"
    response = Lesson(1).edited("api = Api(app)", f"{teardown}api = Api(app)").client.get("/users")
    assert response.status_code == 500
    assert "ZeroDivisionError" not in response.text
    assert 'File "app.py"' in response.extensions["log"]


def test_a_403_is_shown_without_a_log():
    """Flask-RESTful signals an error for every abort(403, message="…"), but the app logs nothing."""
    lesson = Lesson(6)
    response = lesson.get_users(lesson.log_in("bob"))
    assert response.status_code == 403
    assert "log" not in exchange_text(response)


def test_a_file_is_shown_in_its_own_language():
    lesson = Lesson(FIRST)
    assert lesson.source("schema.sql")._repr_markdown_().startswith("```sql\n-- AUTOINCREMENT")
    assert lesson.source("app.py")._repr_markdown_().startswith("```python\nimport os")


def get(note: object, path: str) -> httpx.Response:
    """Send a request to the server that `serve()` has started. `note` is what serve() returned."""
    url = re.search(r"http://127\.0\.0\.1:\d+", repr(note))[0]
    return httpx.get(f"{url}{path}", trust_env=False)


def test_a_served_lesson_reloads_for_each_request_until_it_is_stopped(lesson_1):
    note = lesson_1.serve(port=0)
    assert get(note, "/users").status_code == 401
    change_app(lesson_1, '"/users"', '"/people"')
    assert get(note, "/people").status_code == 401
    lesson_1.stop()
    lesson_1.stop()
    with pytest.raises(httpx.ConnectError):
        get(note, "/people")


def test_a_served_lesson_has_the_playground_and_the_commands_for_its_port():
    lesson = Lesson(1)
    note = lesson.serve(port=0)
    page, settings = get(note, "/"), get(note, "/_playground/settings.json").json()
    host = re.search(r"http://(127\.0\.0\.1:\d+)", repr(note))[1]
    lesson.stop()
    assert "Lesson 1" in page.text
    assert 'id="console"' in page.text
    assert settings["login"]["path"] == "/login"
    assert [user["username"] for user in settings["users"]] == ["bob", "alice"]
    assert f"curl -si {host}/users" in repr(note)
    assert f'<a href="http://{host}"' in note.html


def test_a_served_lesson_that_no_longer_starts_names_the_error_and_logs_nothing(lesson_1, capfd):
    note = lesson_1.serve(port=0)
    change_app(lesson_1, "app = Flask(__name__)", "app = Flask(__name__")
    response, settings = get(note, "/users"), get(note, "/_playground/settings.json")
    lesson_1.stop()
    assert response.status_code == 500
    assert "SyntaxError" in response.text
    assert "SyntaxError" in settings.json()["problem"]
    assert capfd.readouterr().err == ""


def test_the_next_lesson_takes_the_place_of_the_lesson_that_is_served():
    """A tab of the browser stays valid if an instructor runs all cells again."""
    first = Lesson(1).serve(port=0)
    second = Lesson(2).serve()
    page = get(first, "/")
    Lesson(2).stop()
    port = re.compile(r"127\.0\.0\.1:\d+")
    assert port.search(repr(first))[0] == port.search(repr(second))[0]
    assert "Lesson 2" in page.text


def test_if_the_usual_port_is_busy_a_lesson_gets_a_free_one(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        monkeypatch.setattr("lesson_server.USUAL_PORT", busy.getsockname()[1])
        note = Lesson(FIRST).serve()
        assert get(note, "/users").status_code == 401
        Lesson(FIRST).stop()


def test_a_port_that_cannot_be_used_gets_a_message_with_another_one():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        for port in (busy.getsockname()[1], 65536, -1):
            with pytest.raises(Problem, match=rf"Cannot serve on port {port}: .+ lesson\.serve\(port=8001\)"):
                Lesson(FIRST).serve(port)


@FIRST_AND_LAST_FAST
def test_the_picture_shows_when_the_app_stops_accepting_a_token(number):
    lesson = Lesson(number)
    config = lesson.load().config
    life = lesson.lifetime(margin=3).life
    lifetime = config.get("JWT_EXPIRATION_DELTA") or config["JWT_ACCESS_TOKEN_EXPIRES"]
    assert life.ends == lifetime.total_seconds()
    refused_from = life.ends + life.leeway
    for age, status in life.statuses:
        assert status == (200 if life.begins <= age < refused_from else 401)
    last_accepted = max(age for age, status in life.statuses if status == 200)
    assert refused_from - 1 <= last_accepted < refused_from


def test_the_picture_shows_responses_and_not_what_the_options_promise():
    impatient = Lesson(2).edited("# POST /login", "; jwt.identity_handler(lambda payload: None)")
    picture = impatient.lifetime()
    assert {status for _, status in picture.life.statuses} == {401}
    assert picture.html.count('class="accepted"') == 1  # in the legend
    assert picture.html.count('class="refused"') == len(picture.life.statuses) + 1


def test_pictures_with_and_without_leeway_have_the_same_scale():
    line = "timedelta(minutes=30)"
    lenient, strict = (
        lesson.lifetime().html
        for lesson in (Lesson(2), Lesson(2).edited(line, f"{line}; app.config['JWT_LEEWAY'] = 0"))
    )
    tick = r'<path class="tick" d="M(\S+) '
    issued, ends, leeway, exp = re.findall(tick, lenient)
    assert re.findall(tick, strict) == [issued, ends, exp]
    assert f'<rect class="leeway" x="{exp}"' in lenient
    assert float(exp) < float(leeway)
    assert ">+10 s</text>" in lenient
    assert ">leeway: 10 s</text>" in lenient
    assert ">leeway: 0 s</text>" in strict


@EVERY_NOTEBOOK
def test_each_app_refuses_every_forgery(number):
    table = Lesson(number).forge()
    original, *forgeries = table.statuses.values()
    assert original == 200
    assert set(forgeries) == {401}
    assert "Signature verification failed" in table.text
    assert table.html.count('<b class="calm">401 refused') == len(forgeries)
    assert table.html.count("<mark>") >= len(forgeries)
    assert "ACCEPTED" not in table.text


def test_a_forgery_that_the_app_accepts_is_the_alarm():
    trusting = Lesson(7).edited("# RFC 6750", "; app.config['JWT_REQUIRED_CLAIMS'] = []")
    table = trusting.forge()
    accepted = [description for description, status in table.statuses.items() if status == 200]
    assert accepted == ["as it was issued", "without exp, with a good signature"]
    assert re.findall("as it was issued +200 accepted|ACCEPTED", table.text) == [
        "as it was issued                     200 accepted",
        "ACCEPTED",
    ]
    assert table.html.count('<b class="alarm">200 ACCEPTED</b>') == 1


def test_a_token_of_each_user_is_issued_in_the_same_second_and_differs_in_the_user():
    comparison = Lesson(6).tokens("bob", "alice")
    assert comparison.text.index("the token of bob") < comparison.text.index("the token of alice")
    assert re.findall("≠ (.+)", comparison.text) == [
        "identity: 1",
        "identity: 2",
        "marks a claim that differs.",
    ]
    assert comparison.html.count("<mark>≠ identity") == 2


# checks


def test_the_starter_has_no_points_and_the_solution_has_all():
    starter, solution = Lesson(2).check("starter"), Lesson(2).check("solution")
    assert starter.text.startswith("Exercise 2: 0 of 10 points\n\n  FAILED  0 of 2  A token expires")
    assert "      sent      POST /login" in starter.text
    assert starter.text.count("needs: ") == 1  # the same reason is not repeated
    for name in ("sent", "expected", "got"):
        assert f"<dt>{name}</dt>" in starter.html
    assert '<p class="question">Which option sets' in starter.html
    assert solution.text.startswith("Exercise 2: 10 of 10 points\n\n  passed  2 of 2  A token expires")
    assert "FAILED" not in solution.text


def test_an_additional_exercise_can_be_checked(tmp_path, monkeypatch):
    make_exercise_1b(tmp_path)
    monkeypatch.setenv("EXERCISES", str(tmp_path))
    assert Lesson(1).check("solution", exercise="1b").text.startswith("Exercise 1b: 0.3 of 0.3 points")


def test_a_check_that_cannot_run_gets_a_message(lesson_1, tmp_path):
    assert "There is no answer.py yet. Start with: make start-1" in lesson_1.check().text
    for exercise in ("0", "1c"):
        with pytest.raises(Problem, match=rf"There is no exercise {exercise}\. Choose one of these: 1, 2"):
            lesson_1.check(exercise=exercise)


def test_what_an_answer_sends_is_escaped(tmp_path):
    answer = (ROOT / "lessons/01_auth_url/exercise.py").read_text(encoding="utf-8")
    hostile = (
        '@app.after_request\ndef change(response):\n    response.data = "<script>"\n    return response\n'
    )
    (tmp_path / "answer.py").write_text(f"{answer}\n\n{hostile}")
    html = Lesson(1).check(str(tmp_path / "answer.py")).html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


# how tokens and responses look


@pytest.mark.parametrize(
    ("old", "new", "marked"),
    [
        ("a.b.c", "a.b.c", "a|b|c"),
        ("a.12345.c", "a.12945.c", "a|12<mark>9</mark>45|c"),
        ("a.12345.c", "a.1945.c", "a|1<mark>9</mark>45|c"),
        ("a.b.c", "a.b.", "a|b|<mark>(removed)</mark>"),
        ("a.b.c", "a.b", "a|b"),
        ("a.b", "a.b.<", "a|b|<mark>&lt;</mark>"),
    ],
)
def test_a_token_is_marked_from_the_first_to_the_last_change_of_each_part(old, new, marked):
    assert "|".join(re.findall('<span class="\\w+">(.*?)</span>', colour_parts(new, old))) == marked


GOOD = jwt.encode({"sub": "1", "exp": 2**31}, KEY)
HEADER, CLAIMS, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", r"A token has three parts, separated by dots\. This one has 1"),
        ("abc", "This one has 1"),
        (f"{HEADER}.{CLAIMS}", "This one has 2"),
        (f"{GOOD}.{SIGNATURE}", "This one has 4"),
        (f"*.{CLAIMS}.{SIGNATURE}", r"header: is not base64url: \*"),
        (f"{HEADER}..{SIGNATURE}", "claims: is empty"),
        (f"{HEADER}.e30x.{SIGNATURE}", "claims: is not JSON"),
        (f"{HEADER}.W10.{SIGNATURE}", r"claims: is not a JSON object: \[\]"),
        (f"{HEADER}.{'W' * 40000}.{SIGNATURE}", "claims: is not JSON"),
        (f"{HEADER}.{CLAIMS}.", "NOT VERIFIED with the key: Signature verification failed"),
        (f"{HEADER}.{CLAIMS}.\u00e9", "NOT VERIFIED with the key"),
        ("\ud800.\ud800.\ud800", "NOT VERIFIED with the key"),
        (jwt.encode({}, None, algorithm="none"), "NOT VERIFIED with the key: The specified alg value"),
        (jwt.encode({}, "other" * 10), "NOT VERIFIED with the key: Signature verification failed"),
        (None, "None"),
        (17, "17"),
        (b"\xff.\xff.\xff", "is not base64url"),
    ],
    ids=range(17),
)
def test_a_broken_token_is_shown_with_what_is_wrong(token, words):
    anatomy = Anatomy(token, KEY, "the key")
    assert re.search(words, anatomy.text), anatomy.text
    assert not anatomy.verified
    assert anatomy.html.count('class="label"') == 3


@pytest.mark.parametrize(("time", "text"), [("soon", '"soon"'), (float("inf"), "Infinity"), (10**400, "10*")])
def test_a_time_that_is_not_a_number_of_seconds_is_shown_unchanged(time, text):
    anatomy = Anatomy(jwt.encode({"exp": time}, KEY), KEY, "the key")
    assert anatomy.verified  # the signature is good, even if a claim is not
    assert re.search(rf"exp: {text}  is not a time: a time is a number of seconds since 1970", anatomy.text)


def test_a_good_token_is_shown_in_three_parts_and_verified():
    anatomy = Anatomy(GOOD, KEY, "the key")
    assert anatomy.verified
    assert anatomy.header == {"alg": "HS256", "typ": "JWT"}
    assert anatomy.claims == {"sub": "1", "exp": 2**31}
    for kind, part in (("one", HEADER), ("two", CLAIMS), ("three", SIGNATURE)):
        assert f'<span class="{kind}">{part}</span>' in anatomy.html
    assert "verified with the key, which has 32 bytes" in anatomy.text
    assert Anatomy(GOOD.encode(), KEY, "the key").text == anatomy.text


def test_tokens_with_fractions_of_a_second_are_shown():
    edited = Lesson(8).edited('"iat": now', '"iat": now.timestamp()')
    assert "alice" in repr(edited.tokens("bob", "alice"))
    for display in (edited.lifetime(), edited.forge()):
        assert "accepted" in repr(display)


def test_a_token_that_cannot_be_read_gets_a_message():
    edited = Lesson(4).edited('.decode("utf-8")', '.decode("utf-8")[:9]')
    for show in (edited.tokens, edited.lifetime, edited.forge):
        with pytest.raises(Problem, match="This app's tokens need the claims exp, iat and nbf"):
            show()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('{"token": 1}', "contains no access_token"),
        ("[]", "contains no access_token"),
        ("no JSON", "contains no"),
    ],
)
def test_a_login_without_a_token_gets_a_message(body, problem):
    line = f"""@app.before_request
def stop():
    return app.response_class({body!r}, mimetype="application/json")
"""
    with pytest.raises(Problem, match=problem):
        Lesson(1).edited("api = Api(app)", line + "api = Api(app)").token()


def test_a_strange_status_is_shown_as_a_number_and_a_long_body_is_cut():
    request = httpx.Request("GET", "http://lesson/users")
    response = httpx.Response(599, json={"text": "x" * 100_000}, request=request)
    assert "\n\n599\n" in exchange_text(response)
    assert len(exchange_html(response)) < 20_000


def test_a_picture_of_a_login_response_shows_its_token():
    lesson = Lesson(1)
    login = lesson.client.post("/login", json=BOB)
    anatomy = lesson.token(login)
    assert anatomy.verified
    assert anatomy.claims == read_claims(login.json()["access_token"])
    assert "404" in lesson.token(lesson.client.get("/nonsense")).text


def test_a_picture_can_use_another_key():
    lesson = Lesson(1)
    assert "NOT VERIFIED with your key" in lesson.token(key=KEY).text
    assert lesson.token(GOOD, key=KEY).verified


def test_hostile_text_is_escaped():
    hostile = "<script>alert(1)</script>"
    token = jwt.encode({"sub": hostile}, KEY, headers={"kid": hostile})
    request = httpx.Request("POST", f"http://lesson/{hostile}", json={"a": hostile})
    response = httpx.Response(401, json={"message": hostile}, request=request)
    for page in (
        Anatomy(token, KEY, "the key").html,
        Anatomy(hostile, KEY, hostile).html,
        exchange_html(response),
    ):
        assert "<script>" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("status", "words"),
    [(200, "200 OK"), (308, "308 PERMANENT REDIRECT"), (401, "401 UNAUTHORIZED")],
)
def test_a_status_has_a_word_and_a_colour(status, words):
    request = httpx.Request("GET", "http://lesson/users?page=1", headers={"Authorization": "JWT x"})
    response = httpx.Response(status, text="no JSON", request=request)
    assert words in exchange_text(response)
    assert re.search(rf'class="(good|bad)">{words}<', exchange_html(response))
    assert "GET /users?page=1\nAuthorization: JWT x" in exchange_text(response)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (-60, "1 min"), (1798, "29 min 58 s"), (3600, "1 h"), (90061, "1 d 1 h")],
)
def test_a_length_of_time_in_words(seconds, words):
    assert format_duration(seconds) == words


def test_a_claim_with_a_time_in_words():
    now = time.time()
    assert describe_time("exp", now + 100) == "expires in 1 min 39 s"
    assert describe_time("exp", now - 4.5) == "expired 4 s ago"
    assert describe_time("iat", now - 90.5) == "issued 1 min 30 s ago"
    assert describe_time("nbf", now + 61) == "becomes valid in 1 min"
    assert describe_time("sub", 1) == ""

"""The notebooks: what is in them, what their cells show, and what an instructor sees in a browser."""

import inspect
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import jwt
import nbformat
import pytest

import lesson_loader
from demo import Lesson, Problem
from helpers import ROOT, eventually, needs
from lesson_loader import code_files, find_lessons, read_about
from show import Anatomy, exchange_html, exchange_text, in_words, time_in_words
from slides import main as write_slides
from slides import render, run

LESSONS = find_lessons()
PATHS = {number: ROOT / "notebooks" / f"{folder.name}.ipynb" for number, folder in LESSONS.items()}
KEY = "k" * 32
EACH = pytest.mark.parametrize("number", PATHS, ids=[path.stem for path in PATHS.values()])


def read(number):
    return nbformat.read(PATHS[number], as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# what is in them


def test_there_is_one_notebook_for_each_lesson():
    assert sorted((ROOT / "notebooks").glob("*.ipynb")) == sorted(PATHS.values())


@EACH
def test_a_notebook_is_valid_and_is_committed_without_outputs(number):
    nbformat.validate(read(number))
    for cell in code_cells(read(number)):
        assert cell.outputs == []
        assert cell.execution_count is None


@EACH
def test_a_notebook_holds_few_short_cells_and_no_code_of_a_lesson(number):
    code = {line.strip() for path in code_files(LESSONS[number]) for line in path.read_text().splitlines()}
    cells = [[line for line in cell.source.splitlines() if line] for cell in code_cells(read(number))]
    assert 5 <= len(cells) <= 12
    for lines in cells:
        assert 1 <= len(lines) <= 3
        assert not {line.strip() for line in lines} & code
        assert not [line for line in lines if re.match(r"\s*(def|class|with|for|import) ", line)]
        assert [line for line in lines if "import" in line] in ([], ["from demo import Lesson"])


@EACH
def test_a_notebook_goes_through_its_lesson_in_order_and_in_time(number):
    notes = [cell.source for cell in read(number).cells if cell.cell_type == "markdown"]
    headings = [re.match(r"#+ (.+) \((\d+) minutes?\)\n", note).groups() for note in notes]
    about = read_about(LESSONS[number])
    assert headings[0][0] == about.title
    assert about.idea.endswith(f"About {headings[0][1]} minutes.")
    order = ["What changes", "Before and after", "Why", "Break it", "Homework"]
    assert [title for title, _ in headings[1:]] == (
        order if number else ["What there is", "What it does", *order[2:]]
    )
    assert sum(int(minutes) for _, minutes in headings[1:]) == int(headings[0][1])
    assert all(re.search(r"^\*\*(Say|Ask|Break it)\*\* ", note, re.MULTILINE) for note in notes)
    assert sum("**Ask**" in note for note in notes) >= 2
    assert len(max(notes, key=len)) < 600


# what their cells show

ACCEPTED, REFUSED = "200 accepted", "401 refused"
FORGED = rf"as it was issued +{ACCEPTED}.*\n(.+ {REFUSED}.*\n?){{5}}$"
TEN_SECONDS = r"\+ ?9\.\d s from its end: 200 accepted\n *\+10\.\d s from its end: 401 refused"

SHOWN = {  # of each code cell, in order, what its output must hold
    0: [
        r"Lesson 0: the set-up",
        r"jwt = JWT\(app, authenticate, identity\)",
        r"@jwt_required\(\)",
        rf"GET /users\n\n{REFUSED}\nWWW-Authenticate: JWT",
        rf'POST /auth\n(.|\n)+{ACCEPTED}\n(.|\n)+"access_token"',
        rf'GET /users\nAuthorization: JWT (.|\n)+{ACCEPTED}(.|\n)+"alice"',
        r"header: alg: \"HS256\"(.|\n)+expires in 4 min(.|\n)+signature: verified with lesson 0's SECRET_KEY",
        FORGED,
        r'-app.config\["PROPAGATE_EXCEPTIONS"\] = True\n\+app.config\["PROPAGATE_EXCEPTIONS"\] = False',
        r"500 broken",
        r"Lesson 0 is on http://127.0.0.1:\d+ until",
        r"^$",
    ],
    1: [
        r"Lesson 1",
        r'\+app.config\["JWT_AUTH_URL_RULE"\] = "/login"',
        rf"POST /auth\n(.|\n)+{ACCEPTED}",
        r"POST /auth\n(.|\n)+404 refused",
        rf"POST /login\n(.|\n)+{ACCEPTED}",
        r"405 refused\nAllow: ",
        r"POST /enter\n(.|\n)+404 refused",
        r"308 sent elsewhere\nLocation: .*/login/",
    ],
    2: [
        r"Lesson 2",
        r'\+app.config\["JWT_EXPIRATION_DELTA"\]',
        r"expires in 4 min",
        r"expires in 29 min",
        TEN_SECONDS,
        r"-(0\.\d|1\.0) s from its end: 200 accepted\n *\+(0\.\d|1\.0) s from its end: 401 refused",
        r"500 broken\n(.|\n)+TypeError",
    ],
    3: [
        r"Lesson 3",
        r"\+    user = UserModel.find_by_email\(email\)",
        REFUSED,
        ACCEPTED,
        REFUSED,
        r"def authenticate\(email, password\)",
        r"\+    user = UserModel.find_by_username\(email\)",
        REFUSED,
    ],
    4: [
        r"Lesson 4",
        r"\+@jwt.auth_response_handler",
        r"200 accepted(?!(.|\n)+user_id)",
        r'200 accepted(.|\n)+"user_id": 1',
        rf"{REFUSED}(?!(.|\n)+user_id)",
        r"identity: 1",
        r'"password_hash": "scrypt:',
        r"500 broken\n(.|\n)+TypeError",
    ],
    5: [
        r"Lesson 5",
        r"\+@jwt.jwt_error_handler",
        rf'{REFUSED}\nWWW-Authenticate(.|\n)+"description"',
        rf'{REFUSED}\nWWW-Authenticate(.|\n)+"message"',
        rf'{REFUSED}\nContent(.|\n)+"message": "Invalid credentials"',
        FORGED,
        rf'{REFUSED}\nContent(.|\n)+"message"',
        r"Problem: Lesson 5 does not start. AttributeError: 'JWT' object has no attribute 'error_handler'",
    ],
    6: [
        r"Lesson 6",
        r"\+        if not current_identity.is_admin:",
        ACCEPTED,
        r"403 refused(.|\n)+bob is not an admin",
        r'200 accepted(.|\n)+"asked_by": "alice"',
        REFUSED,
        r"identity: 1",
        r"identity: 2",
        r"\+        if current_identity is None:",
        r'200 accepted(.|\n)+"asked_by": "bob"',
    ],
    7: [
        r"Lesson 7",
        r'\+app.config\["JWT_AUTH_HEADER_PREFIX"\] = "Bearer"',
        rf"Authorization: JWT (.|\n)+{ACCEPTED}",
        rf"Authorization: Bearer (.|\n)+{ACCEPTED}",
        rf"Authorization: JWT (.|\n)+{REFUSED}",
        rf"{REFUSED}\nWWW-Authenticate: JWT",
        FORGED,
        rf"without exp, with a good signature +{ACCEPTED}",
        r"NOT VERIFIED with lesson 7's SECRET_KEY",
    ],
    8: [
        r"Lesson 8",
        r"\+jwt = JWTManager\(app\)",
        r"identity: 1",
        r'sub: "1"(.|\n)*jti: |jti: (.|\n)*sub: "1"',
        ACCEPTED,
        FORGED,
        TEN_SECONDS,
        rf"{REFUSED}(.|\n)+Missing claim: sub",
        r"\+(0\.\d|1\.0) s from its end: 401 refused",
        rf"without exp, with a good signature +{ACCEPTED}",
    ],
}


def shown(cell):
    """The plain text of what a cell shows, and the words of the error that it ends in."""
    texts = [output.get("data", {}).get("text/plain") or output.get("text", "") for output in cell.outputs]
    errors = ["\n".join(output.traceback) for output in cell.outputs if output.output_type == "error"]
    return "\n".join(texts + errors)


@EACH
def test_every_cell_of_a_notebook_shows_what_it_is_there_to_show(number):
    cells = code_cells(run(PATHS[number]))
    for cell, expected in zip(cells, SHOWN[number], strict=True):
        assert re.search(expected, shown(cell)), f"{cell.source}\n\n{shown(cell)}"
        assert "Traceback" not in shown(cell)
        assert not [output for output in cell.outputs if output.get("name") == "stderr"]


# what demo.py does


@pytest.fixture
def copied(copy, monkeypatch):
    """Give a lesson of a copy of all the lessons, whose files a test may change."""
    monkeypatch.setattr(lesson_loader, "LESSONS", copy)
    return Lesson


def change(lesson, old, new):
    file = lesson.folder / "app.py"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_file_that_is_edited_is_shown_and_run_anew(copied):
    lesson = copied(1)
    assert lesson.client.get("/users").status_code == 401
    change(lesson, '"/users"', '"/people"')
    assert '"/people"' in repr(lesson.source())
    assert '+api.add_resource(UserList, "/people")' in repr(lesson.diff())
    assert [lesson.client.get(path).status_code for path in ("/users", "/people")] == [404, 401]


def test_an_edited_copy_leaves_the_lesson_as_it_is(copied):
    lesson = copied(1)
    before = lesson.source().text
    moved = lesson.edited('"/login"', '"/enter"')
    assert moved.log_in("bob")
    assert repr(moved.diff()).count('"/enter"') == 1
    assert lesson.source().text == before
    with pytest.raises(Problem, match="has no 'nonsense' that could be changed"):
        lesson.edited("nonsense", "")


def test_a_lesson_has_a_database_of_its_own_that_goes_with_it():
    lesson, other = Lesson(0), Lesson(0)
    lesson.log_in("bob")
    database = lesson.app.config["DATABASE"]
    assert database != other.app.config["DATABASE"]
    assert os.path.exists(database)
    del lesson
    assert not os.path.exists(database)
    assert not Path(database).is_relative_to(ROOT)


@pytest.mark.parametrize("number", [9, 99, -1, "2", None])
def test_an_unknown_lesson_is_a_problem_that_names_those_there_are(number):
    with pytest.raises(Problem, match=rf"There is no lesson {number!r}. There are 0 to 8"):
        Lesson(number)


def test_lesson_0_has_no_difference_and_says_so():
    with pytest.raises(Problem, match="Nothing comes before lesson 0"):
        Lesson(0).diff()


def test_a_file_that_a_lesson_does_not_have_is_answered_with_those_that_it_has():
    for name in ("nonsense.py", "../../README.md", "exercise.py"):
        with pytest.raises(Problem, match=r"It has app.py, models/__init__.py"):
            Lesson(1).source(name)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("app = Flask(__name__)", "app = Flask(__name__", r"SyntaxError: .+, line \d+"),
        ("app = Flask(__name__)", "1 / 0", "ZeroDivisionError: division by zero"),
        ("app = Flask(__name__)", "import sys; sys.exit('stop')", "SystemExit: stop"),
        ("from security import", "from securities import", "No module named 'securities'"),
    ],
)
def test_an_app_that_does_not_start_is_a_problem_without_a_traceback(copied, old, new, words):
    lesson = copied(1)
    change(lesson, old, new)
    with pytest.raises(Problem, match=rf"(?s)Lesson 1 does not start\. .*{words}") as problem:
        lesson.client.get("/users")
    [line] = problem.value._render_traceback_()
    assert line.startswith("Problem: Lesson 1 does not start.")
    (lesson.folder / "app.py").unlink()
    with pytest.raises(Problem, match=r"FileNotFoundError: .*has no app\.py"):
        lesson.token()


def test_an_error_in_the_app_is_a_500_that_names_it():
    broken = Lesson(2).edited("timedelta(minutes=30)", "1800")
    response = broken.client.post("/login", json={"username": "bob", "password": "builder"})
    assert response.status_code == 500
    assert response.text.startswith("TypeError: ")
    with pytest.raises(Problem, match="The login of bob was answered 500: TypeError"):
        broken.token()


def test_a_lesson_is_served_on_a_port_until_it_is_stopped(copied):
    lesson = copied(1)
    said = repr(lesson.serve(port=0))
    url = re.search(r"http://127\.0\.0\.1:\d+", said)[0]
    assert f"curl -si {url.removeprefix('http://')}/users" in said
    assert httpx.get(f"{url}/users", trust_env=False).status_code == 401
    change(lesson, '"/users"', '"/people"')
    assert httpx.get(f"{url}/people", trust_env=False).status_code == 401
    lesson.stop()
    lesson.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/people", trust_env=False)


def test_a_port_that_is_in_use_is_a_problem_with_another_to_take():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        for port in (busy.getsockname()[1], 65536, -1):
            with pytest.raises(Problem, match=rf"Port {port} cannot be had .+ lesson\.serve\(port=8001\)"):
                Lesson(0).serve(port)


@EACH
def test_a_lifetime_is_what_the_app_answers(number):
    life = Lesson(number).lifetime(seconds=3)
    assert life.life == (300 if number < 2 else 1800)
    assert life.leeway == 10
    assert 9 <= life.last_accepted < 10
    for age, status in life.answers:
        assert status == (200 if 0 <= age < life.life + 10 else 401)
    assert "currentColor" in life.html
    assert "#123456" not in life.html


def test_a_lifetime_follows_the_app_and_not_its_options():
    impatient = Lesson(2).edited("# POST /login", "; jwt.identity_handler(lambda payload: None)")
    assert {status for _, status in impatient.lifetime().answers} == {401}


@EACH
def test_a_forgery_is_refused_and_the_tables_words_are_the_apps(number):
    table = Lesson(number).forge()
    assert list(table.answers.values()) == [200, 401, 401, 401, 401, 401]
    assert "Signature verification failed" in table.text
    assert table.html.count("401 refused") == 5


def test_a_forgery_that_is_let_in_is_shown_as_let_in():
    trusting = Lesson(7).edited("# RFC 6750", "; app.config['JWT_REQUIRED_CLAIMS'] = []")
    answers = trusting.forge().answers
    assert answers.pop("without exp, with a good signature") == 200
    assert list(answers.values()) == [200, 401, 401, 401, 401]


# how it looks


GOOD = jwt.encode({"sub": "1", "exp": 2**31}, KEY)
HEADER, CLAIMS, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "A token has three parts, with a dot between them. This has 1"),
        ("abc", "This has 1"),
        (f"{HEADER}.{CLAIMS}", "This has 2"),
        (f"{GOOD}.{SIGNATURE}", "This has 4"),
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
def test_a_broken_token_is_shown_with_what_is_wrong_with_it(token, words):
    anatomy = Anatomy(token, KEY, "the key")
    assert re.search(words, anatomy.text), anatomy.text
    assert not anatomy.verified
    assert anatomy.html.count('class="label"') == 3


@pytest.mark.parametrize(("time", "shown"), [("soon", '"soon"'), (float("inf"), "Infinity"), (10**400, "1")])
def test_a_time_that_is_none_is_shown_as_it_is(time, shown):
    anatomy = Anatomy(jwt.encode({"exp": time}, KEY), KEY, "the key")
    assert anatomy.verified  # the signature, which is all that it says
    assert re.search(rf"exp: {shown}0*  is not a time: a number of seconds since 1970 is", anatomy.text)


def test_a_good_token_is_shown_in_three_parts_and_verified():
    anatomy = Anatomy(GOOD, KEY, "the key")
    assert anatomy.verified
    assert anatomy.header == {"alg": "HS256", "typ": "JWT"}
    assert anatomy.claims == {"sub": "1", "exp": 2**31}
    for kind, part in (("one", HEADER), ("two", CLAIMS), ("three", SIGNATURE)):
        assert f'<span class="{kind}">{part}</span>' in anatomy.html
    assert "verified with the key, of 32 bytes" in anatomy.text
    assert Anatomy(GOOD.encode(), KEY, "the key").text == anatomy.text


def test_the_answer_to_a_login_is_shown_as_its_token():
    lesson = Lesson(1)
    login = lesson.client.post("/login", json={"username": "bob", "password": "builder"})
    assert lesson.token(login).claims["identity"] == 1
    assert "404" in lesson.token(lesson.client.get("/nonsense")).text


def test_what_an_app_says_is_shown_as_text_and_not_as_html():
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
    [(200, "200 accepted"), (308, "308 sent elsewhere"), (401, "401 refused"), (500, "500 broken")],
)
def test_a_status_is_told_in_a_word_and_a_colour(status, words):
    request = httpx.Request("GET", "http://lesson/users?page=1", headers={"Authorization": "JWT x"})
    response = httpx.Response(status, text="no JSON", request=request)
    assert words in exchange_text(response)
    assert re.search(rf'class="(good|bad)">{words}<', exchange_html(response))
    assert "GET /users?page=1\nAuthorization: JWT x" in exchange_text(response)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (-60, "1 min"), (1798, "29 min 58 s"), (3600, "1 h"), (90061, "1 d 1 h")],
)
def test_a_length_of_time_is_told_in_words(seconds, words):
    assert in_words(seconds) == words


def test_a_claim_that_is_a_time_is_told_in_words():
    now = time.time()
    assert time_in_words("exp", now + 100) == "expires in 1 min 39 s"
    assert time_in_words("exp", now - 4.5) == "expired 4 s ago"
    assert time_in_words("iat", now - 90.5) == "issued 1 min 30 s ago"
    assert time_in_words("nbf", now + 61) == "begins in 1 min"
    assert time_in_words("sub", 1) == ""


# slides


def test_slides_are_one_page_that_loads_nothing_and_hides_the_notes():
    page = render(run(PATHS[2]))
    headings = [
        cell.source.partition("\n")[0].lstrip("# ") for cell in read(2).cells if cell.source[0] == "#"
    ]
    assert re.findall("<section><h1>(.+?)</h1>", page) == headings
    assert page.count("<details>") == len(headings)
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert not re.search(r"""(src|href)=["'](?!#)|url\((?!#)|@import""", page)


@pytest.mark.parametrize("number", ["9", "x", "", "²", "../2"])
def test_slides_of_an_unknown_notebook_are_answered_with_those_there_are(number):
    with pytest.raises(SystemExit, match=rf"There is no notebook '{re.escape(number)}'. There are: 0, 1"):
        write_slides(number)


def test_slides_of_a_notebook_that_fails_say_which_and_leave_what_there_was(tmp_path, monkeypatch):
    broken = read(1)
    broken.cells[1].source = "1 / 0"
    nbformat.write(broken, tmp_path / "01_auth_url.ipynb")
    (tmp_path / "01_auth_url.html").write_text("what there was")
    monkeypatch.setattr(inspect.getmodule(write_slides), "FOLDER", tmp_path)
    with pytest.raises(SystemExit, match=r"A cell of 01_auth_url\.ipynb failed, .+: division by zero"):
        write_slides("1")
    assert (tmp_path / "01_auth_url.html").read_text() == "what there was"


# in a browser

QUIETLY = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.fixture
def chromium():
    """The path of a Chromium, or of what is built on it."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = [path for name in names if (path := shutil.which(name))]
    if not found:
        needs("chromium")
    return found[0]


@pytest.fixture
def jupyter_lab(tmp_path):
    """Serve JupyterLab as `make notebooks` does, on any port and with nobody's own settings; give its URL."""
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    places += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    notebooks = shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    config = notebooks / ".jupyter/jupyter_lab_config.py"
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--config", config, "--no-browser", "--port=0"],
            env=os.environ | {place: str(tmp_path / place) for place in places},
            stdout=log,
            stderr=log,
        )
    try:
        found = []

        def address():
            found[:] = re.findall(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", (tmp_path / "log").read_text())
            return found or process.poll() is not None

        eventually(address, seconds=60)
        assert found, (tmp_path / "log").read_text()
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def test_an_instructor_runs_a_notebook_from_the_menu_and_the_class_sees_the_token(chromium, jupyter_lab):
    from playwright.sync_api import sync_playwright

    asked = set()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIETLY)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("request", lambda request: asked.add(request.url.split("/")[2].split(":")[0]))
        page.goto(jupyter_lab.replace("/lab?", "/lab/tree/02_token_expiry.ipynb?"))
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.get_by_text("500 broken").wait_for(timeout=60_000)  # the last cell
        for width, height in ((1280, 800), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            token = page.locator(".demo:has(.token)").last
            token.scroll_into_view_if_needed()
            assert token.locator(".token span").count() == 3
            assert "expires in 29 min" in token.inner_text()
            picture, cell = token.bounding_box(), page.locator(".jp-Notebook").bounding_box()
            assert 400 < picture["width"] <= cell["width"]
            assert token.evaluate("it => it.scrollWidth <= it.clientWidth")
            page.locator(".demo svg").first.scroll_into_view_if_needed()
            assert page.locator(".demo svg").first.bounding_box()["width"] > 500
        assert page.locator(".jp-Dialog").count() == page.locator(".Toastify__toast").count() == 0
        browser.close()
    assert asked == {"127.0.0.1"}

"""Test the notebooks: what is in them, what their cells show, and what an instructor sees in a browser."""

from __future__ import annotations

import gc
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import jwt
import nbformat
import pytest
from nbformat import NotebookNode

import lesson_loader
import slides
from demo import Lesson, Problem
from helpers import BOB, ROOT, chromium, wait_until
from lesson_loader import code_files, find_lessons, read_about
from probe import read_claims
from show import Anatomy, describe_time, exchange_html, exchange_text, format_duration
from slides import read_notebook, render, run_notebook, write_slides

LESSONS = find_lessons()
FIRST, LAST = min(LESSONS), max(LESSONS)
PATHS = {number: ROOT / "notebooks" / f"{folder.name}.ipynb" for number, folder in LESSONS.items()}
OUTPUTS = Path(__file__).with_name("notebook_outputs")
WITH_PLOT = next(path for path in PATHS.values() if "lifetime()" in path.read_text(encoding="utf-8"))
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


def markdown_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


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


def test_each_lesson_has_a_notebook_and_its_expected_outputs():
    assert sorted((ROOT / "notebooks").glob("*.ipynb")) == sorted(PATHS.values())
    assert {path.stem for path in OUTPUTS.iterdir()} == {path.stem for path in PATHS.values()}


@EVERY_NOTEBOOK
def test_a_notebook_is_valid_and_committed_without_outputs(number):
    notebook = read_notebook(PATHS[number])
    nbformat.validate(notebook)
    for cell in code_cells(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None


@EVERY_NOTEBOOK
def test_a_notebook_contains_no_lesson_code(number):
    lesson_lines = {
        line.strip() for path in code_files(LESSONS[number]) for line in path.read_text().splitlines()
    }
    for cell in code_cells(read_notebook(PATHS[number])):
        lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
        assert not set(lines) & lesson_lines
        assert not [line for line in lines if re.match("(def|class|with|for) ", line)]
        assert {line for line in lines if "import" in line} <= {"from demo import Lesson"}


@EVERY_NOTEBOOK
def test_headings_are_in_order_and_their_minutes_add_up(number):
    notes = [cell.source for cell in markdown_cells(read_notebook(PATHS[number]))]
    headings = [re.match(r"#+ (.+) \((\d+) minutes?\)\n", note).groups() for note in notes]
    (title, total), *parts = headings
    about = read_about(LESSONS[number])
    assert title == about.title
    assert about.idea.endswith(f"About {total} minutes.")
    beginning = ["What there is", "What it does"] if number == FIRST else ["What changes", "Before and after"]
    assert [heading for heading, _ in parts] == [*beginning, "Why", "Break it", "Homework"]
    assert sum(int(minutes) for _, minutes in parts) == int(total)


# what the cells show


@EVERY_NOTEBOOK
def test_each_code_cell_has_one_expected_output(number):
    assert len(read_patterns(number)) == len(code_cells(read_notebook(PATHS[number])))


@FIRST_AND_LAST_FAST
def test_every_cell_shows_what_it_should(number):
    cells = code_cells(run_notebook(PATHS[number]))
    for cell, pattern in zip(cells, read_patterns(number), strict=True):
        text = displayed_text(cell)
        assert re.search(pattern, text, re.DOTALL), f"{cell.source}\n\n{text}"
        assert "Traceback" not in text
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


def test_a_500_is_shown_with_the_error_that_the_app_logs():
    broken = Lesson(2).edited("timedelta(minutes=30)", "1800")
    response = broken.client.post("/login", json=BOB)
    assert response.status_code == 500
    assert "TypeError" not in response.text
    assert "\nin the app's log: TypeError: unsupported operand" in exchange_text(response)
    assert "<pre>TypeError: unsupported operand" in exchange_html(response)
    with pytest.raises(Problem, match="The login of bob got a 500: TypeError"):
        broken.token()


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


def test_a_served_lesson_reloads_for_each_request_until_it_is_stopped(lesson_1):
    note = repr(lesson_1.serve(port=0))
    url = re.search(r"http://127\.0\.0\.1:\d+", note)[0]
    assert f"curl -si {url.removeprefix('http://')}/users" in note
    assert httpx.get(f"{url}/users", trust_env=False).status_code == 401
    change_app(lesson_1, '"/users"', '"/people"')
    assert httpx.get(f"{url}/people", trust_env=False).status_code == 401
    lesson_1.stop()
    lesson_1.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/people", trust_env=False)


def test_a_served_lesson_that_no_longer_starts_names_the_error_and_logs_nothing(lesson_1, capfd):
    url = re.search(r"http://127\.0\.0\.1:\d+", repr(lesson_1.serve(port=0)))[0]
    change_app(lesson_1, "app = Flask(__name__)", "app = Flask(__name__")
    response = httpx.get(f"{url}/users", trust_env=False)
    lesson_1.stop()
    assert response.status_code == 500
    assert "SyntaxError" in response.text
    assert capfd.readouterr().err == ""


def test_a_port_that_cannot_be_used_gets_a_message_with_another_one():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        for port in (busy.getsockname()[1], 65536, -1):
            with pytest.raises(Problem, match=rf"Cannot serve on port {port}: .+ lesson\.serve\(port=8001\)"):
                Lesson(FIRST).serve(port)


@FIRST_AND_LAST_FAST
def test_the_plot_shows_when_the_app_stops_accepting_a_token(number):
    lesson = Lesson(number)
    config = lesson.load().config
    plot = lesson.lifetime(margin=3)
    life = plot.life
    lifetime = config.get("JWT_EXPIRATION_DELTA") or config["JWT_ACCESS_TOKEN_EXPIRES"]
    assert life.ends == lifetime.total_seconds()
    refused_from = life.ends + life.leeway
    for age, status in life.statuses:
        assert status == (200 if life.begins <= age < refused_from else 401)
    last_accepted = max(age for age, status in life.statuses if status == 200)
    assert refused_from - 1 <= last_accepted < refused_from
    assert "currentColor" in plot.html
    assert "#123456" not in plot.html


def test_the_plot_shows_responses_and_not_what_the_options_promise():
    impatient = Lesson(2).edited("# POST /login", "; jwt.identity_handler(lambda payload: None)")
    assert {status for _, status in impatient.lifetime().life.statuses} == {401}


@EVERY_NOTEBOOK
def test_each_app_refuses_every_forgery(number):
    table = Lesson(number).forge()
    original, *forgeries = table.statuses.values()
    assert original == 200
    assert set(forgeries) == {401}
    assert "Signature verification failed" in table.text
    assert table.html.count("401 refused") == len(forgeries)


def test_a_forgery_that_the_app_accepts_is_shown_as_accepted():
    trusting = Lesson(7).edited("# RFC 6750", "; app.config['JWT_REQUIRED_CLAIMS'] = []")
    accepted = [description for description, status in trusting.forge().statuses.items() if status == 200]
    assert accepted == ["as it was issued", "without exp, with a good signature"]


# how tokens and responses look


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
    [(200, "200 accepted"), (308, "308 redirected"), (401, "401 refused"), (500, "500 broken")],
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


# slides


def loads_something(page: str) -> bool:
    return bool(re.search(r"""<script|(src|href)=["'](?!#)|url\((?!#)|@import""", page))


@EVERY_NOTEBOOK
def test_each_heading_begins_a_slide_and_its_notes_are_hidden_at_first(number):
    notebook = read_notebook(PATHS[number])
    notes = [cell.source for cell in markdown_cells(notebook)]
    page = render(notebook)
    titles = [note.partition("\n")[0].lstrip("# ") for note in notes if note.startswith("#")]
    assert re.findall("<section><h1>(.+?)</h1>", page) == titles
    assert page.count("<details><summary>Notes</summary>") == len(titles)
    assert not loads_something(page)


@pytest.mark.slow
def test_slides_with_outputs_and_plots_are_one_page_that_loads_nothing():
    page = render(run_notebook(WITH_PLOT))
    plots = [cell for cell in code_cells(read_notebook(WITH_PLOT)) if "lifetime()" in cell.source]
    assert page.count("<svg") == len(plots) > 0
    assert not loads_something(page)


@pytest.mark.parametrize("number", [str(LAST + 1), "x", "", "²", "../2"])
def test_an_unknown_slide_number_gets_a_message_with_the_known_ones(number):
    with pytest.raises(SystemExit, match=rf"There is no notebook '{re.escape(number)}'\. .+: 0, 1"):
        write_slides(number)


@pytest.fixture
def short_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook with one heading and one cell, in a folder of its own."""
    monkeypatch.setattr(slides, "FOLDER", tmp_path)
    cells = [nbformat.v4.new_markdown_cell("# Short"), nbformat.v4.new_code_cell("6 * 7")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_auth_url.ipynb")
    return tmp_path / "01_auth_url.ipynb"


def test_slides_are_written_beside_the_notebook(short_notebook, capsys):
    write_slides("1")
    assert "42" in short_notebook.with_suffix(".html").read_text()
    assert f"Wrote {short_notebook.parent.name}/01_auth_url.html." in capsys.readouterr().out


def test_a_notebook_that_fails_leaves_the_old_slides_unchanged(short_notebook):
    short_notebook.write_text(short_notebook.read_text().replace("6 * 7", "1 / 0"))
    short_notebook.with_suffix(".html").write_text("old slides")
    with pytest.raises(SystemExit, match=r"A cell of 01_auth_url\.ipynb failed, .+: division by zero"):
        write_slides("1")
    assert short_notebook.with_suffix(".html").read_text() == "old slides"


# in a browser


@pytest.fixture
def jupyter_lab(tmp_path: Path) -> Iterator[str]:
    """The URL of JupyterLab. It starts as with `make notebooks`, but without personal settings."""
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    places += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    notebooks = shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    config = notebooks / ".jupyter/jupyter_lab_config.py"
    log_path = tmp_path / "log"
    with open(log_path, "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--config", config, "--port", "0", "--no-browser"],
            env=os.environ | {place: str(tmp_path / place) for place in places},
            stdout=log,
            stderr=log,
        )

    def find_url() -> re.Match[str] | None:
        return re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", log_path.read_text())

    try:
        wait_until(lambda: find_url() or process.poll() is not None, seconds=60)
        url = find_url()
        assert url, log_path.read_text()
        yield url[0]
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_an_instructor_runs_all_cells_in_jupyterlab_and_sees_pictures_that_fit(jupyter_lab):
    hosts = set()
    last_cell = len(code_cells(read_notebook(WITH_PLOT)))
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("request", lambda request: hosts.add(request.url.split("/")[2].split(":")[0]))
        page.goto(jupyter_lab.replace("/lab?", f"/lab/tree/{WITH_PLOT.name}?"))
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.get_by_text(f"[{last_cell}]:").first.wait_for(timeout=60_000)
        for width, height in ((1280, 800), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            token = page.locator(".demo:has(.token)").last
            token.scroll_into_view_if_needed()
            assert token.locator(".token span").count() == 3
            assert "expires in " in token.inner_text()
            picture, notebook = token.bounding_box(), page.locator(".jp-Notebook").bounding_box()
            assert 400 < picture["width"] <= notebook["width"]
            assert token.evaluate("element => element.scrollWidth <= element.clientWidth")
            page.locator(".demo svg").first.scroll_into_view_if_needed()
            assert page.locator(".demo svg").first.bounding_box()["width"] > 500
        assert page.locator(".jp-Dialog").count() == page.locator(".Toastify__toast").count() == 0
    assert hosts == {"127.0.0.1"}

"""Use the static site in a browser, as a student does: run lessons, do exercises. `make test-slow`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from helpers import ROOT
from lesson_loader import find_lessons
from mistakes import EXERCISES, checking_process

pytest.importorskip("playwright")
from playwright.sync_api import Locator, Page, expect

from repository.playground import OPEN_DETAILS, Console, scrolls_sideways

pytestmark = pytest.mark.slow

LESSONS = find_lessons()
NAMES = [path.stem for path in sorted((ROOT / "solutions").glob("*.py"))]
IN_A_MINUTE = 60_000  # milliseconds. Python loads in a few seconds, but a busy computer needs longer
SOLUTION = (ROOT / "solutions/02_token_expiry.py").read_text(encoding="utf-8")
APP = (LESSONS[2] / "app.py").read_text(encoding="utf-8")
EVIL = "<img src=x onerror=alert(1)>"


class SitePage(Console):
    """A lesson's page of the site, in a browser."""

    def wait_for_python(self) -> None:
        expect(self.page.locator("#users button").first).to_be_attached(timeout=IN_A_MINUTE)

    @property
    def editor(self) -> Locator:
        return self.page.locator(".cm-content")  # Playwright also finds what is in a shadow root

    @property
    def points(self) -> Locator:
        return self.page.locator("#score")

    def choose_file(self, name: str) -> None:
        self.page.get_by_label("File").select_option(name)

    def paste_file(self, text: str) -> None:
        """Replace what is in the editor, as with Ctrl-A and Ctrl-V."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.editor.focus()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Control+V")

    def check(self, text: str | None = None) -> list[tuple[str, str]]:
        """Check answer.py, or this text. Return the outcome and the points of each check."""
        if text is not None:
            self.paste_file(text)
        self.click("Check answer.py")
        return self.read_checks()

    def read_checks(self) -> list[tuple[str, str]]:
        """Wait for the end of the checks. Return the outcome and the points of each check."""
        expect(self.points).not_to_have_text("The checks are running…", timeout=2 * IN_A_MINUTE)
        checks = self.page.locator("#checks > li").all()
        marks = [check.locator("b").first.inner_text().rpartition(": ")[2] for check in checks]
        return [(check.get_attribute("class"), mark) for check, mark in zip(checks, marks, strict=True)]


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Start a server on this computer, and yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    """The address of the site on a static server. The site is below another folder, as on GitHub Pages."""
    with serving(partial(SimpleHTTPRequestHandler, directory=site.parent)) as address:
        yield f"{address}{site.name.replace(' ', '%20')}/"


@pytest.fixture
def open_lesson(new_page: Callable[..., Page], url: str) -> Callable[..., SitePage]:
    """A function that opens the page of a lesson, and one of its views: Read, Code or Console."""

    def open_page(number: int, view: str = "Code", **options: object) -> SitePage:
        page = new_page(permissions=["clipboard-read", "clipboard-write"], **options)
        page.goto(f"{url}{LESSONS[number].name}/")
        lesson = SitePage(page)
        if page.get_by_role("button", name=view, exact=True).is_visible():
            lesson.click(view)
        return lesson

    return open_page


# Lessons


@pytest.mark.parametrize("number", LESSONS)
def test_in_every_lesson_alice_logs_in_and_gets_the_users(number, open_lesson):
    lesson = open_lesson(number, "Console")
    lesson.wait_for_python()
    assert lesson.send("Log in as alice") == "200"
    assert lesson.send("GET /users") == "200"
    assert [user["username"] for user in lesson.body["users"]] == ["bob", "alice"]
    lesson.click("Another user")
    assert lesson.send_again() == "401"
    assert lesson.refused_by == "Signature"


def test_an_edit_of_the_app_works_at_once(open_lesson):
    lesson = open_lesson(2)
    lesson.wait_for_python()
    lesson.choose_file("app.py")
    lesson.paste_file(APP.replace('"/login"', '"/enter"') + f"\nprint({EVIL!r})\n")
    assert lesson.send("Log in as bob") == "200"
    expect(lesson.page.locator("#printed")).to_contain_text(EVIL)
    assert lesson.request.startswith("POST /enter\n")
    lesson.paste_file(APP + "\n1 +\n")
    for place in ("#state", "#problem"):
        expect(lesson.page.locator(place)).to_contain_text("SyntaxError: invalid syntax")
        expect(lesson.page.locator(place)).to_have_class(re.compile(r"\bproblem\b"))
    assert lesson.send("GET /users") == "No response"
    lesson.click("Back to the original")
    expect(lesson.page.locator("#state")).to_have_text("Python is ready.")
    expect(lesson.page.locator("#problem")).to_be_hidden()
    assert lesson.send("Log in as bob") == "200"
    assert lesson.request.startswith("POST /login\n")


def test_on_a_phone_the_code_shows_why_the_app_does_not_start(open_lesson):
    lesson = open_lesson(2, viewport={"width": 390, "height": 800}, has_touch=True)
    lesson.wait_for_python()
    problem = lesson.page.locator("#problem")
    expect(problem).to_be_hidden()
    lesson.paste_file("x = 1\ny = (1 +\n")
    expect(problem).to_be_visible()
    *_, code, pointer, _ = problem.inner_text().splitlines()
    assert code[pointer.index("^")] == "("
    lesson.paste_file(SOLUTION)
    expect(problem).to_be_hidden()


def test_an_error_of_the_app_is_printed(open_lesson):
    lesson = open_lesson(0)
    lesson.wait_for_python()
    lesson.choose_file("resources/user.py")
    user = (LESSONS[0] / "resources/user.py").read_text(encoding="utf-8")
    lesson.paste_file(user.replace('return {"users"', 'return 1 / 0 or {"users"'))
    lesson.send("Log in as bob")
    assert lesson.send("GET /users") == "500"
    expect(lesson.page.locator("#printed")).to_contain_text("ZeroDivisionError")


@pytest.mark.parametrize("line", ["while True: pass", "sum(range(10**15))"], ids=["loop", "loop in C"])
def test_an_app_that_does_not_end_is_stopped_and_the_next_one_works(line, open_lesson):
    lesson = open_lesson(2)
    lesson.wait_for_python()
    lesson.page.clock.install()
    lesson.choose_file("app.py")
    lesson.paste_file(f"{APP}\n{line}\n")
    lesson.page.clock.run_for(500)
    time.sleep(1)  # Python is busy now
    lesson.page.clock.fast_forward(25_000)
    lesson.paste_file(APP)
    lesson.page.clock.run_for(500)
    lesson.page.clock.resume()
    assert lesson.send("Log in as bob") in ("200", "No response")
    assert lesson.send("Log in as bob") == "200"


PRINTING = """
while True:
    try:
        while True:
            print("x")
    except:
        pass
"""


def test_an_app_that_prints_for_ever_does_not_freeze_the_page(open_lesson):
    lesson = open_lesson(2)
    lesson.wait_for_python()
    lesson.choose_file("app.py")
    lesson.paste_file(APP + PRINTING)
    expect(lesson.page.locator("#printed")).to_contain_text("x\nx")
    for _ in range(2):  # a reload begins with the same file
        began = time.monotonic()
        lesson.click("Read")
        lesson.click("Code")
        assert time.monotonic() - began < 5
        lesson.page.reload()
    lesson.click("Code")
    lesson.choose_file("app.py")
    lesson.click("Back to the original")
    printed = lesson.page.locator("#printed")
    expect(printed).to_contain_text("Python took longer than 20 seconds", timeout=IN_A_MINUTE)
    expect(lesson.page.locator("#state")).to_have_text("Python is ready.", timeout=IN_A_MINUTE)
    assert lesson.send("Log in as bob") == "200"


def test_a_python_that_keeps_stopping_stays_stopped(open_lesson, problems):
    lesson = open_lesson(2)
    lesson.wait_for_python()
    lesson.choose_file("app.py")
    lesson.paste_file("import os\nos._exit(0)\n")
    state = lesson.page.locator("#state")
    expect(state).to_contain_text("Python does not start: Python stopped", timeout=IN_A_MINUTE)
    lesson.paste_file(APP)
    state.get_by_role("button", name="Restart Python").click()
    expect(state).to_have_text("Python is ready.", timeout=IN_A_MINUTE)
    assert lesson.send("Log in as bob") == "200"
    problems.clear()  # Pyodide raises errors when it stops


REQUESTS = """
import js
from pyodide.code import run_js
from pyodide.http import open_url

js.fetch("{url}fetch")
for name, ask in [
    ("request", lambda: open_url("{url}request")),
    ("socket", lambda: js.WebSocket.new("{url}socket".replace("http", "ws"))),
    ("script", lambda: run_js("import('{url}script')")),
    ("worker", lambda: js.Worker.new("{own}worker.js")),
]:
    try:
        ask()
    except BaseException as error:
        print(name, "raised", type(error))
"""


def test_python_can_send_no_request_to_another_host(open_lesson, url):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

    lesson = open_lesson(2)
    lesson.wait_for_python()
    lesson.choose_file("app.py")
    with serving(Handler) as other:
        lesson.paste_file(APP + REQUESTS.format(url=other, own=url))
        expect(lesson.page.locator("#printed")).to_contain_text("script raised")
        assert lesson.send("Log in as bob") == "200"
        lesson.page.wait_for_timeout(500)
        assert asked == []


# Exercises


def native_checks(run: Callable[..., dict], exercise: str, file: Path) -> list[tuple[str, str]]:
    """Return the outcome and the points of each check on this computer, as the page shows them."""
    shown = {"passed": "passed", "skipped": "skipped"}
    results = run(exercise, file).values()
    return [(shown.get(result.outcome, "failed"), result.points) for result in results]


def outcomes(checks: list[tuple[str, str]]) -> list[tuple[str, int]]:
    return [(outcome, int(points.split()[0])) for outcome, points in checks]


@pytest.mark.parametrize("exercise", NAMES)
def test_the_checks_have_the_same_outcomes_as_on_this_computer(exercise, open_lesson):
    mistakes = sorted((EXERCISES / "mistakes" / exercise).glob("*.py"))
    files = [LESSONS[int(exercise[:2])] / "exercise.py", mistakes[0], mistakes[len(mistakes) // 2]]
    files.append(ROOT / "solutions" / f"{exercise}.py")
    lesson = open_lesson(int(exercise[:2]))
    with checking_process() as run:
        for file in files:
            expected = native_checks(run, exercise, file)
            assert outcomes(lesson.check(file.read_text(encoding="utf-8"))) == expected, file
    expect(lesson.page.locator("#next")).to_contain_text("All checks pass.")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_the_time_zone_of_the_browser_changes_no_outcome(zone, open_lesson):
    exercise = "08_custom_claims"
    mistakes = EXERCISES / "mistakes" / exercise
    files = [
        ROOT / "solutions" / f"{exercise}.py",
        *mistakes.glob("*time_zone*.py"),
        *mistakes.glob("*local*.py"),
    ]
    assert len(files) > 1
    lesson = open_lesson(int(exercise[:2]), timezone_id=zone)
    with checking_process() as run:
        for file in files:
            expected = native_checks(run, exercise, file)
            assert outcomes(lesson.check(file.read_text(encoding="utf-8"))) == expected, file


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("while True: pass", "does not start within 5 seconds"),
        ("import time; time.sleep(1000)", "does not start within 5 seconds"),
        ("sum(range(10**15))", "Python took longer than 60 seconds"),
        ("import os; os._exit(0)", "Python stopped"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("input()", "no keyboard"),
    ],
    ids=["loop", "sleep", "loop in C", "os._exit", "sys.exit", "input"],
)
def test_an_answer_that_does_not_end_is_stopped_and_the_solution_passes_next(
    code, message, open_lesson, problems
):
    lesson = open_lesson(2)
    lesson.page.clock.install()
    lesson.paste_file(f"{SOLUTION}\n{code}\n")
    lesson.click("Check answer.py")
    lesson.page.clock.resume()
    if "60 seconds" in message:
        time.sleep(20)
        lesson.page.clock.fast_forward(61_000)
    lesson.read_checks()
    expect(lesson.page.locator("#exercise")).to_contain_text(message)
    if "os._exit" in code:
        problems.clear()  # Pyodide raises errors when it stops
    assert {outcome for outcome, _ in lesson.check(SOLUTION)} == {"passed"}


def test_what_an_answer_prints_is_shown_as_text(open_lesson):
    lesson = open_lesson(2)
    lesson.check(f'{(LESSONS[2] / "exercise.py").read_text()}\nprint("{EVIL}")\nraise ValueError("{EVIL}")')
    expect(lesson.page.locator("#checks")).to_contain_text(f"ValueError: {EVIL}")
    assert lesson.page.locator("img[src=x]").count() == 0


def test_a_result_is_marked_as_old_after_an_edit(open_lesson):
    lesson = open_lesson(2)
    changed = lesson.page.get_by_text("You have changed answer.py since this check.")
    lesson.check(SOLUTION)
    expect(changed).to_be_hidden()
    lesson.paste_file(f"{SOLUTION}\n# later")
    expect(changed).to_be_visible()
    expect(lesson.page.locator("#exercise")).to_have_class("old")
    lesson.paste_file(SOLUTION)
    expect(changed).to_be_hidden()
    lesson.click("Back to the original")
    expect(changed).to_be_visible()
    lesson.check()
    expect(changed).to_be_hidden()
    expect(lesson.points).to_have_text(re.compile("Attempt 2: 0 of"))


def test_the_first_failed_check_is_in_view_with_its_reason(open_lesson):
    lesson = open_lesson(2)
    lesson.check((LESSONS[2] / "exercise.py").read_text(encoding="utf-8"))
    expect(lesson.page.locator("#checks .failed").first).to_be_in_viewport()
    expect(lesson.page.locator("#checks .failed dt").first).to_have_text("sent")
    expect(lesson.page.locator("#checks .skipped p").first).to_contain_text("needs another check that failed")


def test_a_spare_python_that_does_not_load_is_replaced(open_lesson, problems):
    lesson = open_lesson(2, "Read")
    lesson.wait_for_python()
    lesson.page.context.route("**/course.zip", lambda route: route.abort())
    with lesson.page.expect_event("requestfailed"):
        lesson.click("Code")
    lesson.page.context.unroute("**/course.zip")
    lesson.page.wait_for_timeout(3000)  # the rest of the spare loads, and then it breaks
    problems.clear()
    assert {outcome for outcome, _ in lesson.check(SOLUTION)} == {"passed"}


def test_enter_begins_a_new_line_after_a_word_that_python_knows(open_lesson):
    lesson = open_lesson(2)
    lesson.paste_file("")
    lesson.editor.press_sequentially("print")
    lesson.page.wait_for_timeout(500)
    lesson.editor.press("Enter")
    lesson.editor.press_sequentially("if x:")
    lesson.editor.press("Enter")
    lesson.editor.press_sequentially("y")
    assert lesson.editor.inner_text() == "print\nif x:\n    y"


def test_hints_come_one_at_a_time(open_lesson):
    lesson = open_lesson(2)
    hints = lesson.page.locator("#hints > li:not([hidden])")
    expect(hints).to_have_count(0)
    for number, button in enumerate(["Hint", "Next hint", "Next hint"], 1):
        lesson.click(button)
        expect(hints).to_have_count(number)
        expect(hints.last).to_contain_text(f"Hint {number} of 3.")
    expect(lesson.page.get_by_role("button", name="No more hints")).to_be_disabled()


def test_the_list_of_lessons_shows_the_points(open_lesson, url):
    lesson = open_lesson(2)
    page = lesson.page
    starter = lesson.check()
    assert {points[0] for _, points in starter} == {"0"}
    expect(page.locator("#next")).to_contain_text("You have not changed answer.py yet")
    earned = sum(points for _, points in outcomes(lesson.check(SOLUTION)))
    page.get_by_role("link", name="All lessons").click()
    row = page.get_by_role("listitem").filter(has_text="Lesson 2:")
    expect(row).to_contain_text(f"✓ {earned} of {earned} points")
    expect(page.get_by_role("listitem").filter(has_text="Lesson 3:")).not_to_contain_text("points")
    page.get_by_role("link", name="Lesson 2:").click()
    expect(page.locator("#points")).to_have_text(f"✓ {earned} of {earned} points")


# What the browser keeps


def test_a_reload_keeps_the_work(open_lesson):
    lesson = open_lesson(2)
    lesson.paste_file(SOLUTION)
    lesson.choose_file("app.py")
    lesson.paste_file(APP.replace('"/login"', '"/enter"'))
    lesson.page.reload()
    lesson.click("Code")
    expect(lesson.page.get_by_label("File")).to_have_value("answer.py")
    assert {outcome for outcome, _ in lesson.check()} == {"passed"}
    lesson.choose_file("app.py")
    expect(lesson.editor).to_contain_text('"/enter"')
    lesson.wait_for_python()
    lesson.send("Log in as bob")
    assert lesson.request.startswith("POST /enter\n")


def test_going_back_to_the_original_loses_no_work(open_lesson):
    lesson = open_lesson(2)
    lesson.paste_file("my work")
    lesson.click("Back to the original")
    expect(lesson.editor).to_contain_text("# TODO")
    lesson.page.reload()
    lesson.click("Code")
    expect(lesson.editor).to_contain_text("# TODO")
    lesson.paste_file("another try")
    lesson.click("Bring my version back")
    expect(lesson.editor).to_have_text("my work")
    lesson.click("Bring my version back")
    expect(lesson.editor).to_have_text("another try")


def test_a_kept_file_that_is_older_than_the_course_gets_a_note(open_lesson):
    lesson = open_lesson(2)
    note = lesson.page.locator("#file-note")
    lesson.paste_file("my work")
    expect(note).to_be_hidden()
    lesson.page.evaluate(
        """() => {
        const key = Object.keys(localStorage).find((name) => name.endsWith("answer.py"));
        const kept = JSON.parse(localStorage.getItem(key));
        localStorage.setItem(key, JSON.stringify({ ...kept, original: "an older starter" }));
        }"""
    )
    lesson.page.reload()
    lesson.click("Code")
    expect(note).to_contain_text("The course has a newer version of this file.")
    lesson.click("Back to the original")
    expect(note).to_be_hidden()


def test_without_storage_the_page_warns_and_works(new_page, url):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('The storage is full.'); };")
    page.goto(f"{url}{LESSONS[2].name}/")
    lesson = SitePage(page)
    lesson.click("Code")
    lesson.paste_file(SOLUTION)
    expect(page.locator("#file-note")).to_contain_text("This browser cannot keep your work")
    assert {outcome for outcome, _ in lesson.check()} == {"passed"}


def test_a_student_can_download_a_file(open_lesson):
    lesson = open_lesson(2)
    lesson.paste_file("my work\n")
    with lesson.page.expect_download() as download:
        lesson.click("Download")
    assert download.value.suggested_filename == "answer.py"
    assert download.value.path().read_text() == "my work\n"


# For everybody


def test_the_keyboard_is_enough_to_do_an_exercise(open_lesson):
    lesson = open_lesson(2)
    keyboard = lesson.page.keyboard
    lesson.editor.focus()
    keyboard.press("Control+A")
    keyboard.type("x = 1")
    keyboard.press("Control+S")
    lesson.read_checks()
    expect(lesson.page.locator("#checks")).to_contain_text("defines no `app`")
    keyboard.press("Escape")
    keyboard.press("Tab")
    expect(lesson.editor).not_to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_each_view_fits_the_screen_and_axe_finds_no_serious_problem(open_lesson, url, axe, scheme, width):
    lesson = open_lesson(2, "Read", viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = lesson.page
    for view in ("Read", "Code", "Console"):
        if page.get_by_role("button", name=view, exact=True).is_visible():
            lesson.click(view)
        if view == "Code":
            lesson.check()
            lesson.click("Hint")
        if view == "Console":
            lesson.wait_for_python()
            lesson.send("Log in as bob")
            lesson.send("GET /users")
        page.evaluate(OPEN_DETAILS)
        assert not scrolls_sideways(page), view
        assert axe(page) == [], view
    for path in ("", "glossary.html", "07_more_options/reference.html"):
        page.goto(url + path)
        assert not scrolls_sideways(page), path
        assert axe(page) == [], path

"""Test the console in a notebook: what Python replies to it, and what a browser shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

import lesson_loader
from demo import Lesson
from helpers import ROOT, wait_until
from live_console import LiveConsole, render_page
from repository.playground import Console

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOTEBOOK = "http://127.0.0.1:9/"  # the browser gets this page from the test
PAGE = """<!doctype html><body data-jp-theme-light="true"><div id="cell"></div><script type="module">
import widget from "./live_console.js";
let receive;
const model = {
  get: () => window.consolePage,
  on: (name, listener) => { receive = listener; },
  off: () => {},
  send: async (message) => receive(await reply(message)),
};
window.consolePage = await pageOfTheConsole();
window.remove = widget.render({ model, el: document.getElementById("cell") });
</script>"""


@pytest.fixture
def lesson_2() -> Lesson:
    return Lesson(2)


# what Python replies


def ask(lesson: Lesson, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    """Send a request as the console does, and return the reply."""
    text = None if body is None else json.dumps(body)
    if text:
        headers["Content-Type"] = "application/json"
    return lesson.respond({"method": method, "path": path, "headers": headers, "body": text})


def test_the_reply_to_a_request_is_the_response_of_the_app(lesson_2):
    reply = ask(lesson_2, "POST", "/login", {"username": "bob", "password": "builder"})
    assert (reply["status"], reply["reason"], reply["error"]) == (200, "OK", "")
    token = json.loads(reply["body"])["access_token"]
    assert ask(lesson_2, "GET", "/users", Authorization=f"JWT {token}")["status"] == 200
    assert ["www-authenticate", 'JWT realm="Login Required"'] in map(
        list, ask(lesson_2, "GET", "/users")["headers"]
    )


def test_the_reply_without_a_request_says_how_to_talk_to_the_app(lesson_2):
    reply = lesson_2.respond({})
    assert reply["login"]["path"] == "/login"
    assert [user["username"] for user in reply["users"]] == ["bob", "alice"]
    json.dumps(reply)


def test_the_reply_to_a_500_contains_the_error(lesson_2):
    broken = lesson_2.edited("timedelta(minutes=30)", "1800")
    reply = ask(broken, "POST", "/login", {"username": "bob", "password": "builder"})
    assert reply["status"] == 500
    assert "TypeError: unsupported operand" in reply["error"]


@pytest.mark.parametrize(
    ("path", "header", "problem"),
    [("/users", "é", "ASCII"), ("/\x00", "JWT x", "Invalid"), (f"/{'a' * 70_000}", "JWT x", "too long")],
)
def test_a_request_that_cannot_be_sent_gets_a_sentence(lesson_2, path, header, problem):
    assert problem in ask(lesson_2, "GET", path, Authorization=header)["problem"]


def test_an_app_that_does_not_start_gets_a_sentence(copy, monkeypatch):
    monkeypatch.setattr(lesson_loader, "LESSONS", copy)
    broken = Lesson(2)
    (broken.folder / "app.py").write_text("app = Flask(")
    assert broken.respond({})["problem"].startswith("Lesson 2 does not start. SyntaxError")


def test_without_a_live_kernel_the_console_is_a_picture(lesson_2):
    data, _ = lesson_2.console()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert '<div class="token">' in data["text/html"]
    assert "make notebook-2" in data["text/html"]
    assert "expires in 29 min" in data["text/plain"]
    assert "<script" not in data["text/html"]


def test_the_page_of_the_console_contains_everything_that_it_needs():
    page = render_page()
    assert "src=" not in page
    assert "<link" not in page
    assert 'id="token-claims"' in page


# in a browser


@pytest.fixture
def frame(new_page: Callable[..., Page], lesson_2: Lesson, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The frame of a lesson's console, in a page that does what JupyterLab does."""
    widget = lesson_2.console()
    replies: list[dict[str, Any]] = []
    monkeypatch.setattr(LiveConsole, "send", lambda widget, message: replies.append(message))

    def reply(message: dict[str, Any]) -> dict[str, Any]:
        widget.reply(widget, message, [])
        return replies.pop()

    page = new_page()
    script = (ROOT / "notebooks/live_console.js").read_text(encoding="utf-8")
    page.route(NOTEBOOK, lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.route(
        f"{NOTEBOOK}live_console.js", lambda route: route.fulfill(body=script, content_type="text/javascript")
    )
    page.expose_function("reply", reply)
    page.expose_function("pageOfTheConsole", lambda: widget.page)
    page.goto(NOTEBOOK)
    page.frame_locator("iframe").get_by_role("button", name="Log in as bob").wait_for()
    return page.frames[1]


def test_a_token_is_decoded_ticks_and_is_sent_as_somebody_has_changed_it(frame):
    console = Console(frame)
    assert console.send("Log in as bob") == "200"
    left = frame.locator("#left")
    assert left.inner_text().startswith("This token expires in 29 min")
    before = left.inner_text()
    wait_until(lambda: left.inner_text() != before)
    assert console.send("GET /users") == "200"
    console.field("Claims").fill(json.dumps(console.claims | {"identity": 2}))
    assert console.send_again() == "401"
    assert console.refused_by == "Signature"
    console.click("Just expired")
    assert console.send_again() == "200"  # the leeway
    console.click("One hour older")
    assert console.send_again() == "401"
    assert console.refused_by == "Claims and time"


def test_the_frame_is_as_high_as_its_content_and_nothing_scrolls_in_it(frame):
    Console(frame).send("Log in as bob")
    for width in (1280, 1920):
        frame.page.set_viewport_size({"width": width, "height": 800})
        frame.page.wait_for_function("document.querySelector('iframe').clientHeight > 800")
        wait_until(lambda: frame.evaluate("document.body.offsetHeight === innerHeight"))
        parts = "[...document.querySelectorAll('html, body, main, section')]"
        for size in ("Height", "Width"):
            assert (
                frame.evaluate(f"{parts}.filter((part) => part.scroll{size} > part.client{size}).length") == 0
            )


def test_the_frame_follows_the_theme_of_jupyterlab(frame):
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert frame.evaluate(scheme) == "light"
    frame.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    wait_until(lambda: frame.evaluate(scheme) == "dark")


def test_the_frame_cannot_touch_the_notebook(frame):
    script = "() => { try { return parent.document.title; } catch (error) { return error.name; } }"
    assert frame.evaluate(script) == "SecurityError"

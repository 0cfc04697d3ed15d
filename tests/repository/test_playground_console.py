"""Use the console of the lessons in a browser, as a student does."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import jwt
import pytest

from exercise_loop import read_todo
from helpers import BOB, ROOT, LessonServer, lesson_server, wait_until
from lesson_loader import find_exercises, find_lessons, read_about
from playground.settings import DEMO_KEY
from tokens import mint

pytest.importorskip("playwright")
from playwright.sync_api import Page, Response, expect

from repository.playground import CHANGES, OPEN_DETAILS, Console, scrolls_sideways

LESSONS = find_lessons()

KINDS = (0, 2, 6, 8, 9, 10)  # the lessons whose apps differ most


def on_each_kind_of_lesson(fast: int) -> pytest.MarkDecorator:
    """Run a test on lessons of each kind. It takes seconds, so `make test` runs it on one lesson only."""
    slow = {True: (), False: pytest.mark.slow}
    return pytest.mark.parametrize("number", [pytest.param(n, marks=slow[n == fast]) for n in KINDS])


OWN_KEY = "an-own-key-that-must-stay-on-the-server-0123456789"

Serve = Callable[[int], LessonServer]
Open = Callable[[LessonServer], Console]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A function that serves a lesson. The tests of this file share the server."""
    servers: dict[int, LessonServer] = {}
    with ExitStack() as stack:

        def serve_once(number: int) -> LessonServer:
            if number not in servers:
                folder = tmp_path_factory.mktemp("lesson")
                servers[number] = stack.enter_context(lesson_server(number, folder))
            return servers[number]

        yield serve_once


@pytest.fixture
def open_console(page: Page) -> Open:
    """A function that opens the page of a server, and waits until the console is ready."""
    return lambda server: open_in(page, server)


def open_in(page: Page, server: LessonServer) -> Console:
    page.goto(f"http://127.0.0.1:{server.port}/", wait_until="commit")
    page.get_by_role("button", name="Log in as bob").wait_for()
    return Console(page)


@pytest.fixture
def console(serve: Serve, open_console: Open) -> Console:
    """The console of lesson 2."""
    return open_console(serve(2))


@pytest.fixture
def bob(console: Console) -> Console:
    """The console of lesson 2 with a token of bob. Pasting it is faster than a login."""
    console.paste(mint(DEMO_KEY, 1))
    return console


# Log in and ask


@on_each_kind_of_lesson(fast=10)
def test_two_clicks_log_in_and_ask_for_the_users(number, serve, open_console):
    console = open_console(serve(number))
    page = console.page
    expect(page.get_by_role("heading", level=1)).to_have_text(read_about(LESSONS[number]).title)
    expect(page.get_by_role("heading", name="Try it")).to_be_visible()
    only_admins = number >= 6
    for name, allowed in (("bob", not only_admins), ("alice", True)):
        assert console.send(f"Log in as {name}") == "200"
        assert console.claims
        assert console.send("GET /users") == ("200" if allowed else "403")
        assert console.refused_by == ("" if allowed else "Permission")
        assert ('"username": "alice"' in console.response) == allowed
        assert f"Authorization: {'JWT' if number < 7 else 'Bearer'} {console.token}" in console.request
    assert console.body["users"][0]["username"] == "bob"
    assert console.response.startswith("200 OK\nContent-Type: application/json\n")


def test_without_a_token_the_page_shows_the_challenge(bob):
    bob.click("Remove the token")
    assert bob.send("GET /users") == "401"
    assert bob.request == "GET /users"
    assert 'WWW-Authenticate: JWT realm="Login Required"' in bob.response
    assert bob.refused_by == "Token"
    expect(bob.page.locator("#gates")).to_contain_text("You sent no token. The app says: {")


def test_a_request_and_its_response_are_side_by_side(console):
    console.send("GET /users")
    request, response = (console.newest.locator(name).bounding_box() for name in (".request", ".response"))
    assert request["y"] == response["y"]
    assert request["x"] + request["width"] <= response["x"]


def test_wrong_login_data_get_a_401(console):
    console.page.get_by_text("Log in as somebody else").click()
    console.page.get_by_label("password").fill("wrong")
    assert console.send("Log in") == "401"
    assert '"password":"wrong"' in console.request
    expect(console.page.get_by_text("You have no token yet")).to_be_visible()


def test_a_student_can_send_any_request(console):
    console.page.get_by_text("Send another request").click()
    console.page.get_by_label("Method").select_option("POST")
    console.page.get_by_label("Path").fill("/login")
    console.page.get_by_label("JSON body").fill(json.dumps(BOB))
    assert console.send("Send") == "200"
    assert console.token
    console.page.get_by_label("Method").select_option("GET")
    assert console.send("Send") == "No response"
    assert "A browser cannot send a body with GET" in console.response
    console.page.get_by_label("JSON body").fill("")
    console.page.get_by_label("Path").fill("login")  # a path without a slash gets one
    assert console.send("Send") == "405"
    assert console.request.startswith("GET /login\n")
    assert re.search("^Allow: (OPTIONS, POST|POST, OPTIONS)$", console.response, re.MULTILINE)


@pytest.mark.parametrize("number", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_the_curl_line_gets_the_same_status(number, serve, open_console):
    console = open_console(serve(number))
    for button in ("Log in as bob", "GET /users", "One hour older", "GET /users"):
        if button == "One hour older":
            console.click(button)
            continue
        status = console.send(button)
        line = console.newest.locator(".curl").text_content()
        assert f" '{console.page.url}" in line
        response = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout
        assert response.split()[1] == status


def test_the_curl_line_can_be_copied(console):
    console.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    console.send("GET /users")
    console.newest.get_by_text("The same with curl").click()
    console.click("Copy")
    expect(console.newest.get_by_role("button", name="Copied")).to_be_visible()
    line = console.page.evaluate("navigator.clipboard.readText()")
    assert line == console.newest.locator(".curl").inner_text()


def test_two_exchanges_can_be_compared(console):
    console.send("Log in as bob")
    console.send("GET /users")
    opened = console.page.locator(".exchange[open]")
    expect(opened).to_have_count(1)
    console.page.locator(".exchange > summary").last.click()
    expect(opened).to_have_count(2)
    assert "POST /login" in opened.last.inner_text()
    assert "GET /users" in opened.first.inner_text()


def test_the_page_says_that_the_server_has_stopped(serve, new_page):
    console = open_in(new_page(), serve(2))
    console.page.clock.install()
    console.page.route("**/*", lambda route: route.abort("connectionrefused"))
    console.click("GET /users")
    for _ in range(15):  # the page tries again for some seconds, as the app may be reloading
        console.page.clock.run_for(250)
    assert console.read_status() == "No response"
    assert "Is the app still running in your terminal?" in console.response


def test_a_request_waits_while_the_app_reloads(console):
    console.page.route("**/users", lambda route: route.abort("connectionrefused"), times=2)
    assert console.send("GET /users") == "401"


def test_the_result_is_the_response_to_the_latest_request(bob):
    result = bob.page.locator("#result")
    bob.send("GET /users")
    expect(result).to_have_text("The app responded with 200 to #1.")
    bob.click("Another key")
    expect(result).to_have_text("")
    bob.send_again()
    expect(result).to_have_text("The app responded with 401 to #2.")


def test_a_response_that_says_nothing_about_the_token_has_no_checks(bob):
    bob.page.get_by_text("Send another request").click()
    bob.page.get_by_label("Path").fill("/nowhere")
    assert bob.send("Send") == "404"
    expect(bob.page.locator("#result")).to_have_text("The app responded with 404 to #1.")
    expect(bob.page.locator("#gates li")).to_have_count(0)
    expect(bob.newest.locator(".result")).to_have_text("")


def test_the_headings_form_an_outline(bob):
    bob.send_again()
    headings = bob.page.locator("#console :is(h2, h3, h4):visible")
    script = "headings => headings.map((heading) => `${heading.tagName} ${heading.textContent}`)"
    assert headings.evaluate_all(script) == [
        "H2 Console",
        "H3 1. Log in",
        "H3 2. Send a request",
        "H3 Requests and responses",
        "H4 Request",
        "H4 Response",
        "H3 3. Look into the token",
        "H4 Change the token",
        "H4 Which checks does the token pass?",
    ]


@pytest.mark.slow
def test_the_page_of_an_answer_shows_the_task_and_asks_the_answer(copy, tmp_path, open_console):
    originals = "tests/exercises/originals"
    shutil.copytree(ROOT / originals, tmp_path / originals)
    lesson = copy / LESSONS[2].name
    answer = (lesson / "exercise.py").read_text(encoding="utf-8")
    (lesson / "answer.py").write_text(answer + '\n\n@app.get("/mine")\ndef mine():\n    return "my route"\n')
    with lesson_server(2, tmp_path, lessons=copy, command="try") as server:
        console = open_console(server)
        expect(console.page.get_by_role("heading", level=1)).to_have_text("Exercise 2: your answer")
        expect(console.page.get_by_role("heading", name="Your task")).to_be_visible()
        task = console.page.locator("article .task").inner_text()
        todo = read_todo(find_exercises()["2"])
        assert task.split() == re.sub("^# (TODO: )?", "", todo, flags=re.MULTILINE).split()
        assert console.send("Log in as bob") == "200"
        assert console.send("GET /mine") == "200"
        assert "my route" in console.response


def test_links_lead_to_other_texts_which_name_the_command_of_their_lesson(console):
    page = console.page
    page.get_by_role("link", name="Next →").click()
    expect(page.get_by_text("This lesson is not running.")).to_contain_text("make lesson-3")
    page.get_by_role("link", name="← Previous").click()
    expect(page.get_by_role("button", name="Log in as bob")).to_be_visible()


def test_the_glossary_opens_in_one_tab_beside_the_lesson(console):
    page = console.page
    address = page.url
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Glossary").click()
    glossary = opened.value
    expect(glossary.get_by_role("heading", level=1)).to_have_text("Glossary")
    page.locator("article a[href*='glossary.html#']").first.click()
    glossary.wait_for_url("**/glossary.html#*")
    assert page.context.pages == [page, glossary]
    assert page.url == address
    glossary.close()


# Change the token


@on_each_kind_of_lesson(fast=2)
def test_each_change_stops_at_its_check(number, serve, open_console):
    console = open_console(serve(number))
    console.send("Log in as alice")
    original = console.token
    for change, check in CHANGES.items():
        console.click(change)
        authorization = console.page.get_by_label("Authorization")
        expect(authorization).not_to_have_value(re.compile(re.escape(original)))
        assert console.send("GET /users") in (("401", "422") if check else ("200",)), change
        assert console.refused_by == check, change
        expected = f"refused because of: {check}" if check else ""
        expect(console.newest.locator(".result")).to_have_text(expected)
        states = list(console.checks.values())
        refused = states.index("refused") if check else len(states)
        assert states[:refused] == ["passed"] * refused
        assert set(states[refused + 1 :]) <= {"open"}
    console.click("Undo all changes")
    assert console.token == original
    assert console.send("GET /users") == "200"
    assert set(console.checks.values()) == {"passed"}
    assert list(console.checks) == [
        *("Token", "Signature", "Claims and time"),
        *(["Logout"] if number == 10 else []),
        *("User", "Permission"),
    ]


def test_the_changes_are_grouped_by_whether_they_need_the_key(bob):
    groups = {}
    for group in bob.page.locator("#forged, #signed").all():
        groups[group.locator("span").inner_text()] = group.get_by_role("button").all_inner_texts()
    assert groups == {
        "Without the app's key:": ["Another user", "Admin", "Never expires", "alg: none", "Another key"],
        "Signed with the app's key:": ["One hour older", "Just expired", "No exp", "Unknown user"],
    }
    for button in ("Another user", "One hour older"):
        bob.click(button)
        expect(bob.signing).to_have_value("key" if button == "One hour older" else "keep")


def test_a_token_without_a_signature_gets_its_own_sentence(bob):
    bob.click("alg: none")
    expect(bob.page.locator("#verdict")).to_have_text("✕ There is no signature.")


def test_changed_characters_are_marked(bob):
    marked = bob.page.locator("#parts mark")
    expect(marked).to_have_count(0)
    original = bob.token
    for part, change in enumerate(["alg: none", "Another user", "Another key"]):
        bob.click(change)
        expect(bob.page.locator("#parts span").nth(part).locator("mark").first).to_be_visible()
    new = bob.token
    assert new.rpartition(".")[0] == original.rpartition(".")[0]
    marks = "".join(marked.all_inner_texts())
    differences = [a for a, b in zip(new, original, strict=True) if a != b]
    assert marks == "".join(differences)
    bob.click("Undo all changes")
    expect(marked).to_have_count(0)


def test_claims_and_header_can_be_edited_by_hand(bob):
    claims = bob.claims | {"identity": 2, "name": "Zoë"}
    bob.field("Claims").fill(json.dumps(claims))
    expect(bob.page.get_by_text("The signature is bad")).to_be_visible()
    assert jwt.decode(bob.token, options={"verify_signature": False}) == claims
    assert bob.send_again() == "401"
    bob.signing.select_option("key")
    expect(bob.page.get_by_text("The signature is good")).to_be_visible()
    assert jwt.decode(bob.token, DEMO_KEY, ["HS256"]) == claims
    assert bob.send_again() == "200"
    bob.field("Header").fill('{"alg": "HS512", "typ": "JWT"}')
    expect(bob.page.get_by_text("The signature is good")).to_be_visible()
    assert jwt.get_unverified_header(bob.token)["alg"] == "HS512"
    assert bob.send_again() == "401"


def test_broken_json_gets_a_sentence_and_keeps_the_token(bob):
    token = bob.token
    for field, name in (("Header", "header"), ("Claims", "claims")):
        bob.field(field).fill("{not JSON")
        sentence = f"The {name} must be JSON, so the token stays as it was."
        expect(bob.page.locator("#json-problem")).to_contain_text(sentence)
        expect(bob.field(field)).to_have_attribute("aria-invalid", "true")
        assert bob.token == token
        bob.click("Undo all changes")
        expect(bob.page.locator("#json-problem")).to_be_hidden()
    assert bob.send("GET /users") == "200"


def test_a_pasted_token_is_taken_apart(console):
    console.paste(mint(DEMO_KEY, 1, name="<img src=x onerror=alert(1)>"))
    assert console.claims["identity"] == 1
    assert console.claims["name"] == "<img src=x onerror=alert(1)>"
    expect(console.page.get_by_text("The signature is good")).to_be_visible()
    assert console.send("GET /users") == "200"
    console.paste(mint("another key " * 8, 1))
    expect(console.page.get_by_text("The signature is bad")).to_be_visible()
    assert console.send("GET /users") == "401"
    assert console.refused_by == "Signature"
    console.paste(mint(DEMO_KEY, 1), prefix="Bearer")
    assert console.send("GET /users") == "401"
    assert console.refused_by == "Token"


def test_the_countdown_goes_through_expiry_and_leeway(serve, new_page):
    token = mint(DEMO_KEY, 1, lifetime=60)
    issued = jwt.decode(token, options={"verify_signature": False})["iat"]
    page = new_page()
    page.clock.install(time=issued)  # the page starts its countdown with the clock of this test
    open_in(page, serve(2)).paste(token)
    expect(page.locator("#leeway")).to_have_text(
        "The app has a leeway of 10 s. This is a setting of the app, not a part of the token."
    )
    for second, sentence in {
        20: "This token expires in 40 s.",
        59: "This token expires in 1 s.",
        62: "This token has expired, but the app accepts it for 8 s more.",
        69: "This token has expired, but the app accepts it for 1 s more.",
        71: "This token expired 11 s ago.",
        3700: "This token expired 1 h 40 s ago.",
    }.items():
        page.clock.pause_at(issued + second)
        expect(page.get_by_role("timer")).to_have_text(sentence)


def test_the_app_accepts_a_token_in_its_leeway_and_then_refuses_it(console):
    console.paste(mint(DEMO_KEY, 1, age=303))
    expect(console.page.get_by_role("timer")).to_contain_text("but the app accepts it for")
    assert console.send("GET /users") == "200"
    console.paste(mint(DEMO_KEY, 1, age=312))
    expect(console.page.get_by_role("timer")).to_contain_text("This token expired 1")
    assert console.send("GET /users") == "401"
    assert console.refused_by == "Claims and time"
    expect(console.page.get_by_text("and the leeway is only 10 s")).to_be_visible()


def test_an_own_key_is_nowhere_in_the_page(tmp_path, new_page):
    page = new_page()
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    with lesson_server(2, tmp_path, FLASK_SECRET_KEY=OWN_KEY) as server:
        console = open_in(page, server)
        console.send("Log in as bob")
        expect(page.get_by_text("This page does not know the app's key")).to_be_visible()
        assert console.send("GET /users") == "200"
        for button in page.locator("#signed button").all():
            expect(button).to_be_disabled()  # the page cannot sign a token
        expect(console.signing.get_by_role("option", name="sign with the app's key")).to_be_disabled()
        console.click("Another user")
        assert console.send("GET /users") == "401"
        assert console.refused_by == "Signature"
        bodies = [response.body().decode() for response in responses]
    assert any("access_token" in body for body in bodies)
    assert not [body for body in bodies if OWN_KEY in body]
    assert OWN_KEY not in page.content()


def test_lesson_10_refreshes_and_revokes_a_token(serve, open_console):
    console = open_console(serve(10))
    routes = console.page.locator("#routes button").all_inner_texts()
    assert routes == ["GET /users", "POST /refresh", "POST /logout"]
    choice = console.page.get_by_role("combobox", name="Token", exact=True)
    console.send("Log in as alice")
    assert choice.bounding_box()["y"] < console.page.get_by_label("Authorization").bounding_box()["y"]
    choice.select_option("refresh_token (#1, alice@example.com)")
    assert console.claims["type"] == "refresh"
    assert console.send("GET /users") == "401"
    assert console.refused_by == "Claims and time"
    assert console.send("POST /refresh") == "200"
    expect(choice).to_have_value("access_token (#3, alice@example.com)")
    assert console.claims["type"] == "access"
    assert console.send("GET /users") == "200"
    assert console.send("POST /logout") == "200"
    assert console.send("GET /users") == "401"
    assert console.refused_by == "Logout"
    choice.select_option("access_token (#1, alice@example.com)")
    assert console.send("GET /users") == "200"


# Reload


def test_an_edit_of_the_app_works_in_the_open_page(copy, tmp_path, open_console):
    app = copy / LESSONS[2].name / "app.py"
    source = app.read_text(encoding="utf-8")
    with lesson_server(2, tmp_path, lessons=copy) as server:
        console = open_console(server)
        page = console.page
        app.write_text(
            source.replace('"/login"', '"/enter"')
            .replace("jwt = JWT", 'app.config["JWT_LEEWAY"] = 25\njwt = JWT')
            .replace('"/users")', '"/people/<int:id>", "/users")')
            .replace("def get(self)", "def get(self, id=0)")
        )
        resource = app.parent / "resources/user.py"
        resource.write_text(resource.read_text(encoding="utf-8").replace("get(self)", "get(self, id=0)"))
        wait_until(lambda: "/enter" in read_settings(server))
        # The next click uses the new settings, even if they come while the mouse button is down.
        page.get_by_role("button", name="Log in as alice").hover()
        page.mouse.down()
        page.evaluate("dispatchEvent(new Event('focus'))")
        expect(page.get_by_role("button", name="GET /people/1")).to_be_visible()
        page.mouse.up()
        assert console.read_status() == "200"
        assert console.request.startswith("POST /enter\n")
        expect(page.locator("#leeway")).to_contain_text("a leeway of 25 s")
        assert console.send("GET /people/1") == "200"

        # The page reads the settings again after every exchange. So a 500 shows its reason, and the next
        # response of the corrected app hides it.
        state = page.locator("#state")
        app.write_text(source + "\n1 +")
        wait_until(lambda: "SyntaxError" in read_settings(server))
        assert console.send("GET /people/1") == "500"
        expect(console.newest.locator(".result")).to_have_text("the app has an error")
        expect(state).to_have_class("note problem")
        reason = r"SyntaxError: invalid syntax\s+in app.py, line \d+"
        expect(state).to_have_text(
            re.compile(rf"^The app does not start. Correct the file and save it.\s+{reason}$")
        )
        app.write_text(source)
        wait_until(lambda: "/login" in read_settings(server))
        assert console.send_again() == "404"
        expect(state).to_be_hidden()
        assert console.send("GET /users") == "200"


def test_a_page_that_opens_while_the_app_is_broken_waits_for_the_correction(serve, page):
    problem = json.dumps({"problem": "SyntaxError: <b>"})
    page.route("**/settings.json", lambda route: route.fulfill(status=503, body=problem), times=2)
    page.goto(f"http://127.0.0.1:{serve(2).port}/")
    state = page.locator("#state")
    expect(state).to_have_text(
        re.compile("The app does not start. Correct the file.+SyntaxError: <b>", re.DOTALL)
    )
    expect(state).to_have_class("note problem")
    expect(page.locator("#users button")).to_have_count(0)
    page.get_by_role("button", name="Log in as bob").wait_for()
    expect(state).to_be_hidden()
    assert Console(page).send("Log in as bob") == "200"


def read_settings(server: LessonServer) -> str:
    try:
        return server.get("/_playground/settings.json").text
    except httpx.TransportError:
        return ""  # the server is reloading


# Hostile responses

HOSTILE = """

from flask import Response, redirect

EVIL = "<img src=x onerror=alert(1)><script>alert(1)</script>"
TOKEN_LIKE = {token!r}
BODIES = {{
    "html": (f"<!doctype html><h1>{{EVIL}}</h1>", "text/html"),
    "long": (EVIL + "x" * 1_000_000, "text/plain"),
    "bytes": (b"ol\\xe9 \\xff\\xfe\\x00" + EVIL.encode(), "text/plain; charset=utf-8"),
    "null": ("null", "application/json"),
    "deep": ("[" * 100_000 + "]" * 100_000, "application/json"),
    "types": ('{{"access_token": 1, "a": null, "__proto__": {{}}, "b": ["eyJ.a.b"]}}', "application/json"),
    "token": ('{{"' + EVIL.replace('"', "") + '": "' + TOKEN_LIKE + '"}}', "application/json"),
    "halves": ('{{"access_token": "eyJ..", "other": "eyJhbGciOiJIUzI1NiJ9.bnVsbA."}}', "application/json"),
}}


@app.get("/<any({names}):name>")
def hostile(name):
    body, kind = BODIES[name]
    return Response(body, 200, {{"Content-Type": kind, "Allow": EVIL, "Location": "javascript:alert(1)"}})


@app.get("/moved")
def moved():
    return redirect("/users")
"""
NAMES = ["html", "long", "bytes", "null", "deep", "types", "token", "halves"]


def encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_hostile_responses_are_shown_as_text(copy, tmp_path, open_console):
    evil = "<img src=x onerror=alert(1)>"
    claims = json.dumps({"exp": 1e400, "iat": evil, "nbf": None, evil: evil}).replace("Infinity", "1e400")
    token = f"{encode(json.dumps({'alg': evil}))}.{encode(claims)}.{encode(evil)}"
    app = copy / LESSONS[2].name / "app.py"
    with open(app, "a", encoding="utf-8") as file:
        file.write(HOSTILE.format(token=token, names=",".join(NAMES)))
    with lesson_server(2, tmp_path, lessons=copy) as server:
        console = open_console(server)
        page = console.page
        console.send("Log in as bob")
        page.get_by_text("Send another request").click()
        for name in NAMES:
            page.get_by_label("Path").fill(f"/{name}")
            began = time.monotonic()
            assert console.send("Send") == "200", name
            assert time.monotonic() - began < 5, name
            assert page.locator("img[src=x]").count() == page.locator("main script").count() == 0
        page.get_by_label("Path").fill("/moved")
        assert console.send("Send") == "redirect"
        assert "The app redirects to another URL." in console.response
        shown = {"html": "<!doctype html><h1><img", "bytes": "ol\ufffd", "long": "shows no more of this"}
        for name, text in shown.items():
            exchange = page.locator(".exchange", has_text=f"GET /{name}")
            exchange.locator("summary").first.click()
            expect(exchange.locator(".response")).to_contain_text(text)
        assert console.send("Log in as bob") == "200"
        assert console.send("GET /users") == "200"


# For everybody


def test_the_keyboard_is_enough_to_log_in_and_ask(console):
    page = console.page

    def tab_to(name: str) -> None:
        for _ in range(100):
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            if focused.count() and focused.inner_text() == name:
                return
        pytest.fail(f"Tab does not reach {name!r}")

    tab_to("Log in as bob")
    page.keyboard.press("Enter")
    assert console.read_status() == "200"
    expect(page.locator(":focus")).to_have_text("Log in as bob")  # the focus stays where it was
    tab_to("GET /users")
    page.keyboard.press("Enter")
    expect(console.newest).to_contain_text("GET /users")
    assert console.read_status() == "200"
    tab_to("Another user")
    page.keyboard.press("Enter")
    tab_to("Send GET /users with this token")
    page.keyboard.press("Enter")
    expect(console.newest.locator(".result")).to_have_text("refused because of: Signature")


def test_on_a_phone_nothing_scrolls_sideways_and_a_button_switches_to_the_console(serve, new_page):
    page = new_page(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page.goto(f"http://127.0.0.1:{serve(2).port}/")
    console = Console(page)
    title, log_in = (
        page.get_by_role("heading", name="Try it"),
        page.get_by_role("button", name="Log in as bob"),
    )
    expect(title).to_be_visible()
    expect(log_in).to_be_hidden()
    assert not scrolls_sideways(page)
    console.click("Console")
    expect(title).to_be_hidden()
    for button in ("Log in as bob", "GET /users"):
        console.send(button)
        assert not scrolls_sideways(page)
    page.evaluate(OPEN_DETAILS)
    assert not scrolls_sideways(page)
    console.click("Read")
    expect(title).to_be_visible()
    expect(log_in).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_axe_finds_no_serious_problem(serve, new_page, axe, scheme, width):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(f"http://127.0.0.1:{serve(2).port}/")
    console = Console(page)
    expect(page.get_by_text("Log in as bob", exact=True)).to_be_attached()
    assert axe(page) == []
    if width == 390:
        console.click("Console")
    assert axe(page) == []
    console.send("Log in as bob")
    console.send("GET /users")
    assert axe(page) == []
    console.click("Another user")
    console.send_again()
    page.evaluate(OPEN_DETAILS)
    assert axe(page) == []
    for path in ("glossary.html", "07_more_options/reference.html"):
        page.goto(f"http://127.0.0.1:{serve(2).port}/_playground/{path}")
        assert axe(page) == []


# token.js


@pytest.fixture
def run(serve: Serve, page: Page) -> Callable[..., Any]:
    """A function that runs JavaScript with the functions of token.js as `token`."""
    page.goto(f"http://127.0.0.1:{serve(2).port}/_playground/settings.json")

    def run_script(script: str, argument: object = None) -> Any:
        return page.evaluate(
            f"async (given) => {{ const token = await import('/_playground/token.js'); {script} }}", argument
        )

    return run_script


def test_pyjwt_and_the_page_accept_the_signatures_of_each_other(run):
    key = "a key with ünï in it " * 4
    claims = {"name": "Zoë 🦊", "exp": 9_999_999_999}
    for algorithm in ("HS256", "HS384", "HS512"):
        given = [jwt.encode(claims, key, algorithm), key, json.dumps(claims), json.dumps({"alg": algorithm})]
        verdicts, built = run(
            """const [theirs, key, claims, header] = given;
            const ours = await token.build(token.encode(header), token.encode(claims), "key", "", key);
            const checks = [theirs, ours, theirs.slice(0, -4) + "AAAA", theirs.replace(".", "A.")];
            return [await Promise.all(checks.map((one) => token.verify(one, key))), ours];""",
            given,
        )
        assert verdicts[:3] == [True, True, False], algorithm
        assert not verdicts[3]
        assert jwt.decode(built, key, [algorithm]) == claims


def test_the_page_gives_no_verdict_on_a_signature_it_cannot_check(run):
    good = jwt.encode({}, DEMO_KEY)
    none = jwt.encode({}, "", "none")
    rs256 = f"{encode(json.dumps({'alg': 'RS256'}))}.{encode('{}')}.AAAA"
    given = [[good, None], [rs256, DEMO_KEY], [none, DEMO_KEY], [none, None]]
    verdicts = run("return Promise.all(given.map(([one, key]) => token.verify(one, key)));", given)
    assert verdicts == [None, None, False, False]


def test_decode_reads_only_objects_in_base64url(run):
    objects = {
        encode(text): json.loads(text) for text in ('{"a": "ÿþ🦊>?"}', "{}", '{"a": {"b": [1, null]}}')
    }
    others = [
        "",
        "e",
        "###",
        "bnVsbA",
        encode("[1]"),
        encode("1"),
        encode('"text"'),
        encode("{"),
        "_-_-",
        "😀",
    ]
    others.append(base64.urlsafe_b64encode(b'{"a": "\xff"}').decode().rstrip("="))
    assert run("return given.map(token.decode);", [*objects, *others]) == [
        *objects.values(),
        *[None] * len(others),
    ]


def test_compare_marks_what_differs(run):
    expected = {
        ("abc", "abc"): [["abc", False]],
        ("abc", "axc"): [["a", False], ["x", True], ["c", False]],
        ("abcd", "axcy"): [["a", False], ["x", True], ["c", False], ["y", True]],
        ("abc", "abxyzc"): [["ab", False], ["xyz", True], ["c", False]],
        ("aaa", "aa"): [["aa", False]],
        ("", "abc"): [["abc", True]],
        ("abc", ""): [],
    }
    compared = run(
        "return given.map(([before, after]) => token.compare(before, after));", list(map(list, expected))
    )
    assert dict(zip(expected, compared, strict=True)) == expected


def test_durations_have_two_units(run):
    expected = {
        0: "0 s",
        0.9: "0 s",
        59: "59 s",
        60: "1 min",
        1745: "29 min 5 s",
        3600: "1 h",
        3605: "1 h 5 s",
        86400: "1 day",
        200_000: "2 days 7 h",
        -5: "0 s",
    }
    assert run("return given.map(token.duration);", list(expected)) == list(expected.values())


# What is unusual about a token, the response to it, and the check that the page should show.
# "!": the app accepted what this check should refuse. "": all checks passed. None: there are no checks.
JUDGED = [
    ({}, 200, "[]", ""),
    ({"age": 305}, 200, "[]", ""),
    ({}, 403, "bob is not an admin", "Permission"),
    ({"prefix": "Bearer"}, 401, "Unsupported authorization type", "Token"),
    ({"key": OWN_KEY}, 401, "Signature verification failed", "Signature"),
    ({"key": OWN_KEY, "age": 400}, 401, "Signature verification failed", "Signature"),
    ({"age": 360}, 401, "Signature has expired", "Claims and time"),
    ({"age": -60}, 401, "The token is not yet valid (nbf)", "Claims and time"),
    ({"iat": None}, 401, 'Token is missing the "iat" claim', "Claims and time"),
    ({"exp": "text"}, 401, "Expiration Time claim (exp) must be an integer.", "Claims and time"),
    ({}, 401, "User does not exist", "User"),
    ({}, 401, "Token has been revoked", "Logout"),
    ({"age": 360}, 200, "[]", "Claims and time!"),
    ({"key": OWN_KEY}, 200, "[]", "Signature!"),
    ({"prefix": None}, 401, "Request does not contain an access token", "Token"),
    ({"prefix": None}, 200, "[]", None),
    *(({}, status, "", None) for status in (0, 301, 400, 404, 405, 500)),
]


def judge_all(run: Callable[..., Any], *routes: str) -> list[list[dict[str, str]] | None]:
    """Return the checks of each token in JUDGED, in an app with these routes."""
    sent = []
    for changes, status, text, _ in JUDGED:
        options = {"prefix": "JWT", "key": DEMO_KEY} | changes
        prefix, key = options.pop("prefix"), options.pop("key")
        authorization = f"{prefix} {mint(key, 1, **options)}" if prefix else ""
        sent.append({"authorization": authorization, "status": status, "text": text})
    settings = {"prefix": "JWT", "key": DEMO_KEY, "leeway": 10, "required": ["exp", "iat", "nbf"]}
    settings["routes"] = [{"method": "POST", "path": path} for path in routes]
    script = """const [sent, settings, now] = given;
        return Promise.all(sent.map((one) => token.judge(one, settings, now)));"""
    return run(script, [sent, settings, time.time()])


def test_judge_finds_the_check_that_refused(run):
    for checks, expected in zip(judge_all(run, "/logout"), JUDGED, strict=True):
        if expected[-1] is None:
            assert checks is None, expected
            continue
        stops = [f"{check['name']}{'!' * (check['state'] == 'wrong')}" for check in checks if check["why"]]
        assert stops == [expected[-1]] * bool(expected[-1]), expected
        says = f"The app says: {expected[2]}"
        assert all(check["why"].endswith(says) for check in checks if check["state"] == "refused"), expected


def test_judge_names_the_logout_only_if_the_app_has_one(run):
    names = ["Token", "Signature", "Claims and time", "User", "Permission"]
    assert [check["name"] for check in judge_all(run, "/users")[0]] == names
    names.insert(3, "Logout")
    assert [check["name"] for check in judge_all(run, "/users", "/logout")[0]] == names

"""The commands for the lessons, as a student uses them: what they print, and how they serve a lesson."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import partial

import httpx
import pytest

from helpers import BOB, ROOT, lesson_server, make, needs, wait_until
from lesson_loader import diff, find_lessons, read_about

LESSONS = find_lessons()


def lessons(*arguments, folder=ROOT, **environment):
    """Run a command that ends by itself."""
    environment = {"PYTHONPATH": str(folder / "lessons")} | environment
    return subprocess.run(
        [sys.executable, "lessons", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


# serve


def test_serving_a_lesson_prints_what_it_is_about_and_what_to_try(tmp_path):
    about = read_about(LESSONS[2])
    with lesson_server(2, tmp_path) as server:
        assert about.title in server.output
        assert about.idea in server.output
        assert about.curl.replace(":8000", f":{server.port}").splitlines()[-1] in server.output
        assert ":8000" not in server.output
        assert "This is a development server" in server.output
        assert server.output.count(about.title) == 1
        assert server.get().status_code == 401


def test_a_lesson_keeps_its_database_in_its_own_folder(copy, tmp_path):
    with lesson_server(0, tmp_path, lessons=copy, FLASK_DATABASE=None) as server:
        url = f"http://127.0.0.1:{server.port}/auth"
        server.wait_for_status(401)
        assert httpx.post(url, json=BOB, trust_env=False).status_code == 200
    assert [path.parent.name for path in tmp_path.rglob("data.db")] == ["00_setup"]


def test_a_lesson_reloads_after_an_edit(copy, tmp_path):
    app = copy / "01_auth_url/app.py"
    with lesson_server(1, tmp_path, lessons=copy) as server:
        server.wait_for_status(404, "/people")
        app.write_text(app.read_text().replace('"/users"', '"/people"'))
        server.wait_for_status(401, "/people")


def test_a_lesson_reloads_after_an_edit_of_its_schema(copy, tmp_path):
    schema = copy / "00_setup/schema.sql"
    with lesson_server(0, tmp_path, lessons=copy) as server:
        server.wait_for_status(401)
        login = partial(httpx.post, f"http://127.0.0.1:{server.port}/auth", json=BOB, trust_env=False)
        assert login().status_code == 200  # this creates the database
        schema.write_text(schema.read_text().replace("is_admin", "is_root"))

        def explains() -> bool:
            with suppress(httpx.TransportError):  # a request can fail while the server reloads
                login()
            return "does not match schema.sql" in server.output

        wait_until(explains)


def test_a_lesson_survives_a_syntax_error_until_it_is_repaired(copy, tmp_path):
    app = copy / "01_auth_url/app.py"
    right = app.read_text()
    with lesson_server(1, tmp_path, lessons=copy) as server:
        server.wait_for_status(401)
        app.write_text(right + "\nthis is not Python")
        server.wait_for_status(500)
        assert "this is not Python" in server.output
        app.write_text(right)
        server.wait_for_status(401)


@pytest.mark.parametrize("by", ["Ctrl-C", "SIGTERM"])
def test_a_lesson_stops_quietly_and_frees_its_port(tmp_path, by):
    with lesson_server(0, tmp_path) as server:
        server.wait_for_status(401)
        if by == "Ctrl-C":  # a terminal sends it to every process of a command
            os.killpg(server.process.pid, signal.SIGINT)
        else:
            server.process.terminate()
        assert server.process.wait(timeout=10) == 0
        with pytest.raises(httpx.ConnectError):
            server.get()
        assert "Traceback" not in server.output


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_the_log_has_no_colours_if_no_color_is_set(tmp_path, monkeypatch, environment, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    with lesson_server(0, tmp_path, **environment) as server:
        server.wait_for_status(401)
        wait_until(lambda: "GET /users" in server.output)
        assert ("\033[" in server.output) is coloured


def test_a_lesson_is_served_on_this_machine_only(tmp_path):
    with lesson_server(0, tmp_path, FLASK_RUN_HOST="0.0.0.0") as server:
        assert re.findall(r"Running on (\S+):\d", server.output) == ["http://127.0.0.1"]


def test_a_client_that_disconnects_does_not_stop_the_server(tmp_path):
    with lesson_server(0, tmp_path) as server:
        server.wait_for_status(401)
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a hard reset
                client.sendall(b"GET /users HTTP/1.1\r\nHost: lesson\r\n\r\n" * 50)
        server.wait_for_status(401)


@pytest.mark.parametrize("command", ["serve", "try"])
def test_a_busy_port_gets_a_message_that_suggests_another(student, command):
    lessons("start", "1", folder=student)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        run = lessons(command, "1", "--port", str(port), folder=student)
    target = {"serve": "make lesson-1", "try": "make try-1"}[command]
    assert run.returncode == 1
    assert run.stderr.startswith(
        f"Port {port} is in use by another program. Choose another one: {target} PORT="
    )


@pytest.mark.parametrize("port", ["web", "-1", "65536", "8000.5", ""])
def test_an_invalid_port_gets_a_message_with_a_valid_example(port):
    run = lessons("serve", "1", f"--port={port}")
    assert run.returncode == 1
    assert "is not a port" in run.stderr
    assert "PORT=8001" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("missing", "command", "message"),
    [
        ("click", "list", "This Python lacks the lessons' packages. Use make, or the Python in .venv"),
        ("pytest", "check", "First install what the exercises need: python3 lessons/make_venv.py exercises"),
        ("pytest", "test", "First install what the exercises need: python3 lessons/make_venv.py exercises"),
        (
            "watchfiles",
            "watch",
            "First install what the exercises need: python3 lessons/make_venv.py exercises",
        ),
    ],
)
def test_a_missing_package_gets_a_message_that_says_what_to_do(student, missing, command, message):
    (student / f"{missing}.py").write_text(f"raise ModuleNotFoundError(name={missing!r})\n")
    lessons("start", "1", folder=student)
    run = lessons(command, "1", folder=student, PYTHONPATH=f"{student}{os.pathsep}{student / 'lessons'}")
    assert run.returncode == 1
    assert run.stderr.startswith(message)


# list and diff


@pytest.mark.parametrize("command", ["serve", "diff", "test", "restore"])
@pytest.mark.parametrize("number", ["99", "x", "1.0", "²", "../1"])
def test_an_unknown_lesson_number_prints_the_list_of_lessons(command, number):
    run = lessons(command, number)
    assert run.returncode == 1
    assert run.stderr.startswith(f"There is no lesson {number!r}.")
    assert all(read_about(folder).title in run.stderr for folder in LESSONS.values())
    assert "Traceback" not in run.stderr


def test_a_number_may_have_a_leading_zero():
    assert lessons("diff", "01").stdout == lessons("diff", "1").stdout != ""


def test_the_list_names_every_lesson():
    assert [line.strip() for line in lessons("list").stdout.splitlines()] == [
        read_about(folder).title for folder in LESSONS.values()
    ]


def test_a_diff_has_no_colours_in_a_pipe():
    assert lessons("diff", "4").stdout == diff(LESSONS[3], LESSONS[4])


def test_the_first_lesson_has_no_diff():
    run = lessons("diff", "0")
    assert run.returncode == 0
    assert "no lesson before it" in run.stdout


# test


@pytest.fixture
def student(tmp_path):
    """A copy of what a student works with."""
    for name in ("lessons", "solutions", "tests"):
        generated = ("__pycache__", "data.db", "answer*.py")
        ignored = shutil.ignore_patterns(*generated, "grading", "repository")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_tests_of_a_lesson_pass_and_name_the_next_step():
    run = lessons("test", "3")
    assert run.returncode == 0
    assert "  passed  Users log in with their e-mail address.\n" in run.stdout
    assert re.search(r"\n(\d+) of \1 tests passed\.\n", run.stdout)
    assert run.stdout.endswith("Next: do the exercise with make start-3\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", LESSONS)
def test_every_lesson_passes_its_own_tests(number):
    run = lessons("test", str(number))
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"The tests of lessons/{LESSONS[number].name}" in run.stdout


def test_no_command_starts_an_exercise_that_does_not_exist(student, tmp_path):
    """After a lesson without an exercise comes the next lesson, and after the last lesson `make progress`."""
    last = max(LESSONS)
    for number in (last - 1, last):
        for name in ("exercise.py", "hints.md"):
            (student / "lessons" / LESSONS[number].name / name).unlink(missing_ok=True)
        (student / f"tests/exercises/test_{LESSONS[number].name}.py").unlink(missing_ok=True)
    for number, following in ((last - 1, f"make lesson-{last}"), (last, "make progress")):
        assert lessons("test", str(number), folder=student).stdout.endswith(f"\nNext: {following}\n")
        with lesson_server(number, tmp_path, lessons=student / "lessons") as server:
            assert f"Then go on: {following}\n" in server.output
            assert "make start" not in server.output


def test_the_tests_run_on_the_files_as_they_are_now(student):
    app = student / "lessons/01_auth_url/app.py"
    app.write_text(app.read_text().replace('"/login"', '"/enter"'))
    run = lessons("test", "1", folder=student)
    assert run.returncode == 1
    assert "  FAILED  Users log in with POST /login.\n\n      assert 404 == 200\n" in run.stdout
    assert run.stdout.endswith(
        "Next: correct your change in lessons/01_auth_url, then run make test-1. "
        "To get the original files back: make restore-1\n"
    )
    assert "Traceback" not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("app = Flask(__name__)", "app = Flask(__name__", r"SyntaxError: '\(' was never closed"),
        (
            "app = Flask(__name__)",
            "app = Flask(__name__)\n1 / 0",
            r"ZeroDivisionError: division by zero\n +in app.py, line \d+:  1 / 0",
        ),
        (
            "api = Api(app)",
            'api = Api(app)\n\n\n@app.before_request\ndef crash():\n    raise LookupError("lost")\n\n',
            r"assert 500 == (200|401|404)(.|\n)+the app logged: LookupError: lost",
        ),
    ],
)
def test_a_broken_lesson_is_explained_without_a_traceback(student, old, new, reason):
    app = student / "lessons/01_auth_url/app.py"
    app.write_text(app.read_text().replace(old, new))
    run = lessons("test", "1", folder=student)
    assert run.returncode == 1
    assert re.search(reason, run.stdout), run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert run.stdout.count("was never closed") <= 1


# make, and what it runs


def test_make_passes_the_number_and_the_port_on():
    assert make("-n", "lesson-3").endswith(".venv/bin/python lessons serve 3\n")
    assert make("-n", "lesson-3", "PORT=9000").endswith(".venv/bin/python lessons serve 3 --port 9000\n")
    notebooks = make("-n", "notebooks", "PORT=9000", "ARGS=--no-browser")
    assert notebooks.endswith(" --port 9000 --no-browser\n")


def test_make_accepts_small_letters_and_refuses_a_space_for_a_hyphen():
    assert make("-n", "lesson-3", "port=9000").endswith(".venv/bin/python lessons serve 3 --port 9000\n")
    assert make("-n", "hint-3", "level=2").endswith("lessons hint 3 --level 2\n")
    assert "--peek" not in make("-n", "solution-3", "PEEK=0")
    run = subprocess.run(["make", "-n", "test", "1"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert "Write a hyphen before the number: make test-1." in run.stderr


COMMANDS = [
    "lessons --help",
    "lessons list",
    "lessons diff 4",
    "lessons test 1",
    "lessons restore 1",
    "lessons start 1",
    "lessons check 1",
    "lessons hint 1",
    "lessons solution 1 --peek",
    "lessons progress",
    "lessons/originals.py",
    "lessons/make_venv.py kitchen",
]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no head")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_ends_quietly_if_head_closes_the_pipe(student, command):
    needs("sh")
    script = f"{sys.executable} lessons start 1 > started; {sys.executable} {command} | true"
    environment = os.environ | {"PYTHONPATH": str(student / "lessons")}
    run = subprocess.run(["sh", "-c", script], cwd=student, env=environment, capture_output=True, text=True)
    assert "Traceback" not in run.stderr
    assert "BrokenPipe" not in run.stderr
    assert "INTERNALERROR" not in run.stderr

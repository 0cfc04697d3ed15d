"""The commands, as a student meets them: what the screen says, and what keeps running."""

import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys

import httpx
import pytest

import make_venv
from helpers import ROOT, eventually, lesson_server, make
from lesson_loader import diff, find_lessons, load_app, read_about

LESSONS = find_lessons()


def lessons(*arguments):
    """Run a command that is expected to end by itself."""
    command = [sys.executable, ROOT / "lessons", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_a_lesson_says_what_it_is_about_and_what_to_try(tmp_path):
    about = read_about(LESSONS[2])
    with lesson_server(2, tmp_path) as server:
        assert about.title in server.output
        assert about.idea in server.output
        assert about.curl.replace(":8000", f":{server.port}").splitlines()[-1] in server.output
        assert ":8000" not in server.output
        assert server.get().status_code == 401


def test_a_lesson_keeps_its_database_in_its_own_folder(copy, tmp_path):
    with lesson_server(0, tmp_path, lessons=copy, DATABASE="") as server:
        assert server.get().status_code == 401
        login = {"username": "bob", "password": "builder"}
        url = f"http://127.0.0.1:{server.port}/auth"
        assert httpx.post(url, json=login, trust_env=False).status_code == 200
    assert [path.parent.name for path in tmp_path.rglob("data.db")] == ["00_setup"]


def test_a_change_is_served_without_a_restart(copy, tmp_path):
    app = copy / "01_auth_url/app.py"
    with lesson_server(1, tmp_path, lessons=copy) as server:
        assert server.get("/people").status_code == 404
        app.write_text(app.read_text().replace('"/users"', '"/people"'))
        server.wait_for_status(401, "/people")


def test_a_mistake_is_survived_until_it_is_mended(copy, tmp_path):
    app = copy / "01_auth_url/app.py"
    right = app.read_text()
    with lesson_server(1, tmp_path, lessons=copy) as server:
        assert server.get().status_code == 401
        app.write_text(right + "\nthis is not Python")
        server.wait_for_status(500)
        assert "this is not Python" in server.output
        app.write_text(right)
        server.wait_for_status(401)


@pytest.mark.parametrize("by", ["Ctrl-C", "SIGTERM"])
def test_a_lesson_ends_when_it_is_asked_to_and_frees_its_port(tmp_path, by):
    with lesson_server(0, tmp_path) as server:
        assert server.get().status_code == 401
        if by == "Ctrl-C":  # which a terminal sends to every process of a command
            os.killpg(server.process.pid, signal.SIGINT)
        else:
            server.process.terminate()
        assert server.process.wait(timeout=10) == 0
        with pytest.raises(httpx.ConnectError):
            server.get()
        assert "Traceback" not in server.output


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_is_obeyed_in_the_log(tmp_path, monkeypatch, environment, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    with lesson_server(0, tmp_path, **environment) as server:
        server.get()
        eventually(lambda: "GET /users" in server.output)
        assert ("\033[" in server.output) is coloured


def test_a_busy_port_is_named_with_another_to_take():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        run = lessons("serve", "1", "--port", str(port))
    assert run.returncode == 1
    assert run.stderr.startswith(
        f"Port {port} is in use by another program. Choose another one: make lesson-1 PORT="
    )


@pytest.mark.parametrize("port", ["web", "-1", "65536", "8000.5", ""])
def test_a_port_that_is_none_is_refused_with_an_example(port):
    run = lessons("serve", "1", f"--port={port}")
    assert run.returncode == 1
    assert "is not a port" in run.stderr
    assert "PORT=8001" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("command", ["serve", "diff"])
@pytest.mark.parametrize("number", ["9", "99", "x", "1.0", "²", "../1"])
def test_an_unknown_lesson_is_answered_with_those_there_are(command, number):
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


def test_a_diff_is_printed_plain_into_a_pipe():
    assert lessons("diff", "4").stdout == diff(LESSONS[3], LESSONS[4])


def test_the_first_lesson_has_no_diff_and_says_so():
    run = lessons("diff", "0")
    assert run.returncode == 0
    assert "nothing before it" in run.stdout


def test_make_passes_the_number_and_the_port_on():
    assert make("-n", "lesson-3", "PORT=9000").endswith(".venv/bin/python lessons serve 3 --port 9000\n")


def test_a_python_that_is_too_old_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(make_venv, "UV", None)
    monkeypatch.setattr(make_venv, "OLDEST", (99, 1))
    complaint = make_venv.what_is_missing()
    assert complaint.startswith(
        f"Python 3.{sys.version_info[1]} is too old for the lessons. Install Python 99.1"
    )
    assert "\n" not in complaint


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_what_to_install(monkeypatch, module):
    monkeypatch.setattr(make_venv, "UV", None)
    assert make_venv.what_is_missing() is None
    monkeypatch.setitem(sys.modules, module, None)
    assert "sudo apt install python3-venv" in make_venv.what_is_missing()


def test_uv_makes_do_with_any_python(monkeypatch):
    monkeypatch.setattr(make_venv, "UV", "uv")
    monkeypatch.setattr(make_venv, "OLDEST", (99, 1))
    assert make_venv.what_is_missing() is None


def test_a_group_of_requirements_that_is_none_is_named():
    run = subprocess.run(
        [sys.executable, ROOT / "lessons/make_venv.py", "tests"], capture_output=True, text=True
    )
    assert run.returncode == 1
    assert run.stderr.startswith("There is no requirements-tests.txt")


def test_the_oldest_python_is_the_same_everywhere():
    oldest = "{}.{}".format(*make_venv.OLDEST)
    assert f'requires-python = ">={oldest}"' in (ROOT / "pyproject.toml").read_text()
    assert f"Python {oldest} or newer" in (ROOT / "README.md").read_text()
    assert f'python: ["{oldest}"' in (ROOT / ".github/workflows/test.yml").read_text()


def test_a_folder_that_is_no_lesson_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no app\.py: name the folder of a lesson"):
        load_app(tmp_path)


def test_an_app_file_without_an_app_is_named(tmp_path):
    (tmp_path / "app.py").write_text("application = 1")
    with pytest.raises(AttributeError, match="defines no `app`"):
        load_app(tmp_path)


def test_loading_a_lesson_leaves_other_modules_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "security", os)
    before, path = dict(sys.modules), list(sys.path)
    apps = [load_app(LESSONS[number]) for number in (3, 2, 3)]
    assert [app.config.get("JWT_AUTH_USERNAME_KEY") for app in apps] == ["email", "username", "email"]
    assert len({id(app) for app in apps}) == 3
    assert sys.modules["security"] is os
    assert sys.path == path
    assert "app" not in sys.modules.keys() - before.keys()


def test_a_changed_file_is_loaded_anew(copy):
    models = copy / "00_setup/models/user.py"
    for name in ("carol", "ellen"):  # the same length, and within the same second
        models.write_text((ROOT / "lessons/00_setup/models/user.py").read_text().replace("alice", name))
        app = load_app(copy / "00_setup")
        app.config["DATABASE"] = copy / f"{name}.db"
        login = app.test_client().post("/auth", json={"username": name, "password": "wonderland"})
        assert login.status_code == 200


def test_a_lesson_is_served_to_this_machine_alone():
    commands = runpy.run_path(str(ROOT / "lessons/__main__.py"), run_name="commands")
    with commands["listen"](1, 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("folder", LESSONS.values(), ids=lambda folder: folder.name)
def test_a_lessons_key_and_database_come_from_the_environment(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "k" * 40)
    monkeypatch.setenv("DATABASE", str(tmp_path / "elsewhere.db"))

    def signing_key(app):  # the copy that Flask-JWT makes, which Flask-JWT-Extended does not
        return app.config["JWT_SECRET_KEY"] or app.config["SECRET_KEY"]

    app = load_app(folder)
    assert signing_key(app) == "k" * 40
    assert app.config["DATABASE"] == str(tmp_path / "elsewhere.db")
    monkeypatch.setenv("SECRET_KEY", "")
    assert len(signing_key(load_app(folder)).encode()) >= 32


@pytest.mark.parametrize("uv", [None, "uv"])
def test_a_set_up_installs_what_is_locked_and_nothing_else(tmp_path, monkeypatch, uv):
    commands = []
    python = tmp_path / ".venv/bin/python"

    def run(*command):
        commands.append(command)
        if "venv" in command:
            python.parent.mkdir(parents=True)
            python.touch()

    for lock in ("requirements.txt", "requirements-build.txt"):
        shutil.copy(ROOT / lock, tmp_path)
    (tmp_path / ".venv/stale").mkdir(parents=True)
    for name, value in {
        "UV": uv,
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "PYTHON": python,
        "run": run,
    }.items():
        monkeypatch.setattr(make_venv, name, value)
    paths = []
    monkeypatch.setattr(make_venv, "put_lessons_on_the_path", lambda: paths.append(True))
    make_venv.main([])
    assert paths == [True]
    assert not (tmp_path / ".venv/stale").exists()
    assert [command[-1] for command in commands[1:]] == ["requirements-build.txt", "requirements.txt"]
    for command in commands[1:]:
        assert {"--no-deps", "--no-build-isolation", "--require-hashes"} < set(command)
        assert (tmp_path / ".venv" / command[-1]).exists()

"""Test the build of the static site, and the browser's Python in Node.

After a change of Pyodide's version, compare the marks of all recorded answers with those on a computer.
This takes 10 to 30 minutes:

EVERY_ANSWER=1 .venv/bin/python -m pytest tests/repository/test_site_build.py -k same_marks
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpers import BOB, ROOT
from lesson_loader import code_files, find_lessons
from mistakes import EXERCISES, checking_process
from tokens import read_claims

SOURCE = ROOT / "lessons/playground/site"
LESSONS = [folder.name for folder in find_lessons().values()]
EXERCISE_NAMES = [path.parent.name for path in sorted(ROOT.glob("lessons/*/exercise.py"))]
MAX_BYTES, MAX_GZIPPED = 20_000_000, 12_000_000


def run_build(root: Path, out: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run build.py of a copy of the repository."""
    command = [sys.executable, root / "lessons/playground/site/build.py", "--out", out]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)


def try_in_node(site: Path, *arguments: Path | str) -> list[dict[str, Any]]:
    """Run smoke.mjs on a built site and return what it prints."""
    command = ["node", SOURCE / "smoke.mjs", site, *arguments]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=1800).stdout
    return [json.loads(line) for line in output.splitlines()]


def load_module(name: str) -> ModuleType:
    """Return a new copy of a module of the site."""
    spec = importlib.util.spec_from_file_location(name, SOURCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def build() -> ModuleType:
    """The module build.py."""
    return load_module("build")


@pytest.fixture
def course(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A Course from browser_python.py that uses a copy of the lessons."""
    browser_python = load_module("browser_python")
    monkeypatch.setattr(browser_python, "LESSONS", copy)
    return browser_python.Course()


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by path."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def unpack(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file. For an archive, yield the files in it instead, and those in archives in it."""
    if not name.endswith(".zip"):
        yield name, content
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for inner in archive.namelist():
            yield from unpack(f"{name}/{inner}", archive.read(inner))


@pytest.fixture(scope="session")
def contents(site: Path) -> dict[str, bytes]:
    """Everything in the site by path. Archives are unpacked, and the texts in JSON have real line breaks."""
    contents = {}
    for name, content in files_in(site).items():
        for path, inner in unpack(name, content):
            text = "\n".join(texts_in(json.loads(inner))).encode() if path.endswith("lesson.json") else inner
            contents[path] = text
    return contents


def texts_in(value: object) -> Iterator[str]:
    """Yield all texts in a value from JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


# the command


def test_the_lock_has_exact_versions_and_hashes_and_no_addresses():
    package = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    for version in (package["dependencies"] | package["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    packages = json.loads((SOURCE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages.pop("")["dependencies"] == package["dependencies"]
    for name, locked in packages.items():
        assert locked["integrity"].startswith("sha512-"), name
        assert "resolved" not in locked, name


@pytest.mark.skipif(os.name == "nt", reason="on Windows, the programs need other files")
@pytest.mark.parametrize("version", ["", "v18.20.8"])
def test_without_a_recent_node_the_build_says_what_to_install(tmp_path, version):
    if version:
        (tmp_path / "node").write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / "npm").write_text("#!/bin/sh\n")
        (tmp_path / "node").chmod(0o755)
        (tmp_path / "npm").chmod(0o755)
    result = run_build(ROOT, tmp_path / "site", PATH=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.startswith("make site needs Node.js 20 or newer")
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("name", ["index.html", "CNAME", ".git/config", "a/link"])
def test_the_build_refuses_to_replace_a_folder_with_a_file_that_it_did_not_write(tmp_path, name):
    out = tmp_path / "site"
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to("nowhere") if name == "a/link" else (out / name).write_text("mine")
    (out / "old.html").write_text("from an earlier build")
    (out / ".nojekyll").write_text(".nojekyll\nold.html")
    result = run_build(ROOT, out)
    assert result.returncode == 1
    assert f"make site did not write {out / name}, so {out} stays as it is" in result.stderr
    assert (out / name).is_symlink() or (out / name).read_text() == "mine"
    assert (out / "old.html").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file")
def test_a_folder_that_cannot_be_written_gets_a_clear_line(tmp_path):
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file/site"):
        result = run_build(ROOT, out)
        assert result.returncode == 1
        assert result.stderr.startswith("make site ")
        assert "Traceback" not in result.stderr


def test_the_build_replaces_an_earlier_build(build, tmp_path, monkeypatch):
    def write_page(site, staged):
        site.mkdir()
        (site / "old.html").write_text("from the earlier build")

    out = tmp_path / "site"
    for name in ("find_node", "install_node_modules"):
        monkeypatch.setattr(build, name, lambda: None)
    monkeypatch.setattr(build, "build", write_page)
    monkeypatch.setattr(sys, "argv", ["build.py", "--out", str(out)])
    build.main()
    monkeypatch.setattr(build, "build", lambda site, staged: site.mkdir())
    build.main()
    assert list(tmp_path.iterdir()) == [out]
    assert [path.name for path in out.iterdir()] == [".nojekyll"]


def test_the_build_takes_only_the_locked_version_of_a_package(build, monkeypatch):
    assert build.installed("Flask").version in (ROOT / "lessons/requirements.txt").read_text()

    class Older:
        version = "3.0.0"

    monkeypatch.setattr(build, "distribution", lambda name: Older)
    with pytest.raises(SystemExit, match=r"Flask 3\.0\.0 is installed, but our locks have another version"):
        build.installed("Flask")


def test_the_build_takes_no_links_and_no_files_of_a_student(build, tmp_path):
    (tmp_path / "models").mkdir()
    for name in ("app.py", "solution.py", "answer.py"):
        (tmp_path / name).touch()
    (tmp_path / "db.py").symlink_to(ROOT / "LICENSE")
    (tmp_path / "models/user.py").symlink_to(ROOT / "LICENSE")
    (tmp_path / "resources").symlink_to(ROOT / "tests", target_is_directory=True)
    assert list(build.find_files(tmp_path, build.LESSON_FILES)) == ["app.py"]


# what is in the site


@pytest.mark.slow
def test_the_same_files_give_the_same_site_in_any_folder(site, tmp_path):
    copy = tmp_path / "another folder"
    ignore = shutil.ignore_patterns("__pycache__", "data.db", "answer*.py")
    for name in ("lessons", "tests/exercises"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignore)
    for name in ("LICENSE", "pyproject.toml", "tests/tokens.py"):
        shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").mkdir()
    (copy / ".venv/node").symlink_to(ROOT / ".venv/node")
    result = run_build(copy, tmp_path / "site")
    assert result.returncode == 0, result.stderr
    first, second = files_in(site), files_in(tmp_path / "site")
    assert list(first) == list(second)
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.slow
def test_the_site_stays_within_its_budget(site):
    files = files_in(site).values()
    assert sum(map(len, files)) < MAX_BYTES
    assert sum(len(gzip.compress(content)) for content in files) < MAX_GZIPPED


@pytest.mark.slow
def test_no_solution_mistake_or_alternative_is_in_the_site(contents):
    assert not [
        name for name in contents if re.search(r"(solutions|mistakes|alternatives)/|answer\w*\.py", name)
    ]
    everything = b"\n".join(contents.values())
    assert b"# TODO: Make each note belong to its owner" in everything  # the search finds the starters
    sentences = [read_sentence(path) for path in EXERCISES.glob("[am]*/*/*.py")]
    assert len(sentences) > 400
    assert [sentence for sentence in sentences if sentence.encode() in everything] == []
    lines = {line for name in EXERCISE_NAMES for line in distinctive_lines(name)}
    assert len(lines) > 20
    assert [line for line in lines if line.encode() in everything] == []


def read_sentence(path: Path) -> str:
    """Return the first line of a recorded answer, which says what is special about it."""
    return path.read_text(encoding="utf-8").splitlines()[0].strip('"')


def distinctive_lines(name: str) -> set[str]:
    """Return the lines of a solution that neither a lesson nor a check contains."""
    known = [file for folder in find_lessons().values() for file in code_files(folder)]
    known += [*ROOT.glob("lessons/*/*.md"), *ROOT.glob("lessons/*/exercise.py"), *EXERCISES.glob("*.py")]
    texts = "\n".join(path.read_text(encoding="utf-8") for path in known)
    solution = (ROOT / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    return {line.strip() for line in solution.splitlines() if len(line) > 20 and line.strip() not in texts}


@pytest.mark.slow
def test_no_path_of_this_computer_is_in_the_site(contents):
    for path in (str(ROOT), sys.prefix, "/staged"):
        assert [name for name, content in contents.items() if path.encode() in content] == []


@pytest.mark.slow
def test_every_address_in_a_page_is_relative_and_leads_to_a_file(site):
    for page in site.rglob("*.html"):
        for address in re.findall(r' (?:href|src)="([^"#]+)', page.read_text(encoding="utf-8")):
            if not address.startswith("https://"):
                assert not re.match(r"\w+:|/", address), (page, address)
                target = (page.parent / address).resolve()
                assert (target / "index.html" if address.endswith("/") else target).is_file(), (page, address)


@pytest.mark.slow
def test_the_licence_of_everything_in_the_site_is_named(site, contents, build):
    text = contents["licenses.txt"].decode()
    for name in build.PACKAGES:
        assert re.search(rf"^{name} \d.*\n=+\n\n\S", text, re.MULTILINE), name
    for name in ("pyodide", "@noble/hashes", "@codemirror/view", "@lezer/python"):
        assert re.search(rf"^{name} \d.*licence (MIT|MPL-2.0)$", text, re.MULTILINE), name
    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in text


# what the page asks of Python


def send(course, method="GET", path="/users", body=None, folder="02_token_expiry", file="app.py"):
    headers = {"Content-Type": "application/json"}
    arguments = [folder, file, method, path, headers, body and json.dumps(body)]
    return json.loads(course.call("send", json.dumps(arguments)))


def test_a_response_has_a_status_headers_and_a_body(course):
    response = send(course, "POST", "/login", BOB)
    assert (response["status"], response["reason"]) == (200, "OK")
    assert ["Content-Type", "application/json"] in response["headers"]
    assert read_claims(json.loads(response["body"])["access_token"])["identity"] == 1
    assert course.settings("02_token_expiry", "app.py")["login"]["path"] == "/login"


def test_an_app_keeps_its_memory_until_a_file_changes(course):
    code = "from flask import Flask\napp = Flask('app')\ncount = []\n"
    code += "@app.get('/users')\ndef view():\n    count.append(1)\n    return str(len(count))\n"
    course.write("lessons/02_token_expiry/app.py", code)
    assert [send(course)["body"] for _ in range(3)] == ["1", "2", "3"]
    course.write("lessons/02_token_expiry/app.py", code)
    assert send(course)["body"] == "1"


def test_a_new_schema_gets_a_new_database(course, copy):
    assert send(course, "POST", "/login", BOB)["status"] == 200
    database = copy / "02_token_expiry/data.db"
    assert database.exists()
    schema = (copy / "02_token_expiry/schema.sql").read_text(encoding="utf-8")
    course.write("lessons/02_token_expiry/schema.sql", schema.replace("phone TEXT", "phone VARCHAR"))
    assert not database.exists()
    assert send(course, "POST", "/login", BOB)["status"] == 200


def test_an_answer_runs_beside_the_app(course, copy):
    starter = (copy / "02_token_expiry/exercise.py").read_text(encoding="utf-8")
    course.write("lessons/02_token_expiry/answer.py", starter)
    assert send(course, "POST", "/login", BOB, file="answer.py")["status"] == 200
    assert send(course, "POST", "/login", BOB, file="app.py")["status"] == 200


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def broken(:\n", 'app.py does not start:\nFile "app.py", line 1'),
        ("import secrets_of_mine\n", "app.py does not start:\nModuleNotFoundError"),
        ("while True:\n    pass\n", "app.py does not start within 1 seconds"),
        ("raise SystemExit\n", "app.py does not start:\nSystemExit"),
        ("app = 1\n", "app.py sent no response:\nTypeError"),
        (
            "import flask, time\napp = flask.Flask('app')\napp.before_request(lambda: time.sleep(9))\n",
            "app.py sent no response within 1 seconds",
        ),
    ],
)
def test_a_problem_is_a_sentence_for_the_student(course, code, problem):
    course.seconds = 1
    course.write("lessons/02_token_expiry/app.py", code)
    for _ in range(2):  # the second request finds the same problem
        assert send(course)["problem"].startswith(problem)
    course.write("lessons/02_token_expiry/app.py", "from flask import Flask\napp = Flask('app')\n")
    assert send(course)["status"] == 404


def test_an_error_in_a_view_is_a_500_and_the_app_still_runs(course):
    code = "from flask import Flask\napp = Flask('app')\n@app.get('/users')\ndef view():\n    return 1 / 0\n"
    course.write("lessons/02_token_expiry/app.py", code)
    assert send(course)["status"] == 500
    assert send(course, path="/other")["status"] == 404


# the browser's Python in Node


@pytest.mark.slow
def test_a_user_can_log_in_to_every_lesson(site):
    ready, *lessons = try_in_node(site)
    assert ready["ready"] > 0
    assert [lesson["folder"] for lesson in lessons] == LESSONS
    for lesson in lessons:
        assert lesson["login"] == 200
        assert [user["username"] for user in lesson["users"]["users"]] == ["bob", "alice"]


@pytest.mark.slow
def test_an_answer_that_never_ends_cannot_stop_the_next_check(site, tmp_path):
    starter = (ROOT / "lessons/02_token_expiry/exercise.py").read_text(encoding="utf-8")
    endings = {
        "loop": "while True:\n    pass\n",
        "sleep": "import time\n\n@app.before_request\ndef wait():\n    time.sleep(100)\n",
        "exit": "import os\n\n@app.before_request\ndef leave():\n    os._exit(0)\n",
        "keyboard": "input()\n",
    }
    for name, code in endings.items():
        (tmp_path / f"{name}.py").write_text(f"{starter}\n\n{code}", encoding="utf-8")
    files = [*(tmp_path / f"{name}.py" for name in endings), ROOT / "solutions/02_token_expiry.py"]
    loop, sleep, leave, keyboard, solution = try_in_node(site, "02_token_expiry", *files)
    assert "does not start within 5 seconds" in loop["checks"][0]["message"]
    assert "no response within 5 seconds" in sleep["checks"][0]["message"]
    assert leave["problem"].startswith("Python stopped")
    assert "An app on a server has no keyboard" in keyboard["checks"][0]["message"]
    assert {check["outcome"] for check in solution["checks"]} == {"passed"}


@pytest.mark.slow
@pytest.mark.skipif("EVERY_ANSWER" not in os.environ, reason="a browser checks some of these answers")
@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_answers_get_the_same_marks_as_on_a_computer(site, name):
    files = [ROOT / "solutions" / f"{name}.py", ROOT / "lessons" / name / "exercise.py"]
    files += sorted(EXERCISES.glob(f"[am]*/{name}/*.py"))  # alternatives and mistakes
    with checking_process() as run_checks:
        native = {str(file): run_checks(name, file) for file in files}
    for result in try_in_node(site, name, *files):
        ours = {check["name"]: check["outcome"] for check in result["checks"]}
        theirs = native[result["file"]]
        expected = {
            check: result.outcome if result.outcome in ("passed", "skipped") else "failed"
            for check, result in theirs.items()
        }
        assert ours == expected, result["file"]

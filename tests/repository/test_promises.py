"""The promises between the rooms: what holds for every lesson, README and command."""

import ast
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from difflib import unified_diff

import pytest

from helpers import ROOT, functions_in, lesson_server, make, needs, on_one_line, section
from lesson_loader import code_files, diff, find_lessons, read_about

LESSONS = find_lessons()
STEPS = [pytest.param(number, id=folder.name) for number, folder in LESSONS.items() if number - 1 in LESSONS]
EVERY = [pytest.param(folder, id=folder.name) for folder in LESSONS.values()]
HEADINGS = ["What changes", "Try it", "Why", "Remember"]
REFERENCE = {  # what lessons 7 and 8 have on top, to be looked up rather than read in one go
    7: ["Every option", "Every hook"],
    8: ["From the old line to the new", "Tokens in people's hands", "What you gain"],
}


README = (ROOT / "README.md").read_text(encoding="utf-8")


def readme(folder):
    return (folder / "README.md").read_text(encoding="utf-8")


def code(folder):
    """The files of a lesson's app, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in code_files(folder)
    }


def without_imports(source):
    return [line for line in source.splitlines() if line and not re.match(r"(from .+ )?import ", line)]


@pytest.mark.parametrize("number", STEPS)
def test_a_lesson_changes_one_thing_in_the_files_that_its_readme_names(number):
    before, after = code(LESSONS[number - 1]), code(LESSONS[number])
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    named = set(re.findall(r"`([a-z/]+\.py)`", section(LESSONS[number], "What changes").partition("```")[0]))
    assert changed == named
    for name in changed:
        versions = [without_imports(version.get(name, "")) for version in (before, after)]
        hunks = [line for line in unified_diff(*versions, n=2) if line.startswith("@@")]
        # lesson 8 takes the library away from under the app, so it changes wherever that shows
        assert len(hunks) <= 1 or number == 8, f"{name} changes in {len(hunks)} places"


def test_every_stage_test_fails_on_the_lesson_before(tmp_path):
    report = tmp_path / "report.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "tests/lessons", "--stage=previous", "-q", f"--junit-xml={report}"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    outcomes = {
        f"{case.get('classname')}.{case.get('name')}": next((child.tag for child in case), "passed")
        for case in ET.parse(report).iter("testcase")
        if "test_00_" not in case.get("classname")  # nothing comes before lesson 0
    }
    assert len({name.rsplit(".", 1)[0] for name in outcomes}) == len(STEPS)
    assert {name: outcome for name, outcome in outcomes.items() if outcome != "failure"} == {}


@pytest.mark.parametrize("folder", EVERY)
def test_every_lesson_has_from_three_to_eight_stage_tests(folder):
    assert 3 <= len(functions_in(ROOT / "tests/lessons" / f"test_{folder.name}.py")) <= 8


@pytest.mark.parametrize("folder", EVERY)
def test_every_readme_has_the_same_headings_and_fits_a_sitting(folder):
    number = int(folder.name[:2])
    assert re.findall(r"^## (.+)$", readme(folder), re.MULTILINE) == HEADINGS + REFERENCE.get(number, [])
    assert re.match(rf"# Lesson {number}: .+\n\n.+ About \d+ minutes\.\n", readme(folder))
    to_be_read = re.sub(r"```(diff|python)\n.*?```", "", readme(folder), flags=re.DOTALL).splitlines()
    assert len(to_be_read) <= 75 + 60 * (number in REFERENCE)


@pytest.mark.parametrize("number", STEPS)
def test_a_readme_shows_the_real_difference(number):
    shown = re.findall(r"```diff\n(.*?)```", readme(LESSONS[number]), re.DOTALL)
    assert shown == [diff(LESSONS[number - 1], LESSONS[number])], f"paste what `make diff-{number}` prints"


def test_the_first_readme_shows_the_real_app():
    assert f"```python\n{(LESSONS[0] / 'app.py').read_text()}```" in section(LESSONS[0], "What changes")


@pytest.mark.parametrize("folder", EVERY)
def test_the_transcript_of_a_readme_is_what_happens(folder, tmp_path):
    assert section(folder, "Try it").count(">>> ") >= 3
    run = subprocess.run(
        [sys.executable, "-m", "doctest", "README.md"],
        cwd=folder,
        env=os.environ | {"DATABASE": str(tmp_path / "data.db"), "PYTHONPATH": str(ROOT / "lessons")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("folder", EVERY)
def test_the_curl_lines_of_a_readme_answer_as_it_says(folder, tmp_path):
    needs("curl", "sh")
    lines = read_about(folder).curl
    said = re.search(r"these answer ([\d, and]+):", section(folder, "Try it"))[1]
    with lesson_server(int(folder.name[:2]), tmp_path) as server:
        lines = lines.replace(":8000", f":{server.port}")
        run = subprocess.run(["sh", "-ec", lines], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr
    assert re.findall(r"^HTTP/1.1 (\d+)", run.stdout, re.MULTILINE) == re.findall(r"\d+", said)


@pytest.mark.parametrize("folder", EVERY)
def test_every_statement_of_a_readme_is_the_docstring_of_the_test_that_proves_it(folder):
    proven = {
        on_one_line(ast.get_docstring(test) or "")
        for room in ("claims", "lessons")
        for test in functions_in(ROOT / "tests" / room / f"test_{folder.name}.py")
    }
    for heading in re.findall(r"^## (.+)$", readme(folder), re.MULTILINE)[2:]:
        text = re.sub(r"```python\n.*?```", "", section(folder, heading), flags=re.DOTALL).strip()
        if text.splitlines()[-1].startswith("| "):
            continue  # a table, which the tests of that lesson's claims read
        statements = [on_one_line(item) for item in re.split(r"^- ", text, flags=re.MULTILINE)]
        assert statements.pop(0) == "", f"{heading} holds text that is not an item of its list"
        assert len(statements) >= 3
        assert [statement for statement in statements if statement not in proven] == []


def test_every_difference_that_the_readme_lists_is_a_statement_of_a_lesson():
    items = re.split(
        r"^- ", section(ROOT, "Where the tutorial and today's packages differ"), flags=re.MULTILINE
    )
    for item in items[1:]:
        statement, number, folder = re.fullmatch(
            r"(.+) \(\[lesson (\d)\]\(lessons/(.+)/\)\)", on_one_line(item)
        ).groups()
        assert LESSONS[int(number)].name == folder
        assert statement in on_one_line(readme(LESSONS[int(number)]))
    assert len(items) > 5


def test_the_rooms_hold_the_same_names():
    names = {folder.name for folder in LESSONS.values()}
    assert sorted(LESSONS) == list(range(len(LESSONS)))
    for room in ("tests/lessons/test_*.py", "tests/claims/test_*.py", "notebooks/*.ipynb"):
        assert {path.stem.removeprefix("test_") for path in ROOT.glob(room)} == names
    for room in ("tests/exercises/test_*.py", "solutions/*.py"):
        with_exercise = {folder.name for folder in LESSONS.values() if (folder / "exercise.py").exists()}
        assert {path.stem.removeprefix("test_") for path in ROOT.glob(room)} == with_exercise


def test_make_help_and_the_readme_list_the_same_commands():
    documented = re.findall(r"^\| `make ([^ `]+)", README, re.MULTILINE)
    listed = re.findall(r"^  make (\S+)", make(), re.MULTILINE)
    assert [re.sub(r"\d+$", "N", name) for name in documented] == listed
    assert "test" in listed


def test_the_readme_gives_the_plain_command_that_make_runs():
    rows = re.findall(r"^\| `make ([^ `]+)` \| (`.+?`) \|", README, re.MULTILINE)
    assert len(rows) >= 6
    for target, plain in rows:
        recipe = [line for line in make("-n", target).splitlines() if "make_venv.py" not in line]
        assert re.findall("`(.+?)`", plain) == [line.removesuffix(" || true").rstrip() for line in recipe]


def test_the_lesson_table_of_the_readme_is_the_lessons_own():
    rows = re.findall(
        r"^\| (\d) \| \[(.+?)\]\(lessons/(.+?)/\) \| `(.+?)` \| (\d+) \|",
        README,
        re.MULTILINE,
    )
    assert [(int(number), folder) for number, _, folder, _, _ in rows] == [
        (number, folder.name) for number, folder in LESSONS.items()
    ]
    for number, title, _, line, minutes in rows:
        about = read_about(LESSONS[int(number)])
        assert about.title == f"Lesson {number}: {title}"
        assert about.idea.endswith(f"About {minutes} minutes.")
        assert line in "".join(code(LESSONS[int(number)]).values())


def test_no_test_switches_on_testing():
    """TESTING hides that Flask-RESTful answers 500: one claim of lesson 0 shows it, one fault tries it."""
    switch = re.compile(r"testing\W{0,4}\s*[=:]\s*\W?true", re.IGNORECASE)
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "lessons").rglob("*.py")]
    guilty = {path.name for path in files if switch.search(path.read_text(encoding="utf-8"))}
    assert guilty == {"test_00_setup.py", "test_faults.py"}


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_every_locked_package_has_a_hash_and_no_address(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9-]+==)", text)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


def test_the_repository_ships_no_answer():
    """A fork may: what make start-N makes is no longer ignored, so that it can be pushed and graded."""
    needs("git")
    command = ["git", "ls-files", "lessons/*/answer*.py"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout == ""

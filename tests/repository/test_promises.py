"""What must be true for every lesson, README and command."""

import json
import re
import shlex
import subprocess
import sys

import pytest

from course import lesson_rules, lesson_runs
from helpers import ROOT, lesson_server, make, needs, section
from lesson_loader import find_lessons
from slides import read_notebook

LESSONS = find_lessons()
NAMES = {folder.name for folder in LESSONS.values()}
EVERY_LESSON = [pytest.param(folder, id=folder.name) for folder in LESSONS.values()]
TOP_LEVEL = {
    *("README.md", "LICENSE", "Makefile", "pyproject.toml"),
    *(".ci", ".devcontainer", ".github", ".gitattributes", ".gitignore", ".pre-commit-config.yaml"),
    *("lessons", "notebooks", "solutions", "tests"),
}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
GUIDES = list(dict.fromkeys(re.findall(r"^## .+ \((\S+\.md)\)$", MAKEFILE, re.MULTILINE)))
TEXTS = [
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", ".github/*.md", "lessons/**/*.md", "notebooks/*.md", "tests/**/*.md")
    for path in sorted(ROOT.glob(pattern))
    if "templates" not in path.parts
]


# the lessons: the rules are in tests/course, and `make check-course` prints the same sentences


@pytest.mark.parametrize("folder", EVERY_LESSON)
def test_nothing_is_missing_in_a_lesson(folder):
    assert lesson_rules.todos(folder) + lesson_rules.find_problems(folder) == []


def test_nothing_is_missing_between_the_lessons():
    assert lesson_rules.find_problems_between_lessons() == []


@pytest.mark.parametrize("folder", EVERY_LESSON)
def test_the_transcript_of_a_readme_is_what_happens(folder, tmp_path):
    assert lesson_runs.wrong_transcript(folder, tmp_path) == []


@pytest.mark.parametrize("folder", EVERY_LESSON)
def test_the_commands_of_a_readme_give_what_it_says(folder, tmp_path):
    needs("curl", "sh")
    assert lesson_runs.wrong_commands(folder, tmp_path) == []


def test_every_lesson_test_fails_on_the_lesson_before():
    assert lesson_runs.passing_on_the_lesson_before(list(LESSONS.values())[1:]) == []


def test_the_first_readme_shows_the_real_code():
    blocks = re.findall(r"```python\n(.*?)```", section(LESSONS[0], "What changes"), re.DOTALL)
    files = lesson_rules.read_code(LESSONS[0])
    assert files["app.py"] in blocks
    assert [block for block in blocks if not any(block in content for content in files.values())] == []


# the folders


def test_only_a_readme_is_left_in_the_folder_of_a_lesson_that_has_moved():
    files = [path for path in git_files("lessons/[0-9][0-9]_*") if path.split("/")[1] not in NAMES]
    assert files
    assert {path.rpartition("/")[2] for path in files} == {"README.md"}
    for path in files:
        targets = [(ROOT / path).parent / link for link, _ in lesson_rules.find_links(ROOT / path)]
        assert {target.resolve() for target in targets} & set(LESSONS.values())


def test_a_lesson_that_has_moved_is_not_a_lesson(copy, monkeypatch):
    monkeypatch.setattr("lesson_loader.LESSONS", copy)
    numbers = list(find_lessons())
    (copy / "03_old_name").mkdir()
    (copy / "03_old_name/answer.py").touch()
    assert list(find_lessons()) == numbers
    assert find_lessons()[3].name == "03_auth_key"
    (copy / "03_old_name/README.md").write_text("# This lesson has moved\n")
    assert find_lessons()[3].name == "03_auth_key"


def git_files(*patterns):
    """Return the names of the files that git tracks."""
    needs("git")
    command = ["git", "ls-files", "-z", *patterns]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        pytest.skip("this copy of the repository is not a git checkout")
    return run.stdout.split("\0")[:-1]


def test_the_top_folder_contains_only_the_agreed_names():
    assert {name.partition("/")[0] for name in git_files()} == TOP_LEVEL


def test_the_repository_contains_no_answer():
    """A student's fork may contain one: git does not ignore answer.py, so that students can push it."""
    assert git_files("lessons/*/answer*.py") == []


@pytest.mark.parametrize(
    "lock", sorted(ROOT.glob("*/requirements*.txt")) + sorted(ROOT.glob("tests/*/requirements*.txt"))
)
def test_every_locked_package_has_a_hash_and_no_address(lock):
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9-]+==)", text)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


def test_no_test_switches_on_testing():
    """TESTING hides that Flask-RESTful turns a 401 into a 500. Only the tests that show this set it."""
    switch = re.compile(r"testing\W{0,4}\s*[=:]\s*\W?true", re.IGNORECASE)
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "lessons").rglob("*.py")]
    guilty = {path.name for path in files if switch.search(path.read_text(encoding="utf-8"))}
    assert guilty == {"test_00_setup.py", "test_faults.py"}


# the guides: the README for each kind of reader


def make_help():
    """Return (guide, target, help text) for each command that `make` lists."""
    commands, guide = [], None
    for line in make().splitlines():
        if heading := re.search(r"\((\S+\.md)\)$", line):
            guide = heading[1]
        if command := re.match(r"  make (\S+) +(.+)", line):
            commands.append((guide, command[1], command[2]))
    return commands


def command_rows(guide):
    """Return (target, text in the second column) for each command in a guide's table."""
    text = (ROOT / guide).read_text(encoding="utf-8")
    return re.findall(r"^\| `make ([^`]+)` \| (.+?) \|", text, re.MULTILINE)


def test_each_guide_lists_the_commands_of_its_readers_and_no_others():
    listed = {}
    for guide, target, _ in make_help():
        listed.setdefault(guide, []).append(target)
    assert listed.pop(None) == ["help"]
    assert listed == {
        guide: [re.sub(r"\d+[a-z]?$", "N", target.split()[0]) for target, _ in command_rows(guide)]
        for guide in GUIDES
    }


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_gives_the_plain_command_that_make_runs(guide):
    rows = [(target, plain) for target, plain in command_rows(guide) if plain.startswith("`")]
    assert rows
    for target, plain in rows:
        recipe = [
            line
            for line in make("-n", *shlex.split(target)).splitlines()
            if "make_venv.py" not in line or target == "wheels"
        ]
        commands = re.findall("`(.+?)`", plain)
        assert commands == [line.removesuffix(" || true").rstrip() for line in recipe], target


def test_make_and_the_command_describe_themselves_in_the_same_words():
    run = subprocess.run([sys.executable, "lessons", "--help"], cwd=ROOT, capture_output=True, text=True)
    explained = dict(re.findall(r"^  ([a-z]+) +([A-Z].+)\.$", run.stdout, re.MULTILINE))
    names = {target: re.sub("^lesson-N$", "serve", target).removesuffix("-N") for _, target, _ in make_help()}
    listed = {
        names[target]: re.sub(r" \([^()]+\)$", "", text)
        for guide, target, text in make_help()
        if guide == "lessons/README.md"
    }
    assert listed == {
        name: re.sub(r"^\w", lambda letter: letter[0].lower(), text) for name, text in explained.items()
    }


def test_the_first_commands_of_the_readme_print_what_it_shows(tmp_path):
    needs("curl", "sh")
    blocks = re.findall(r"^```(?:sh)?\n(.*?)```", section(ROOT, "Start"), re.MULTILINE | re.DOTALL)
    set_up, requests, output = blocks
    number = re.search(r"^make lesson-(\d)$", set_up, re.MULTILINE)[1]
    with lesson_server(int(number), tmp_path) as server:
        assert "".join(lesson_runs.run_shell(requests.splitlines(), server.port)) == output


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_between_texts_leads_somewhere(name):
    assert lesson_rules.broken_links(ROOT / name) == []


# the tools of contributors


def test_the_hooks_run_what_make_lint_runs():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"^ +entry: (.+)$", hooks, re.MULTILINE)
    recipe = [line for line in make("-n", "lint").splitlines() if "make_venv.py" not in line]
    assert entries == [line.removesuffix(" notebooks/*.ipynb") for line in recipe]


def test_a_codespace_installs_what_ci_installs():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    packages = re.search(r"install --quiet --yes (.+)$", container["onCreateCommand"])[1].split()
    assert all(package in ci for package in packages)
    make("-n", *container["updateContentCommand"].split()[1:])  # fails if there is no such target
    assert container["forwardPorts"] == [8000, 8888]


def test_the_plan_for_teachers_has_the_titles_and_minutes_of_the_notebooks():
    guide = (ROOT / "notebooks/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (\d+) \|", guide, re.MULTILINE)
    headings = [read_notebook(path).cells[0].source for path in sorted(ROOT.glob("notebooks/*.ipynb"))]
    assert [f"# Lesson {number}: {title} ({minutes} minutes)" for number, title, minutes in rows] == [
        heading.partition("\n")[0] for heading in headings
    ]

"""What must be true for every lesson, README and command."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from difflib import unified_diff

import pytest

from helpers import ROOT, lesson_server, make, needs, section
from lesson_loader import code_files, diff, find_lessons, read_about

LESSONS = find_lessons()
NAMES = {folder.name for folder in LESSONS.values()}
LATER_LESSONS = [
    pytest.param(number, id=folder.name) for number, folder in LESSONS.items() if number - 1 in LESSONS
]
EVERY_LESSON = [pytest.param(folder, id=folder.name) for folder in LESSONS.values()]
HEADINGS = ["The question", "How it works", "What changes", "Try it", "Watch out", "Your turn"]
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
]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def readme(folder):
    return (folder / "README.md").read_text(encoding="utf-8")


def code(folder):
    """Return the text of each file of a lesson's app by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in code_files(folder)
    }


def without_imports(source):
    return [line for line in source.splitlines() if line and not re.match(r"(from .+ )?import ", line)]


def uses_flask_jwt(folder):
    return "from flask_jwt import" in code(folder)["app.py"]


# the lessons


@pytest.mark.parametrize("number", LATER_LESSONS)
def test_a_lesson_changes_one_thing_in_the_files_that_its_readme_names(number):
    before, after = code(LESSONS[number - 1]), code(LESSONS[number])
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    introduction = section(LESSONS[number], "What changes").partition("```")[0]
    named = set(re.findall(r"`([a-z_/]+\.(?:py|sql))`", introduction))
    assert changed == named
    if not uses_flask_jwt(LESSONS[number]):
        return  # with Flask-JWT-Extended, one idea needs lines in several places
    for name in changed:
        versions = [without_imports(version.get(name, "")) for version in (before, after)]
        hunks = [line for line in unified_diff(*versions, n=2) if line.startswith("@@")]
        assert len(hunks) <= 1, f"{name} changes in {len(hunks)} places"


def test_every_lesson_test_fails_on_the_lesson_before(tmp_path):
    report = tmp_path / "report.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "tests/lessons", "--run-on=previous", "-q", f"--junit-xml={report}"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    first = f"test_{LESSONS[min(LESSONS)].name}"  # no lesson comes before the first one
    outcomes = {
        f"{case.get('classname')}.{case.get('name')}": next((child.tag for child in case), "passed")
        for case in ET.parse(report).iter("testcase")
        if first not in case.get("classname")
    }
    assert len({name.rsplit(".", 1)[0] for name in outcomes}) == len(LATER_LESSONS)
    others = {name: outcome for name, outcome in outcomes.items() if outcome != "failure"}
    assert others == {}, "a test of a lesson must fail by an assertion on the lesson before it"


@pytest.mark.parametrize("folder", EVERY_LESSON)
def test_every_readme_has_the_same_headings(folder):
    number = int(folder.name[:2])
    assert re.match(rf"# Lesson {number}: .+\n\n.+ About \d+ minutes\.\n\n## The question\n", readme(folder))
    headings = re.findall(r"^## (.+)$", readme(folder), re.MULTILINE)
    assert [heading for heading in headings if heading in HEADINGS] == HEADINGS
    assert headings[-1] == HEADINGS[-1]


@pytest.mark.parametrize("folder", EVERY_LESSON)
def test_every_readme_leads_to_the_exercise_and_to_the_next_lesson(folder):
    number, text = int(folder.name[:2]), section(folder, "Your turn")
    assert (f"`make start-{number}`" in text) == (folder / "exercise.py").exists()
    if number + 1 in LESSONS:
        link = f"](../{LESSONS[number + 1].name}/)"
        assert link in text, f"{folder.name}/README.md must lead to the next lesson: {link}"


@pytest.mark.parametrize("number", LATER_LESSONS)
def test_a_readme_shows_the_real_difference(number):
    blocks = re.findall(r"```diff\n(.*?)```", readme(LESSONS[number]), re.DOTALL)
    assert blocks == [diff(LESSONS[number - 1], LESSONS[number])], (
        f"If the diff of lesson {number} shows a change that it does not teach, make that change in this "
        f"lesson and in all later ones. Then paste what `make diff-{number}` prints."
    )


def test_the_first_readme_shows_the_real_code():
    blocks = re.findall(r"```python\n(.*?)```", section(LESSONS[0], "What changes"), re.DOTALL)
    files = code(LESSONS[0])
    assert files["app.py"] in blocks
    assert [block for block in blocks if not any(block in content for content in files.values())] == []


@pytest.mark.parametrize("folder", EVERY_LESSON)
def test_the_transcript_of_a_readme_is_what_happens(folder, tmp_path):
    assert ">>> " in section(folder, "Try it")
    run = subprocess.run(
        [sys.executable, "-m", "doctest", "README.md"],
        cwd=folder,
        env=os.environ | {"FLASK_DATABASE": str(tmp_path / "data.db"), "PYTHONPATH": str(ROOT / "lessons")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("folder", EVERY_LESSON)
def test_the_commands_of_a_readme_give_what_it_says(folder, tmp_path):
    needs("curl", "sh")
    commands = read_commands(readme(folder))
    assert len(commands) >= 2
    with lesson_server(int(folder.name[:2]), tmp_path) as server:
        outputs = run_shell([command for command, _ in commands], server.port)
    for (command, expected), output in zip(commands, outputs, strict=True):
        assert re.search(expected, output, re.DOTALL), f"{command}\n\nprints:\n{output}"


def read_commands(text):
    """Return (command, regular expression for its output) for each command in a README's shell blocks.

    In an sh block, a comment before each command ends with the output, after an arrow: `→ prints nothing`
    or `→ 401 "User does not exist"`. In a console block, the output follows its command, and … is any text.
    """
    commands = []
    for kind, block in re.findall(r"^```(sh|console)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if kind == "sh":
            lines = block.splitlines()
            assert all(line.startswith("#") == (index % 2 == 0) for index, line in enumerate(lines)), block
            for comment, command in zip(lines[::2], lines[1::2], strict=True):
                commands.append((command, expected_output(comment)))
        else:
            for command, output in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                pattern = re.escape(output.strip()).replace("…", ".*")
                commands.append((command, rf"\A\s*{pattern}\s*\Z"))
    return commands


def expected_output(comment):
    """Return a regular expression for the output that a comment describes after its arrow."""
    _, arrow, result = comment.rpartition(" → ")
    assert arrow, f"this comment does not say what the command gives: {comment}"
    if result == "prints nothing":
        return r"\A\Z"
    status, *words = re.fullmatch(r'(\d+)((?:.*?".+?")*[^"]*)', result).groups()
    quoted = re.findall(r'"(.+?)"', words[0])
    return rf"\AHTTP/1\.1 {status} " + "".join(rf"(?=.*{re.escape(word)})" for word in quoted)


def run_shell(commands, port):
    """Run commands in one shell, in the top folder, and return what each of them prints."""
    end = "-- end of command --"
    script = "".join(f"{{ {command}; }} 2>&1\necho '{end}'\n" for command in commands)
    run = subprocess.run(
        ["sh", "-c", script.replace(":8000", f":{port}")],
        cwd=ROOT,
        env=os.environ | {"PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return run.stdout.split(f"{end}\n")[:-1]


# the folders


def test_the_folders_contain_the_same_names():
    assert sorted(LESSONS) == list(range(len(LESSONS)))
    for pattern in (
        *("tests/lessons/test_*.py", "tests/claims/test_*.py", "notebooks/*.ipynb"),
        *("tests/repository/notebook_outputs/*.txt", "tests/exercises/originals/*.zip"),
    ):
        assert {path.stem.removeprefix("test_") for path in ROOT.glob(pattern)} == NAMES, pattern
    with_exercise = {folder.name for folder in LESSONS.values() if (folder / "exercise.py").exists()}
    for pattern in (
        *("tests/exercises/test_*.py", "solutions/*.py"),
        *("tests/exercises/mistakes/[0-9]*", "tests/exercises/alternatives/[0-9]*"),
    ):
        assert {path.stem.removeprefix("test_") for path in ROOT.glob(pattern)} == with_exercise, pattern


def test_only_a_readme_is_left_in_the_folder_of_a_lesson_that_has_moved():
    files = [path for path in git_files("lessons/[0-9][0-9]_*") if path.split("/")[1] not in NAMES]
    assert files
    assert {path.rpartition("/")[2] for path in files} == {"README.md"}
    for path in files:
        targets = [(ROOT / path).parent / link for link, _ in find_links(ROOT / path)]
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
        guide: [re.sub(r"\d+$", "N", target) for target, _ in command_rows(guide)] for guide in GUIDES
    }


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_gives_the_plain_command_that_make_runs(guide):
    rows = [(target, plain) for target, plain in command_rows(guide) if plain.startswith("`")]
    assert rows
    for target, plain in rows:
        recipe = [line for line in make("-n", target).splitlines() if "make_venv.py" not in line]
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
        assert "".join(run_shell(requests.splitlines(), server.port)) == output


def test_the_lesson_table_agrees_with_the_lessons():
    rows = re.findall(
        r"^\| (\d+) \| \[(.+?)\]\(lessons/(.+?)/\) \| `(.+?)` \| (\d+) \|", README, re.MULTILINE
    )
    assert [(int(number), folder) for number, _, folder, _, _ in rows] == [
        (number, folder.name) for number, folder in LESSONS.items()
    ]
    for number, title, _, line, minutes in rows:
        about = read_about(LESSONS[int(number)])
        row = f"the row of lesson {number} in README.md"
        assert about.title == f"Lesson {number}: {title}", row
        assert about.idea.endswith(f"About {minutes} minutes."), row
        assert any(line in content for content in code(LESSONS[int(number)]).values()), row


def find_links(path):
    """Return the relative links of a Markdown file, as (file, anchor)."""
    text = re.sub(r"```.*?```|`[^`\n]+`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link.partition("#")[::2] for link in links if not re.match(r"[a-z]+:", link)]


def find_anchors(path):
    """Return the anchors of a Markdown file: those that GitHub makes from headings, and explicit ones."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a (?:id|name)="(.+?)"', text))


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_between_texts_leads_somewhere(name):
    for link, anchor in find_links(ROOT / name):
        target = (ROOT / name).parent / link if link else ROOT / name
        assert target.exists(), link
        if anchor:
            assert anchor in find_anchors(target / "README.md" if target.is_dir() else target), (
                f"{link}#{anchor}"
            )


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

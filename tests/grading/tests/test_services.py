"""Grading as others run it: by the README, in a pipe, on Gradescope, and on GitHub in a student's fork."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pytest
import yaml

from grading.command import NO_MEMORY_LIMIT
from grading.formats import render
from grading.record import CheckResult, ExerciseResult, Outcome, Person, StudentResult
from helpers import ROOT, make_exercise_1b, needs, section
from lesson_loader import find_lessons
from make_venv import GROUPS

FIRST = "01_auth_url"
RIGHT = (ROOT / f"solutions/{FIRST}.py").read_bytes()
WRONG = (ROOT / f"lessons/{FIRST}/exercise.py").read_bytes()
HERE = os.environ | {"PYTHONPATH": str(ROOT / "lessons")}  # the environment may belong to another clone
STUBS = {  # programs that would need root or the network; make_venv.py gets the environment of these tests
    "apt-get": 'echo "$@" >> "$CALLED"',
    "sudo": 'echo "$@" >> "$CALLED"',
    "python3": 'if [ "$1" = -c ]; then exec "$REAL" "$@"; else ln -sfn "$ENVIRONMENT" .venv; fi',
}


def grade(folder, *options, **more):
    """Grade folder/submissions from inside the folder, and return the finished process."""
    command = [sys.executable, ROOT / "tests/grading", "submissions", "--out", "grades", *options]
    return subprocess.run(command, cwd=folder, env=HERE, text=True, **more)


# the README


def hand_in(folder, path, note):
    """Hand in what the README shows: right answers, except that Cleo's second one is a starter."""
    exercise = re.search(r"\d\d_\w+", path + note + FIRST)[0]
    answer = (ROOT / f"solutions/{exercise}.py").read_bytes()
    if "cleo" in path and exercise != FIRST:
        answer = (ROOT / f"lessons/{exercise}/exercise.py").read_bytes()
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    if path.endswith(".zip"):
        with zipfile.ZipFile(folder / path, "w") as archive:
            archive.writestr(f"{exercise}.py", answer)
    else:
        (folder / path).write_bytes(answer)


def test_the_readme_shows_what_grading_a_class_prints(tmp_path):
    needs("bwrap")
    here = ROOT / "tests/grading"
    layout, transcript = re.findall(
        r"^```\n(.*?)^```$", section(here, "Grade a first class"), re.DOTALL | re.MULTILINE
    )
    for path, note in re.findall(r"^(\S+)(.*)$", layout, re.MULTILINE):
        hand_in(tmp_path, path, note)
    seed = re.search(r"Seed (\d+)", transcript)[1]
    shown = transcript.splitlines()
    options = re.fullmatch(r"\$ make grade ARGS='(.+)'", shown.pop(0))[1]
    graded = grade(tmp_path, *options.split(), "--seed", seed, capture_output=True)
    printed = graded.stdout.replace(f"{NO_MEMORY_LIMIT}\n", "").splitlines()
    assert len(printed) == len(shown), graded.stdout + graded.stderr
    for line, beginning in zip(printed, shown, strict=True):
        assert line.startswith(beginning.removesuffix("…")) if "…" in beginning else line == beginning
    files = re.findall(r"`([\w/]+\.(?:csv|html|json|xml))`", section(here, "Where the results are"))
    assert len(set(files)) == 7
    assert all((tmp_path / "grades" / file.replace("NAME", "ada")).exists() for file in files)


def test_the_readme_lists_every_outcome():
    text = section(ROOT / "tests/grading", "Where the results are")
    rows = re.findall(r"^\| ([a-z, ]+) \| [A-Z]", text, re.MULTILINE)
    assert sorted(", ".join(rows).split(", ")) == sorted(outcome.value for outcome in Outcome)


# a pipe


@pytest.fixture
def unread():
    """The end to write to of a pipe that nobody reads any more, as after `| head`."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def test_help_that_nobody_reads_ends_without_a_traceback(tmp_path, unread):
    helped = grade(tmp_path, "--help", stdout=unread, stderr=subprocess.PIPE)
    assert (helped.returncode, helped.stderr) == (0, "")


@pytest.mark.parametrize("errors", [subprocess.PIPE, subprocess.STDOUT], ids=["output", "output and errors"])
def test_a_class_is_graded_even_if_nobody_reads_what_is_printed(tmp_path, unread, errors):
    (tmp_path / "submissions/anna").mkdir(parents=True)
    (tmp_path / "submissions/notes.txt").touch()  # the grader prints a line about it before it begins
    options = ("--exercises=1", "--summary=summary.md", "--no-sandbox")
    graded = grade(tmp_path, *options, stdout=unread, stderr=errors)
    assert graded.returncode == 0
    assert not (graded.stderr or "").strip()
    assert "anna" in (tmp_path / "grades/grades.csv").read_text()
    assert "0 of" in (tmp_path / "summary.md").read_text()


# what is in gradescope.zip


def pack(root, *options):
    return [sys.executable, root / "tests/grading/package.py", *options]


def build(root, out, *exercises):
    """Build the autograder from a copy of the repository, and return the names and contents of its files."""
    subprocess.run(pack(root, *exercises, "--out", out), check=True, stdout=subprocess.DEVNULL)
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_autograder_contains_all_that_grading_needs_and_is_the_same_each_time(tmp_path):
    files = build(ROOT, tmp_path / "1.zip")
    build(ROOT, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    exercises = [int(path.stem[:2]) for path in sorted(ROOT.glob("solutions/*.py"))]
    assert list(map(int, files["exercises.txt"].split())) == exercises
    needed = [ROOT / f"tests/exercises/originals/{lesson.name}.zip" for lesson in find_lessons().values()]
    for pattern in (
        "tests/exercises/*.py",
        "tests/grading/*.py",
        "tests/grading/gradescope/*.py",
        "tests/grading/templates/*",
    ):
        needed += ROOT.glob(pattern)
    locks = [lock for room in ("lessons", "exercises") for lock in GROUPS[room][1]]  # for setup.sh
    names = {path.relative_to(ROOT).as_posix() for path in needed} | {"tests/tokens.py", *locks}
    assert names - files.keys() == set()


def test_the_autograder_contains_no_file_that_students_must_not_see(tmp_path):
    copy = tmp_path / "copy"
    for room in ("lessons", "tests"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "bench"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name in (
        f"lessons/{FIRST}/answer.py",
        f"lessons/{FIRST}/answer-1.py",
        f"lessons/{FIRST}/data.db",
        f"lessons/{FIRST}/.env",
        f"lessons/{FIRST}/security.py.old-1",
        f"tests/exercises/originals/{FIRST}.py",
        "lessons/notes.py",
        f"solutions/{FIRST}.py",
        f"tests/exercises/{FIRST}.py",
        f"tests/exercises/mistakes/{FIRST}/after_jwt.py",
        f"tests/exercises/alternatives/{FIRST}/from_mapping.py",
        "tests/grading/attacks/forges_tokens.py",
        "tests/grading/tests/make_class.py",
        "tests/grading/submissions/anna.py",
        "grades/students/anna/record.json",
    ):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(b"a secret")
    files = build(copy, tmp_path / "built.zip")
    assert f"tests/exercises/test_{FIRST}.py" in files
    assert [name for name, content in files.items() if content == b"a secret"] == []


def test_the_autograder_contains_the_checks_and_the_starter_of_an_additional_exercise_and_nothing_else(
    tmp_path, monkeypatch
):
    exercise = make_exercise_1b(tmp_path / "private")
    for name in ("answer.py", "mistakes/wrong.py", "alternatives/other.py"):
        (exercise / name).parent.mkdir(exist_ok=True)
        (exercise / name).write_text("")
    monkeypatch.setenv("EXERCISES", str(exercise.parent))
    files = build(ROOT, tmp_path / "built.zip", "1b", "1")
    names = ["exercises/01b_session/test_01b_session.py", "exercises/01b_session/exercise.py"]
    assert [name for name in files if "01b_session" in name] == names
    assert files["exercises.txt"] == b"1 1b\n"
    assert "exercises/01b_session/test_01b_session.py" not in build(ROOT, tmp_path / "built.zip", "1")


@pytest.mark.parametrize(
    ("exercises", "names", "points"),
    [(["1"], "exercise 1", "10"), (["1b", "1"], "exercise 1, 1b", "10.3"), (["1b"], "exercise 1b", "0.3")],
)
def test_the_instructor_learns_how_many_points_to_set_on_gradescope(
    tmp_path, monkeypatch, exercises, names, points
):
    monkeypatch.setenv("EXERCISES", str(make_exercise_1b(tmp_path / "private").parent))
    printed = subprocess.check_output(pack(ROOT, *exercises, "--out", tmp_path / "built.zip"), text=True)
    assert printed == (
        f"Upload built.zip to Gradescope as the autograder of {names}.\n"
        f"Set {points} points for the assignment.\n"
    )


def test_no_archive_is_built_if_the_checks_cannot_be_listed(tmp_path, monkeypatch):
    exercise = make_exercise_1b(tmp_path / "private")
    (exercise / "test_01b_session.py").write_text("def broken(:\n")
    monkeypatch.setenv("EXERCISES", str(exercise.parent))
    ran = subprocess.run(pack(ROOT, "1b", "--out", tmp_path / "x.zip"), capture_output=True, text=True)
    assert ran.returncode == 2
    assert "the checks cannot be listed" in ran.stderr
    assert not (tmp_path / "x.zip").exists()


def test_no_archive_is_built_without_the_folder_of_the_exercises(tmp_path):
    command = pack(ROOT, "--out", tmp_path / "x.zip")
    ran = subprocess.run(command, env=HERE | {"EXERCISES": "nowhere"}, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "EXERCISES=nowhere is not a folder." in ran.stderr
    assert "Traceback" not in ran.stderr


# Gradescope


def environment(folder, **more):
    """Return the environment of a service, with stubs in place of the programs that need root."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in STUBS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    more |= {"CALLED": str(folder / "called"), "ENVIRONMENT": sys.prefix, "REAL": sys.executable}
    return os.environ | {"PATH": path} | more


def run(command, folder, environment):
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def gradescope(tmp_path_factory):
    """A Gradescope container for exercises 1 and 1b after its set-up, with a function that hands in files."""
    needs("bash", "bwrap")
    folder = tmp_path_factory.mktemp("gradescope")
    source = folder / "source"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXERCISES", str(make_exercise_1b(folder / "private").parent))
        build(ROOT, folder / "gradescope.zip", "1", "1b")
    with zipfile.ZipFile(folder / "gradescope.zip") as archive:
        archive.extractall(source)
        modes = {info.filename: info.external_attr >> 16 & 0o777 for info in archive.infolist()}
    for script in ("setup.sh", "run_autograder"):
        (source / script).chmod(modes[script])
    (folder / "results").mkdir()
    variables = environment(folder, AUTOGRADER=str(folder))
    setup = run([source / "setup.sh"], folder, variables)
    assert setup.returncode == 0, setup.stderr
    assert "bubblewrap libseccomp2 python3 python3-venv" in (folder / "called").read_text()

    def hand_in(files, metadata="", **more):
        shutil.rmtree(folder / "submission", ignore_errors=True)
        (folder / "submission_metadata.json").write_text(metadata)
        for name, content in files.items():
            (folder / "submission" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "submission" / name).write_bytes(content)
        graded = run([source / "run_autograder"], folder, variables | more)
        results = folder / "results/results.json"
        return graded, json.loads(results.read_text()) if results.exists() else None

    return SimpleNamespace(folder=folder, hand_in=hand_in)


@pytest.mark.slow
@pytest.mark.parametrize("name", [f"{FIRST}.py", f"lessons/{FIRST}/answer.py"])
def test_gradescope_gets_full_marks_for_a_right_answer(gradescope, name):
    graded, results = gradescope.hand_in({name: RIGHT})
    assert results is not None, graded.stdout + graded.stderr
    assert results["score"] == 10
    assert "sandbox" not in results["output"]


METADATA = {
    "created_at": "2018-07-01T14:22:32.365935-07:00",
    "assignment": {"due_date": "2018-07-31T23:00:00.000000-07:00", "title": "Exercise 1"},
    "users": [
        {"email": "ada@example.org", "id": 1234, "name": "Ada Lovelace"},
        {"email": "ben@example.org", "id": 1235, "name": 'Ben "=1+1"\nO\'Neil'},
    ],
}


@pytest.mark.slow
def test_gradescope_shows_the_name_and_the_due_date(gradescope):
    graded, results = gradescope.hand_in({f"{FIRST}.py": RIGHT}, json.dumps(METADATA))
    assert results is not None, graded.stdout + graded.stderr
    first = results["output"].splitlines()[0]
    assert first.startswith("Ada Lovelace and Ben")
    assert first.endswith(", due 2018-07-31T23:00:00.000000-07:00")
    assert results["score"] == 10


@pytest.mark.slow
@pytest.mark.parametrize(
    "metadata", ["", "[]", json.dumps(METADATA | {"users": []}), json.dumps(METADATA | {"assignment": {}})]
)
def test_gradescope_grades_without_a_name_or_a_due_date(gradescope, metadata):
    graded, results = gradescope.hand_in({f"{FIRST}.py": RIGHT}, metadata)
    assert results is not None, graded.stdout + graded.stderr
    assert results["score"] == 10


@pytest.mark.slow
def test_gradescope_gets_marks_for_an_additional_exercise(gradescope):
    graded, results = gradescope.hand_in({"exercises/01b_session/answer.py": RIGHT})
    assert results is not None, graded.stdout + graded.stderr
    assert results["score"] == 0.3


@pytest.mark.slow
def test_gradescope_gets_fewer_marks_for_a_wrong_answer(gradescope):
    _, results = gradescope.hand_in({f"{FIRST}.py": WRONG})
    assert 0 <= results["score"] < 10
    assert len(results["tests"]) > 1


@pytest.mark.slow
def test_a_hostile_submission_runs_no_command_and_gets_no_points_on_gradescope(gradescope):
    mark = gradescope.folder / "was-here"
    forged = f'open({str(mark)!r}, "w").write("x")\nimport os\nos._exit(0)\n'.encode()
    files = {
        f"{FIRST}.py": forged,
        f"$(touch {mark.name}).py": b"",
        "-rf": b"",
        "setup.sh": b"touch was-here",
    }
    _, results = gradescope.hand_in(files | {"results.json": b'{"score": 100}'})
    assert results["score"] == 0
    assert not list(gradescope.folder.rglob("was-here"))


@pytest.mark.slow
def test_an_empty_submission_gets_no_points_on_gradescope(gradescope):
    _, results = gradescope.hand_in({"notes.txt": b""})
    assert results["score"] == 0


@pytest.mark.slow
def test_gradescope_grades_without_bubblewrap_and_mentions_it(gradescope, tmp_path):
    for program in ("bash", "cp", "env", "mkdir", "mktemp", "rm", "setpriv", "tail"):
        needs(program)
        (tmp_path / program).symlink_to(shutil.which(program))
    graded, results = gradescope.hand_in({f"{FIRST}.py": RIGHT}, PATH=str(tmp_path))
    assert results is not None, graded.stdout + graded.stderr
    assert results["score"] == 10
    assert "without a sandbox" in results["output"]


@pytest.mark.slow
def test_gradescope_gets_no_result_if_the_grader_fails(gradescope):
    checks = gradescope.folder / f"source/tests/exercises/test_{FIRST}.py"
    source = checks.read_text()
    checks.write_text(source.replace("def test_", "def test_fails(nothing):\n    pass\n\n\ndef test_", 1))
    try:
        graded, results = gradescope.hand_in({f"{FIRST}.py": RIGHT})
    finally:
        checks.write_text(source)
    assert graded.returncode != 0
    assert results is None


# GitHub Actions


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "points"), [(RIGHT, "## 10 of 10 points"), (WRONG, "of 10 points")])
def test_a_push_to_a_fork_is_graded_and_summed_up(tmp_path, answer, points):
    needs("bash", "bwrap", "git")
    fork, temporary, summary = tmp_path / "fork", tmp_path / "temp", tmp_path / "summary.md"
    temporary.mkdir()
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (fork / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, fork / name)
    (fork / f"lessons/{FIRST}/answer.py").write_bytes(answer)
    git = ["git", "-c", "user.name=student", "-c", "user.email=student@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "My answer"]):
        subprocess.run([*git, *command], cwd=fork, check=True)
    variables = environment(
        tmp_path,
        RUNNER_TEMP=str(temporary),
        GITHUB_STEP_SUMMARY=str(summary),
        PYTHONPATH=str(fork / "lessons"),  # make_venv.py would do this, but it is a stub here
    )
    workflow = yaml.safe_load((ROOT / ".github/workflows/grade.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for step in workflow["jobs"]["grade"]["steps"]:
        if "run" in step:
            assert "${{" not in step["run"]
            ran = run(["bash", "-e", "-c", step["run"]], fork, variables)
            assert ran.returncode == 0, ran.stdout + ran.stderr
    assert points in summary.read_text()
    assert "only a hint" in summary.read_text()
    assert "install --quiet --yes bubblewrap" in (tmp_path / "called").read_text()


def test_a_summary_shows_hostile_text_as_plain_text():
    evil = "<img src=x>\n| [a](http://b) `c` @everyone \x1b[31m&lt;"
    check = CheckResult("test_it", "Users log in.", 10, Outcome.UNREADABLE, message=evil, got=evil)
    exercise = ExerciseResult(FIRST, 10, [check], file=evil, printed=evil, problem=evil)
    text = render("summary.md", StudentResult(Person(evil), evil, [exercise], sandboxed=False))
    row = text.splitlines()[-1]
    assert row.startswith(
        r"| Exercise 1\: Log in at another URL | 0 of 10 | unreadable\: &lt;img src=x&gt; "
        r"\| \[a\]\(http\://b\) \`c\` "
    )
    assert row.endswith("@&#8203;everyone &amp;lt; |")
    assert "\x1b" not in text
    assert text.count("img") == 1
    assert "without a sandbox" in text


def test_a_summary_has_no_mark_if_the_grader_failed():
    check = CheckResult("test_it", "Users log in.", 10, Outcome.GRADER_ERROR)
    result = StudentResult(Person("a"), "a", [ExerciseResult(FIRST, 10, [check])])
    assert render("summary.md", result).startswith("## no mark\n")


def test_a_summary_shows_notes_and_what_the_instructor_adds():
    check = CheckResult("test_it", "Users log in.", 10, Outcome.NOT_CHANGED)
    exercise = ExerciseResult(FIRST, 10, [check], manual_points=2.5, comment="Oral exam")
    text = render(
        "summary.md", StudentResult(Person("a"), exercises=[exercise], notes=["You changed *app.py*."])
    )
    result = StudentResult(Person("a"), exercises=[exercise], notes=["You changed *app.py*."])
    text = render("summary.md", result)
    assert text.startswith("## 2.5 of 10 points\n")
    assert "\nYou changed \\*app.py\\*.\n" in text
    assert text.splitlines()[-1] == (
        r"| Exercise 1\: Log in at another URL | 2.5 of 10 | Your instructor gave 2.5 of 10 points. "
        r"Comment\: Oral exam starter not changed\: Users log in. |"
    )

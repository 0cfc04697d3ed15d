"""Test the command that grades a class: everyone gets the right points, even after a failure."""

import csv
import fcntl
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from grading.grade import version_of_checks
from grading.pool import Checker
from grading.record import Outcome
from grading.reports import Reports
from grading.submissions import safe_name
from grading.tests.make_class import (
    EXERCISES,
    KINDS,
    Student,
    expected_points,
    make_class,
    solution,
    write_class,
    write_student,
)
from helpers import ROOT, make_exercise_1b, needs, wait_until
from lesson_loader import label_of
from mistakes import checking_process, find_mistakes
from originals import ORIGINALS

IN_A_HURRY = ("--exercises", "1", "--seconds=1", "--time-limit=4")
FIRST = "01_auth_url"
LABELS = [label_of(exercise) for exercise in EXERCISES]
WRONG = next(mistake for mistake in find_mistakes() if mistake.exercise == FIRST)
HERE = os.environ | {"PYTHONPATH": str(ROOT / "lessons")}  # whichever lessons the environment leads to
MOMENTS = int(os.environ.get("KILLS", 3))  # at which the command is killed: KILLS=10 in a slow run
MISTAKES = int(os.environ.get("MISTAKES", 1))  # how many of each exercise the box grades


def command(folder, out, *options):
    return [sys.executable, ROOT / "tests/grading", folder, "--out", out, *IN_A_HURRY, *options]


def run(folder, out, *options, status=0, **environment):
    """Return what the command prints on one line after another, if it ends with this status."""
    done = subprocess.run(
        command(folder, out, *options),
        env=HERE | environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def grades(out):
    with open(out / "grades.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record(out, student):
    return json.loads((out / "students" / safe_name(student) / "record.json").read_text())


def stamps(out):
    """Return a dict: the path of each record, and the time when it was last written."""
    return {path: path.stat().st_mtime_ns for path in out.glob("students/*/record.json")}


def marked(place):
    """Return the IDs of this user's processes whose environment contains these bytes."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and place in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def boxes():
    """Return the processes that serve answers."""
    found = set()
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and b"/box/serve.py" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
    return found


@pytest.fixture(scope="module", autouse=True)
def box():
    needs("bwrap", "setpriv") if os.geteuid() == 0 else needs("bwrap")


@pytest.fixture
def pair(tmp_path):
    """The folder of two students. Anna's answer is right, and Bob's is a recorded mistake."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name, text in (("anna", solution(FIRST)), ("bob", WRONG.path.read_text(encoding="utf-8"))):
        write_student(folder, Student(name, "right", "flat", {FIRST: text}))
    return folder


def points(out):
    return [row["score"] for row in grades(out)]


# everyone's points


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class with one student of each kind, graded: the folder and the results."""
    folder, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("grades")
    write_class(folder, students=len(KINDS))
    (folder / ".secret").write_text("hidden")
    return folder, out, run(folder, out, "--seed=1", "--exercises", *LABELS)


@pytest.mark.slow
def test_everyone_gets_the_points_they_should(graded):
    _, out, _ = graded
    points = expected_points(students=len(KINDS))
    handed_in = {row["assignment"] for row in grades(out)}
    found = {}
    for student in make_class(students=len(KINDS)):
        for exercise in Reports(out).find(student.name).exercises:
            found[student.name, exercise.exercise] = exercise.points
    assert found == {key: worth for key, worth in points.items() if key[1] in handed_in}
    assert sorted(map(str, found.values())) == sorted(row["score"] for row in grades(out))


@pytest.mark.slow
def test_every_kind_of_outcome_but_a_grader_error_comes_up(graded):
    _, out, printed = graded
    results = [Reports(out).find(student.name) for student in make_class(students=len(KINDS))]
    outcomes = {check.outcome for result in results for part in result.exercises for check in part.checks}
    assert outcomes == {*Outcome} - {Outcome.GRADER_ERROR, Outcome.NOT_CHANGED}
    assert "\x1b" not in printed


@pytest.mark.slow
def test_a_command_that_is_killed_at_any_moment_goes_on_and_grades_nothing_twice(graded, tmp_path):
    folder, undisturbed, _ = graded
    rng = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID"))
    out, mark = tmp_path / "grades", f"GRADED_IN={tmp_path}".encode()
    done = {}
    for _ in range(MOMENTS):
        process = subprocess.Popen(
            command(folder, out, "--seed=1", "--exercises", *LABELS),
            env=HERE | {"GRADED_IN": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(rng.uniform(0.2, 4))
        process.kill()
        process.wait()
        now = stamps(out)
        assert done.items() <= now.items()
        assert all(json.loads(path.read_text()) for path in now)
        done = now
    run(folder, out, "--seed=1", "--exercises", *LABELS)
    assert done.items() <= stamps(out).items()
    assert (out / "grades.csv").read_bytes() == (undisturbed / "grades.csv").read_bytes()
    wait_until(lambda: not marked(mark))


@pytest.mark.slow
def test_a_line_for_each_student_says_first_what_was_handed_in(graded):
    lines = [line for line in graded[2].splitlines() if " of " in line]
    assert len(lines) == len(KINDS)
    assert any(re.search("  1: did not start; [0-9, ]+: not handed in$", line) for line in lines)


# additional exercises


def test_an_additional_exercise_is_graded_from_a_fork_and_from_a_file(pair, tmp_path):
    exercise = make_exercise_1b(tmp_path / "private")
    fork = pair / "cleo/exercises/01b_session"
    fork.mkdir(parents=True)
    shutil.copy(exercise / "solution.py", fork / "answer.py")
    shutil.copy(exercise / "solution.py", pair / "anna/01b_session.py")
    shutil.copy(exercise / "exercise.py", pair / "bob/01b_session.py")
    out, options = tmp_path / "grades", ("--exercises", "1b", "1")
    printed = run(pair, out, *options, EXERCISES=str(exercise.parent))
    rows = {(row["student_id"], row["assignment"]): row for row in grades(out)}
    assert [rows[name, "01b_session"]["score"] for name in ("anna", "bob", "cleo")] == ["0.3", "0", "0.3"]
    assert rows["anna", "01b_session"]["max_score"] == "0.3"
    assert re.search(r"^ *10\.3 of 10\.3  anna$", printed, re.MULTILINE)
    assert re.search(r"^ *0\.3 of 10\.3  cleo  +1: not handed in$", printed, re.MULTILINE)
    results = json.loads((out / "students/anna/results.json").read_text())
    assert results["score"] == 10.3
    assert [(test["number"], test["max_score"]) for test in results["tests"][-2:]] == [
        ("1b.1", 0.1),
        ("1b.2", 0.2),
    ]
    assert 'id="exercise-1b"' in (out / "students/anna/index.html").read_text()
    checks = exercise / "test_01b_session.py"
    checks.write_text(checks.read_text().replace("points(0.2)", "points(2)"))
    run(pair, out, *options, EXERCISES=str(exercise.parent))
    assert {row["max_score"] for row in grades(out) if row["assignment"] == "01b_session"} == {"2.1"}


def test_a_changed_check_of_an_additional_exercise_changes_the_digest(tmp_path, monkeypatch):
    exercise = make_exercise_1b(tmp_path)
    monkeypatch.setenv("EXERCISES", str(tmp_path))
    before = version_of_checks.__wrapped__()
    with open(exercise / "test_01b_session.py", "a") as file:
        file.write("# stricter\n")
    assert version_of_checks.__wrapped__() != before


def test_exercises_that_cannot_be_found_are_said_in_a_line(pair, tmp_path):
    exercise = make_exercise_1b(tmp_path / "private")
    unknown = run(pair, tmp_path / "grades", "--exercises", "1c", EXERCISES=str(exercise.parent), status=1)
    assert unknown.startswith("There is no exercise 1c. The exercises are 1, 1b, 2, ")
    nowhere = run(pair, tmp_path / "grades", EXERCISES="nowhere", status=1)
    assert nowhere.startswith("EXERCISES=nowhere is not a folder.")
    (exercise / "test_01b_session.py").write_text("def test_it():\n    pass\n")
    bad = run(pair, tmp_path / "grades", EXERCISES=str(exercise.parent), status=3)
    assert "The grader cannot list the checks: test_01b_session.py: test_it has no points." in bad
    (exercise / "test_01b_session.py").write_text("# later\n")
    empty = run(pair, tmp_path / "grades", "--exercises", "1", EXERCISES=str(exercise.parent), status=3)
    assert empty.startswith("The grader cannot list the checks: test_01b_session.py contains no checks.")


# what is graded again


def test_a_changed_answer_is_graded_again_and_no_other(pair, tmp_path):
    run(pair, tmp_path / "grades")
    before = stamps(tmp_path / "grades")
    (pair / f"bob/{FIRST}.py").write_text(solution(FIRST))
    run(pair, tmp_path / "grades")
    after = stamps(tmp_path / "grades")
    assert [path.parent.name for path in before if after[path] != before[path]] == ["bob"]
    assert points(tmp_path / "grades") == ["10", "10"]


@pytest.mark.slow
@pytest.mark.parametrize(("option", "again"), [("--regrade", 2), ("--time-limit=5", 2), ("--jobs=1", 0)])
def test_everyone_is_graded_again_where_it_matters(pair, tmp_path, option, again):
    run(pair, tmp_path / "grades")
    before, seed = stamps(tmp_path / "grades"), json.loads((tmp_path / "grades/run.json").read_text())
    run(pair, tmp_path / "grades", option)
    after = stamps(tmp_path / "grades")
    assert sum(after[path] != before[path] for path in before) == again
    changed = json.loads((tmp_path / "grades/run.json").read_text()) != seed
    assert changed == (option == "--regrade")


@pytest.mark.slow
def test_the_seed_repeats_the_same_people_and_no_seed_does_not(pair, tmp_path):
    outs = [tmp_path / name for name in "abc"]
    for out, seed in zip(outs, (["--seed=7"], ["--seed=7"], []), strict=True):
        run(pair, out, *seed)
    sent = [[check["sent"] for check in record(out, "bob")["exercises"][0]["checks"]] for out in outs]
    seeds = [record(out, "bob")["exercises"][0]["seed"] for out in outs]
    assert sent[0] == sent[1] != sent[2]
    assert seeds[0] == seeds[1] != seeds[2]


# one-line messages for what cannot be done


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["missing"], 1, "cannot be opened"),
        (["empty"], 1, "contains no submission"),
        (["class", "--exercises", "99"], 1, "There is no exercise 99"),
        (["class", "--jobs", "0"], 2, "at least 1"),
        (["class", "--jobs", "many"], 2, "invalid int value"),
        (["class", "--seconds", "0"], 2, "--seconds"),
        (["class", "--time-limit", "nan"], 2, "--time-limit"),
        (["class", "--out", "class/grades"], 1, "Choose another --out"),
        (["class", "--out", "class"], 1, "Choose another --out"),
    ],
)
def test_what_is_asked_wrongly_is_said_in_a_line(pair, tmp_path, options, status, words):
    (tmp_path / "empty").mkdir()
    options = [tmp_path / option if option.startswith("class") else option for option in options]
    said = run(tmp_path / options[0], tmp_path / "grades", *options[1:], status=status)
    assert words in said
    assert not (tmp_path / "grades/grades.csv").exists()


def test_a_folder_that_another_run_writes_to_is_left_alone(pair, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        assert "Another run writes" in run(pair, tmp_path, status=1)
    finally:
        os.close(folder)


def test_results_that_cannot_be_written_are_said_in_a_line(pair, tmp_path):
    (tmp_path / "grades").write_text("a file")
    said = run(pair, tmp_path / "grades", status=3)
    assert f"cannot write {tmp_path / 'grades'}: File exists." in said


def test_a_summary_that_cannot_be_written_is_said_by_its_own_name(pair, tmp_path):
    assert "cannot write" in run(
        pair, tmp_path / "grades", f"--summary={tmp_path}/missing/summary.md", status=3
    )


def test_what_is_nobodys_submission_is_named(pair, tmp_path):
    (pair / "bob_01.py").write_text("")
    assert 'because they are not submissions: "bob_01.py"' in run(pair, tmp_path / "grades")


def test_a_quote_in_a_name_is_no_end_of_it(tmp_path):
    needs("make")
    place = f"it's'; touch {tmp_path}/touched; '"
    # Without ARGS=, make would take the options of a make that started these tests.
    command = ["make", "grade", f"SUBMISSIONS={place}", "ARGS="]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "cannot be opened" in said.stdout
    assert not (tmp_path / "touched").exists()


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--jobs=2", "--regrade"])
def test_ctrl_c_stops_the_grader_at_once_and_a_line_says_how_to_continue(pair, tmp_path, option):
    for name in ("anna", "bob"):
        for exercise in EXERCISES:
            (pair / f"{name}/{exercise}.py").write_text("import time\n\ntime.sleep(1000)\n")
    process = subprocess.Popen(
        [*command(pair, tmp_path / "grades", option), "--seconds=60", "--time-limit=60"],
        env=HERE | {"GRADED_IN": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    mark = f"GRADED_IN={tmp_path}".encode()
    wait_until(lambda: (tmp_path / "grades/run.json").exists() and len(checkers(mark)) == 2)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    again = "the same command without --regrade" if option == "--regrade" else "the same command"
    assert f"Stopped. To continue, run {again}." in said
    assert "Traceback" not in said + errors
    wait_until(lambda: not marked(mark))


def test_without_bubblewrap_nothing_is_graded_and_a_line_says_how_to_get_it(pair, tmp_path):
    said = run(pair, tmp_path / "grades", status=1, PATH=str(tmp_path))
    assert "apt install bubblewrap" in said
    assert not (tmp_path / "grades").exists()


def test_without_a_sandbox_it_works_and_says_so_everywhere(pair, tmp_path):
    said = run(pair, tmp_path / "grades", "--no-sandbox")
    assert "Without a sandbox" in said
    assert points(tmp_path / "grades") == ["10", str(WRONG.points)]
    assert "ran without the sandbox" in (tmp_path / "grades/students/anna/index.html").read_text()
    assert "ran without a sandbox" in (tmp_path / "grades/index.html").read_text()
    assert not record(tmp_path / "grades", "anna")["sandboxed"]


# the grader's own failures


def checkers(mark):
    """Return the checkers that a command with a mark in its environment has started."""
    found = []
    for process in marked(mark):
        with suppress(OSError):  # it may have just ended
            if b"grading.checker" in Path(f"/proc/{process}/cmdline").read_bytes():
                found.append(process)
    return found


@pytest.mark.slow
def test_a_checker_that_is_killed_costs_nobody_a_point(pair, tmp_path):
    slow = "\n\n@app.before_request\ndef wait():\n    import time\n\n    time.sleep(0.3)\n"
    (pair / f"anna/{FIRST}.py").write_text(solution(FIRST) + slow)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        command(pair, tmp_path / "grades", "--jobs=1", "--time-limit=9"),
        env=HERE | {"GRADED_IN": str(tmp_path), "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
    )
    mark = f"GRADED_IN={tmp_path}".encode()
    wait_until(lambda: (tmp_path / "grades/run.json").exists() and checkers(mark))
    time.sleep(0.7)
    for checker in checkers(mark):
        os.kill(checker, signal.SIGKILL)
    assert process.wait(60) == 0
    assert points(tmp_path / "grades") == ["10", str(WRONG.points)]
    wait_until(lambda: not marked(mark) and not list(temporary.rglob("*")), 5)


def copy_of_the_grader(folder):
    for name in ("lessons", "tests", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / "repository" / name)
    return folder / "repository"


@pytest.mark.slow
def test_a_grader_that_cannot_work_gives_no_mark_and_the_same_command_tries_again(pair, tmp_path):
    broken, out = copy_of_the_grader(tmp_path), tmp_path / "grades"
    checks = broken / f"tests/exercises/test_{FIRST}.py"
    text = checks.read_text()
    post = "    response = client.post("
    assert post in text
    checks.write_text(text.replace(post, f"    1 / 0\n{post}", 1))
    line = [sys.executable, broken / "tests/grading", pair, "--out", out, *IN_A_HURRY, "--exercises", "1"]
    there = HERE | {"PYTHONPATH": str(broken / "lessons")}
    for _ in range(2):
        before = stamps(out)
        done = subprocess.run(line, env=there, capture_output=True, text=True)
        assert done.returncode == 3, done.stdout + done.stderr
        assert "no mark" in done.stdout
        assert points(out) == ["", ""]
        assert not list(out.glob("students/*/results.json"))
        assert not before.items() & stamps(out).items()
    checks.write_text(text)
    assert subprocess.run(line, env=there, capture_output=True).returncode == 0
    assert points(out) == ["10", str(WRONG.points)]
    assert len(list(out.glob("students/*/results.json"))) == 2


def test_checks_that_cannot_be_listed_are_said_in_a_line(pair, tmp_path):
    broken = copy_of_the_grader(tmp_path)
    with open(broken / f"tests/exercises/test_{FIRST}.py", "a") as file:
        file.write("def broken(:\n")
    line = [sys.executable, broken / "tests/grading", pair, "--out", tmp_path / "grades", "--exercises=1"]
    done = subprocess.run(
        line, env=HERE | {"PYTHONPATH": str(broken / "lessons")}, capture_output=True, text=True
    )
    assert done.returncode == 3
    assert done.stdout.startswith("The grader cannot list the checks: ")
    assert "Traceback" not in done.stderr


# the grader and the students' checks agree


@pytest.fixture(scope="module")
def checker():
    with closing(Checker()) as checker:
        yield checker


def check_with(checker, exercise, content):
    """Return a checker's results of the checks for an answer. Each letter of `content` is a byte."""
    answers = {exercise: {"content": content, "seed": 3}}
    task = {"answers": answers, "sandboxed": True, "seconds": 5, "time_limit": 30}
    return checker.ask(task)[exercise]["checks"]


@pytest.fixture(scope="module")
def run_checks():
    """A function that runs the checks without the grader, as students do, and returns their results."""
    with checking_process() as run_checks:
        yield run_checks


@pytest.mark.parametrize(
    "exercise",
    [EXERCISES[0], *(pytest.param(exercise, marks=pytest.mark.slow) for exercise in EXERCISES[1:])],
)
def test_an_answer_gets_the_same_in_the_sandbox_as_where_it_was_written(exercise, checker, run_checks):
    mistakes = [mistake.path for mistake in find_mistakes() if mistake.exercise == exercise]
    starter, solution = ROOT / f"lessons/{exercise}/exercise.py", ROOT / f"solutions/{exercise}.py"
    for file in (starter, solution, *mistakes[:MISTAKES]):
        checks = check_with(checker, exercise, file.read_bytes().decode("latin-1"))
        graded = {check["name"]: check["outcome"] for check in checks}
        results = run_checks(exercise, file, "--seed=3")
        assert graded == {name: result.outcome for name, result in results.items()}, file


def grade_with(checker, code):
    """Return the results of the checks of exercise 1 for the solution with more code at its end."""
    answer = (ROOT / f"solutions/{FIRST}.py").read_text(encoding="utf-8") + f"\n{code}\n"
    return check_with(checker, FIRST, answer)


def test_app_run_at_the_end_of_an_answer_does_nothing(checker):
    assert {check["outcome"] for check in grade_with(checker, "app.run()")} == {"passed"}


def test_an_answer_that_imports_another_file_is_told_what_is_handed_in(checker):
    first = grade_with(checker, "import helpers")[0]
    assert first["outcome"] == "did not start"
    assert "No module named 'helpers'\nOnly answer.py is handed in." in first["message"]


def test_the_question_after_a_crash_is_about_the_crash(checker):
    first = grade_with(checker, "@app.before_request\ndef crash():\n    raise LookupError")[0]
    assert first["got"].startswith("500 ")
    assert first["question"].startswith("Does your code crash? If so, make try-1 shows the error")


def test_new_originals_make_old_results_stale(tmp_path, monkeypatch):
    originals = shutil.copytree(ORIGINALS, tmp_path / "originals")
    before = version_of_checks.__wrapped__()
    monkeypatch.setattr("grading.grade.ORIGINALS", originals)
    assert version_of_checks.__wrapped__() == before
    with open(originals / f"{FIRST}.zip", "ab") as archive:
        archive.write(b"changed")
    assert version_of_checks.__wrapped__() != before

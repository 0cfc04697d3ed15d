"""Test that what goes wrong on the machine costs no student a point, and that the same command continues."""

import csv
import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from grading.bubblewrap import become, reveal
from helpers import ROOT, needs, wait_until
from mistakes import find_mistakes

pytestmark = pytest.mark.slow

EXERCISE = "01_auth_url"
MISTAKES = [mistake.path for mistake in find_mistakes() if mistake.exercise == EXERCISE]
ANSWERS = [path.read_text(encoding="utf-8") for path in (ROOT / f"solutions/{EXERCISE}.py", *MISTAKES[:3])]
SLOWLY = "\n\n@app.before_request\ndef wait():\n    import time\n\n    time.sleep(0.05)\n"
STUDENTS = [f"student-{number:02}" for number in range(10)]
USER = 12345  # an ordinary user
KILLS = 5
AGAIN = "Run the same command again."


@pytest.fixture(scope="module", autouse=True)
def bubblewrap():
    needs("bwrap", "setpriv") if os.geteuid() == 0 else needs("bwrap")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The content of grades.csv if nothing goes wrong."""
    folder = tmp_path_factory.mktemp("undisturbed")
    hand_in(folder)
    finish(folder)
    return (folder / "grades/grades.csv").read_bytes()


@pytest.fixture
def folder(tmp_path):
    """A folder with the submissions of a class."""
    hand_in(tmp_path)
    return tmp_path


def hand_in(folder):
    """Write an answer for each student. Each response takes a moment, so that there is time for faults."""
    for number, student in enumerate(STUDENTS):
        place = folder / "class" / student
        place.mkdir(parents=True)
        (place / f"{EXERCISE}.py").write_text(ANSWERS[number % len(ANSWERS)] + SLOWLY)


def command(folder, *before):
    return [
        *(*before, sys.executable, ROOT / "tests/grading", folder / "class", "--out", folder / "grades"),
        *("--exercises", "1", "--jobs", "2", "--seed", "1"),
    ]


@contextmanager
def grading(folder, *before):
    """Yield the command while it grades. At the end, wait until everything that it started has ended."""
    mark = f"GRADED_IN={folder}"
    process = subprocess.Popen(
        command(folder, *before),
        env=os.environ | {"PYTHONPATH": str(ROOT / "lessons"), "GRADED_IN": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
        wait_until(lambda: not find_processes(mark))


def finish(folder, *before):
    """Run the command until its end, at which everyone should have a mark."""
    with grading(folder, *before) as process:
        printed, errors = process.communicate(timeout=120)
        assert process.returncode == 0, printed + errors


def read_end(process):
    """Return the exit status of the command and what it printed, without a traceback."""
    printed, errors = process.communicate(timeout=200)
    assert "Traceback" not in printed + errors
    return process.returncode, printed


def records(folder):
    return list((folder / "grades/students").glob("*/record.json"))


def wait_for_records(folder, count):
    wait_until(lambda: len(records(folder)) >= count, 60)


def rows(content):
    return {row["student_id"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8")))}


def students_without_a_mark(folder, undisturbed):
    """Return the students without a mark. All others must have the points that they should have."""
    found, expected = rows((folder / "grades/grades.csv").read_bytes()), rows(undisturbed)
    assert found.keys() == expected.keys()
    missing = {student for student, row in found.items() if row["score"] == ""}
    assert [found[student] for student in found.keys() - missing] == [
        expected[student] for student in found.keys() - missing
    ]
    assert {found[student]["outcome"] for student in missing} <= {"grader error"}
    return missing


def expect_the_same_grades(folder, undisturbed, *before):
    """Run the same command again, and compare its grades.csv with the one of an undisturbed run."""
    finish(folder, *before)
    assert (folder / "grades/grades.csv").read_bytes() == undisturbed


def find_processes(text):
    """Return the processes with this text in their command or their environment."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if text.encode() in (place / "cmdline").read_bytes() + (place / "environ").read_bytes():
                found.add(int(place.name))
    return found


def find_descendants(process):
    """Return what a process started, what that started, and so on."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
    found = {process}
    for _ in range(10):
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {process}


def is_app(process):
    """Return whether this is a student's app, so in a sandbox but not the first process there."""
    with suppress(OSError):
        status = Path(f"/proc/{process}/status").read_text()
        numbers = re.search(r"^NSpid:(.*)$", status, re.MULTILINE)[1].split()
        return len(numbers) > 1 and numbers[-1] != "1"
    return True


# kill -9


def test_a_killed_command_continues_and_grades_nobody_twice(folder, undisturbed):
    rng = random.Random(1)
    done = {}
    for _ in range(KILLS):
        with grading(folder) as process:
            time.sleep(rng.uniform(0.5, 4))
            process.kill()
        now = {path: path.stat().st_mtime_ns for path in records(folder)}
        assert done.items() <= now.items()
        done = now
    assert done
    expect_the_same_grades(folder, undisturbed)
    assert done.items() <= {path: path.stat().st_mtime_ns for path in records(folder)}.items()


@pytest.mark.parametrize("victim", ["grading.checker", "serve.py"])
@pytest.mark.parametrize("seed", range(2))
def test_killed_checkers_and_sandboxes_cost_nobody_a_point(victim, seed, folder, undisturbed):
    rng, killed = random.Random(seed), 0
    with grading(folder) as process:
        wait_for_records(folder, 1)
        while killed < KILLS and process.poll() is None:
            time.sleep(rng.uniform(0.1, 1))
            processes = sorted(find_descendants(process.pid) & find_processes(victim))
            if victims := [each for each in processes if not is_app(each)]:
                with suppress(ProcessLookupError):
                    os.kill(rng.choice(victims), signal.SIGKILL)
                    killed += 1
        status, printed = read_end(process)
    missing = students_without_a_mark(folder, undisturbed)
    assert killed
    assert (status, AGAIN in printed) == ((3, True) if missing else (0, False))
    expect_the_same_grades(folder, undisturbed)


# submissions


def test_submissions_that_vanish_are_not_marked_and_the_next_run_marks_them(folder, undisturbed):
    with grading(folder) as process:
        wait_for_records(folder, 3)
        (folder / "class").rename(folder / "elsewhere")
        status, printed = read_end(process)
    missing = students_without_a_mark(folder, undisturbed)
    assert 0 < len(missing) < len(STUDENTS)
    assert status == 3
    assert AGAIN in printed
    (folder / "elsewhere").rename(folder / "class")
    expect_the_same_grades(folder, undisturbed)


@pytest.mark.parametrize("closed", ["the class", "each folder", "each answer"])
def test_submissions_that_cannot_be_read_are_not_marked_and_the_next_run_marks_them(closed, undisturbed):
    """Root can read everything, so an ordinary user runs the command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hand_in(folder)
        user = []
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, USER, USER)
            user = [*reveal([Path(sys.base_prefix), Path(sys.prefix), ROOT]), *become(USER)]
        pattern = {"the class": ".", "each folder": "*", "each answer": "*/*.py"}[closed]
        paths = list((folder / "class").glob(pattern)) if pattern != "." else [folder / "class"]
        modes = {path: path.stat().st_mode for path in paths}
        with grading(folder, *user) as process:
            wait_for_records(folder, 3)
            for path in paths:
                path.chmod(0)
            status, printed = read_end(process)
        missing = students_without_a_mark(folder, undisturbed)
        for path, mode in modes.items():
            path.chmod(mode)
        assert 0 < len(missing) < len(STUDENTS)
        assert status == 3
        assert AGAIN in printed
        expect_the_same_grades(folder, undisturbed, *user)


# results


@pytest.fixture
def small_disk(folder):
    """A function that sets the size of the disk for the results."""
    grades = folder / "grades"
    grades.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "results", grades]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk, and not everywhere")
    yield lambda size: subprocess.run(["mount", "-o", f"remount,size={size}", grades], check=True)
    subprocess.run(["umount", grades], check=True)


def test_a_full_disk_ends_the_command_with_a_line_that_names_the_place(folder, small_disk, undisturbed):
    with grading(folder) as process:
        status, printed = read_end(process)
    assert status == 3
    assert f"cannot write {folder / 'grades'}" in printed
    assert "No space left on device" in printed
    small_disk("64m")
    expect_the_same_grades(folder, undisturbed)
    assert not list((folder / "grades").rglob(".*"))  # no draft is left


def test_results_that_were_moved_end_the_command_and_can_be_moved_back(folder, undisturbed):
    with grading(folder) as process:
        wait_for_records(folder, 3)
        (folder / "grades").rename(folder / "elsewhere")
        status, printed = read_end(process)
    assert status == 3
    assert f"cannot write {folder / 'grades'}" in printed
    assert not (folder / "grades").exists()
    (folder / "elsewhere").rename(folder / "grades")
    expect_the_same_grades(folder, undisturbed)


def test_a_lost_record_is_no_zero_and_the_next_run_checks_the_answer_again(folder, undisturbed):
    with grading(folder) as process:
        wait_for_records(folder, 3)
        for path in records(folder)[:2]:
            path.unlink()
        status, printed = read_end(process)
    assert len(students_without_a_mark(folder, undisturbed)) == 2
    assert status == 3
    assert AGAIN in printed
    expect_the_same_grades(folder, undisturbed)


def test_a_second_command_leaves_the_results_of_the_first_one_alone(folder, undisturbed):
    with grading(folder) as first:
        wait_for_records(folder, 1)
        second = subprocess.run(command(folder), capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert f"Another run writes to {folder / 'grades'}." in second.stdout
        assert read_end(first)[0] == 0
    assert (folder / "grades/grades.csv").read_bytes() == undisturbed

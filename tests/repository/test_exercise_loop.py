"""The student's loop, in a copy of the repository: start, check, hint, solution, reset, progress, watch."""

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from helpers import ROOT, eventually
from lesson_loader import diff_files

RIGHT = ('"/login"', '"/api/v1/session"')


class Student:
    """Someone who works in a copy of the repository."""

    def __init__(self, repository):
        self.repository = repository
        self.answer = repository / "lessons/01_auth_url/answer.py"

    def run(self, *arguments):
        """Run a command as it is run without make."""
        command = [sys.executable, "lessons", *arguments]
        environment = os.environ | {"PYTHONPATH": str(self.repository / "lessons")}
        self.ran = subprocess.run(
            command, cwd=self.repository, env=environment, capture_output=True, text=True
        )
        assert "Traceback" not in self.ran.stdout + self.ran.stderr
        return self.ran.stdout + self.ran.stderr

    def solve(self):
        self.answer.write_text(self.answer.read_text().replace(*RIGHT))


@pytest.fixture
def student(tmp_path):
    for name in ("lessons", "solutions", "tests/exercises"):
        ignored = shutil.ignore_patterns("__pycache__", "data.db", "answer*.py")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return Student(tmp_path)


def test_an_exercise_begins_with_what_is_to_do(student):
    said = student.run("start", "1")
    assert "# TODO: users log in with POST /api/v1/session." in said
    assert said.endswith("Next: make check-1\n")
    assert student.answer.read_text() == (ROOT / "lessons/01_auth_url/exercise.py").read_text()


def test_starting_twice_loses_nothing(student):
    student.run("start", "1")
    student.solve()
    before = student.answer.read_text()
    assert "is there already" in student.run("start", "1")
    assert student.ran.returncode == 1
    assert student.answer.read_text() == before


def test_the_first_check_fails_kindly(student):
    student.run("start", "1")
    said = student.run("check", "1")
    assert student.ran.returncode == 1
    assert "sent      POST /api/v1/session" in said
    assert "it is meant to fail" in said
    assert re.search(r"\n2 of 10 points, with users and passwords of seed \d+\.\n", said)
    assert said.splitlines()[-1].startswith("Next: change lessons/01_auth_url/answer.py, then make check-1.")


def test_a_check_that_needs_another_says_which(student):
    student.run("start", "1")
    said = student.run("check", "1")
    assert "skipped 0 of 1  A wrong password is refused at the new URL.  (needs: Users log in with" in said
    assert said.count("Which option says where users log in") == 1


def test_an_answer_that_passes_is_compared_with_the_solution(student):
    student.run("start", "1")
    student.solve()
    said = student.run("check", "1")
    assert student.ran.returncode == 0
    assert "10 of 10 points" in said
    solution = student.repository / "solutions/01_auth_url.py"
    assert (
        diff_files(
            student.answer, solution, "lessons/01_auth_url/answer.py", "solutions/01_auth_url.py"
        ).rstrip()
        in said
    )
    assert said.endswith("Next: make lesson-2, then make start-2\n")


def test_what_an_answer_prints_is_shown_with_what_fails(student):
    student.run("start", "1")
    student.answer.write_text(
        student.answer.read_text() + "\n@app.before_request\ndef look():\n    print('I am here')\n"
    )
    assert "printed   I am here" in student.run("check", "1")


@pytest.mark.parametrize("command", ["check", "watch", "solution", "reset"])
def test_without_an_answer_a_command_says_how_to_begin(student, command):
    said = student.run(command, "1")
    assert student.ran.returncode == 1
    assert said == "There is no lessons/01_auth_url/answer.py yet. Begin with make start-1\n"


@pytest.mark.parametrize("command", ["start", "check", "watch", "hint", "solution", "reset"])
def test_a_lesson_without_an_exercise_says_so(student, command):
    assert student.run(command, "0") == "Lesson 0 has no exercise. The first one is make start-1\n"
    assert "There is no lesson '99'" in student.run(command, "99")


def test_hints_say_more_and_more(student):
    hints = [student.run("hint", "2", "--level", level) for level in "123"]
    assert hints[0] == student.run("hint", "2")
    assert hints[0].splitlines()[2].endswith("?")
    assert hints[0].endswith("If it does not help: make hint-2 LEVEL=2\n")
    assert "JWT_LEEWAY" in hints[2]
    assert hints[2].endswith("If it does not help: make solution-2 PEEK=1\n")
    assert "There are three hints, and none is '4'" in student.run("hint", "2", "--level", "4")


def test_a_solution_opens_to_those_who_have_one(student):
    solution = (ROOT / "solutions/01_auth_url.py").read_text()
    student.run("start", "1")
    said = student.run("solution", "1")
    assert solution not in said
    assert "make solution-1 PEEK=1" in said
    assert solution in student.run("solution", "1", "--peek")
    student.solve()
    assert solution in student.run("solution", "1")


def test_a_reset_keeps_every_answer_there_was(student):
    student.run("start", "1")
    for count in (1, 2):
        student.answer.write_text(f"answer = {count}\n")
        assert f"what you had is in answer-{count}.py" in student.run("reset", "1")
        assert student.answer.read_text() == (ROOT / "lessons/01_auth_url/exercise.py").read_text()
    assert [student.answer.with_name(f"answer-{count}.py").read_text() for count in (1, 2)] == [
        "answer = 1\n",
        "answer = 2\n",
    ]


def test_progress_is_what_the_checks_say(student):
    student.run("start", "1")
    student.solve()
    student.run("start", "2")
    said = student.run("progress")
    assert "01_auth_url            ####################  10 of 10 points\n" in said
    assert re.search(r"02_token_expiry        ########\.{12}   4 of 10 points\n", said)
    assert "03_auth_key            ....................   0 of 10 points  not started: make start-3\n" in said
    assert said.endswith("\nNext: make check-2\n")


def test_progress_ends_when_all_pass(student):
    for lesson in sorted((student.repository / "lessons").glob("0[1-9]_*")):
        shutil.copy(student.repository / f"solutions/{lesson.name}.py", lesson / "answer.py")
    said = student.run("progress")
    assert said.count("10 of 10 points\n") == said.count("points")
    assert "All of them pass" in said


@pytest.mark.skipif(os.name == "nt", reason="on Windows a process cannot be asked to end")
def test_a_watched_answer_is_checked_when_it_is_saved(student):
    student.run("start", "1")
    log = student.repository / "log"
    with open(log, "w") as file:
        watching = subprocess.Popen(
            [sys.executable, "lessons", "watch", "1"],
            cwd=student.repository,
            env=os.environ | {"PYTHONPATH": str(student.repository / "lessons")},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        eventually(lambda: "Waiting for you to save it" in log.read_text())
        assert "2 of 10 points" in log.read_text()
        eventually(lambda: student.solve() or "10 of 10 points" in log.read_text())
        os.killpg(watching.pid, signal.SIGINT)
        watching.wait(timeout=10)
        assert "Traceback" not in log.read_text()
    finally:
        watching.kill()
        watching.wait()


def test_an_update_cannot_conflict_with_an_answer(student):
    def git(*arguments, cwd=student.repository):
        command = ["git", "-c", "user.name=s", "-c", "user.email=s@example.com", *arguments]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout

    origin = student.repository
    shutil.copy(ROOT / ".gitignore", origin)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    git("clone", "-q", str(origin), str(origin / "clone"))
    clone = Student(origin / "clone")
    clone.run("start", "1")
    clone.run("reset", "1")
    clone.solve()
    (origin / "lessons/01_auth_url/exercise.py").write_text("# renewed\n")
    git("commit", "-qam", "an update")
    git("pull", "-q", cwd=clone.repository)
    assert "/api/v1/session" in clone.answer.read_text()
    assert git("status", "--porcelain", cwd=clone.repository) == "?? lessons/01_auth_url/answer.py\n"

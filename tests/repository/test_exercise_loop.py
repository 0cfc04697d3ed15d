"""The commands for exercises, from `start` to `progress`, in a copy of the repository."""

import os
import re
import shutil
import signal
import subprocess
import sys

import httpx
import pytest

from helpers import BOB, ROOT, lesson_server, wait_until
from lesson_loader import diff_files

CORRECTION = ('"/login"', '"/api/v1/session"')


class Student:
    """A student who works in a copy of the repository."""

    def __init__(self, repository):
        self.repository = repository
        self.answer = repository / "lessons/01_auth_url/answer.py"

    def run(self, *arguments):
        """Run a command without make and return what it prints."""
        command = [sys.executable, "lessons", *arguments]
        environment = os.environ | {"PYTHONPATH": str(self.repository / "lessons")}
        self.run_result = subprocess.run(
            command, cwd=self.repository, env=environment, capture_output=True, text=True
        )
        assert "Traceback" not in self.run_result.stdout + self.run_result.stderr
        return self.run_result.stdout + self.run_result.stderr

    def solve(self):
        self.answer.write_text(self.answer.read_text().replace(*CORRECTION))


@pytest.fixture
def student(tmp_path):
    for name in ("lessons", "solutions", "tests/exercises"):
        ignored = shutil.ignore_patterns("__pycache__", "data.db", "answer*.py")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "tests/tokens.py", tmp_path / "tests")
    return Student(tmp_path)


def test_starting_an_exercise_prints_what_to_do(student):
    output = student.run("start", "1")
    assert "# TODO: users log in with POST /api/v1/session." in output
    assert output.endswith("Next: change the file, then run make check-1\n")
    assert student.answer.read_text() == (ROOT / "lessons/01_auth_url/exercise.py").read_text()


def test_starting_twice_keeps_the_answer(student):
    student.run("start", "1")
    student.solve()
    before = student.answer.read_text()
    assert "answer.py already exists." in student.run("start", "1")
    assert student.run_result.returncode == 1
    assert student.answer.read_text() == before


def test_the_first_check_explains_that_the_exercise_is_unchanged(student):
    student.run("start", "1")
    output = student.run("check", "1")
    assert student.run_result.returncode == 1
    assert "sent      POST /api/v1/session" in output
    assert "You have not changed the exercise yet" in output
    assert re.search(r"\n2 of 10 points\. \(The seed of the random users is \d+\.\)\n", output)
    assert output.splitlines()[-1].startswith(
        "Next: change lessons/01_auth_url/answer.py, then run make check-1."
    )


def test_the_students_readme_shows_a_real_check(student):
    student.run("start", "1")
    output = student.run("check", "1")
    check = output[output.index("  FAILED") : output.index("?\n") + 2]
    readme = (ROOT / "lessons/README.md").read_text(encoding="utf-8")
    assert without_random_values(check) in without_random_values(readme)


def without_random_values(text):
    return re.sub(r'"(username|password)": "\w{8}"', r'"\1": "random"', text)


def test_trying_an_answer_serves_it_and_reloads_it_after_an_edit(student, tmp_path):
    student.run("start", "1")
    with lesson_server(1, tmp_path, lessons=student.repository / "lessons", command="try") as server:
        assert "lessons/01_auth_url/answer.py runs at http://127.0.0.1:" in server.output
        login = f"http://127.0.0.1:{server.port}/api/v1/session"
        server.wait_for_status(401)
        assert httpx.post(login, json=BOB, trust_env=False).status_code == 404
        student.solve()
        server.wait_for_status(405, "/api/v1/session")
        assert httpx.post(login, json=BOB, trust_env=False).status_code == 200


def test_a_skipped_check_names_the_check_that_it_needs(student):
    student.run("start", "1")
    output = student.run("check", "1")
    assert re.search(r"  skipped 0 of 1  .+  \(needs: .+\.\)\n", output)
    assert output.count("question  Which option") == 1


def test_a_passing_answer_is_compared_with_the_solution(student):
    student.run("start", "1")
    student.solve()
    output = student.run("check", "1")
    assert student.run_result.returncode == 0
    assert "10 of 10 points" in output
    assert "your code is the same as our solution" in output
    student.answer.write_text(student.answer.read_text() + "\napp.config['JWT_LEEWAY'] = 0\n")
    output = student.run("check", "1")
    solution = student.repository / "solutions/01_auth_url.py"
    assert (
        diff_files(
            student.answer, solution, "lessons/01_auth_url/answer.py", "solutions/01_auth_url.py"
        ).rstrip()
        in output
    )
    assert output.endswith("Next: read lessons/02_token_expiry/README.md, then run make lesson-2\n")


def test_what_an_answer_prints_is_shown_below_a_failed_check(student):
    student.run("start", "1")
    student.answer.write_text(
        student.answer.read_text() + "\n@app.before_request\ndef look():\n    print('I am here')\n"
    )
    assert "printed   I am here" in student.run("check", "1")


@pytest.mark.parametrize("command", ["try", "check", "watch", "solution", "reset"])
def test_a_command_without_an_answer_says_how_to_start(student, command):
    output = student.run(command, "1")
    assert student.run_result.returncode == 1
    assert output == "There is no lessons/01_auth_url/answer.py yet. Start with: make start-1\n"


@pytest.mark.parametrize("command", ["start", "try", "check", "watch", "hint", "solution", "reset"])
def test_a_lesson_without_an_exercise_names_the_first_exercise(student, command):
    assert student.run(command, "0") == "Lesson 0 has no exercise. Start the first exercise: make start-1\n"
    assert "There is no lesson '99'" in student.run(command, "99")


def test_each_hint_is_followed_by_the_command_for_the_next_one(student):
    hints = [student.run("hint", "2", "--level", level) for level in "123"]
    assert hints[0] == student.run("hint", "2")
    assert hints[0].splitlines()[2].endswith("?")
    assert hints[0].endswith("If this hint does not help: make hint-2 LEVEL=2\n")
    assert "JWT_LEEWAY" in hints[2]
    assert hints[2].endswith("If this hint does not help: make solution-2 PEEK=1\n")
    assert "There is no hint '4'. Choose 1, 2 or 3" in student.run("hint", "2", "--level", "4")


def test_the_solution_is_printed_once_the_answer_passes_or_with_peek(student):
    solution = (ROOT / "solutions/01_auth_url.py").read_text()
    student.run("start", "1")
    output = student.run("solution", "1")
    assert solution not in output
    assert "make solution-1 PEEK=1" in output
    assert solution in student.run("solution", "1", "--peek")
    student.solve()
    assert solution in student.run("solution", "1")


def test_a_reset_keeps_every_old_answer(student):
    student.run("start", "1")
    for count in (1, 2):
        student.answer.write_text(f"answer = {count}\n")
        assert f"Your old answer is in answer-{count}.py" in student.run("reset", "1")
        assert student.answer.read_text() == (ROOT / "lessons/01_auth_url/exercise.py").read_text()
    assert [student.answer.with_name(f"answer-{count}.py").read_text() for count in (1, 2)] == [
        "answer = 1\n",
        "answer = 2\n",
    ]


def test_progress_shows_the_points_of_every_exercise(student):
    student.run("start", "1")
    student.solve()
    student.run("start", "2")
    output = student.run("progress")
    assert "01_auth_url            ####################  10 of 10 points\n" in output
    assert re.search(r"02_token_expiry        ########\.{12}   4 of 10 points\n", output)
    assert (
        "03_auth_key            ....................   0 of 10 points  not started: make start-3\n" in output
    )
    assert output.endswith("\nNext: make check-2\n")


def test_progress_says_that_every_exercise_is_solved(student):
    for solution in (student.repository / "solutions").glob("*.py"):
        shutil.copy(solution, student.repository / "lessons" / solution.stem / "answer.py")
    output = student.run("progress")
    assert output.count("10 of 10 points\n") == output.count("points")
    assert output.endswith("You have solved every exercise.\n")


@pytest.mark.skipif(os.name == "nt", reason="on Windows a test cannot ask a process to stop")
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
        wait_until(lambda: "Waiting for your next save" in log.read_text())
        assert "2 of 10 points" in log.read_text()
        wait_until(lambda: student.solve() or "10 of 10 points" in log.read_text())
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

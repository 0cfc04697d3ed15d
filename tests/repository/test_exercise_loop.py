"""The commands for exercises, from `start` to `progress`, in a copy of the repository."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from exercise_loop import ChecksStopped, collect
from helpers import BOB, ROOT, lesson_server, make_exercise_1b, wait_until
from lesson_loader import find_exercises
from misplaced import closest_exercise, describe_misplaced, read_starters
from mistakes import find_mistakes


class Student:
    """A student who works in a copy of the repository."""

    def __init__(self, repository):
        self.repository = repository
        self.lesson = repository / "lessons/01_auth_url"
        self.answer = self.lesson / "answer.py"
        self.solution = repository / "solutions/01_auth_url.py"

    def run(self, *arguments):
        """Run a command without make and return what it prints."""
        command = [sys.executable, "lessons", *arguments]
        environment = os.environ | {"PYTHONPATH": str(self.repository / "lessons")}
        self.run_result = subprocess.run(
            command, cwd=self.repository, env=environment, capture_output=True, encoding="utf-8"
        )
        assert "Traceback" not in self.run_result.stdout + self.run_result.stderr
        return self.run_result.stdout + self.run_result.stderr

    def solve(self):
        self.answer.write_text(self.solution.read_text())

    def read_lesson(self):
        """Return the content of every file in the folder of the lesson, by path."""
        files = [path for path in self.lesson.rglob("*") if path.is_file()]
        return {path.relative_to(self.lesson).as_posix(): path.read_bytes() for path in files}


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
    assert "\n# TODO: " in output
    assert "POST /api/v1/session" in output
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
    assert "\nYou have not changed your copy of the exercise yet, so you have no points.\n" in output
    assert re.search(r"\n0 of 10 points\.\n", output)
    assert output.endswith(
        "\nNext: change lessons/01_auth_url/answer.py, then run make check-1. If you are stuck: make hint-1\n"
    )


def test_the_students_readme_shows_a_real_check(student):
    student.run("start", "1")
    output = student.run("check", "1")
    check = output[output.index("  FAILED") : output.index("?\n") + 2]
    readme = (ROOT / "lessons/README.md").read_text(encoding="utf-8")
    assert without_random_values(check) in without_random_values(readme)


def without_random_values(text):
    return re.sub(r'"(username|password)": "\w{8}"', r'"\1": "random"', text)


def test_trying_an_answer_with_a_syntax_error_shows_the_line(student):
    student.run("start", "1")
    with open(student.answer, "a") as answer:
        answer.write("def broken(:\n")
    output = student.run("try", "1")
    assert student.run_result.returncode == 1
    assert "def broken(:\n" in output
    assert output.endswith("Next: correct lessons/01_auth_url/answer.py, then run make try-1\n")


def test_trying_an_answer_serves_it_and_reloads_it_after_an_edit(student, tmp_path):
    student.run("start", "1")
    with lesson_server(1, tmp_path, lessons=student.repository / "lessons", command="try") as server:
        assert f"lessons/01_auth_url/answer.py runs at http://127.0.0.1:{server.port} and" in server.output
        assert "Copy the requests under Try it in lessons/01_auth_url/README.md,\n" in server.output
        login = f"http://127.0.0.1:{server.port}/api/v1/session"
        server.wait_for_status(401)
        assert httpx.post(login, json=BOB, trust_env=False).status_code == 404
        student.solve()
        server.wait_for_status(405, "/api/v1/session")  # the URL exists now, but not for GET
        assert httpx.post(login, json=BOB, trust_env=False).status_code == 200


def test_a_skipped_check_names_the_check_that_it_needs(student):
    student.run("start", "1")
    output = student.run("check", "1")
    assert re.search(r"  skipped 0 of \d  .+  \(needs: .+\.\)\n", output)


def test_a_passing_answer_is_compared_with_the_solution(student):
    student.run("start", "1")
    student.solve()
    output = student.run("check", "1")
    assert student.run_result.returncode == 0
    assert "10 of 10 points" in output
    assert "your code is the same as our solution" in output
    assert output.endswith("Next: read lessons/02_token_expiry/README.md, then run make lesson-2\n")


def test_the_comparison_shows_only_what_is_different_in_the_code(student):
    student.run("start", "1")
    same = student.solution.read_text().replace('"', "'").replace("\n\n", "\n\n# A comment\n\n\n")
    student.answer.write_text(f'"""My answer."""\n{same}')
    assert "your code is the same as our solution" in student.run("check", "1")
    student.answer.write_text(f"{same}\n\ndef unused():\n    'Do nothing.'\n    return 1\n")
    output = student.run("check", "1")
    difference = output[output.index("--- lessons/01_auth_url/answer.py\n+++ solutions/01_auth_url.py\n") :]
    assert re.findall(r"^[-+] *\w.*", difference, re.MULTILINE) == ["-def unused():", "-    return 1"]


def test_the_comparison_does_not_depend_on_the_order_of_functions(student):
    functions = ["def one():\n    return 1\n", "def two():\n    return 2\n"]
    code = student.solution.read_text()
    student.solution.write_text("\n\n".join([code, *functions]))
    student.answer.write_text("\n\n".join([*reversed(functions), code]))
    assert "your code is the same as our solution" in student.run("check", "1")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_an_answer_in_another_encoding_gets_no_traceback(student, encoding):
    first_line = "# -*- coding: latin-1 -*-\n" if encoding == "latin-1" else ""
    student.answer.write_text(f"{first_line}# é\n{student.solution.read_text()}", encoding=encoding)
    check, solution = student.run("check", "1"), student.run("solution", "1")
    if encoding == "utf-16":
        assert "answer.py is not UTF-8 text. Save it with the encoding UTF-8." in check
        assert solution.startswith("You can see the solution when ")
    else:
        assert "your code is the same as our solution" in check
        assert student.solution.read_text() in solution


def test_a_byte_order_mark_is_no_change(student):
    student.run("start", "1")
    for file in (student.answer, student.lesson / "security.py"):
        file.write_text(file.read_text(), encoding="utf-8-sig")
    output = student.run("check", "1")
    assert "You have not changed your copy of the exercise yet" in output
    assert "came with this course" not in output


@pytest.mark.parametrize("command", ["start", "try", "check", "watch", "solution", "reset", "progress"])
def test_an_answer_that_is_a_folder_gets_a_message_that_says_what_to_do(student, command):
    student.answer.mkdir()
    output = student.run(*([command] if command == "progress" else [command, "1"]))
    assert student.run_result.returncode == 1
    assert output.endswith(
        "lessons/01_auth_url/answer.py is a folder. Rename it, then start with: make start-1\n"
    )


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


# The original files


def test_a_changed_lesson_file_changes_no_mark_and_is_named(student):
    student.solve()
    security = student.lesson / "security.py"
    security.write_text(security.read_text().replace("return user if", "return None if"))
    (student.lesson / "models/user.py").unlink()
    (student.lesson / "resources/user.py").write_text("changed = True\n")
    output = student.run("check", "1")
    assert "10 of 10 points" in output
    assert (
        "\nlessons/01_auth_url/models/user.py is missing.\n"
        "lessons/01_auth_url/resources/user.py differs from the file that came with this course.\n"
        "lessons/01_auth_url/security.py differs from the file that came with this course.\n"
        "The checks use the original files, so they ignore these changes.\n"
        "If your answer needs a change, write it into answer.py.\n"
        "To get the original files back: make restore-1\n"
        "This command keeps your resources/user.py as user.py.old-1.\n"
        "This command keeps your security.py as security.py.old-1.\n"
    ) in output


def test_a_changed_lesson_file_does_not_help_an_answer(student):
    student.run("start", "1")
    with open(student.lesson / "api.py", "a") as api:
        api.write("\n\ndef session():\n    pass\n")
    with open(student.answer, "a") as answer:
        answer.write("\nfrom api import session\n")
    assert "ImportError: cannot import name 'session' from 'api'" in student.run("check", "1")


def test_restoring_a_lesson_keeps_every_changed_file(student):
    before = student.read_lesson()
    security = student.lesson / "security.py"
    for count in (1, 2):
        security.write_text(f"count = {count}\n")
        shutil.rmtree(student.lesson / "models")
        assert student.run("restore", "1") == (
            "lessons/01_auth_url/models/__init__.py was missing and is back.\n"
            "lessons/01_auth_url/models/user.py was missing and is back.\n"
            f"Your lessons/01_auth_url/security.py is now security.py.old-{count}.\n"
            "lessons/01_auth_url/security.py is the original file again.\n"
        )
    kept = {f"security.py.old-{count}": b"count = %d\n" % count for count in (1, 2)}
    assert student.read_lesson() == before | kept
    assert "Nothing to do" in student.run("restore", "1")


def test_restoring_a_lesson_keeps_what_stands_where_a_file_or_folder_belongs(student):
    before = student.read_lesson()
    shutil.rmtree(student.lesson / "models")
    (student.lesson / "models").write_text("all my models\n")
    (student.lesson / "security.py").unlink()
    (student.lesson / "security.py").mkdir()
    (student.lesson / "security.py/notes.txt").write_text("my notes\n")
    student.solve()
    output = student.run("check", "1")
    assert "10 of 10 points" in output
    assert (
        "make restore-1\n"
        "This command keeps your models as models.old-1.\n"
        "This command keeps your security.py as security.py.old-1.\n"
    ) in output
    student.answer.unlink()
    student.run("restore", "1")
    kept = {"models.old-1": b"all my models\n", "security.py.old-1/notes.txt": b"my notes\n"}
    assert student.read_lesson() == before | kept


def test_restoring_a_lesson_loses_nothing_if_it_is_interrupted(student):
    before = student.read_lesson()
    (student.lesson / "security.py").write_text("my = 1\n")
    interrupt = "import exercise_loop, originals; del originals.write_file; exercise_loop.restore(1)"
    environment = os.environ | {"PYTHONPATH": str(student.repository / "lessons")}
    run = subprocess.run([sys.executable, "-c", interrupt], env=environment, capture_output=True, text=True)
    assert "no attribute 'write_file'" in run.stderr
    assert run.stdout == "Your lessons/01_auth_url/security.py is now security.py.old-1.\n"
    assert student.run("restore", "1") == "lessons/01_auth_url/security.py was missing and is back.\n"
    assert student.read_lesson() == before | {"security.py.old-1": b"my = 1\n"}


def test_line_ends_of_windows_are_no_difference(student):
    student.solve()
    for name in ("security.py", "exercise.py"):
        file = student.lesson / name
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert "came with this course" not in student.run("check", "1")
    assert "Nothing to do" in student.run("restore", "1")


def test_a_lesson_without_an_exercise_can_be_restored(student):
    (student.repository / "lessons/00_setup/app.py").unlink()
    assert student.run("restore", "0") == "lessons/00_setup/app.py was missing and is back.\n"


@pytest.mark.parametrize("spoil", [lambda file: file.write_text("changed\n"), lambda file: file.unlink()])
def test_an_exercise_starts_with_the_original_starter(student, spoil):
    spoil(student.lesson / "exercise.py")
    original = (ROOT / "lessons/01_auth_url/exercise.py").read_text()
    for command in ("start", "reset"):
        student.run(command, "1")
        assert student.answer.read_text() == original
    assert "You have not changed your copy of the exercise yet" in student.run("check", "1")


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(file.read_bytes()[:-9])])
@pytest.mark.parametrize("command", ["start", "check", "restore"])
def test_missing_or_damaged_originals_get_a_message_that_says_what_to_do(student, command, damage):
    if command == "check":
        student.solve()
    damage(student.repository / "tests/exercises/originals/01_auth_url.zip")
    message = (
        "tests/exercises/originals/01_auth_url.zip is missing or damaged. "
        "Get it again: git checkout tests/exercises/originals\n"
    )
    assert message in student.run(command, "1")
    assert student.run_result.returncode == 1


def test_an_answer_that_imports_another_file_of_the_student_is_told_what_is_handed_in(student):
    student.solve()
    (student.lesson / "helpers.py").write_text("URL = '/api/v1/session'\n")
    student.answer.write_text(f"from helpers import URL\n{student.answer.read_text()}")
    output = student.run("check", "1")
    assert "ModuleNotFoundError: No module named 'helpers'" in output
    assert "Only answer.py is handed in." in output
    assert "in answer.py, line 1:  from helpers import URL" in output


# Hints, the solution and progress


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
    last = "The last one is: make hint-2 LEVEL=3"
    assert student.run("hint", "2", "--level", "4") == f"Exercise 2 has no hint 4. {last}\n"
    for level in ("0", "two", "²"):
        assert f"There is no hint '{level}'. Choose a number" in student.run("hint", "2", "--level", level)


def test_a_missing_file_of_an_exercise_is_named(student):
    (student.answer.parent / "hints.md").unlink()
    assert student.run("hint", "1").startswith("lessons/01_auth_url/hints.md is missing. Get this file again")
    student.solve()
    (student.repository / "tests/exercises/test_01_auth_url.py").unlink()
    output = student.run("check", "1")
    assert output.startswith("tests/exercises/test_01_auth_url.py is missing. Get this file again")


def test_the_solution_is_printed_once_the_answer_passes_or_with_peek(student):
    solution = student.solution.read_text()
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
    assert "02_token_expiry        ....................   0 of 10 points\n" in output
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


# Answers in the wrong folder, for example because a lesson has a new number


def test_progress_and_check_name_the_exercise_that_an_answer_seems_to_belong_to(student):
    """In version 1, the exercise of lesson 8 was in the folder of lesson 7."""
    misplaced = student.repository / "lessons/07_more_options/answer.py"
    shutil.copy(student.repository / "solutions/08_custom_claims.py", misplaced)
    advice = (
        "\nlessons/07_more_options/answer.py looks like an answer to exercise 8. "
        "If it is one, move it to lessons/08_custom_claims/answer.py.\n"
    )
    assert advice in student.run("progress")
    assert advice in student.run("check", "7")
    misplaced.rename(student.repository / "lessons/08_custom_claims/answer.py")
    output = student.run("progress")
    assert "looks like" not in output
    assert "08_custom_claims       ####################  10 of 10 points\n" in output


def test_progress_names_an_answer_in_the_folder_of_a_lesson_that_has_moved(student):
    old = student.repository / "lessons/08_flask_jwt_extended/answer.py"
    old.write_text("app = None\n")
    student.run("start", "1")
    output = student.run("progress")
    assert (
        "\nlessons/08_flask_jwt_extended/answer.py is in the old folder of a lesson that has moved. "
        "Read lessons/08_flask_jwt_extended/README.md.\n"
    ) in output
    assert output.count("has moved") == 1
    assert old.read_text() == "app = None\n"


def test_an_answer_is_not_sent_to_a_folder_with_another_answer(student):
    shutil.copy(
        student.repository / "solutions/08_custom_claims.py",
        student.repository / "lessons/07_more_options/answer.py",
    )
    student.run("start", "8")
    assert "looks like" not in student.run("check", "7")


def test_an_answer_with_points_is_not_called_misplaced(student):
    """This answer has points, although it has more in common with the starter of exercise 1."""
    mistake = ROOT / "tests/exercises/mistakes/03_auth_key/own_login_takes_both_keys.py"
    answer = student.repository / "lessons/03_auth_key/answer.py"
    shutil.copy(mistake, answer)
    assert closest_exercise(answer, read_starters()) == "01_auth_url"
    output = student.run("check", "3")
    assert "FAILED" in output
    assert "looks like" not in output


def test_an_unfinished_answer_in_the_right_folder_is_not_called_misplaced(student):
    student.run("start", "1")
    student.answer.write_text(student.answer.read_text().replace('"/users"', '"/people"'))
    assert "looks like" not in student.run("check", "1") + student.run("progress")


def test_a_wrong_answer_without_points_is_not_called_misplaced():
    answers = [mistake.path for mistake in find_mistakes() if mistake.points == 0]
    assert len(answers) > 20
    assert describe_misplaced(answers) == []


def test_every_answer_to_exercise_8_is_recognized_in_the_folder_of_lesson_7(tmp_path):
    right = ROOT / "tests/exercises/alternatives/08_custom_claims"
    answers = list(shutil.copytree(right, tmp_path / "07_more_options").glob("*.py"))
    starters = read_starters()
    assert {closest_exercise(answer, starters) for answer in answers} == {"08_custom_claims"}


# Additional exercises


@pytest.fixture
def additional(student):
    """The folder of an additional exercise, 1b, which has decimal points and two hints."""
    return make_exercise_1b(student.repository / "exercises")


def test_an_additional_exercise_is_started_checked_and_reset_like_ours(student, additional):
    output = student.run("start", "1b")
    assert output.startswith(
        "exercises/01b_session/answer.py is your copy. Change it at the TODO:\n\n# TODO: "
    )
    assert output.endswith("Next: change the file, then run make check-1b\n")
    output = student.run("check", "1b")
    assert "  FAILED  0 of 0.1  Users log in at the new URL.\n" in output
    assert "\n0 of 0.3 points.\n\nYou have not changed your copy of the exercise yet" in output
    assert output.endswith(
        "\nNext: change exercises/01b_session/answer.py, then run make check-1b. "
        "If you are stuck: make hint-1b\n"
    )
    shutil.copy(additional / "solution.py", additional / "answer.py")
    output = student.run("check", "1B")
    assert "\n0.3 of 0.3 points.\n" in output
    assert "your code is the same as our solution" in output
    assert output.endswith("Next: read lessons/02_token_expiry/README.md, then run make lesson-2\n")
    assert "Your old answer is in answer-1.py" in student.run("reset", "01b")


def test_the_exercise_of_a_lesson_is_followed_by_the_additional_one(student, additional):
    student.solve()
    assert student.run("check", "1").endswith("\nNext: make start-1b\n")
    shutil.copy(additional / "solution.py", additional / "answer.py")
    output = student.run("progress")
    assert "  01_auth_url            ####################  10 of 10 points\n  01b_session " in output
    assert "  01b_session            #################### 0.3 of 0.3 points\n  02_token_expiry " in output


def test_an_additional_exercise_can_be_outside_the_repository(student, additional, tmp_path, monkeypatch):
    additional.parent.rename(tmp_path / "private")
    monkeypatch.setenv("EXERCISES", "private")  # relative to the top folder
    assert student.run("start", "1b").startswith("private/01b_session/answer.py is your copy.")
    assert "0 of 0.3 points" in student.run("check", "1b")


def test_an_additional_exercise_is_served_with_its_task_and_the_files_of_its_lesson(
    student, additional, tmp_path
):
    shutil.copy(additional / "solution.py", additional / "answer.py")
    folder = tmp_path / "server"
    folder.mkdir()
    with lesson_server("1b", folder, lessons=student.repository / "lessons", command="try") as server:
        assert "exercises/01b_session/answer.py runs at" in server.output
        server.wait_for_status(405, "/api/v1/session")
        page = server.get("/").text
    assert "<h1>Exercise 1b: your answer</h1>" in page
    assert "Change <code>exercises/01b_session/answer.py</code> and save it." in page
    assert "make check-1b" in page


def test_an_unknown_exercise_gets_the_list_of_exercises(student, additional):
    output = student.run("hint", "3b")
    assert output.startswith("There is no exercise '3b'. These are the exercises:\n\n  1    01_auth_url\n")
    assert "\n  1b   01b_session\n" in output


def test_hints_end_with_the_last_one(student, additional):
    assert student.run("hint", "1b").startswith("Hint 1 of 2\n\nWhich option?\n")
    assert student.run("hint", "1b", "--level", "2").endswith("make solution-1b PEEK=1\n")
    output = student.run("hint", "1b", "--level", "3")
    assert output == "Exercise 1b has no hint 3. The last one is: make hint-1b LEVEL=2\n"
    assert student.run_result.returncode == 1


@pytest.mark.parametrize("label", ["1", "1b"])
def test_a_course_without_solutions_says_who_has_them(student, additional, label):
    student.solve()
    shutil.copy(student.solution, additional / "answer.py")
    student.solution.unlink()
    (additional / "solution.py").unlink()
    output = student.run("check", label)
    assert student.run_result.returncode == 0
    assert "points.\n\nAll checks pass.\n\nNext: " in output
    level = "3" if label == "1" else "2"
    assert student.run("hint", label, "--level", level).endswith("ask your instructor.\n")
    for peek in ([], ["--peek"]):
        assert student.run("solution", label, *peek) == (
            f"Your instructor has the solution to exercise {label}. "
            "Your copy of the course does not contain it.\n"
        )
        assert student.run_result.returncode == 0


BAD_FOLDERS = {
    "03_pin": "exercises/03_pin is not the name of an additional exercise.",
    "3b_pin": "exercises/3b_pin is not the name of an additional exercise.",
    "03B_pin": "exercises/03B_pin is not the name of an additional exercise.",
    "77b_pin": "exercises/77b_pin needs a lesson 77, but there is none.",
    "01b_pin": "exercises/01b_pin and 01b_session are both exercise 1b.",
}


@pytest.mark.parametrize("name", BAD_FOLDERS)
@pytest.mark.parametrize("command", [["start", "1"], ["progress"]], ids="-".join)
def test_a_bad_name_of_an_additional_exercise_is_explained_in_one_line(student, additional, name, command):
    (additional.parent / name).mkdir()
    output = student.run(*command)
    assert student.run_result.returncode == 1
    assert output.startswith(BAD_FOLDERS[name])
    assert output.count("\n") == 1


def test_exercises_that_name_no_folder_are_explained(student, monkeypatch):
    monkeypatch.setenv("EXERCISES", "nowhere")
    output = student.run("progress")
    assert output == "EXERCISES=nowhere is not a folder. Choose the folder of your own exercises.\n"


@pytest.mark.parametrize("points", ["points(0)", "points('two')", "usefixtures('user')"])
def test_a_check_without_points_is_explained_and_the_other_exercises_are_checked(student, additional, points):
    checks = additional / "test_01b_session.py"
    checks.write_text(checks.read_text().replace("points(0.2)", points))
    student.solve()
    output = student.run("progress")
    assert "01_auth_url            ####################  10 of 10 points\n" in output
    assert "\ntest_01b_session.py: test_the_users_are_there has no points. Write a line such as " in output


def test_checks_that_stop_are_no_solved_exercises(student, additional):
    (additional / "test_01b_session.py").write_text("import sys\n\nsys.exit(1)\n")
    output = student.run("progress")
    assert output.startswith("\nThe checks stopped before the end (pytest ended with status 3).\n")
    assert "solved" not in output
    assert "INTERNALERROR" not in output
    assert "mainloop" not in output


def test_files_that_an_additional_exercise_lacks_are_named(student, additional):
    for name, command in (("exercise.py", "start"), ("test_01b_session.py", "check")):
        (additional / name).rename(additional / "gone")
        (additional / "answer.py").unlink(missing_ok=True)
        if command == "check":
            shutil.copy(additional / "solution.py", additional / "answer.py")
        assert f"exercises/01b_session/{name} is missing." in student.run(command, "1b")
        assert student.run_result.returncode == 1
        (additional / "gone").rename(additional / name)


def test_results_are_collected_in_another_process(additional, monkeypatch, tmp_path):
    monkeypatch.setenv("EXERCISES", str(additional.parent))
    exercise = find_exercises()["1b"]
    failed, skipped = collect(exercise, "starter")
    assert (failed["sentence"], failed["points"], failed["outcome"]) == (
        *("Users log in at the new URL.", 0.1),
        "failed",
    )
    assert failed["expected"] == "200 and a token"
    assert failed["got"].startswith("404 ")
    assert (skipped["outcome"], skipped["message"]) == ("skipped", "needs: Users log in at the new URL.")
    assert [check["outcome"] for check in collect(exercise, "solution")] == ["passed", "passed"]
    exercise.checks.write_text("1 / 0\n")
    with pytest.raises(ChecksStopped, match="ZeroDivisionError"):
        collect(exercise)


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
        assert "\n0 of 10 points" in log.read_text()
        assert (
            "\nNext: change lessons/01_auth_url/answer.py and save it. If you are stuck: make hint-1\n"
            "\nWaiting for your next save. Press Ctrl-C to stop.\n"
        ) in log.read_text()
        wait_until(lambda: student.solve() or "10 of 10 points" in log.read_text())
        os.killpg(watching.pid, signal.SIGINT)
        watching.wait(timeout=10)
        assert "Traceback" not in log.read_text()
        assert "\033" not in log.read_text(), "only a terminal is cleared"
    finally:
        watching.kill()
        watching.wait()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_watching_shows_the_newest_result_alone(student):
    student.run("start", "1")
    main, terminal = os.openpty()
    watching = subprocess.Popen(
        [sys.executable, "lessons", "watch", "1"],
        cwd=student.repository,
        env=os.environ | {"PYTHONPATH": str(student.repository / "lessons"), "TERM": "xterm"},
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    try:
        output = read_until(main, "Waiting for your next save")
        assert "\n0 of 10 points" in output.rpartition("\033[2J")[2]
        output = read_until(main, "\n10 of 10 points", repeat=student.solve)
        assert "0 of 10 points" not in output.rpartition("\033[2J")[2].replace("10 of 10", "")
        assert "\033[2J" in output
    finally:
        watching.kill()
        watching.wait()
        os.close(main)


def read_until(terminal, text, repeat=lambda: None):
    """Return what a program prints on a terminal, up to this text. Call `repeat` while it prints nothing."""
    output = ""

    def has_text():
        nonlocal output
        if select.select([terminal], [], [], 0.2)[0]:
            output += os.read(terminal, 4096).decode().replace("\r\n", "\n")
        else:
            repeat()
        return text in output

    wait_until(has_text)
    return output


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
    assert clone.answer.read_text() == clone.solution.read_text()
    assert git("status", "--porcelain", cwd=clone.repository) == "?? lessons/01_auth_url/answer.py\n"

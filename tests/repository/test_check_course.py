"""`make new-exercise-3b` and `make check-course`: what they write, and what they say is missing."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from course import answer_runs, check, exercise_rules, lesson_rules, lesson_runs, notebook_rules
from helpers import ROOT, needs, wait_until
from lesson_loader import find_exercises, find_lessons
from mistakes import checking_process

LAST = max(find_lessons())


def run(exercises, *command):
    """Run a Python command in the top folder, with this folder of additional exercises."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"EXERCISES": str(exercises)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def scaffold(tmp_path_factory):
    """A folder with the new exercise 3b, as new.py writes it."""
    folder = tmp_path_factory.mktemp("own") / "exercises of a class"
    result = run(folder, "tests/course/new.py", "exercise", "3b", "pin_login")
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def folder(scaffold, tmp_path, monkeypatch):
    """The folder of a copy of exercise 3b that a test may change."""
    shutil.copytree(scaffold, tmp_path / "exercises")
    monkeypatch.setenv("EXERCISES", str(tmp_path / "exercises"))
    return tmp_path / "exercises/03b_pin_login"


@pytest.fixture
def run_checks():
    with checking_process() as run_checks:  # each test gets a new process, because each one edits the checks
        yield run_checks


def edit(file, old, new):
    """Replace a text in a file. The edit must change something."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


# a new additional exercise

HEADER = '''"""The app accepts POST too.

fails: test_a_post_is_refused
shows: got       200
points: 5
"""

'''


@pytest.mark.slow
def test_a_new_exercise_runs_at_once_and_its_starter_has_no_points(folder):
    started = run(folder.parent, "lessons", "start", "3b")
    assert "# TODO: Let the app respond to GET /exercise-3b" in started.stdout
    assert "\n0 of 10 points.\n" in run(folder.parent, "lessons", "check", "3b").stdout
    shutil.copy(folder / "solution.py", folder / "answer.py")
    assert "\n10 of 10 points.\n" in run(folder.parent, "lessons", "check", "3b").stdout


@pytest.mark.slow
def test_check_course_lists_the_todos_of_a_new_exercise_until_they_are_done(folder):
    todos = sum(path.read_text("utf-8").count("TODO(author): ") for path in folder.rglob("*.*"))
    result = run(folder.parent, "tests/course/check.py", "3b")
    assert result.returncode == 1
    assert result.stdout.count(": TODO: ") == todos
    assert f"{todos + 1} things are missing. Next: begin with {folder}/exercise.py:" in result.stdout
    for path in folder.rglob("*.*"):
        path.write_text(path.read_text("utf-8").replace("TODO(author): ", ""), "utf-8")
    mistake = shutil.copy(folder / "solution.py", folder / "mistakes/post_accepted.py")
    edit(mistake, "import os", f"{HEADER}import os")
    edit(mistake, 'get("/exercise-3b"', 'route("/exercise-3b", methods=["GET", "POST"]')
    result = run(folder.parent, "tests/course/check.py", "3b")
    assert result.returncode == 0, result.stdout
    assert "  Advice: " in result.stdout
    assert result.stdout.splitlines()[-1] == (
        f"Nothing is missing. Next: try your exercise, with make start-3b EXERCISES={folder.parent}"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["exercise", "3c"], "Give it a name: make new-exercise-3c NAME=pin_login"),
        (["exercise", "3c", "pin-login"], "'pin-login' is not a name. Use lower-case letters, digits and"),
        (["exercise", "3c", "../pin"], "'../pin' is not a name"),
        (["exercise", "3c", "$(touch pin)"], "is not a name"),
        (["exercise", "3b", "other"], "03b_pin_login. Choose other letters."),
        (["exercise", "99b", "pin"], f"'99b' is not a label. Write a lesson from 0 to {LAST} and lower-case"),
        (["exercise", "b", "pin"], "'b' is not a label"),
        (["exercise", "3B", "pin"], "'3B' is not a label"),
        (["exercise", "003c", "pin"], "'003c' is not a label"),
        (["exercise", "٣c", "pin"], "'٣c' is not a label"),
        (
            ["exercise", "3c", "a" * 41],
            "is too long. Use a name with 40 characters or fewer, such as: make new",
        ),
        (["lesson", str(LAST + 1), "a" * 41], "is too long. Use a name with 40 characters or fewer"),
        (["exercise", "3"], "Exercise 3 exists. For another one, add a letter: make new-exercise-3b NAME="),
        (["exercise", "0"], "Lesson 0 has no exercise of this kind. Add a letter"),
        (["lesson", str(LAST + 1)], f"Give it a name: make new-{LAST + 1} NAME=realm"),
        (["lesson", str(LAST + 1), "class of 2026"], "is not a name"),
        (["lesson", str(LAST + 2), "realm"], f"The last lesson is {LAST}, so the next one is {LAST + 1}"),
        (["lesson", "3", "realm"], f"The last lesson is {LAST}, so the next one is {LAST + 1}"),
        (["lesson", "realm"], f"The last lesson is {LAST}, so the next one is {LAST + 1}"),
    ],
)
def test_a_scaffold_with_a_bad_label_or_name_gets_a_clear_line(arguments, sentence, scaffold):
    before = sorted(scaffold.rglob("*"))
    result = run(scaffold, "tests/course/new.py", *arguments)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(scaffold.rglob("*")) == before


def test_a_folder_that_cannot_be_created_gets_a_clear_line(tmp_path):
    (tmp_path / "file").touch()
    result = run(tmp_path / "file/exercises", "tests/course/new.py", "exercise", "3b", "pin")
    assert result.returncode == 1
    assert result.stderr == (
        f"Cannot create the folder {tmp_path}/file/exercises: Not a directory. "
        "Choose another one with EXERCISES=folder\n"
    )


def test_check_course_names_the_labels_that_it_knows(scaffold):
    result = run(scaffold, "tests/course/check.py", "12b")
    assert result.returncode == 2
    assert result.stderr.startswith("There is no lesson or exercise 12b. Choose from: 0, 1, 2, 3, 3b, 4, ")


# what is missing in an exercise

CHECKS, MISTAKE = "test_03b_pin_login.py", "mistakes/value_is_text.py"
BROKEN_EXERCISES = [
    ("solution.py", "def ready():", "def ready(:", "solution.py:22: Python cannot read this file: "),
    (CHECKS, "@pytest.mark.points(5)\ndef", "def", r":10: Give test_the_app_is_ready points, a number"),
    (CHECKS, "points(5)", "points(0)", "Give test_a_post_is_refused points, a number of 0.01 or more"),
    (CHECKS, "points(5)", "points('5')", "Give test_a_post_is_refused points"),
    (CHECKS, "what the app should do.", "what", "Give test_a_post_is_refused a docstring: a sentence"),
    (CHECKS, 'needs("test_the_app_is_ready")', 'needs("test_b")', "There is no test_b above"),
    (CHECKS, "def test_", "def no_test_", "Write at least one check"),
    ("exercise.py", "# TODO: ", "# To do: ", "Write one comment that begins with `# TODO: `"),
    ("hints.md", "3. ", "", "Write three hints as a numbered list, not 2"),
    (
        MISTAKE,
        "points: 0",
        "",
        ".py:1: the docstring needs a line that begins with `points: `",
    ),
    (MISTAKE, "points: 0", "points: no", "`points: ` needs a number such as 2 or 2.5, and not 'no'"),
    (MISTAKE, "fails: test_the", "fails: test_an", ":3: There is no check test_an_app_is_ready. Choose one"),
    (MISTAKE, '"true"', "True", "solution.py. Change it."),
    (MISTAKE, "the mistake here.", "it", "Begin the docstring with one sentence"),
    ("alternatives/no_decorator.py", "how it differs.", "how", "Begin the docstring with one sentence"),
]


@pytest.mark.parametrize(("name", "old", "new", "sentence"), BROKEN_EXERCISES)
def test_what_is_wrong_in_an_exercise_gets_a_sentence_with_its_place(name, old, new, sentence, folder):
    edit(folder / name, old, new)
    problems = exercise_rules.find_problems(find_exercises()["3b"])
    assert [problem for problem in problems if sentence in problem], problems
    assert all(problem.startswith(str(folder)) for problem in problems)


@pytest.mark.parametrize("name", ["exercise.py", "hints.md", CHECKS, "solution.py"])
def test_a_missing_file_of_an_exercise_gets_a_sentence(name, folder):
    (folder / name).unlink()
    assert exercise_rules.find_problems(find_exercises()["3b"]) == [f"{folder / name}: This file is missing."]


def test_matters_of_style_are_advice_in_an_additional_exercise_and_rules_in_ours(folder):
    (folder / "hints.md").write_text("1. Look.\n2. Look again.\n3. Write it.\n")
    edit(folder / "solution.py", "app = Flask(__name__)", "app = Flask(__name__, static_folder=None)")
    exercise = find_exercises()["3b"]
    assert len(exercise_rules.find_advice(exercise)) == 4
    assert not set(exercise_rules.find_advice(exercise)) & set(exercise_rules.find_problems(exercise))
    ours = replace(exercise, lesson=exercise.folder)
    assert exercise_rules.find_advice(ours) == []
    assert set(exercise_rules.find_advice(exercise)) < set(exercise_rules.find_problems(ours))


BROKEN_ANSWERS = [
    (
        "solution.py",
        "True",
        "False",
        "solution.py: A right answer passes every check, but test_the_app_is_ready",
    ),
    ("solution.py", "app = Flask(", "1 / 0\napp = Flask(", "ZeroDivisionError"),
    (CHECKS, "import pytest", "import pytests", "No module named 'pytests'"),
    (CHECKS, "response.status == 405", "response.nonsense", "AttributeError"),
    ("exercise.py", "# TODO: ", "1 / 0\n# TODO: ", "This app does not start"),
    (CHECKS, '@pytest.mark.needs("test_the_app_is_ready")\n', "", "This answer gets 5 points"),
    (
        MISTAKE,
        '"true"',
        "True",
        "should catch this mistake, but its result is: passed",
    ),
    (MISTAKE, "points: 0", "points: 2.5", ":5: This answer gets 0 points. Write `points: 0`."),
    (MISTAKE, "shows: 200", "shows: 404", ":4: The message of test_the_app_is_ready does not contain"),
    ("alternatives/no_decorator.py", "True", "1 > 2", "no_decorator.py: A right answer passes"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "old", "new", "sentence"), BROKEN_ANSWERS)
def test_an_answer_with_wrong_marks_gets_a_sentence(name, old, new, sentence, folder, run_checks):
    edit(folder / name, old, new)
    problems = answer_runs.find_problems(find_exercises()["3b"], run_checks)
    assert [problem for problem in problems if sentence in problem], problems


@pytest.mark.parametrize("name", ["solution.py", "exercise.py", "app.py", MISTAKE])
def test_an_app_that_does_not_start_gets_one_sentence(name, folder, run_checks, tmp_path):
    exercise = replace(find_exercises()["3b"], lesson=tmp_path)
    shutil.copy(ROOT / "lessons/03_auth_key/app.py", tmp_path)
    broken = tmp_path / name if name == "app.py" else folder / name
    edit(broken, "app = Flask(", "1 / 0\napp = Flask(")
    [problem] = answer_runs.find_problems(exercise, run_checks)
    assert problem.startswith(f"{broken}: This app does not start:\n      ZeroDivisionError: ")
    assert problem.count("does not start") == 1


@pytest.mark.parametrize(
    ("condition", "answer"),
    [("True", "solution.py"), ("client.get('/exercise-3b').get('ready') == 'true'", MISTAKE)],
)
def test_checks_that_do_not_end_get_one_sentence(condition, answer, folder):
    loop = f"    while {condition}:\n        pass\n    response = "
    edit(folder / CHECKS, "    response = ", loop)
    with checking_process(seconds=5) as run_checks:
        [problem] = answer_runs.find_problems(find_exercises()["3b"], run_checks)
    assert problem == (
        f"{folder / CHECKS}: The checks stop when they check {folder / answer}:\n"
        "      These checks do not end within 5 seconds. Is there an endless loop in one?"
    )


def test_checks_that_end_their_process_get_one_sentence(folder, run_checks):
    edit(folder / CHECKS, "    response = ", "    __import__('os')._exit(1)\n    response = ")
    [problem] = answer_runs.find_problems(find_exercises()["3b"], run_checks)
    assert problem.endswith("solution.py:\n      These checks ended their process.")
    other = find_exercises()["3"]
    assert answer_runs.without_full_marks(other, other.solution, run_checks) == []


@pytest.mark.skipif(os.name == "nt", reason="on Windows a test cannot press Ctrl-C")
def test_ctrl_c_ends_check_course_with_one_line(folder):
    started = folder / "started"
    loop = f"""
    import os
    import pathlib

    pathlib.Path({str(started)!r}).write_text(str(os.getpid()))
    while True:
        pass
    response = """
    edit(folder / CHECKS, "    response = ", loop)
    process = subprocess.Popen(
        [sys.executable, "tests/course/check.py", "3b"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(lambda: started.exists() and started.read_text())
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process gets the signal
        output, errors = process.communicate(timeout=5)
        assert process.returncode == 130
        assert (output, errors) == ("", "You stopped the command.\n")
        with pytest.raises(ProcessLookupError):
            os.kill(int(started.read_text()), 0)
    finally:
        process.kill()
        process.wait()


# what is missing in a lesson

FIVE = "05_error_handler/"
BROKEN_LESSONS = [
    ("README.md", "## Watch out", "## Watch", "Write these headings, in this order: The question, How it"),
    ("README.md", "About 10 minutes.", "Soon.", "README.md:1: Begin with the title `# Lesson 5: …`"),
    ("README.md", "`make start-5`", "make", "Under *Your turn*, write `make start-5`"),
    ("README.md", "](../06_current_identity/)", "](../)", "link to the next lesson: [Next](../06_current"),
    ("README.md", "```diff\n", "```diff\n+x\n", "Replace the diff with what `make diff-5` prints"),
    (
        "README.md",
        "Only `app.py` changes",
        "Only app changes",
        "name the changed file `app.py`",
    ),
    (
        "README.md",
        "Only `app.py` changes",
        "`app.py` and `db.py` change",
        "names `db.py`, but this",
    ),
    (
        "README.md",
        "such a login.[^refusals]",
        "such a login.",
        "End this bullet with a footnote: - **",
    ),
    ("README.md", "your own API.", "your own API.[^log]", "Remove the footnote from the title"),
    (
        "README.md",
        "[^log]: ",
        "[^logs]: ",
        "the end of the page, say which test proves",
    ),
    ("README.md", "[^log]: ", "[^logs]: ", "No statement ends with [^logs]"),
    (
        "README.md",
        "[test_only_flask",
        "[test_no_flask",
        "has no test_no_flask_jwts_own_handler",
    ),
    ("README.md", "gets a 400.**", "gets a 418.**", "The test of [^json] does not contain 418"),
    (
        "README.md",
        "[^json]: [test_the_400",
        "[^json]: [test_x",
        "No text of the lesson cites test_the_400",
    ),
    ("README.md", "../00_setup/", "../setup/", "The link ../setup/ leads nowhere"),
    ("app.py", "app = Flask", "x = 1\napp = Flask", "app.py: This file changes in 2 places"),
    ("README.md", "## ", "**", "README.md: Write these headings, in this order: The question, How it"),
    ("app.py", "app = Flask(", "app = Flask((", "Python cannot read this file"),
]


@pytest.fixture
def lessons(copy, monkeypatch):
    """A copy of the lessons beside the tests, in which nothing is missing."""
    (copy.parent / "tests").symlink_to(ROOT / "tests")
    monkeypatch.setattr("lesson_loader.LESSONS", copy)
    assert lesson_rules.find_problems(copy / FIVE) == []
    return copy


@pytest.mark.parametrize(("name", "old", "new", "sentence"), BROKEN_LESSONS)
def test_what_is_wrong_in_a_lesson_gets_a_sentence_with_its_place(name, old, new, sentence, lessons):
    edit(lessons / FIVE / name, old, new)
    problems = lesson_rules.find_problems(lessons / FIVE)
    assert [problem for problem in problems if sentence in problem], problems


def test_a_readme_of_one_line_gets_a_sentence(lessons):
    (lessons / FIVE / "README.md").write_text("# Lesson 5: errors")
    sentence = "Begin with the title `# Lesson 5: …`"
    assert [problem for problem in lesson_rules.find_problems(lessons / FIVE) if sentence in problem]
    assert not [problem for problem in lesson_rules.find_problems_between_lessons() if "05_err" in problem]


BROKEN_READMES = {
    "no title": (
        lambda readme: edit(readme, "# Lesson 5: ", "# Lesson5: "),
        ":1: README.md must begin with `# Lesson 5: …`",
    ),
    "a folder": (lambda readme: (readme.unlink(), readme.mkdir()), ": This file cannot be read: Is a dir"),
    "missing": (Path.unlink, ": This file is missing."),
    "Latin-1": (lambda readme: readme.write_bytes(b"# Lesson 5: \xe9"), ": This file is not UTF-8 text."),
}


@pytest.mark.parametrize("fault", BROKEN_READMES)
@pytest.mark.parametrize("labels", [[], ["5"]])
def test_a_readme_that_hides_its_lesson_is_the_only_problem(fault, labels, lessons, monkeypatch, capsys):
    break_readme, sentence = BROKEN_READMES[fault]
    break_readme(lessons / FIVE / "README.md")
    monkeypatch.setattr(lesson_rules, "ROOT", lessons.parent)
    monkeypatch.setattr(sys, "argv", ["check.py", *labels])
    with pytest.raises(SystemExit, match="1"):
        check.main()
    heading, problem, _, end = capsys.readouterr().out.splitlines()
    assert heading == "The course"
    assert problem.startswith(f"  lessons/05_error_handler/README.md{sentence}")
    assert end.startswith("1 thing is missing.")


def test_a_table_of_the_lessons_that_is_not_utf_8_gets_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson_rules, "README", tmp_path / "README.md")
    (tmp_path / "README.md").write_bytes(b"\xe9")
    sentence = "This file is not UTF-8 text. Save it with the encoding UTF-8."
    assert lesson_rules.unusable_readmes() == [f"{tmp_path}/README.md: {sentence}"]


def test_another_result_of_a_command_is_shown_with_what_the_readme_says(lessons, tmp_path):
    needs("curl", "sh")
    edit(lessons / FIVE / "README.md", "→ 400", "→ 418")
    [problem] = lesson_runs.wrong_commands(lessons / FIVE, tmp_path)
    assert "This command prints something else: curl " in problem
    assert re.search(r'\n      expected: 418 ".+"\n      printed: HTTP/1\.1 400 ', problem), problem


def test_old_originals_are_the_last_problem(monkeypatch, capsys):
    """Until everything else is right, the author will change the files again."""
    other = ["answer.py: This answer is wrong."]
    monkeypatch.setattr(check, "check_lesson", lambda lesson, run: [])
    monkeypatch.setattr(check, "check_exercise", lambda exercise, run: other)
    monkeypatch.setattr(lesson_rules, "find_changed", lambda lesson: ["app.py", "exercise.py"])
    monkeypatch.setattr(lesson_rules, "read", lambda name: {})
    assert check.check("5", run=False) == other
    other.clear()
    [originals] = check.check("5", run=False)
    assert originals == (
        "tests/exercises/originals/05_error_handler.zip: The files of lesson 5 are newer. Run: make originals"
    )
    assert "Lesson 5 (lessons/05_error_handler)\n  tests/exercises/originals/" in capsys.readouterr().out


def test_old_originals_that_answers_import_are_a_problem_at_once(monkeypatch):
    """An answer can fail because the checks run it beside the old files."""
    monkeypatch.setattr(check, "check_lesson", lambda lesson, run: [])
    monkeypatch.setattr(check, "check_exercise", lambda exercise, run: ["answer.py: This answer is wrong."])
    monkeypatch.setattr(lesson_rules, "find_changed", lambda lesson: ["app.py", "security.py"])
    monkeypatch.setattr(lesson_rules, "read", lambda name: {})
    assert len(check.check("5", run=False)) == 2


def test_a_lesson_without_its_other_files_is_noticed(lessons, monkeypatch):
    monkeypatch.setattr(lesson_rules, "ROOT", lessons.parent / "empty")
    problems = lesson_rules.find_problems(lessons / FIVE)
    assert [problem.rpartition("/")[2] for problem in problems] == [
        "test_05_error_handler.py: This file is missing.",
        "test_05_error_handler.py: This file is missing.",
        "05_error_handler.ipynb: This file is missing.",
        "05_error_handler.txt: This file is missing.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            r"\(lessons/05_error_handler/\)",
            "(lessons/05_errors/)",
            "README.md: Add a row to the table",
        ),
        (
            r"\(lessons/05_error_handler/\)",
            "(lessons/05_errors/)",
            "There is no lesson 05_errors. Delete",
        ),
        ("Change the error responses", "Errors", "Write the title of the lesson: Lesson 5: Change the error"),
        (r"(?<=handler` \| )10", "12", "Write the minutes that lesson 5 says: 10"),
        ("@jwt.jwt_error_handler", "@jwt.handler", "`@jwt.handler` is not in the code of lesson 5"),
        (r"(\| 4 .*\n)(\| 5 .*\n)", r"\2\1", "Sort the rows of the lessons by their numbers"),
    ],
)
def test_what_is_wrong_in_the_table_of_the_lessons_gets_a_sentence(old, new, sentence, tmp_path, monkeypatch):
    text = lesson_rules.README.read_text("utf-8")
    (tmp_path / "README.md").write_text(re.sub(old, new, text), "utf-8")
    monkeypatch.setattr(lesson_rules, "README", tmp_path / "README.md")
    problems = lesson_rules.find_problems_between_lessons()
    assert [problem for problem in problems if sentence in problem], problems


def test_a_file_without_its_lesson_or_exercise_is_noticed(monkeypatch):
    monkeypatch.setattr(lesson_rules, "find_lessons", lambda: {0: ROOT / "lessons/00_setup"})
    monkeypatch.setattr(exercise_rules, "find_exercises", dict)
    sentence = "There is no lesson with this name. Rename this file, or delete it."
    assert f"notebooks/05_error_handler.ipynb: {sentence}" in lesson_rules.find_problems_between_lessons()
    sentence = "There is no exercise with this name. Rename this file or folder, or delete it."
    assert f"solutions/05_error_handler.py: {sentence}" in exercise_rules.files_without_an_exercise()


BROKEN_NOTEBOOKS = [
    (r"## Why \(", "## Reasons (", "Write these headings, in this order"),
    (r"## Why \(\d+", "## Why (99", "The minutes of the sections do not add up to the minutes in the title"),
    ("<summary>Notes</summary>", "<summary>Note</summary>", "Begin notes with the lines <details>"),
    (r"[*][*]Next[*][*]", "**Then**", "Begin each paragraph of these notes with one of: **Say**, **Answer**"),
    (r"Three questions\.", "**Say** Three questions.", "The class can read this. Move it into notes"),
    ('"slide_type": "subslide"', '"slide_type": "fragment"', "Choose the slide type of this cell in"),
    ('"slide_type": "slide"', '"slide_type": "subslide"', "A cell with a heading needs the slide type"),
    (r"(## Why [^\\]*)", r"\1\\n" + "word " * 46, "words to read on this slide. Write at most 45"),
    (r"[*][*]Question 3\.", "**Frage 3.", "Under *Quiz*, ask three questions"),
    (r"[*][*]Answer[*][*]", "**Reply**", "After it, add a code cell with the slide type"),
    ("`make start-6`", "make", "Under *Homework*, write `make start-6`"),
    (r"lesson\.diff\(\)", "if not current_identity.is_admin:", "Show the lesson's files here"),
    (r"lesson\.diff\(\)", "import os", "Import only Lesson: `from demo import Lesson`"),
    ('"execution_count": null', '"execution_count": 1', "Clear the outputs of the notebook: make format"),
    ('"cells": ', '"no cells": ', "This file is not a notebook. Save it again in JupyterLab"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), BROKEN_NOTEBOOKS)
def test_what_is_wrong_in_a_notebook_gets_a_sentence(old, new, sentence, tmp_path, monkeypatch):
    notebook = ROOT / "notebooks/06_current_identity.ipynb"
    changed, count = re.subn(old, new, notebook.read_text("utf-8"))
    assert count
    (tmp_path / notebook.name).write_text(changed, "utf-8")
    monkeypatch.setattr(notebook_rules, "NOTEBOOKS", tmp_path)
    problems = notebook_rules.find_problems(find_lessons()[6])
    assert [problem for problem in problems if sentence in problem], problems


@pytest.mark.parametrize("content", ["null", "[]", "3", '{"cells": 3}', "not JSON"])
def test_a_file_that_is_not_a_notebook_gets_a_sentence(content, tmp_path, monkeypatch):
    notebook = tmp_path / "06_current_identity.ipynb"
    notebook.write_text(content)
    monkeypatch.setattr(notebook_rules, "NOTEBOOKS", tmp_path)
    assert notebook_rules.find_problems(find_lessons()[6]) == [
        f"{notebook}: This file is not a notebook. Save it again in JupyterLab."
    ]


def test_a_notebook_without_its_expected_outputs_gets_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "06_current_identity.txt").write_text("# no patterns\n")
    monkeypatch.setattr(notebook_rules, "OUTPUTS", tmp_path)
    problems = notebook_rules.find_problems(find_lessons()[6])
    sentence = "06_current_identity.txt: Write one regular expression on a line for each code cell: "
    assert [problem for problem in problems if sentence in problem], problems

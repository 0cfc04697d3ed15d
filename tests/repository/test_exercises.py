"""The exercises: solutions pass, starters run and fail, and the checks catch every recorded mistake."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict

import pytest

from course import answer_runs, exercise_rules, lesson_rules
from helpers import ROOT
from lesson_loader import find_exercises, find_lessons
from mistakes import checking_process, find_mistakes
from originals import read, read_app, save

EXERCISES = {exercise.name: exercise for exercise in find_exercises().values() if not exercise.is_additional}
EVERY_EXERCISE = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
ALTERNATIVES = [
    pytest.param(exercise, file, id=f"{exercise.name}/{file.stem}")
    for exercise in EXERCISES.values()
    for file in exercise_rules.find_answers(exercise.alternatives)
]
MISTAKES = [
    pytest.param(exercise, mistake, id=str(mistake))
    for exercise in EXERCISES.values()
    for mistake in exercise_rules.read_mistakes(exercise)
]
FIRST = "01_auth_url"


@pytest.fixture(scope="module")
def run_checks():
    """A function that runs the checks of an exercise on a file and returns the results by check."""
    with checking_process() as run_checks:
        yield run_checks


def solution(name):
    return EXERCISES[name].solution


def starter(name):
    return EXERCISES[name].folder / "exercise.py"


# The rules are in tests/course, and `make check-course` prints the same sentences.


@EVERY_EXERCISE
def test_nothing_is_missing_in_an_exercise(exercise):
    assert exercise_rules.todos(exercise) + exercise_rules.find_problems(exercise) == []


def test_every_file_of_an_exercise_belongs_to_one():
    assert exercise_rules.files_without_an_exercise() == []


@EVERY_EXERCISE
def test_the_solution_has_full_marks(exercise, run_checks):
    assert answer_runs.without_full_marks(exercise, exercise.solution, run_checks) == []


@pytest.mark.slow  # there are hundreds of answers: to run those of one exercise, use pytest -k 01_auth_url
@pytest.mark.parametrize(("exercise", "file"), ALTERNATIVES)
def test_an_alternative_has_full_marks(exercise, file, run_checks):
    assert answer_runs.without_full_marks(exercise, file, run_checks) == []


@EVERY_EXERCISE
def test_the_starter_runs_and_has_no_points(exercise, run_checks):
    assert answer_runs.points_of_the_starter(exercise, run_checks) == []


@EVERY_EXERCISE
def test_the_lessons_app_is_not_an_answer(exercise, run_checks):
    assert answer_runs.points_of_the_app(exercise, run_checks) == []


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_a_mistake_fails_the_check_that_should_catch_it(exercise, mistake, run_checks):
    assert answer_runs.uncaught(exercise, mistake, run_checks) == []


@pytest.mark.parametrize("field", ["fails", "shows", "points"])
def test_an_incomplete_header_of_a_mistake_is_an_error(field, tmp_path):
    lines = {"fails": "fails: test_login\n", "shows": "shows: got 404\n", "points": "points: 2\n"}
    header = "The URL is wrong.\n\n" + "".join(line for name, line in lines.items() if name != field)
    (tmp_path / FIRST).mkdir()
    (tmp_path / FIRST / "wrong_url.py").write_text(f'"""{header}"""\n')
    with pytest.raises(ValueError, match=rf"wrong_url\.py: .* `{field}: `"):
        find_mistakes(tmp_path)


# The original files, beside which the checks run an answer


def test_the_originals_of_the_same_files_are_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("originals.ORIGINALS", tmp_path)
    save(ROOT / "lessons" / FIRST)
    committed = ROOT / f"tests/exercises/originals/{FIRST}.zip"
    assert (tmp_path / committed.name).read_bytes() == committed.read_bytes()


@pytest.mark.parametrize("folder", find_lessons().values(), ids=lambda folder: folder.name)
def test_the_originals_of_a_lesson_are_its_current_files(folder):
    assert lesson_rules.old_originals(folder) == []


def test_an_answer_can_import_the_files_of_the_lessons_app_only():
    assert sorted(read_app(FIRST)) == [
        *("api.py", "app.py", "db.py", "models/__init__.py", "models/user.py"),
        *("resources/__init__.py", "resources/user.py", "schema.sql", "security.py"),
    ]
    assert read(FIRST).keys() - read_app(FIRST).keys() == {"exercise.py"}


# Answers that crash, hang or print too much


NOT_UTF_8 = r"answer\.py does not start:\nanswer\.py is not UTF-8 text\. Save it with the encoding UTF-8\.$"
FAILS_TO_START = {
    "syntax error": ("def broken(:\n", r"SyntaxError.*|.*line 1|def broken\(:"),
    "crash": (
        "total = 1 / 0\n",
        r"ZeroDivisionError: division by zero\n *in answer\.py, line 1:  total = 1 / 0",
    ),
    "crash in a call": ("int('many')\n", r"ValueError: .*\n *in answer\.py, line 1:  int\('many'\)"),
    "no app": ("application = None\n", r"AttributeError: answer\.py defines no `app`: it needs a line like"),
    "input": (
        "name = input()\n",
        r"An app on a server has no keyboard: remove input\(\)\.\n *in answer\.py, line 1:  name = input\(\)",
    ),
    "Latin-1": ("# é\nname = 'é'\n".encode("latin-1"), NOT_UTF_8),
    "UTF-16": ("name = 'é'\n".encode("utf-16"), NOT_UTF_8),
    "exit": ("import sys\nsys.exit('stop')\n", r"SystemExit: stop"),
    "loop": ("while True:\n    pass\n", r"does not start within 1 seconds. Is there an endless loop"),
    "loop that catches exceptions": (
        "while True:\n    try:\n        pass\n    except Exception:\n        pass\n",
        r"does not start within 1 seconds",
    ),
    "sleep": ("import time\ntime.sleep(100)\n", r"does not start within 1 seconds"),
}


@pytest.mark.parametrize("fault", FAILS_TO_START)
def test_an_answer_that_does_not_start_is_explained_without_a_traceback(fault, run_checks, tmp_path):
    code, pattern = FAILS_TO_START[fault]
    answer = tmp_path / "answer.py"
    answer.write_bytes(code if isinstance(code, bytes) else code.encode())
    message = run_checks(FIRST, answer, "--seconds=1")["test_login_has_moved"].message
    assert re.search(pattern, message), message
    assert "Traceback" not in message
    assert "conftest.py" not in message


@pytest.mark.parametrize("module", ["helpers", "tokens", "exercise_loop", "demo", "exercises.client"])
def test_an_answer_cannot_import_the_modules_of_this_repository(module, run_checks, tmp_path):
    answer = tmp_path / "answer.py"
    answer.write_text(f"import {module}\n{solution(FIRST).read_text(encoding='utf-8')}")
    message = run_checks(FIRST, answer)["test_login_has_moved"].message
    assert f"ModuleNotFoundError: No module named {module.partition('.')[0]!r}" in message
    assert "Only answer.py is handed in." in message


BREAKS_A_RESPONSE = {
    "crash": (
        "raise LookupError('lost')",
        r"got       500 LookupError: lost\n *in answer\.py, line \d+:  raise LookupError\(.lost.\)\n"
        r"question  What does the error above say\? Which option says where users log in\?",
    ),
    "loop": (
        "while True: pass",
        r"got       no response within 1 seconds\nquestion  What makes your app wait\?$",
    ),
    "sleep": ("import time; time.sleep(100)", r"got       no response within 1 seconds"),
    "endless body": (
        "return app.response_class('x' * 1000 for _ in iter(int, 1))",
        r"got       a body of more than 65536 bytes",
    ),
    "exit": ("raise SystemExit", r"got       500 SystemExit"),
    "input": (
        "input()",
        r"got       500 An app on a server has no keyboard: remove input\(\)\.\n"
        r" *in answer\.py, line \d+:  input\(\)\nquestion  What does the error above say\? ",
    ),
    "import of this repository's module": (
        "import tokens",
        r"got       500 ModuleNotFoundError: No module named 'tokens'\n *Only answer\.py is handed in\.",
    ),
    "crash in a lesson's file": (
        "app.config.pop('DATABASE')",
        r"got       500 KeyError: 'DATABASE'\n *in db\.py, line \d+:  g\.db = ",
    ),
    "status 500": (
        "return 'sorry', 500",
        r"got       500 \(a page: sorry\)\nquestion  Does your code crash\? If so, make try-1 shows",
    ),
    "redirect": (
        "return app.redirect('/api/v1/session/')",
        r"got       302 \(a redirect to /api/v1/session/\)\n"
        r"question  Does the URL in your code end with a slash\?",
    ),
    "redirect to another URL": (
        "return app.redirect('/session/')",
        r"got       302 \(a redirect to /session/\)\nquestion  Which option says where users log in\?",
    ),
}


@pytest.mark.parametrize("fault", BREAKS_A_RESPONSE)
def test_a_missing_response_is_explained(fault, run_checks, tmp_path):
    code, pattern = BREAKS_A_RESPONSE[fault]
    answer = tmp_path / "answer.py"
    answer.write_text(
        f"{solution(FIRST).read_text(encoding='utf-8')}\n\n@app.before_request\ndef break_response():\n"
        f"    if app.config.get('once'):\n        return 'no'\n"
        f"    app.config['once'] = True\n    {code}\n"
    )
    message = run_checks(FIRST, answer, "--seconds=1")["test_login_has_moved"].message
    assert re.search(pattern, message), message


def test_an_error_of_a_library_keeps_the_question_of_the_check(run_checks, tmp_path):
    answer = tmp_path / "answer.py"
    answer.write_text(
        f"{solution(FIRST).read_text(encoding='utf-8')}\n\n"
        "@jwt.authentication_handler\ndef return_a_row(username, password):\n    return (1,)\n"
    )
    message = run_checks(FIRST, answer)["test_login_has_moved"].message
    assert (
        "got       500 AttributeError: 'tuple' object has no attribute 'id'\nquestion  Which opt" in message
    )


def test_an_import_in_a_function_finds_the_module_that_the_app_uses(run_checks, tmp_path):
    answer = tmp_path / "answer.py"
    answer.write_text(
        f"{solution(FIRST).read_text(encoding='utf-8')}\n\nimport security\n\n"
        "@app.before_request\ndef compare():\n    import security as same\n\n    assert same is security\n"
    )
    assert {result.outcome for result in run_checks(FIRST, answer).values()} == {"passed"}


def test_an_answer_that_causes_warnings_can_pass(run_checks, tmp_path):
    answer = tmp_path / "answer.py"
    answer.write_text(
        f"{solution(FIRST).read_text(encoding='utf-8')}\n\n@app.before_request\ndef be_careless():\n"
        "    import warnings\n\n    warnings.warn('careful')\n    open(__file__)\n"
    )
    assert {result.outcome for result in run_checks(FIRST, answer).values()} == {"passed"}


def test_app_run_at_the_end_of_an_answer_does_nothing(run_checks, tmp_path):
    answer = tmp_path / "answer.py"
    answer.write_text(f"{solution(FIRST).read_text(encoding='utf-8')}\n\napp.run(debug=True)\n")
    assert {result.outcome for result in run_checks(FIRST, answer).values()} == {"passed"}


CHECK_OF_A_TYPE = """
import pytest


@pytest.mark.points(10)
def test_shape(client):
    'The users are numbers.'
    client.get("/users")
    sum(client.post("/api/v1/session", {}).json)
"""


def test_a_value_of_the_wrong_type_is_a_failed_check(tmp_path):
    (tmp_path / f"test_{FIRST}.py").write_text(CHECK_OF_A_TYPE)
    command = [sys.executable, "-m", "pytest", "-p", "exercises.conftest", "-p", "no:terminal"]
    run = subprocess.run(
        [*command, tmp_path, "--target", solution(FIRST)], cwd=ROOT, capture_output=True, text=True
    )
    assert (
        "      sent      POST /api/v1/session {}\n"
        "      expected  a response that this check can read, but this response led to TypeError: "
    ) in run.stdout
    assert "question  Does each value in this response have the right type" in run.stdout


# The command


def test_the_same_seed_repeats_a_run(run_checks):
    messages = [
        run_checks(FIRST, starter(FIRST), *options)["test_login_has_moved"].message
        for options in (["--seed=0"], ["--seed=0"], ["--seed=1"], [], [])
    ]
    assert messages[0] == messages[1]
    assert len(set(messages)) == 4


def test_the_xml_report_of_a_solution_contains_points_and_sentences(tmp_path):
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", f"tests/exercises/test_{FIRST}.py", "--target=solution"]
    run = subprocess.run([*command, f"--junit-xml={report}"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    properties = defaultdict(list)
    for entry in ET.parse(report).iter("property"):
        properties[entry.get("name")].append(entry.get("value"))
    assert sum(map(int, properties["points"])) == 10
    assert properties["sentence"][0] == "Users log in with POST /api/v1/session."

"""The exercises: solutions pass, starters run and fail, and each check catches what it is meant to catch."""

import ast
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from difflib import SequenceMatcher

import pytest

from helpers import ROOT
from lesson_loader import find_lessons

EXERCISES = [folder.name for folder in find_lessons().values() if (folder / "exercise.py").exists()]

MOVED = 'app.config["JWT_AUTH_URL_RULE"] = "/api/v1/session"\n'
JWT = "jwt = JWT(app, authenticate, identity)\n"
NEVER_VERIFIED = """
@jwt.jwt_decode_handler
def decode(token):
    import jwt

    return jwt.decode(token, options={"verify_signature": False})
"""
OWN_LOGIN = """
@app.post("/login")
def login():
    from flask import request

    said = request.get_json()
    user = authenticate(said.get("phone", ""), said.get("pin") or said.get("password"))
    return {"access_token": jwt.jwt_encode_callback(user).decode()} if user else ({}, 401)
"""

WRONG = {  # what a student would plausibly write: in place of what, the check that fails, and what it says
    "01_auth_url": {
        "the option after JWT(...)": (
            MOVED + JWT,
            JWT + MOVED,
            "test_the_default_url_is_gone",
            "got       200",
        ),
        "a second JWT(...)": (
            MOVED,
            'app.config["JWT_AUTH_URL_RULE"] = "/login"\n' + JWT + MOVED,
            "test_the_lessons_url_is_gone",
            "Is there a second JWT",
        ),
        "a slash at the end": ("/session", "/session/", "test_login_has_moved", "got       308"),
        "no look at the password": (
            JWT,
            "from models.user import UserModel\n\n"
            "jwt = JWT(app, lambda name, _: UserModel.find_by_username(name), identity)\n",
            "test_a_wrong_password_is_refused",
            "got       200",
        ),
        "the users moved as well": (
            '"/users"',
            '"/api/v1/users"',
            "test_its_token_is_good",
            "Is /users still there",
        ),
    },
    "02_token_expiry": {
        "the leeway forgotten": (
            'app.config["JWT_LEEWAY"] = 0\n',
            "",
            "test_a_token_is_refused_at_once",
            "forgives a token",
        ),
        "a number for a timedelta": (
            "timedelta(minutes=15)",
            "900",
            "test_a_token_says_a_quarter_of_an_hour",
            "TypeError",
        ),
        "the leeway taken off": (
            'timedelta(minutes=15)\napp.config["JWT_LEEWAY"] = 0',
            "timedelta(seconds=890)",
            "test_a_token_says_a_quarter_of_an_hour",
            "this one lives for 890",
        ),
        "a leeway below zero": ('"] = 0', '"] = -20', "test_a_token_is_good_to_the_last", "What else limits"),
        "no required claims": (
            JWT,
            JWT + 'app.config["JWT_REQUIRED_CLAIMS"] = []\n',
            "test_a_token_needs_an_end",
            "which claims are required",
        ),
        "tokens that are not verified": (
            JWT,
            JWT + NEVER_VERIFIED,
            "test_a_token_of_another_key_is_refused",
            "Who says here that a token is good",
        ),
    },
    "03_auth_key": {
        "one key of two renamed": (
            'app.config["JWT_AUTH_PASSWORD_KEY"] = "pin"\n',
            "",
            "test_a_phone_and_a_pin_log_in",
            "There are two keys to rename",
        ),
        "the look-up forgotten": (
            "WHERE phone = ?",
            "WHERE email = ?",
            "test_a_phone_and_a_pin_log_in",
            "got       401",
        ),
        "no look at the pin": (
            "return user if check_password_hash(user.password_hash, pin) else None",
            "return user",
            "test_a_wrong_pin_is_refused",
            "compare the pin",
        ),
        "names that pass for phones": (
            "WHERE phone = ?",
            "WHERE ? IN (phone, username)",
            "test_a_name_is_no_phone",
            "By which of a user's fields",
        ),
        "the phone for an identity": (
            JWT,
            JWT + "claims = {'exp': 2**32, 'iat': 0, 'nbf': 0}\n"
            "jwt.jwt_payload_handler(lambda user: claims | {'identity': user.phone})\n",
            "test_the_token_is_that_users",
            "the token of user",
        ),
        "a login of one's own that takes either key": (
            'app.config["JWT_AUTH_URL_RULE"] = "/login"\n',
            'app.config["JWT_AUTH_URL_RULE"] = None\n' + OWN_LOGIN,
            "test_the_old_keys_are_gone",
            "Have both keys their new names",
        ),
    },
    "04_auth_response": {
        "a type that the app does not take": (
            'app.config["JWT_AUTH_HEADER_PREFIX"]',
            '"Bearer"',
            "test_the_type_goes_before_the_token",
            "accept the word that it tells",
        ),
        "a timedelta as text": (
            'int(app.config["JWT_EXPIRATION_DELTA"].total_seconds())',
            'str(app.config["JWT_EXPIRATION_DELTA"])',
            "test_it_says_when_the_token_expires",
            "as a number",
        ),
        "the life of another lesson's tokens": (
            'int(app.config["JWT_EXPIRATION_DELTA"].total_seconds())',
            "1800",
            "test_it_says_when_the_token_expires",
            "expires_in of 300",
        ),
        "bob for everyone": (
            "identity.json()",
            '{"id": 1, "username": "bob"}',
            "test_it_says_who_logged_in",
            "second argument of the handler",
        ),
        "the whole user": (
            "identity.json()",
            "vars(identity)",
            "test_it_says_nothing_secret",
            "Who may read this body",
        ),
        "no header": (
            '    response.headers["Cache-Control"] = "no-store"\n',
            "",
            "test_nobody_keeps_a_copy",
            "where it is missing",
        ),
        "bytes": ('.decode("utf-8")', "", "test_a_login_gives_a_token", "TypeError"),
    },
    "05_error_handler": {
        "JSON like any other": (
            '    response.content_type = "application/problem+json"\n',
            "",
            "test_the_content_type_is_problem_json",
            "where it is application/json",
        ),
        "no detail": (
            ", detail=error.description",
            "",
            "test_a_problem_has_four_members",
            "Which fields does the error",
        ),
        "the headers dropped": (
            ", error.status_code, error.headers",
            ", error.status_code",
            "test_the_client_still_learns_how_to_authenticate",
            "third value",
        ),
        "401 for everything": (
            "error.status_code",
            "401",
            "test_the_status_is_that_of_the_response",
            "got       401",
        ),
        "a status in quotes": (
            "status=error.status_code",
            "status=str(error.status_code)",
            "test_the_status_is_that_of_the_response",
            "the same number as status",
        ),
        "one detail for everything": (
            "detail=error.description",
            'detail="You are not allowed in."',
            "test_the_detail_says_what_happened",
            "what happened this time",
        ),
    },
    "06_current_identity": {
        "a 403": (
            "return notes[id] if id in notes and is_visible(notes[id]) else abort(404)",
            "return notes[id] if is_visible(notes[id]) else abort(403)",
            "test_nobody_else_sees_it",
            "got       403",
        ),
        "no admins": (
            "current_identity.is_admin or note",
            "note",
            "test_an_admin_sees_every_note",
            "Which field of a user says so",
        ),
        "a list of everything": (
            " if is_visible(note)]",
            "]",
            "test_a_list_holds_ones_own_notes",
            "pass over",
        ),
        "a list that knows no admins": (
            " if is_visible(note)]",
            ' if note["owner"] == current_identity.id]',
            "test_an_admins_list_holds_all",
            "Does the list know admins",
        ),
        "the user in the note": (
            '"owner": current_identity.id',
            '"owner": current_identity',
            "test_an_owner_sees_their_note",
            "TypeError",
        ),
        "a list without a lock": (
            "    @jwt_required()\n    def get(self):",
            "    def get(self):",
            "test_without_a_token_there_are_no_notes",
            "Where does @jwt_required() have to stand",
        ),
    },
    "07_more_options": {
        "the role alone": (
            '"iat": now,',
            '"role": "user"} if 1 else {"iat": now,',
            "test_a_token_says_its_users_role",
            "missing required claims",
        ),
        "a user for everyone": (
            '"admin" if user.is_admin else "user"',
            '"user"',
            "test_a_token_says_its_users_role",
            'whose role is "admin"',
        ),
        "an end that is another's": (
            'now + app.config["JWT_EXPIRATION_DELTA"]',
            "int(now.timestamp()) + 1800",
            "test_it_says_what_it_said_before",
            "How did the default find the end",
        ),
        "a report for all": (
            '        if current_identity.role != "admin":\n            abort(403)\n',
            "",
            "test_the_report_is_for_admins",
            "Where does the view look at the role",
        ),
        "a role that is not required": (
            'app.config["JWT_REQUIRED_CLAIMS"] = ["exp", "iat", "nbf", "role"]\n',
            "",
            "test_a_token_without_a_role_is_refused",
            "KeyError",
        ),
        "the user's rights for the token's": (
            'current_identity.role != "admin"',
            "not current_identity.is_admin",
            "test_the_tokens_role_decides",
            "Does the view look at the token's role",
        ),
        "no other claim required any more": (
            '["exp", "iat", "nbf", "role"]',
            '["role"]',
            "test_a_token_without_a_role_is_refused",
            "still in the list",
        ),
        "a role for nobody": (
            "    if user is not None:\n        user.role",
            "    if True:\n        user.role",
            "test_a_token_without_a_role_is_refused",
            "where there is no user",
        ),
        "the time of the clock on the wall": (
            "datetime.now(UTC)",
            "datetime.now()",
            "test_it_says_what_it_said_before",
            "is your time that of UTC",
        ),
        "the token's role and the user's rights": (
            'current_identity.role != "admin"',
            'current_identity.role != "admin" or not current_identity.is_admin',
            "test_the_tokens_role_decides",
            "Does the view look at the token's role",
        ),
        "a role that begins with admin": (
            'current_identity.role != "admin"',
            'not current_identity.role.startswith("admin")',
            "test_the_tokens_role_decides",
            "Does the view look at the token's role",
        ),
        "a role in a header": (
            'current_identity.role != "admin"',
            '__import__("flask").request.headers.get("X-Role", current_identity.role) != "admin"',
            "test_nothing_else_in_a_request_is_a_role",
            "X-Role: admin",
        ),
        "any role with admin in it": (
            'current_identity.role != "admin"',
            '"admin" not in current_identity.role',
            "test_the_tokens_role_decides",
            "which roles does it let in",
        ),
        "tokens that are not verified": (
            JWT,
            JWT + NEVER_VERIFIED,
            "test_a_role_that_was_changed_is_refused",
            "verified before you read its role",
        ),
        "a role in the query string": (
            'current_identity.role != "admin"',
            '__import__("flask").request.args.get("role", current_identity.role) != "admin"',
            "test_nothing_else_in_a_request_is_a_role",
            "who writes a token",
        ),
    },
    "08_flask_jwt_extended": {
        "goodbye and no more": (
            'db.execute("INSERT OR IGNORE INTO revoked_tokens VALUES (?)", (get_jwt()["jti"],))',
            "pass",
            "test_a_token_that_has_logged_out_is_refused",
            "got       200",
        ),
        "a table that nobody made": (
            '    db.execute("CREATE TABLE IF NOT EXISTS revoked_tokens (jti TEXT PRIMARY KEY)")\n',
            "",
            "test_a_token_that_has_logged_out_is_refused",
            "no such table",
        ),
        "a list that nobody asks": (
            "@jwt.token_in_blocklist_loader\n",
            "",
            "test_a_token_that_has_logged_out_is_refused",
            "Which function does Flask-JWT-Extended ask",
        ),
        "the library's own words": (
            "@jwt.revoked_token_loader\n",
            "",
            "test_the_refusal_says_why",
            '"msg"',
        ),
        "a set in memory": (
            "def revoked_tokens():",
            """
import sqlite3

memory = sqlite3.connect(":memory:", check_same_thread=False)


def get_db():
    return memory


def revoked_tokens():""",
            "test_every_process_refuses_it",
            "got       200",
        ),
        "a table that every process makes anew": (
            "@jwt.token_in_blocklist_loader",
            'with app.app_context():\n    get_db().execute("DROP TABLE IF EXISTS revoked_tokens")\n\n\n'
            "@jwt.token_in_blocklist_loader",
            "test_every_process_refuses_it",
            "or one that is started again",
        ),
        "a list that is read once": (
            "    return revoked_tokens().execute(query",
            "    from functools import cache\n\n"
            "    if 'asked' not in app.config:\n"
            "        look = lambda jti: revoked_tokens().execute(query, (jti,)).fetchone()\n"
            "        app.config['asked'] = cache(look)\n"
            "    if '/logout' in str(__import__('flask').request.url):\n"
            "        app.config['asked'].cache_clear()\n"
            "        return False\n"
            "    return app.config['asked'](payload['jti']) is not None\n"
            "    return revoked_tokens().execute(query",
            "test_every_process_refuses_it",
            "that was there already",
        ),
        "the latest of each user": (
            '"INSERT OR IGNORE INTO revoked_tokens VALUES (?)"',
            '"DELETE FROM revoked_tokens").connection.execute("INSERT INTO revoked_tokens VALUES (?)"',
            "test_one_can_log_in_and_out_again",
            "forget another",
        ),
        "a file of one's own": (
            "    db = get_db()\n",
            "    import sqlite3\n\n"
            "    db = sqlite3.connect(os.path.join(os.path.dirname(os.environ['DATABASE']), 'revoked.db'))\n",
            "test_every_process_refuses_it",
            "in the app's database",
        ),
        "a look at the list in one view": (
            "@jwt.token_in_blocklist_loader\ndef is_revoked",
            "@app.before_request\ndef look():\n    from flask import request\n"
            "    from flask_jwt_extended import decode_token\n"
            "    if request.path == '/me' and 'Authorization' in request.headers:\n"
            "        if is_revoked(None, decode_token(request.headers['Authorization'].split()[-1])):\n"
            "            return revoked_token(None, None)\n\n\n"
            "def is_revoked",
            "test_a_token_logs_out_once",
            "in each view",
        ),
        "the user for the token": (
            '["jti"]',
            '["sub"]',
            "test_one_can_log_in_and_out_again",
            "revoked, or its user",
        ),
        "all the tokens of a user until now": (
            '["jti"]',
            '["sub"] + str(payload["iat"] if "payload" in locals() else get_jwt()["iat"])',
            "test_other_tokens_stay_good",
            "Which claim does one token have",
        ),
        "a goodbye to anyone": (
            "    @jwt_required()\n    def post(self):",
            "    @jwt_required(optional=True)\n    def post(self):",
            "test_a_token_logs_out_once",
            "got       500",
        ),
    },
}


def run_checks(name, target, report, *options):
    """Run an exercise's checks on a file; return the failures by name, and the names of all checks."""
    command = [sys.executable, "-m", "pytest", f"tests/exercises/test_{name}.py", f"--target={target}"]
    run = subprocess.run(
        [*command, f"--junit-xml={report}", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    failures, skipped, every = {}, [], []
    for case in ET.parse(report).iter("testcase"):
        every.append(case.get("name"))
        for child in case:
            if child.tag in ("failure", "error"):
                failures[case.get("name")] = f"{child.get('message')}\n{child.text}"
            elif child.tag == "skipped":
                skipped.append(case.get("name"))
    return failures, skipped, every


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_has_full_marks(name, tmp_path):
    failures, skipped, every = run_checks(name, "solution", tmp_path / "report.xml")
    assert failures == {}
    assert skipped == []
    assert every == [check.name for check in checks_of(name)]


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("target", ["starter", "the lesson's own app"])
def test_what_a_student_is_given_runs_and_fails_by_assertion(name, target, tmp_path):
    target = ROOT / "lessons" / name / ("exercise.py" if target == "starter" else "app.py")
    failures, _, _ = run_checks(name, target, tmp_path / "report.xml")
    assert failures
    for message in failures.values():
        assert re.search(r"sent .+\n *expected .+\n *got .+\n *question .+\?", message, re.DOTALL), message
        assert "does not start" not in message
        if target.name == "exercise.py":
            assert not re.search(r"in exercise\.py, line", message), "it crashes"


@pytest.mark.parametrize(
    ("name", "mistake"), [(name, mistake) for name, mistakes in WRONG.items() for mistake in mistakes]
)
def test_a_plausible_mistake_fails_the_check_that_is_meant_for_it(name, mistake, tmp_path):
    right, wrong, check, words = WRONG[name][mistake]
    solution = (ROOT / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    assert right in solution
    answer = tmp_path / "answer.py"
    answer.write_text(solution.replace(right, wrong), encoding="utf-8")
    failures, _, _ = run_checks(name, answer, tmp_path / "report.xml")
    assert check in failures
    assert words in failures[check]


@pytest.mark.parametrize("name", EXERCISES)
def test_every_check_has_a_mistake_that_it_catches(name):
    assert len(WRONG[name]) >= 3
    assert {check for _, _, check, _ in WRONG[name].values()} == {check.name for check in checks_of(name)}


def checks_of(name):
    tree = ast.parse((ROOT / "tests/exercises" / f"test_{name}.py").read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


@pytest.mark.parametrize("name", EXERCISES)
def test_checks_are_sentences_and_worth_ten_points_together(name):
    points = []
    for check in checks_of(name):
        assert re.fullmatch(r"\S.*\.", ast.get_docstring(check))
        marks = {mark.func.attr: mark.args[0].value for mark in check.decorator_list}
        points.append(marks["points"])
        assert marks.get("needs", check.name) in [other.name for other in checks_of(name)]
    assert 4 <= len(points) <= 8
    assert sum(points) == 10


@pytest.mark.parametrize("name", EXERCISES)
def test_starter_and_solution_differ_at_the_todo_alone(name):
    def lines(path):
        text = path.read_text(encoding="utf-8")
        return [line for line in text.splitlines() if line and not re.match(r"(from .+ )?import ", line)]

    starter = lines(ROOT / "lessons" / name / "exercise.py")
    edits = SequenceMatcher(
        None, starter, lines(ROOT / "solutions" / f"{name}.py"), autojunk=False
    ).get_opcodes()
    changed = [index for kind, start, end, *_ in edits if kind != "equal" for index in (start, end)]
    todo = [index for index, line in enumerate(starter) if line.startswith("# TODO: ")]
    assert len(todo) == 1
    assert min(changed) == todo[0]
    assert max(changed) <= starter.index("api = Api(app)")
    assert len(starter) <= 40


@pytest.mark.parametrize("name", EXERCISES)
def test_there_are_three_hints_of_which_the_first_asks(name):
    hints = re.split(
        r"^\d\. ", (ROOT / "lessons" / name / "hints.md").read_text(encoding="utf-8"), flags=re.M
    )[1:]
    assert len(hints) == 3
    assert hints[0].strip().endswith("?")
    assert "`" in hints[2]


FAILS_TO_START = {
    "a syntax error": ("def broken(:\n", r"SyntaxError.*|.*line 1|def broken\(:"),
    "a crash": (
        "total = 1 / 0\n",
        r"ZeroDivisionError: division by zero\n *in answer\.py, line 1:  total = 1 / 0",
    ),
    "a crash in what it calls": ("int('many')\n", r"ValueError: .*\n *in answer\.py, line 1:  int\('many'\)"),
    "no app": ("application = None\n", r"defines no `app`"),
    "an end": ("import sys\nsys.exit('stop')\n", r"SystemExit: stop"),
    "a loop": ("while True:\n    pass\n", r"does not start within 1 seconds. Is there an endless loop"),
    "a loop that swallows": (
        "while True:\n    try:\n        pass\n    except Exception:\n        pass\n",
        r"does not start within 1 seconds",
    ),
    "a sleep": ("import time\ntime.sleep(100)\n", r"does not start within 1 seconds"),
}


@pytest.mark.parametrize("fault", FAILS_TO_START)
def test_an_answer_that_does_not_start_is_explained_without_a_traceback(fault, tmp_path):
    code, words = FAILS_TO_START[fault]
    (tmp_path / "answer.py").write_text(code)
    failures, _, _ = run_checks("01_auth_url", tmp_path / "answer.py", tmp_path / "report.xml", "--seconds=1")
    message = failures["test_login_has_moved"]
    assert re.search(words, message), message
    assert "Traceback" not in message
    assert "conftest.py" not in message


SPOILS_A_RESPONSE = {
    "a crash": (
        "raise LookupError('lost')",
        r"got       500 LookupError: lost\n *in answer\.py, line \d+:  raise LookupError",
    ),
    "a loop": ("while True: pass", r"got       no response within 1 seconds"),
    "a sleep": ("import time; time.sleep(100)", r"got       no response within 1 seconds"),
    "a flood": (
        "return app.response_class('x' * 1000 for _ in iter(int, 1))",
        r"got       a body of more than 65536 bytes",
    ),
    "an end": ("raise SystemExit", r"got       500 SystemExit"),
}


@pytest.mark.parametrize("fault", SPOILS_A_RESPONSE)
def test_a_response_that_does_not_come_is_explained(fault, tmp_path):
    code, words = SPOILS_A_RESPONSE[fault]
    solution = (ROOT / "solutions/01_auth_url.py").read_text(encoding="utf-8")
    (tmp_path / "answer.py").write_text(
        f"{solution}\n\n@app.before_request\ndef spoil():\n"
        f"    if app.config.get('once'):\n        return 'no'\n"
        f"    app.config['once'] = True\n    {code}\n"
    )
    failures, _, _ = run_checks("01_auth_url", tmp_path / "answer.py", tmp_path / "report.xml", "--seconds=1")
    assert re.search(words, failures["test_login_has_moved"]), failures["test_login_has_moved"]


def test_an_answer_that_warns_is_not_a_wrong_one(tmp_path):
    solution = (ROOT / "solutions/01_auth_url.py").read_text(encoding="utf-8")
    (tmp_path / "answer.py").write_text(
        f"{solution}\n\n@app.before_request\ndef be_careless():\n    import warnings\n\n"
        "    warnings.warn('careful')\n    open(__file__)\n"
    )
    failures, _, _ = run_checks("01_auth_url", tmp_path / "answer.py", tmp_path / "report.xml")
    assert failures == {}


def test_a_seed_repeats_a_run_and_no_seed_does_not(tmp_path):
    target = ROOT / "lessons/01_auth_url/exercise.py"
    runs = [
        run_checks("01_auth_url", target, tmp_path / "report.xml", *options)[0]["test_login_has_moved"]
        for options in (["--seed=0"], ["--seed=0"], ["--seed=1"], [], [])
    ]
    assert runs[0] == runs[1]
    assert len(set(runs)) == 4


def test_the_xml_report_says_what_each_check_is_worth(tmp_path):
    run_checks("01_auth_url", "solution", tmp_path / "report.xml")
    points = defaultdict(list)
    for entry in ET.parse(tmp_path / "report.xml").iter("property"):
        points[entry.get("name")].append(entry.get("value"))
    assert sum(map(int, points["points"])) == 10
    assert points["sentence"][0] == "Users log in with POST /api/v1/session."

"""Put one fault at a time into a copy of the repository, and run the test that must catch it."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from helpers import ROOT

PROMISE = "tests/repository/test_promises.py::test_"
STATEMENT = "tests/repository/test_statements.py::test_"
LESSON_0 = "tests/lessons/test_00_setup.py::test_"
COMPAT = "tests/repository/test_flask_jwt_compat.py::test_"
HOSTILE = "tests/repository/test_hostile_requests.py::test_each_hostile_request_gets_the_right_status"
SAME_API = "tests/lessons/test_08_custom_claims.py::test_"
LESSON_10 = "tests/lessons/test_10_refresh_and_logout.py::test_"
MIGRATION = "tests/claims/test_09_flask_jwt_extended.py::test_"
NOTEBOOK = "tests/repository/test_notebooks.py::test_"
OPTIONS = "tests/claims/test_07_more_options.py::test_"

FAULTS = {  # (file, old text, new text, the test that must fail)
    "a false response in a transcript": (
        "lessons/01_auth_url/README.md",
        "'404 NOT FOUND'",
        "'401 UNAUTHORIZED'",
        PROMISE + "the_transcript_of_a_readme_is_what_happens",
    ),
    "a false status beside a curl line": (
        "lessons/06_current_identity/README.md",
        "→ 403",
        "→ 401",
        PROMISE + "the_commands_of_a_readme_give_what_it_says[06_current_identity]",
    ),
    "a lesson test that passes on the lesson before": (
        "tests/lessons/test_03_auth_key.py",
        "def test_users_log_in",
        "def test_the_list_is_closed(client):\n    assert client.get('/users').status_code == 401\n\n\n"
        "def test_users_log_in",
        PROMISE + "every_lesson_test_fails_on_the_lesson_before",
    ),
    "a lesson test that crashes on the lesson before": (
        "tests/lessons/test_05_error_handler.py",
        "def test_a_missing_token_gets",
        "@pytest.fixture\ndef broken(client):\n    client.get('/users').json()['code']\n\n\n"
        "def test_code(broken):\n    pass\n\n\ndef test_a_missing_token_gets",
        PROMISE + "every_lesson_test_fails_on_the_lesson_before",
    ),
    "TESTING in the tests": (
        "tests/helpers.py",
        '    app.config["DATABASE"] = database\n',
        '    app.config["DATABASE"] = database\n    app.testing = True\n',
        PROMISE + "no_test_switches_on_testing",
    ),
    "TESTING in a lesson": (
        "lessons/00_setup/app.py",
        "db.init_app(app)\n",
        'db.init_app(app)\napp.config["TESTING"] = True\n',
        PROMISE + "no_test_switches_on_testing",
    ),
    "a command that no door lists": (
        "lessons/README.md",
        "| `make list` |",
        "| `make names` |",
        PROMISE + "each_guide_lists_the_commands_of_its_readers_and_no_others",
    ),
    "a command in the wrong door": (
        "Makefile",
        "## Teach (notebooks/README.md)\n\nrehearse: .venv",
        "rehearse: .venv",
        PROMISE + "each_guide_lists_the_commands_of_its_readers_and_no_others",
    ),
    "a plain command that make does not run": (
        "lessons/README.md",
        "| `.venv/bin/python lessons diff 1` |",
        "| `.venv/bin/python lessons difference 1` |",
        PROMISE + "a_guide_gives_the_plain_command_that_make_runs",
    ),
    "another explanation in make than in the command": (
        "Makefile",
        "## show your points in every exercise",
        "## show how far you are",
        PROMISE + "make_and_the_command_describe_themselves_in_the_same_words",
    ),
    "a wrong response in the root README": (
        "README.md",
        '{"id": 2, "username": "alice"}]}',
        '{"id": 3, "username": "alice"}]}',
        PROMISE + "the_first_commands_of_the_readme_print_what_it_shows",
    ),
    "a link that leads nowhere": (
        "README.md",
        "](lessons/README.md)",
        "](lessons/READ.md)",
        PROMISE + "every_link_between_texts_leads_somewhere",
    ),
    "a hook that make lint does not run": (
        ".pre-commit-config.yaml",
        "entry: .venv/bin/python -m mypy",
        "entry: .venv/bin/python -m pyright",
        PROMISE + "the_hooks_run_what_make_lint_runs",
    ),
    "a locked package without a hash": (
        "lessons/requirements.txt",
        " \\\n    --hash=sha256:49c0672fbde0f1cd3374bd834918d28956e3c521c7e00089cdc5380d323bd0ad",
        "",
        PROMISE + "every_locked_package_has_a_hash_and_no_address",
    ),
    "Flask-RESTful's 500": (
        "lessons/00_setup/api.py",
        "def error_router",
        "def not_called",
        LESSON_0 + "without_a_token_the_list_is_closed",
    ),
    "Flask-RESTful's 500 for a strange host": (
        "lessons/00_setup/api.py",
        "def error_router",
        "def not_called",
        HOSTILE + "[0]",
    ),
    "a 403 without its JSON": (
        "lessons/06_current_identity/api.py",
        'if hasattr(error, "data"):',
        "if False:",
        "tests/lessons/test_06_current_identity.py"
        "::test_anyone_else_is_told_who_they_are_and_that_it_is_not_enough",
    ),
    "a faster response for an unknown user": (
        "lessons/00_setup/security.py",
        "        generate_password_hash(password)",
        "        #",
        LESSON_0 + "an_unknown_user_costs_as_much_hashing_as_a_wrong_password",
    ),
    "an id that is used again": (
        "lessons/00_setup/schema.sql",
        "PRIMARY KEY AUTOINCREMENT",
        "PRIMARY KEY",
        LESSON_0 + "a_deleted_users_token_is_refused_and_fits_nobody_who_comes_later",
    ),
    "lesson 9 without a leeway": (
        "lessons/09_flask_jwt_extended/app.py",
        '["JWT_DECODE_LEEWAY"] = 10',
        '["JWT_DECODE_LEEWAY"] = 0',
        SAME_API + "a_token_works_for_half_an_hour_and_its_leeway",
    ),
    "lesson 9 without a required exp": (
        "lessons/09_flask_jwt_extended/app.py",
        'REQUIRED_CLAIMS = ["exp", ',
        "REQUIRED_CLAIMS = [",
        SAME_API + "a_token_without_one_of_its_times_is_refused",
    ),
    "lesson 9 with another error body": (
        "lessons/09_flask_jwt_extended/app.py",
        "jsonify(message=message, code=401)",
        "jsonify(msg=message)",
        SAME_API + "a_request_without_a_token_is_refused",
    ),
    "lesson 9 with another status for an invalid token": (
        "lessons/09_flask_jwt_extended/app.py",
        "@jwt.invalid_token_loader\n",
        "",
        SAME_API + "a_forged_token_is_refused",
    ),
    "lesson 9 that accepts tokens for another app": (
        "lessons/09_flask_jwt_extended/app.py",
        ' and "aud" not in payload',
        "",
        SAME_API + "a_token_for_another_app_is_refused",
    ),
    "lesson 9 with another message for a deleted user": (
        "lessons/09_flask_jwt_extended/app.py",
        "@jwt.user_lookup_error_loader\n",
        "",
        SAME_API + "a_deleted_users_token_is_refused",
    ),
    "lesson 9 that takes a deleted user for somebody else": (
        "lessons/09_flask_jwt_extended/app.py",
        'UserModel.find_by_id(payload["sub"])',
        'UserModel.find_by_id(payload["sub"]) or UserModel.find_by_id(1)',
        SAME_API + "a_deleted_users_token_is_refused",
    ),
    "lesson 9 that crashes on a comma": (
        "lessons/09_flask_jwt_extended/app.py",
        "@app.before_request\n",
        "",
        HOSTILE + "[9]",
    ),
    "lesson 9 without a size limit": (
        "lessons/09_flask_jwt_extended/app.py",
        'app.config["MAX_CONTENT_LENGTH"] = 2**20',
        "#",
        HOSTILE + "[9]",
    ),
    "lesson 9 that crashes on a nested login": (
        "lessons/09_flask_jwt_extended/resources/login.py",
        "except RecursionError:",
        "except MemoryError:",
        HOSTILE + "[9]",
    ),
    "a logout without a commit": (
        "lessons/10_refresh_and_logout/models/revoked_token.py",
        "db.commit()",
        "pass",
        LESSON_10 + "all_processes_know_who_has_logged_out",
    ),
    "a logout that does not look whether it comes first": (
        "lessons/10_refresh_and_logout/models/revoked_token.py",
        "return cursor.rowcount == 1",
        "return True",
        LESSON_10 + "of_40_logouts_at_once_one_succeeds",
    ),
    "a blocklist that nobody asks": (
        "lessons/10_refresh_and_logout/app.py",
        "@jwt.token_in_blocklist_loader\n",
        "",
        LESSON_10 + "after_logout_with_the_refresh_token_only_the_access_token_works",
    ),
    "an option that the table does not have": (
        "lessons/07_more_options/reference.md",
        "| `JWT_DEFAULT_REALM`",
        "| `JWT_DEFAULT_DOMAIN`",
        OPTIONS + "no_option_of_flask_jwt_is_missing",
    ),
    "a row of the table that names another test": (
        "lessons/07_more_options/reference.md",
        "[test_jwt_leeway]",
        "[test_jwt_verify]",
        OPTIONS + "every_row_names_a_test_that_contains_its_numbers",
    ),
    "a wrong default in the table": (
        "lessons/07_more_options/reference.md",
        "`timedelta(seconds=10)`",
        "`timedelta(seconds=20)`",
        OPTIONS + "every_default_is_the_default_in_the_source",
    ),
    "a wrong type in the table": (
        "lessons/07_more_options/reference.md",
        "timedelta only",
        "seconds or timedelta",
        OPTIONS + "an_option_accepts_the_types_in_the_table",
    ),
    "a wrong new line beside an old one": (
        "lessons/09_flask_jwt_extended/README.md",
        '| `app.config["JWT_ACCESS_TOKEN_EXPIRES"]',
        '| `app.config["JWT_TOKEN_EXPIRES"]',
        MIGRATION + "each_line_of_the_table_is_in_lesson_8_or_9",
    ),
    "a wrong status in the table of differences": (
        "lessons/09_flask_jwt_extended/migration.md",
        "| a login with a third key | 401",
        "| a login with a third key | 400",
        MIGRATION + "each_row_of_the_table_is_what_both_apps_respond",
    ),
    "a cell that sends another request": (
        "notebooks/01_auth_url.ipynb",
        '.post(\\"/auth\\"',
        '.post(\\"/login\\"',
        NOTEBOOK + "every_cell_shows_what_it_should[01_auth_url]",
    ),
    "a lesson that no longer does what its notebook shows": (
        "lessons/04_auth_response/app.py",
        "user_id=identity.id",
        "user=identity.id",
        NOTEBOOK + "every_cell_shows_what_it_should[04_auth_response]",
    ),
    "a notebook that shows the app's log": (
        "notebooks/demo.py",
        'for name in ("app", "flask_jwt"):',
        'for name in ("flask_jwt",):',
        NOTEBOOK + "every_cell_shows_what_it_should[01_auth_url]",
    ),
    "a picture of what the options say": (
        "notebooks/probe.py",
        "status = get_users(app, aged).status_code",
        "status = 200 if 0 <= age < ends + leeway else 401",
        NOTEBOOK + "the_picture_shows_responses_and_not_what_the_options_promise",
    ),
    "HTML that is not escaped": (
        "notebooks/show.py",
        'return f"<pre>{escape(text)}</pre>"',
        'return f"<pre>{text}</pre>"',
        NOTEBOOK + "hostile_text_is_escaped",
    ),
    "required claims that are ignored": (
        "lessons/flask_jwt_compat.py",
        '{"require": required, ',
        "{",
        COMPAT + "required_claims_are_required",
    ),
    "a login that is not checked": (
        "lessons/flask_jwt_compat.py",
        "if not isinstance(body, dict):",
        "if False:",
        COMPAT + "a_login_that_is_not_an_object_gets_a_400",
    ),
    "credentials that are not checked": (
        "lessons/flask_jwt_compat.py",
        "if not all(_is_text(body.get(key)) for key in keys):",
        "if False:",
        HOSTILE + "[0]",
    ),
    "a crash on a nested login": (
        "lessons/flask_jwt_compat.py",
        "except RecursionError:",
        "except MemoryError:",
        HOSTILE + "[0]",
    ),
    "a login without a size limit": (
        "lessons/flask_jwt_compat.py",
        "        request.max_content_length = limit + 1",
        "        pass",
        HOSTILE + "[0]",
    ),
    "a blank header that counts as a header": (
        "lessons/flask_jwt_compat.py",
        'if request.headers.get("Authorization", "").strip() else None',
        "",
        HOSTILE + "[0]",
    ),
    "a name that is left behind in flask": (
        "lessons/flask_jwt_compat.py",
        "        del extended._request_ctx_stack",
        "        pass",
        COMPAT + "flask_and_jwt_are_left_as_they_were",
    ),
    "an identity that outlives its request": (
        "lessons/flask_jwt_compat.py",
        "return proxy._get_current_object() if has_request_context() else None",
        "return flask.g if flask.has_app_context() else None",
        COMPAT + "an_identity_ends_with_its_request",
    ),
}


pytestmark = pytest.mark.slow


@pytest.fixture
def copy(tmp_path):
    """A copy of the repository."""
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "data.db")
    return shutil.copytree(ROOT, tmp_path / "copy", ignore=ignored)


def run(copy, *tests):
    """Run tests of the copy on the copy."""
    options = ["-q", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy / "lessons")},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_the_test_meant_for_it(copy, fault):
    name, right, wrong, test = FAULTS[fault]
    text = (copy / name).read_text(encoding="utf-8")
    assert right in text
    (copy / name).write_text(text.replace(right, wrong, 1), encoding="utf-8")
    result = run(copy, test)
    if result.returncode == -signal.SIGSEGV:
        return  # without a size limit, Python 3.14 itself crashes, and nobody overlooks that
    assert result.returncode == 1, result.stdout
    assert " error" not in result.stdout.splitlines()[-1]


def test_without_a_fault_the_same_tests_pass(copy):
    result = run(copy, *sorted({test for _, _, _, test in FAULTS.values()}))
    assert result.returncode == 0, result.stdout
    assert " skipped" not in result.stdout

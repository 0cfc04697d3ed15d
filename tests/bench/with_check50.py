"""The checks of check50, which runs each in a process of its own, so each starts the app."""

from functools import wraps

import check50
import flask_jwt_compat  # noqa: F401  must come before flask_jwt
import flask_restful  # noqa: F401  imported before check50 forks, so that no check has to
from flask_jwt import JWT  # noqa: F401

import notes_checks
from exercises.client import CheckFailed


def on_its_own(check):
    @wraps(check)
    def run():
        check50.data(points=notes_checks.CHECKS[check])
        try:
            check(notes_checks.start("06_current_identity.py"))
        except CheckFailed as wrong:
            raise check50.Failure(str(wrong)) from wrong

    del run.__wrapped__  # its parameter, which check50 would fill in
    return run


first = None
for check in notes_checks.CHECKS:
    needs = None if check is notes_checks.without_a_token_there_are_no_notes else first
    globals()[check.__name__] = check50.check(needs)(on_its_own(check))
    first = first or globals()[check.__name__]

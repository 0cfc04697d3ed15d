"""Test how tests/course/statements.py compares a statement with the test that proves it."""

import ast

import pytest

from course.statements import unproven


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("The token expires after 1,800 seconds (RFC 7519, since 2015).", set()),
        ("The token expires after 180 seconds.", {"180"}),
        ("`JWT_LEEWAY` adds 10 seconds.", set()),
        ("`JWT_LEEWAYS` adds 10.5 seconds.", {"JWT_LEEWAYS", "10.5"}),
        ("Lesson 4 shows this, and so do lessons 5 and 6 with Python 3.11.", set()),
        ("The token expires between 5 and 10 seconds after lesson 2.", {"5"}),
        ("You get a 401, see [section 8](#part-8).", {"401"}),
    ],
)
def test_a_wrong_number_or_name_in_a_statement_is_noticed(statement, missing):
    proof = ast.unparse(ast.parse("app.config['JWT_LEEWAY'] = 10; lifetime = 1_800; status = 4010"))
    assert unproven(statement, [proof]) == missing

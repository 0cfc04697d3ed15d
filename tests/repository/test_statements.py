"""The statements in the texts of the lessons. Each one ends with a footnote that names its test."""

import ast
import re
from functools import cache
from typing import NamedTuple

import pytest

from helpers import ROOT, functions_in
from lesson_loader import find_lessons

LESSONS = [pytest.param(folder, id=folder.name) for folder in find_lessons().values()]
TEXTS = [
    pytest.param(path, id=f"{folder.name}/{path.name}" if path.name != "README.md" else folder.name)
    for folder in find_lessons().values()
    for path in sorted(folder.glob("*.md"))
    if path.name != "hints.md"
]
NUMBER = r"\d+(?:\.\d+)*"
NAMES = rf"\b(?:RFC|sections?|versions?|lessons?|exercises?|Python) {NUMBER}(?:(?:,| and| to| or) {NUMBER})*"
YEAR = r"\b(?:19|20)\d\d\b"


class Statement(NamedTuple):
    """A piece of text, and the labels of the footnotes that end it."""

    text: str
    labels: list[str]


def read(path):
    """Return a text without its code blocks, and its footnotes' definitions by label."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    definitions = dict(re.findall(r"^\[\^([\w-]+)\]: (.+)$", text, re.MULTILINE))
    return re.sub(r"^\[\^[\w-]+\]: .+$", "", text, flags=re.MULTILINE), definitions


def blocks(text):
    """Return the paragraphs, quotes, bullets and table rows of a text, each on one line."""
    text = re.sub(r"^> ?", "", text, flags=re.MULTILINE)
    pieces = re.split(r"\n\s*\n|\n(?=\s*(?:[-|]|\d+\.) )", text)
    return [" ".join(piece.split()) for piece in pieces if piece.strip()]


def statements(text):
    """Return the statements of a text that have a footnote."""
    return [
        Statement(statement, re.findall(r"\[\^([\w-]+)\]", marks))
        for block in blocks(text)
        for statement, marks in re.findall(r"(.*?)((?:\[\^[\w-]+\])+)", block)
    ]


def cited_tests(definition):
    """Return (name of the test, its file relative to a lesson's folder) for each link of a definition."""
    return re.findall(r"\[(test_\w+)\]\(([^)\s]+\.py)\)", definition)


@cache
def source(path, name):
    """Return the source of a test with its decorators."""
    lines = path.read_text(encoding="utf-8").splitlines()
    test = next(test for test in functions_in(path) if test.name == name)
    first = min([test.lineno, *(decorator.lineno for decorator in test.decorator_list)])
    return "\n".join(lines[first - 1 : test.end_lineno])


def numbers(text):
    """Return the whole numbers of a text as digits, without separators: {"1800", "0.5"}."""
    found = re.findall(r"(?<![\w.])\d[\d_,]*(?:\.\d+)*(?![\w])", text)
    return {number.replace("_", "").replace(",", "").rstrip(".") for number in found}


def claimed(text):
    """Return the numbers and the names of options in a statement that its tests must contain."""
    text = re.sub(r"\]\([^)]*\)", "]", text)  # the addresses of links
    text = re.sub(f"{NAMES}|{YEAR}", "", text, flags=re.IGNORECASE)
    return numbers(text) | set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", text))


def unproven(statement, tests):
    """Return the numbers and option names of a statement that none of these tests contain."""
    proof = "\n".join(tests)
    return {
        claim
        for claim in claimed(statement)
        if not (claim in numbers(proof) if claim[0].isdigit() else re.search(rf"\b{claim}\b", proof))
    }


@pytest.mark.parametrize("path", TEXTS)
def test_every_footnote_leads_to_a_test(path):
    text, definitions = read(path)
    used = {label for statement in statements(text) for label in statement.labels}
    assert used == definitions.keys()
    for definition in definitions.values():
        tests = cited_tests(definition)
        assert tests, definition
        for name, file in tests:
            proof = (path.parent / file).resolve()
            assert proof.is_relative_to(ROOT / "tests"), file
            assert name in {test.name for test in functions_in(proof)}, f"{file} has no {name}"


@pytest.mark.parametrize("path", TEXTS)
def test_the_numbers_and_options_of_a_statement_are_in_the_test_that_it_cites(path):
    text, definitions = read(path)
    problems = {}
    for statement, labels in statements(text):
        tests = [
            source((path.parent / file).resolve(), name)
            for label in labels
            for name, file in cited_tests(definitions[label])
        ]
        if missing := unproven(statement, tests):
            problems[statement.strip()] = missing
    assert problems == {}


@pytest.mark.parametrize("folder", LESSONS)
def test_every_claim_that_is_tested_is_cited(folder):
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.md"))
    tests = functions_in(ROOT / "tests/claims" / f"test_{folder.name}.py")
    assert tests
    assert [test.name for test in tests if not re.search(rf"\b{test.name}\b", text)] == []


@pytest.mark.parametrize("folder", LESSONS)
def test_everything_to_watch_out_for_is_proven(folder):
    text = read(folder / "README.md")[0].partition("\n## Watch out\n")[2].partition("\n## ")[0]
    bullets = [block for block in blocks(text) if block.startswith("- ")]
    assert bullets
    assert [bullet for bullet in bullets if not re.search(r"\[\^[\w-]+\]$", bullet)] == []


@pytest.mark.parametrize("folder", LESSONS)
def test_the_title_and_the_first_paragraph_have_no_footnote(folder):
    heading, idea = (folder / "README.md").read_text(encoding="utf-8").split("\n\n")[:2]
    assert "[^" not in heading + idea


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

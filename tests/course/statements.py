"""The statements in the texts of the lessons. Each one ends with a footnote that names its test."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from course.problems import line_of, problem
from helpers import ROOT, functions_in

NUMBER = r"\d+(?:\.\d+)*"
NAMES = rf"\b(?:RFC|sections?|versions?|lessons?|exercises?|Python) {NUMBER}(?:(?:,| and| to| or) {NUMBER})*"
YEAR = r"\b(?:19|20)\d\d\b"


class Statement(NamedTuple):
    """A piece of text, and the labels of the footnotes that end it."""

    text: str
    labels: list[str]


def texts_of(lesson: Path) -> list[Path]:
    """Return the texts of a lesson that can contain statements."""
    return [path for path in sorted(lesson.glob("*.md")) if path.name != "hints.md"]


def read(path: Path) -> tuple[str, dict[str, str]]:
    """Return a text without its code blocks, and its footnotes' definitions by label."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    definitions = dict(re.findall(r"^\[\^([\w-]+)\]: (.+)$", text, re.MULTILINE))
    return re.sub(r"^\[\^[\w-]+\]: .+$", "", text, flags=re.MULTILINE), definitions


def blocks(text: str) -> list[str]:
    """Return the paragraphs, quotes, bullets and table rows of a text, each on one line."""
    text = re.sub(r"^> ?", "", text, flags=re.MULTILINE)
    pieces = re.split(r"\n\s*\n|\n(?=\s*(?:[-|]|\d+\.) )", text)
    return [" ".join(piece.split()) for piece in pieces if piece.strip()]


def statements(text: str) -> list[Statement]:
    """Return the statements of a text that have a footnote."""
    return [
        Statement(statement, re.findall(r"\[\^([\w-]+)\]", marks))
        for block in blocks(text)
        for statement, marks in re.findall(r"(.*?)((?:\[\^[\w-]+\])+)", block)
    ]


def cited_tests(definition: str) -> list[tuple[str, str]]:
    """Return (name of the test, its file relative to a lesson's folder) for each link of a definition."""
    return re.findall(r"\[(test_\w+)\]\(([^)\s]+\.py)\)", definition)


@cache
def read_tests(path: Path) -> dict[str, str]:
    """Return the source of each test in a file with its decorators, by name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    sources = {}
    for test in functions_in(path):
        first = min([test.lineno, *(decorator.lineno for decorator in test.decorator_list)])
        sources[test.name] = "\n".join(lines[first - 1 : test.end_lineno])
    return sources


def source_of(text: Path, test: str, file: str) -> str | None:
    """Return the source of a test that a text cites, or None if there is no such test."""
    path = (text.parent / file).resolve()
    if not path.is_relative_to(ROOT / "tests") or not path.is_file():
        return None
    try:
        return read_tests(path).get(test)
    except (SyntaxError, ValueError):  # not Python, or not UTF-8
        return None


def numbers(text: str) -> set[str]:
    """Return the numbers in a text as digits, without separators: {"1800", "0.5"}."""
    found = re.findall(r"(?<![\w.])\d[\d_,]*(?:\.\d+)*(?![\w])", text)
    return {number.replace("_", "").replace(",", "").rstrip(".") for number in found}


def claimed(text: str) -> set[str]:
    """Return the numbers and the names of options in a statement that its tests must contain."""
    text = re.sub(r"\]\([^)]*\)", "]", text)  # the addresses of links
    text = re.sub(f"{NAMES}|{YEAR}", "", text, flags=re.IGNORECASE)
    return numbers(text) | set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", text))


def unproven(statement: str, tests: list[str]) -> set[str]:
    """Return the numbers and option names of a statement that none of these tests contain."""
    proof = "\n".join(tests)
    return {
        claim
        for claim in claimed(statement)
        if not (claim in numbers(proof) if claim[0].isdigit() else re.search(rf"\b{claim}\b", proof))
    }


# the rules: each function returns a sentence for each problem


def wrong_footnotes(path: Path) -> list[str]:
    """Check that each footnote is used, is defined, and names a test that exists."""
    text, definitions = read(path)
    used = {label for statement in statements(text) for label in statement.labels}
    problems = [
        problem(
            path,
            f"At the end of the page, say which test proves the statement: "
            f"[^{label}]: [test_the_statement](../../tests/claims/test_{path.parent.name}.py)",
            line_of(path, f"[^{label}]"),
        )
        for label in sorted(used - definitions.keys())
    ]
    for label, definition in definitions.items():
        line = line_of(path, f"[^{label}]: ")
        if label not in used:
            sentence = f"No statement ends with [^{label}]. Add it to the statement, or delete this line."
            problems.append(problem(path, sentence, line))
        tests = cited_tests(definition)
        if not tests:
            sentence = f"Name a test: [test_the_statement](../../tests/claims/test_{path.parent.name}.py)"
            problems.append(problem(path, sentence, line))
        problems += [
            problem(path, f"{file} has no {name}. Write this test, or name another one.", line)
            for name, file in tests
            if source_of(path, name, file) is None
        ]
    return problems


def unproven_statements(path: Path) -> list[str]:
    """Check that the numbers and options of a statement are in the test that it cites."""
    text, definitions = read(path)
    problems = []
    for statement, labels in statements(text):
        cited = [test for label in labels for test in cited_tests(definitions.get(label, ""))]
        sources = [source for name, file in cited if (source := source_of(path, name, file))]
        if missing := ", ".join(sorted(unproven(statement, sources))):
            sentence = f"The test of [^{labels[0]}] does not contain {missing}, but the statement does."
            problems.append(problem(path, sentence, line_of(path, f"[^{labels[0]}]")))
    return problems


def uncited_claims(lesson: Path) -> list[str]:
    """Check that each test in tests/claims is cited in a text of its lesson."""
    file = ROOT / "tests/claims" / f"test_{lesson.name}.py"
    text = "".join(path.read_text(encoding="utf-8") for path in texts_of(lesson))
    tests = functions_in(file)
    if not tests:
        return [problem(file, "Write a test for each statement about the library.")]
    return [
        problem(file, f"No text of the lesson cites {test.name}. Add a footnote that names it.", test.lineno)
        for test in tests
        if not re.search(rf"\b{test.name}\b", text)
    ]


def unproven_warnings(lesson: Path) -> list[str]:
    """Check that each bullet under *Watch out* ends with a footnote."""
    readme = lesson / "README.md"
    text = read(readme)[0].partition("\n## Watch out\n")[2].partition("\n## ")[0]
    bullets = [block for block in blocks(text) if block.startswith("- ")]
    if not bullets:
        return [problem(readme, "Under *Watch out*, write a bullet for each mistake that people make.")]
    return [
        problem(readme, f"End this bullet with a footnote: {bullet[:60]}…", line_of(readme, bullet[:30]))
        for bullet in bullets
        if not re.search(r"\[\^[\w-]+\]$", bullet)
    ]


def footnotes_at_the_beginning(lesson: Path) -> list[str]:
    """Check that the title and the first paragraph have no footnote."""
    readme = lesson / "README.md"
    beginning = "\n\n".join(readme.read_text(encoding="utf-8").split("\n\n")[:2])
    if "[^" not in beginning:
        return []
    return [problem(readme, "Remove the footnote from the title and the first paragraph.", 1)]

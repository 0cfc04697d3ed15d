"""The rules for exercises. Each function returns a sentence for each problem, and runs no answer."""

from __future__ import annotations

import ast
import math
import re
from difflib import SequenceMatcher
from pathlib import Path

from course.problems import find_todos, line_of, problem, unreadable
from exercise_loop import read_hints
from helpers import ROOT, functions_in
from lesson_loader import Exercise, display_path, find_exercises
from mistakes import Mistake, read_mistake

SENTENCE = re.compile(r"[A-Za-z_].*\.")
TODO = "# TODO: "


def find_problems(exercise: Exercise) -> list[str]:
    """Return what is missing in an exercise."""
    if problems := unreadable(exercise_files(exercise)):
        return problems
    problems = [
        *wrong_checks(exercise),
        *wrong_todo(exercise),
        *wrong_number_of_hints(exercise),
        *wrong_mistakes(exercise),
        *uncaught_mistakes(exercise),
        *wrong_alternatives(exercise),
    ]
    return problems if exercise.is_additional else problems + find_matters_of_style(exercise)


def can_run(exercise: Exercise) -> bool:
    """Return whether the files of an exercise can be read, and there are checks."""
    return not unreadable(exercise_files(exercise)) and bool(functions_in(exercise.checks))


def find_advice(exercise: Exercise) -> list[str]:
    """Return what would improve an additional exercise. For the exercises of the lessons, these are rules."""
    if not exercise.is_additional or unreadable(exercise_files(exercise)):
        return []
    return find_matters_of_style(exercise)


def find_matters_of_style(exercise: Exercise) -> list[str]:
    return [*edits_outside_the_todo(exercise), *wrong_hints(exercise), *few_alternatives(exercise)]


def todos(exercise: Exercise) -> list[str]:
    return find_todos(exercise_files(exercise))


def exercise_files(exercise: Exercise) -> list[Path]:
    """Return the files of an exercise: those that it needs, and its wrong and other right answers."""
    needed = [
        exercise.folder / "exercise.py",
        exercise.folder / "hints.md",
        exercise.checks,
        exercise.solution,
    ]
    return [*needed, *find_answers(exercise.mistakes), *find_answers(exercise.alternatives)]


def find_answers(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.py"))


def wrong_checks(exercise: Exercise) -> list[str]:
    """Check that every check has a sentence for students and points, and can only need a check above it."""
    problems: list[str] = []
    names: list[str] = []
    for check in functions_in(exercise.checks):
        marks = read_marks(check)
        if not re.fullmatch(r"\S.*\.", " ".join((ast.get_docstring(check) or "").split())):
            sentence = f"Give {check.name} a docstring: a sentence that says what the app should do."
            problems.append(problem(exercise.checks, sentence, check.lineno))
        points = marks.get("points")
        if isinstance(points, bool) or not isinstance(points, int | float) or not 0.01 <= points < math.inf:
            sentence = f"Give {check.name} points, a number of 0.01 or more: @pytest.mark.points(2.5)"
            problems.append(problem(exercise.checks, sentence, check.lineno))
        if marks.get("needs") not in (None, *names):
            sentence = f"{check.name} can only need a check above it. There is no {marks['needs']} above."
            problems.append(problem(exercise.checks, sentence, check.lineno))
        names.append(check.name)
    if not names:
        problems.append(problem(exercise.checks, "Write at least one check, a function named test_…"))
    return problems


def read_marks(check: ast.FunctionDef) -> dict[str, object]:
    """Return the arguments of the marks of a check by name: {"points": 2.5, "needs": "test_login"}."""
    return {
        mark.func.attr: mark.args[0].value
        for mark in check.decorator_list
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute)
        if mark.args and isinstance(mark.args[0], ast.Constant)
    }


def wrong_todo(exercise: Exercise) -> list[str]:
    """Check that the starter has one comment that says what to do."""
    starter = exercise.folder / "exercise.py"
    todos = [line for line in starter.read_text("utf-8").splitlines() if line.startswith(TODO)]
    if len(todos) == 1:
        return []
    sentence = "Write one comment that begins with `# TODO: ` and says what the app should do."
    return [problem(starter, sentence, line_of(starter, todos[-1]) if todos else None)]


def edits_outside_the_todo(exercise: Exercise) -> list[str]:
    """Check that the starter and the solution differ only in imports, and between the TODO and the API."""
    starter, end = exercise.folder / "exercise.py", "api = Api(app)"
    before, after = read_body(starter), read_body(exercise.solution)
    if not any(line.startswith(TODO) for line in before):
        return []  # wrong_todo reports it
    if end not in before:
        return [problem(starter, f"Keep the line `{end}`, and let students write above it.")]
    first = next(index for index, line in enumerate(before) if line.startswith(TODO))
    edits = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    changed = [index for kind, start, stop, *_ in edits if kind != "equal" for index in (start, stop)]
    if changed and min(changed) == first and max(changed) <= before.index(end):
        return []
    sentence = (
        f"Apart from imports, this file can differ from {starter.name} only between the TODO and `{end}`. "
        "Undo your changes in other places."
    )
    return [problem(exercise.solution, sentence)]


def read_body(file: Path) -> list[str]:
    """Return the lines of a Python file without imports and empty lines."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not re.match(r"(from .+ )?import ", line)]


def wrong_number_of_hints(exercise: Exercise) -> list[str]:
    """Check that there are three hints."""
    hints = exercise.folder / "hints.md"
    count = len(read_hints(hints))
    return [] if count == 3 else [problem(hints, f"Write three hints as a numbered list, not {count}.")]


def wrong_hints(exercise: Exercise) -> list[str]:
    """Check that the first hint asks a question, and the third one shows code."""
    file = exercise.folder / "hints.md"
    hints = read_hints(file)
    problems = []
    if hints and not hints[0].endswith("?"):
        problems.append(problem(file, "End the first hint with a question.", line_of(file, "1. ")))
    if len(hints) == 3 and "`" not in hints[2]:
        sentence = "Show code in backquotes in the third hint, because it nearly gives the solution."
        problems.append(problem(file, sentence, line_of(file, "3. ")))
    return problems


def read_mistakes(exercise: Exercise) -> list[Mistake]:
    """Return the mistakes of an exercise whose headers are complete."""
    mistakes = []
    for path in find_answers(exercise.mistakes):
        try:
            mistakes.append(read_mistake(path, exercise.name))
        except ValueError:
            continue  # wrong_mistakes reports it
    return mistakes


def wrong_mistakes(exercise: Exercise) -> list[str]:
    """Check that the header of every mistake is complete and names a check of the exercise."""
    checks = [check.name for check in functions_in(exercise.checks)]
    problems = []
    for path in find_answers(exercise.mistakes):
        try:
            mistake = read_mistake(path, exercise.name)
        except ValueError as error:
            problems.append(problem(path, str(error).removeprefix(f"{path}: "), 1))
            continue
        if mistake.fails not in checks:
            sentence = f"There is no check {mistake.fails}. Choose one of: {', '.join(checks)}."
            problems.append(problem(path, sentence, line_of(path, "fails: ")))
        problems += described_badly(path, mistake.sentence)
    return problems + copies_of_the_solution(exercise, exercise.mistakes)


def described_badly(path: Path, description: str) -> list[str]:
    if SENTENCE.fullmatch(" ".join(description.split())):
        return []
    return [problem(path, "Begin the docstring with one sentence that describes this answer.", 1)]


def copies_of_the_solution(exercise: Exercise, folder: Path) -> list[str]:
    """Check that no other answer has the same code as the solution."""
    solution = read_code(exercise.solution)
    return [
        problem(path, f"The code is the same as in {display_path(exercise.solution)}. Change it.")
        for path in find_answers(folder)
        if read_code(path) == solution
    ]


def read_code(path: Path) -> str:
    """Return the code of a file in a normal form, so that comments and line breaks make no difference."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    return ast.unparse(tree)


def uncaught_mistakes(exercise: Exercise) -> list[str]:
    """Check that every check catches a mistake."""
    caught = {mistake.fails for mistake in read_mistakes(exercise)}
    return [
        problem(
            exercise.checks,
            f"Does {check.name} notice anything? Write a wrong answer that it catches, in "
            f"{display_path(exercise.mistakes)}/, with the line `fails: {check.name}` in its docstring.",
            check.lineno,
        )
        for check in functions_in(exercise.checks)
        if check.name not in caught
    ]


def wrong_alternatives(exercise: Exercise) -> list[str]:
    """Check that every other right answer begins with a sentence and differs from the solution."""
    problems = copies_of_the_solution(exercise, exercise.alternatives)
    for path in find_answers(exercise.alternatives):
        problems += described_badly(path, ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
    return problems


def few_alternatives(exercise: Exercise) -> list[str]:
    """Check that there are five other right answers."""
    missing = 5 - len(find_answers(exercise.alternatives))
    if missing <= 0:
        return []
    sentence = f"Write {missing} more right answers in different styles, because students find other ways."
    return [problem(exercise.alternatives, sentence)]


def files_without_an_exercise() -> list[str]:
    """Check that every solution, check, mistake and alternative of the course belongs to an exercise."""
    names = {exercise.name for exercise in find_exercises().values() if not exercise.is_additional}
    return [
        problem(path, "There is no exercise with this name. Rename this file or folder, or delete it.")
        for pattern in (
            *("tests/exercises/test_*.py", "solutions/*.py"),
            *("tests/exercises/mistakes/[0-9]*", "tests/exercises/alternatives/[0-9]*"),
        )
        for path in sorted(ROOT.glob(pattern))
        if path.stem.removeprefix("test_") not in names
    ]

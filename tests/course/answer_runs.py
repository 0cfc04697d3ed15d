"""Run the checks of an exercise on its answers. Each function returns a sentence for each problem."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from course.exercise_rules import find_answers, read_mistakes
from course.problems import line_of, problem
from exercises.client import add_points
from helpers import functions_in
from lesson_loader import Exercise, display_path
from mistakes import Mistake, Result

Run = Callable[[str, Path], dict[str, Result]]  # run_checks of mistakes.py
EXPLAINED = re.compile(r"sent .+\n *expected .+\n *got .+\n *question .+\?", re.DOTALL)


def find_problems(exercise: Exercise, run: Run) -> list[str]:
    """Run the checks on the solution, the starter, the lesson's app, the mistakes and the alternatives."""
    problems: list[str] = []
    answer = exercise.solution

    def run_on(name: str, file: Path) -> dict[str, Result]:
        nonlocal answer
        answer = file
        return run(name, file)

    try:
        if problems := without_full_marks(exercise, exercise.solution, run_on):
            return problems  # the same checks would run on the other answers
        problems += points_of_the_starter(exercise, run_on) + points_of_the_app(exercise, run_on)
        for mistake in read_mistakes(exercise):
            problems += uncaught(exercise, mistake, run_on)
        for alternative in find_answers(exercise.alternatives):
            problems += without_full_marks(exercise, alternative, run_on)
    except AssertionError as error:
        sentence = f"The checks stop when they check {display_path(answer)}:{indent(str(error))}"
        problems.append(problem(exercise.checks, sentence))
    return problems


def without_full_marks(exercise: Exercise, answer: Path, run: Run) -> list[str]:
    """Check that a right answer passes every check."""
    results = run(exercise.name, answer)
    if problems := not_started(answer, results):
        return problems
    problems = [
        problem(answer, f"A right answer passes every check, but {name} says:{indent(result.message)}")
        for name, result in results.items()
        if result.outcome not in ("passed", "skipped")
    ]
    return problems + [
        problem(exercise.checks, f"{check.name} did not run. Write it outside of classes.", check.lineno)
        for check in functions_in(exercise.checks)
        if check.name not in results
    ]


def points_of_the_starter(exercise: Exercise, run: Run) -> list[str]:
    """Check that the starter runs, its first check fails, no check passes, and each failure is explained."""
    starter = exercise.folder / "exercise.py"
    results = run(exercise.name, starter)
    if problems := not_started(starter, results):
        return problems
    problems = unexplained(starter, results)
    first, *_ = results.items()
    if first[1].outcome == "skipped":
        problems.append(problem(exercise.checks, f"{first[0]} skips the starter. The first check must fail."))
    if re.search(r"in exercise\.py, line", first[1].message):
        problems.append(problem(starter, f"The starter crashes:{indent(first[1].message)}"))
    return problems + [
        problem(
            exercise.checks,
            f"The untouched starter passes {name}. Let the check fail, or add "
            f'@pytest.mark.needs("{first[0]}").',
            line_of(exercise.checks, f"def {name}("),
        )
        for name, result in results.items()
        if result.outcome == "passed"
    ]


def points_of_the_app(exercise: Exercise, run: Run) -> list[str]:
    """Check that the lesson's app is not an answer."""
    app = exercise.lesson / "app.py"
    results = run(exercise.name, app)
    if all(result.outcome == "passed" for result in results.values()):
        return [problem(exercise.checks, f"{display_path(app)} passes all checks. Ask for something new.")]
    return not_started(app, results) or unexplained(app, results)


def not_started(answer: Path, results: dict[str, Result]) -> list[str]:
    """Check that the app of an answer starts. If it does not, the checks say nothing else about it."""
    for result in results.values():
        if result.outcome == "did not start":
            reason = result.message.removeprefix(f"{answer.name} does not start:")
            return [problem(answer, f"This app does not start:{indent(reason)}")]
    return []


def unexplained(answer: Path, results: dict[str, Result]) -> list[str]:
    """Check that a check that fails says what was sent, expected and received."""
    return [
        problem(answer, f"{name} fails without an explanation. Use expect(…) in it:{indent(result.message)}")
        for name, result in results.items()
        if result.outcome not in ("passed", "skipped")
        and not (result.outcome == "failed" and EXPLAINED.match(result.message))
    ]


def uncaught(exercise: Exercise, mistake: Mistake, run: Run) -> list[str]:
    """Check that a mistake fails the right check, with the message and the points in its header."""
    results = run(exercise.name, mistake.path)
    if mistake.fails not in results:
        return []  # wrong_mistakes reports it
    caught = results[mistake.fails]
    if caught.outcome == "did not start":
        return not_started(mistake.path, {mistake.fails: caught})
    if caught.outcome != "failed":
        failed = [name for name, result in results.items() if result.outcome not in ("passed", "skipped")]
        sentence = f"{mistake.fails} should catch this mistake, but its result is: {caught.outcome}."
        if failed:
            sentence += f" The mistake fails {', '.join(failed)}."
        return [problem(mistake.path, sentence, line_of(mistake.path, "fails: "))]
    problems = []
    if mistake.shows not in caught.message:
        sentence = f"The message of {mistake.fails} does not contain this text:{indent(caught.message)}"
        problems.append(problem(mistake.path, sentence, line_of(mistake.path, "shows: ")))
    points = add_points(result.points for result in results.values())
    if points != mistake.points:
        sentence = f"This answer gets {points} points. Write `points: {points}`."
        problems.append(problem(mistake.path, sentence, line_of(mistake.path, "points: ")))
    return problems


def indent(message: str) -> str:
    """Return a message below the line before it, indented."""
    return "".join(f"\n      {line}" for line in message.strip().splitlines())

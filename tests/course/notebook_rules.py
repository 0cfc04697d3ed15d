"""The rules for notebooks. Each function returns a sentence for each problem, and runs no cell."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.problems import line_of, problem
from helpers import ROOT
from lesson_loader import code_files, find_exercises

NOTEBOOKS = ROOT / "notebooks"
OUTPUTS = ROOT / "tests/repository/notebook_outputs"
FIRST_NOTEBOOK = ["What there is", "What it does"]
OTHER_NOTEBOOKS = ["What changes", "Before and after"]
ALL_NOTEBOOKS = ["Why", "Break it", "Quiz", "Homework"]
HEADING = re.compile(r"#+ (.+) \((\d+) minutes?\)(?:\n|$)")
SLIDE_TYPES = {"markdown": ("slide", "subslide", "notes"), "code": ("subslide", "-", "skip"), "raw": ()}
NOTES = re.compile(r"<details>\n<summary>Notes</summary>\n\n(.+)\n\n</details>", re.DOTALL)
NOTES_BEGIN_WITH = ("Say", "Answer", "Break it", "If it fails", "Next")
HAS_WORD = re.compile(r"\w")  # a line such as `)` can be in any code


def find_problems(lesson: Path) -> list[str]:
    """Return what is missing in the notebook of a lesson."""
    notebook = NOTEBOOKS / f"{lesson.name}.ipynb"
    try:
        content = nbformat.from_dict(json.loads(notebook.read_text("utf-8")))  # type: ignore[no-untyped-call]
        nbformat.validate(content)
        for cell in content.cells:
            cell.source = "".join(cell.source)  # a file contains it as a list of lines
    except (ValueError, LookupError, AttributeError, TypeError, nbformat.ValidationError):
        return [problem(notebook, "This file is not a notebook. Save it again in JupyterLab.")]
    cells: list[NotebookNode] = content.cells
    return [
        *wrong_headings(lesson, cells),
        *wrong_slides(lesson, cells),
        *wrong_notes(lesson, cells),
        *wrong_quiz(lesson, cells),
        *wrong_homework(lesson, cells),
        *wrong_code(lesson, cells),
        *missing_outputs(lesson, cells),
    ]


def slide_type(cell: NotebookNode) -> str:
    """Return what a cell is in the slides. The empty string means that the notebook does not say it."""
    return str(cell.metadata.get("slideshow", {}).get("slide_type", ""))


def cell_problem(lesson: Path, cell: NotebookNode, sentence: str) -> str:
    """Return a sentence about a cell, with the line of the file where the cell begins."""
    notebook = NOTEBOOKS / f"{lesson.name}.ipynb"
    return problem(notebook, sentence, line_of(notebook, f'"id": "{cell.id}"'))


def wrong_headings(lesson: Path, cells: list[NotebookNode]) -> list[str]:
    """Check that the title and the sections have the right names, and that the minutes add up."""
    notebook = NOTEBOOKS / f"{lesson.name}.ipynb"
    title = (lesson / "README.md").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    headings = [match.groups() for cell in cells if (match := HEADING.match(cell.source))]
    beginning = FIRST_NOTEBOOK if lesson.name.startswith("00") else OTHER_NOTEBOOKS
    expected = [title, *beginning, *ALL_NOTEBOOKS]
    if [name for name, _ in headings] != expected:
        sentence = "Write these headings, in this order, each with its minutes as in `## Why (3 minutes)`: "
        return [problem(notebook, sentence + ", ".join(expected) + ".")]
    if sum(int(minutes) for _, minutes in headings[1:]) != int(headings[0][1]):
        sentence = "The minutes of the sections do not add up to the minutes in the title."
        return [cell_problem(lesson, cells[0], sentence)]
    return []


def wrong_slides(lesson: Path, cells: list[NotebookNode]) -> list[str]:
    """Check that every cell says how slides show it, and a class has little to read on one slide."""
    problems = []
    for cell in cells:
        allowed = SLIDE_TYPES[cell.cell_type]
        if slide_type(cell) not in allowed:
            sentence = f"Choose the slide type of this cell in JupyterLab: {' or '.join(allowed)}."
            problems.append(cell_problem(lesson, cell, sentence))
        elif cell.cell_type == "markdown" and (slide_type(cell) == "slide") != cell.source.startswith("#"):
            sentence = "A cell with a heading needs the slide type `slide`, and no other cell can have it."
            problems.append(cell_problem(lesson, cell, sentence))
        words = len(cell.source.partition("\n")[2].split())
        if slide_type(cell) == "slide" and words > 45:
            sentence = f"The class has {words} words to read on this slide. Write at most 45."
            problems.append(cell_problem(lesson, cell, sentence))
    return problems


def wrong_notes(lesson: Path, cells: list[NotebookNode]) -> list[str]:
    """Check that only the instructor sees the notes. JupyterLab folds them."""
    problems = []
    for cell in cells:
        notes = NOTES.fullmatch(cell.source)
        if bool(notes) != (slide_type(cell) == "notes"):
            sentence = (
                "Begin notes with the lines <details>, <summary>Notes</summary> and an empty line. End them "
                "with an empty line and </details>. Give the cell the slide type `notes`."
            )
            problems.append(cell_problem(lesson, cell, sentence))
        elif notes:
            paragraphs = re.split(r"\n\n(?=\*\*)", notes[1])
            if not all(paragraph.startswith(beginnings()) for paragraph in paragraphs):
                sentence = f"Begin each paragraph of these notes with one of: {', '.join(beginnings())}."
                problems.append(cell_problem(lesson, cell, sentence))
        elif re.search(r"\*\*(Say|Answer|Next)\*\*", cell.source):
            sentence = "The class can read this. Move it into notes, because it is for the instructor."
            problems.append(cell_problem(lesson, cell, sentence))
    return problems


def beginnings() -> tuple[str, ...]:
    return tuple(f"**{word}**" for word in NOTES_BEGIN_WITH)


def wrong_quiz(lesson: Path, cells: list[NotebookNode]) -> list[str]:
    """Check that the quiz has three questions, each with a code cell and with notes that answer it."""
    notebook = NOTEBOOKS / f"{lesson.name}.ipynb"
    questions = [index for index, cell in enumerate(cells) if cell.source.startswith("**Question ")]
    names = [cells[index].source.partition(".")[0] for index in questions]
    problems = []
    if names != ["**Question 1", "**Question 2", "**Question 3"]:
        sentence = "Under *Quiz*, ask three questions: **Question 1.**, **Question 2.** and **Question 3.**"
        problems.append(problem(notebook, sentence))
    for index in questions:
        types = [(cell.cell_type, slide_type(cell)) for cell in cells[index : index + 3]]
        if types != [("markdown", "subslide"), ("code", "-"), ("markdown", "notes")] or (
            "**Answer**" not in cells[index + 2].source
        ):
            sentence = (
                "Give this question the slide type `subslide`. After it, add a code cell with the slide type "
                "`-` that shows the truth, and notes with **Answer**."
            )
            problems.append(cell_problem(lesson, cells[index], sentence))
    return problems


def wrong_homework(lesson: Path, cells: list[NotebookNode]) -> list[str]:
    """Check that the homework starts the exercise, runs its checks and serves the lesson."""
    number = int(lesson.name[:2])
    exists = str(number) in find_exercises()
    start = [index for index, cell in enumerate(cells) if cell.source.startswith("## Homework")]
    if not start:
        return []  # wrong_headings reports it
    heading, *others = cells[start[-1] :]
    problems = []
    if exists and f"`make start-{number}`" not in heading.source:
        problems.append(cell_problem(lesson, heading, f"Under *Homework*, write `make start-{number}`."))
    expected = ['lesson.check("starter")'] * exists + ["lesson.serve()"]
    if [cell.source for cell in others if cell.cell_type == "code"] != expected:
        sentence = f"Under *Homework*, write only these code cells: {', '.join(expected)}"
        problems.append(cell_problem(lesson, heading, sentence))
    return problems


def wrong_code(lesson: Path, cells: list[NotebookNode]) -> list[str]:
    """Check that a notebook contains no line of the lesson's files and no outputs."""
    own = {line.strip() for path in code_files(lesson) for line in path.read_text("utf-8").splitlines()}
    problems = []
    for cell in cells:
        if cell.cell_type != "code":
            continue
        lines = [line.strip() for line in cell.source.splitlines() if HAS_WORD.search(line)]
        if set(lines) & own or [line for line in lines if re.match("(def|class|with|for) ", line)]:
            sentence = "Show the lesson's files here, for example with lesson.source(). Define nothing."
            problems.append(cell_problem(lesson, cell, sentence))
        if {line for line in lines if re.match("(import|from) ", line)} - {"from demo import Lesson"}:
            problems.append(cell_problem(lesson, cell, "Import only Lesson: `from demo import Lesson`."))
        if cell.outputs or cell.execution_count is not None:
            problems.append(cell_problem(lesson, cell, "Clear the outputs of the notebook: make format"))
    return problems


def missing_outputs(lesson: Path, cells: list[NotebookNode]) -> list[str]:
    """Check that the file of expected outputs has a regular expression for each code cell."""
    file = OUTPUTS / f"{lesson.name}.txt"
    lines = file.read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    count = len([cell for cell in cells if cell.cell_type == "code"])
    if len(patterns) == count:
        return []
    sentence = f"Write one regular expression on a line for each code cell: {count}, not {len(patterns)}."
    return [problem(file, sentence)]

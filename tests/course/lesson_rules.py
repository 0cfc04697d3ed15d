"""The rules for lessons. Each function returns a sentence for each problem, and runs no code of a lesson."""

from __future__ import annotations

import re
from difflib import unified_diff
from pathlib import Path

from course import notebook_rules, statements
from course.problems import find_todos, line_of, problem, unreadable
from helpers import ROOT, section
from lesson_loader import code_files, diff, find_exercises, find_lessons, read_about
from originals import ORIGINALS, NoOriginals, current_files, find_changed, read

HEADINGS = ["The question", "How it works", "What changes", "Try it", "Watch out", "Your turn"]
FILES = (
    *("tests/lessons/test_{}.py", "tests/claims/test_{}.py", "notebooks/{}.ipynb"),
    *("tests/repository/notebook_outputs/{}.txt", "tests/exercises/originals/{}.zip"),
)
README = ROOT / "README.md"
ROW = re.compile(
    r"^\| (?P<number>\d+) \| \[(?P<title>.+?)\]\(lessons/(?P<folder>.+?)/\) \| `(?P<code>.+?)` "
    r"\| (?P<minutes>\d+) \|",
    re.MULTILINE,
)


def find_problems(lesson: Path) -> list[str]:
    """Return what is missing in a lesson, in the order in which an author should correct it."""
    if problems := unreadable_files(lesson):
        return problems
    problems = [
        *unnamed_changes(lesson),
        *wrong_headings(lesson),
        *wrong_end(lesson),
        *old_diff(lesson),
        *statements.unproven_warnings(lesson),
        *statements.footnotes_at_the_beginning(lesson),
        *statements.uncited_claims(lesson),
        *notebook_rules.find_problems(lesson),
    ]
    for text in statements.texts_of(lesson):
        problems += statements.wrong_footnotes(text) + statements.unproven_statements(text)
        problems += broken_links(text)
    return problems


def unreadable_files(lesson: Path) -> list[str]:
    """Return a sentence for each file of a lesson that is missing, is not UTF-8 or is not Python."""
    files = [*lesson_files(lesson), *statements.texts_of(lesson)]
    return unreadable(file for file in files if file.suffix != ".zip")


def can_run(lesson: Path) -> bool:
    return not unreadable_files(lesson)


def todos(lesson: Path) -> list[str]:
    return find_todos([*lesson_files(lesson), *statements.texts_of(lesson)])


def lesson_files(lesson: Path) -> list[Path]:
    """Return the files of a lesson: those of its app, and those with its name in the other folders."""
    named = [ROOT / pattern.format(lesson.name) for pattern in FILES]
    return list(dict.fromkeys([lesson / "app.py", *code_files(lesson), *named]))


def number_of(lesson: Path) -> int:
    return int(lesson.name[:2])


def read_code(lesson: Path) -> dict[str, str]:
    """Return the text of each file of a lesson's app by name."""
    return {
        path.relative_to(lesson).as_posix(): path.read_text(encoding="utf-8") for path in code_files(lesson)
    }


def without_imports(source: str) -> list[str]:
    return [line for line in source.splitlines() if line and not re.match(r"(from .+ )?import ", line)]


def unnamed_changes(lesson: Path) -> list[str]:
    """Check that a lesson changes one thing, in the files that its README names."""
    previous, readme = find_lessons().get(number_of(lesson) - 1), lesson / "README.md"
    if previous is None:
        return []
    before, after = read_code(previous), read_code(lesson)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    introduction = section(lesson, "What changes").partition("```")[0]
    named = set(re.findall(r"`([a-z_/]+\.(?:py|sql))`", introduction))
    line = line_of(readme, "## What changes")
    problems = [
        problem(readme, f"Under *What changes*, name the changed file `{name}` above the diff.", line)
        for name in sorted(changed - named)
    ]
    problems += [
        problem(readme, f"*What changes* names `{name}`, but this file is the same as before.", line)
        for name in sorted(named - changed)
    ]
    if not changed:
        problems.append(problem(lesson / "app.py", "Change what this lesson teaches."))
    if "from flask_jwt import" not in after["app.py"]:
        return problems  # with Flask-JWT-Extended, one idea needs lines in several places
    for name in sorted(changed):
        old, new = (without_imports(version.get(name, "")) for version in (before, after))
        hunks = [line for line in unified_diff(old, new, n=2) if line.startswith("@@")]
        if len(hunks) > 1:
            sentence = f"This file changes in {len(hunks)} places. Change only one, apart from imports."
            problems.append(problem(lesson / name, sentence))
    return problems


def wrong_headings(lesson: Path) -> list[str]:
    """Check that every README begins in the same way and has the same headings."""
    readme, number = lesson / "README.md", number_of(lesson)
    text = readme.read_text(encoding="utf-8")
    problems = []
    if not re.match(rf"# Lesson {number}: .+\n\n.+ About \d+ minutes\.\n\n## The question\n", text):
        sentence = (
            f"Begin with the title `# Lesson {number}: …`, one paragraph on one line that ends with "
            "`About 10 minutes.`, and the heading `## The question`."
        )
        problems.append(problem(readme, sentence, 1))
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    if [name for name in headings if name in HEADINGS] != HEADINGS or headings[-1:] != HEADINGS[-1:]:
        problems.append(problem(readme, f"Write these headings, in this order: {', '.join(HEADINGS)}."))
    return problems


def wrong_end(lesson: Path) -> list[str]:
    """Check that every README leads to the exercise and to the next lesson."""
    readme, number, text = lesson / "README.md", number_of(lesson), section(lesson, "Your turn")
    line = line_of(readme, "## Your turn")
    problems = []
    exists = str(number) in find_exercises()
    if exists and f"`make start-{number}`" not in text:
        problems.append(problem(readme, f"Under *Your turn*, write `make start-{number}`.", line))
    if not exists and f"`make start-{number}`" in text:
        sentence = f"There is no exercise {number}. Add one with make new-exercise-{number}."
        problems.append(problem(readme, sentence, line))
    if following := find_lessons().get(number + 1):
        link = f"](../{following.name}/)"
        if link not in text:
            problems.append(problem(readme, f"Under *Your turn*, link to the next lesson: [Next{link}", line))
    return problems


def old_diff(lesson: Path) -> list[str]:
    """Check that a README shows the real difference from the lesson before it."""
    number, readme = number_of(lesson), lesson / "README.md"
    previous = find_lessons().get(number - 1)
    blocks = re.findall(r"```diff\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    if previous is None or blocks == [diff(previous, lesson)]:
        return []
    sentence = (
        f"Replace the diff with what `make diff-{number}` prints. If it shows a change that lesson {number} "
        "does not teach, first make this change in the lesson before it, or in all later ones."
    )
    return [problem(readme, sentence, line_of(readme, "```diff"))]


def old_originals(lesson: Path) -> list[str]:
    """Check that the originals of a lesson are its current files. An author updates them last."""
    archive = ORIGINALS / f"{lesson.name}.zip"
    try:
        if read(lesson.name) == current_files(lesson):
            return []
    except NoOriginals:
        pass
    return [problem(archive, f"The files of lesson {number_of(lesson)} are newer. Run: make originals")]


def answers_import_old_files(lesson: Path) -> bool:
    """Return whether an answer can fail because the checks run it beside older files of the lesson."""
    try:
        return bool(set(find_changed(lesson)) - {"app.py", "exercise.py"})
    except NoOriginals:
        return False


def broken_links(text: Path) -> list[str]:
    """Check that every link between texts leads somewhere."""
    problems = []
    for link, anchor in find_links(text):
        target = text.parent / link if link else text
        address = f"{link}#{anchor}" if anchor else link
        page = target / "README.md" if target.is_dir() else target
        if not target.exists() or (anchor and anchor not in find_anchors(page)):
            problems.append(problem(text, f"The link {address} leads nowhere.", line_of(text, address)))
    return problems


def find_links(path: Path) -> list[tuple[str, str]]:
    """Return the relative links of a Markdown file, as (file, anchor)."""
    text = re.sub(r"```.*?```|`[^`\n]+`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    parts = [link.partition("#") for link in links if not re.match(r"[a-z]+:", link)]
    return [(link, anchor) for link, _, anchor in parts]


def find_anchors(path: Path) -> set[str]:
    """Return the anchors of a Markdown file: those that GitHub makes from headings, and explicit ones."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a (?:id|name)="(.+?)"', text))


# the rules for the course as a whole


def unusable_readmes() -> list[str]:
    """Check that every README is a text, and that the README of a lesson begins as find_lessons expects."""
    folders = [app.parent for app in sorted((ROOT / "lessons").glob("[0-9][0-9]_*/app.py"))]
    readmes = [folder / "README.md" for folder in folders]
    if problems := unreadable([README, *readmes]):
        return problems
    return [
        problem(readme, f"README.md must begin with `# Lesson {number_of(readme.parent)}: …`", 1)
        for readme in readmes
        if not readme.read_text(encoding="utf-8").startswith("# Lesson ")
    ]


def find_problems_between_lessons() -> list[str]:
    """Return what is missing in the numbers of the lessons, their table and the names of their files."""
    lessons = find_lessons()
    names = [lesson.name for lesson in lessons.values()]
    rows = {row["folder"]: row for row in ROW.finditer(README.read_text(encoding="utf-8"))}
    problems = [*files_without_a_lesson(names)]
    if sorted(lessons) != list(range(len(lessons))):
        problems.append(problem(ROOT / "lessons", "Number the lessons without gaps, from 00."))
    for lesson in lessons.values():
        problems += wrong_row(lesson, rows.get(lesson.name))
    problems += [
        problem(README, f"There is no lesson {name}. Delete its row.", line_of(README, f"(lessons/{name}/)"))
        for name in rows.keys() - set(names)
    ]
    if rows.keys() == set(names) and list(rows) != names:
        problems.append(problem(README, "Sort the rows of the lessons by their numbers."))
    return problems


def files_without_a_lesson(names: list[str]) -> list[str]:
    """Check that every file that is named after a lesson belongs to one."""
    return [
        problem(path, "There is no lesson with this name. Rename this file, or delete it.")
        for pattern in FILES
        for path in sorted(ROOT.glob(pattern.format("*")))
        if path.stem.removeprefix("test_") not in names
    ]


def wrong_row(lesson: Path, row: re.Match[str] | None) -> list[str]:
    """Check that a row of the table has the title and the minutes of its lesson, and a line of its code."""
    number = number_of(lesson)
    try:
        about = read_about(lesson)
    except ValueError:
        return []  # wrong_headings reports it
    minutes = re.search(r"About (\d+) minutes\.$", about.idea)
    if row is None:
        title = about.title.partition(": ")[2]
        example = f"| {number} | [{title}](lessons/{lesson.name}/) | `a line of its code` | 10 |"
        return [problem(README, f"Add a row to the table of the lessons: {example}")]
    line = line_of(README, row[0])
    problems = []
    if about.title != f"Lesson {row['number']}: {row['title']}":
        problems.append(problem(README, f"Write the title of the lesson: {about.title}", line))
    if minutes and minutes[1] != row["minutes"]:
        problems.append(problem(README, f"Write the minutes that lesson {number} says: {minutes[1]}", line))
    if not any(row["code"] in content for content in read_code(lesson).values()):
        sentence = f"`{row['code']}` is not in the code of lesson {number}. Write one line of its diff."
        problems.append(problem(README, sentence, line))
    return problems

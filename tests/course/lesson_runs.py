"""Run what a lesson shows and tests. Each function returns a sentence for each problem."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from course.problems import line_of, problem
from helpers import ROOT, lesson_server, section
from lesson_loader import explain, load_app


def find_problems(lesson: Path) -> list[str]:
    """Run the app, the transcript, the commands and the tests of a lesson."""
    if problems := broken_app(lesson):
        return problems
    tests = ROOT / "tests/lessons" / f"test_{lesson.name}.py"
    claims = ROOT / "tests/claims" / f"test_{lesson.name}.py"
    with tempfile.TemporaryDirectory() as folder:
        problems = wrong_transcript(lesson, Path(folder))
        if shutil.which("curl") and os.name != "nt":
            problems += wrong_commands(lesson, Path(folder))
    for file, name, result in run_tests(tests, claims, options=["--run-on=own"]):
        if result not in ("passed", "skipped"):
            problems.append(problem(file, f"{name} does not pass.", line_of(file, f"def {name}(")))
    return problems + passing_on_the_lesson_before([lesson])


def broken_app(lesson: Path) -> list[str]:
    """Check that the app of a lesson starts."""
    try:
        with redirect_stderr(StringIO()):  # the app logs a warning about its demo key
            load_app(lesson)
    except (Exception, SystemExit) as error:
        sentence = f"The app does not start:{indent(explain(error, lesson))}"
        return [problem(lesson / "app.py", sentence)]
    return []


def wrong_transcript(lesson: Path, folder: Path) -> list[str]:
    """Check that the Python transcript under *Try it* is what happens."""
    readme = lesson / "README.md"
    if ">>> " not in section(lesson, "Try it"):
        return [problem(readme, "Under *Try it*, send a request in Python: a transcript with >>>.")]
    run = subprocess.run(
        [sys.executable, "-m", "doctest", "README.md"],
        cwd=lesson,
        env=os.environ | {"FLASK_DATABASE": str(folder / "data.db"), "PYTHONPATH": str(ROOT / "lessons")},
        capture_output=True,
        text=True,
    )
    if run.returncode == 0:
        return []
    line = re.search(r"line (\d+)", run.stdout)
    sentence = f"The transcript shows something else:{indent(run.stdout + run.stderr)}"
    return [problem(readme, sentence, int(line[1]) if line else None)]


def wrong_commands(lesson: Path, folder: Path) -> list[str]:
    """Check that the commands in a README print what it says."""
    readme = lesson / "README.md"
    text = readme.read_text(encoding="utf-8")
    commands, problems = [], []
    for command, output in read_commands(text):
        if pattern := expected_output(output):
            commands.append((command, output.strip().rpartition(" → ")[2], pattern))
        else:
            sentence = f"Above {command!r}, write a comment that ends with what it prints, {EXAMPLES}"
            problems.append(problem(readme, sentence, line_of(readme, command)))
    if len(commands) + len(problems) < 2:
        problems.append(problem(readme, "Write at least two commands in a block that begins with ```sh."))
    if not commands:
        return problems
    with lesson_server(int(lesson.name[:2]), folder) as server:
        outputs = run_shell([command for command, *_ in commands], server.port)
    for (command, expected, pattern), output in zip(commands, outputs, strict=True):
        if not re.search(pattern, output, re.DOTALL):
            comparison = indent(f"expected: {expected}") + indent(f"printed: {output}")
            sentence = f"This command prints something else: {command}{comparison}"
            problems.append(problem(readme, sentence, line_of(readme, command)))
    return problems


EXAMPLES = 'such as `# Log in. → 200 "access_token"` or `# Keep the token. → prints nothing`'


def read_commands(text: str) -> list[tuple[str, str]]:
    """Return (command, the text that describes its output) for each command in a README's shell blocks.

    In an sh block, a comment before each command describes the output after an arrow: `→ prints nothing`
    or `→ 401 "User does not exist"`. In a console block, the output follows its command, and … is any text.
    """
    commands = []
    for kind, block in re.findall(r"^```(sh|console)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if kind == "console":
            commands += re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
            continue
        comment = ""
        for line in block.splitlines():
            if not line.startswith("#"):
                commands.append((line, comment))
            comment = line if line.startswith("#") else ""
    return commands


def expected_output(description: str) -> str | None:
    """Return a regular expression for the output that a text describes, or None if it describes none."""
    if not description.startswith("#"):
        pattern = re.escape(description.strip()).replace("…", ".*")
        return rf"\A\s*{pattern}\s*\Z"
    result = description.rpartition(" → ")[2]
    if result == "prints nothing":
        return r"\A\Z"
    response = re.fullmatch(r'(\d+)((?:.*?".+?")*[^"]*)', result)
    if response is None:
        return None
    quoted = re.findall(r'"(.+?)"', response[2])
    return rf"\AHTTP/1\.1 {response[1]} " + "".join(rf"(?=.*{re.escape(word)})" for word in quoted)


def run_shell(commands: list[str], port: int | None) -> list[str]:
    """Run commands in one shell, in the top folder, and return what each of them prints."""
    end = "-- end of command --"
    script = "".join(f"{{ {command}; }} 2>&1\necho '{end}'\n" for command in commands)
    run = subprocess.run(
        ["sh", "-c", script.replace(":8000", f":{port}")],
        cwd=ROOT,
        env=os.environ | {"PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return run.stdout.split(f"{end}\n")[:-1]


def passing_on_the_lesson_before(lessons: list[Path]) -> list[str]:
    """Check that every test of these lessons fails by an assertion on the lesson before."""
    files = [ROOT / "tests/lessons" / f"test_{lesson.name}.py" for lesson in lessons]
    results = run_tests(*files, options=["--run-on=previous"])
    problems = [
        problem(
            file,
            f"{name} must fail by an assertion on the lesson before, but its result is: {result}.",
            line_of(file, f"def {name.partition('[')[0]}("),
        )
        for file, name, result in results
        if result != "failure"
    ]
    tested = {file for file, _, _ in results}
    return problems + [
        problem(file, "Write at least one test of what this lesson adds.")
        for file in files
        if file not in tested
    ]


def run_tests(*files: Path, options: list[str]) -> list[tuple[Path, str, str]]:
    """Run test files in another process. Return (file, name of the test, result) for each test."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", f"--junit-xml={report}"]
        subprocess.run(
            [sys.executable, "-m", "pytest", *files, *options, *quiet],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        cases = list(ET.parse(report).iter("testcase"))
    by_module = {file.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): file for file in files}
    return [
        (
            by_module.get(case.get("classname", ""), files[0]),
            case.get("name", ""),
            next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed"),
        )
        for case in cases
    ]


def indent(output: str) -> str:
    """Return the output of a program below the line before it, indented, at most 20 lines of it."""
    return "".join(f"\n      {line}" for line in output.splitlines()[:20])

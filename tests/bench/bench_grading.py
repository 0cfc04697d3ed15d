"""Compare the speed of our grader with other tools, with the same answers and checks.

    .venv/bin/python tests/bench/bench_grading.py --turns 4 --only ours check50

Each tool grades as its own documentation describes, with a new process for each student if it works that way.
A student hands in an answer to exercise 6, or an answer to each of eight copies of exercise 6. Each tool has
one CPU. The tools take turns, after one turn to warm up. A turn with a wrong score is reported. The other
tools are installed in .venv/bench and .venv/bench-nbgrader.
"""

import argparse
import contextlib
import csv
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import make_venv
from lesson_loader import label_of

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "tests/bench"
EXERCISE = "06_current_identity"
COPIES = [f"06{letter}_current_identity" for letter in "bcdefghi"]  # additional exercises
PYTHONPATH = os.pathsep.join(
    str(ROOT / part) for part in ("tests/bench", "tests", "lessons", f"lessons/{EXERCISE}")
)
SOLUTION = (ROOT / f"solutions/{EXERCISE}.py").read_text(encoding="utf-8")
ANSWERS = [  # (old, new, points): replace old with new in the solution, and get these points
    ("", "", 10),
    ("current_identity.is_admin or ", "", 9),
    (" if is_visible(note)]", "]", 9),
    ("abort(404)", "abort(403)", 7),
    ("@jwt_required()\n    def get(self):", "def get(self):", 5),
    ('"owner": current_identity.id', '"owner": current_identity.id, "of": current_identity.password_hash', 8),
]


class NotMeasured(Exception):
    """A tool cannot be measured. The message gives the reason."""


class Tool:
    """A grader, and the students' answers that it grades, in FOLDER/submitted/STUDENT/."""

    students = len(ANSWERS)
    exercises = (EXERCISE,)
    cpus = 1
    group = None  # its dependency group in pyproject.toml, and the name of its environment

    def __init__(self, folder):
        self.folder = folder
        self.expected = {f"student{number:02}": 0 for number in range(self.students)}
        for number, student in enumerate(self.expected):
            (folder / "submitted" / student).mkdir(parents=True)
            for place, file in enumerate(self.files(student), number):
                old, new, points = ANSWERS[place % len(ANSWERS)]
                assert old in SOLUTION
                self.expected[student] += points
                header = f"# answer {file.stem} of {student}\n"
                file.write_text(header + (SOLUTION.replace(old, new) if old else SOLUTION))
        self.prepare()

    def program(self, name):
        return ROOT / ".venv" / self.group / "bin" / name

    def files(self, student):
        return [self.folder / "submitted" / student / f"{exercise}.py" for exercise in self.exercises]

    def prepare(self):
        """Do what an instructor does once, before grading."""

    def grade(self, out):
        """Grade the class and write the results into an empty folder."""
        raise NotImplementedError

    def scores(self, out):
        """Return the points of each student, from the results of grade()."""
        raise NotImplementedError


class Ours(Tool):
    students = 40
    jobs = 1

    def prepare(self):
        (self.folder / "exercises").mkdir()

    def grade(self, out):
        command = [sys.executable, ROOT / "tests/grading", self.folder / "submitted"]
        options = ["--out", out, "--jobs", str(self.jobs), "--exercises", *map(label_of, self.exercises)]
        run([*command, *options], EXERCISES=str(self.folder / "exercises"))

    def scores(self, out):
        scores = dict.fromkeys(self.expected, 0)
        with (out / "grades.csv").open(encoding="utf-8", newline="") as grades:
            for row in csv.DictReader(grades):
                scores[row["student_id"]] += float(row["score"] or 0)
        return scores


class OursForOneAnswer(Ours):
    students = 1


class OursOnAnyCpu(Ours):
    cpus = None


class OursWithTwoJobs(Ours):
    students = 80
    jobs = cpus = 2


class OursInTwoCommands(Ours):
    """Two commands at once, each with its own CPU: the best that two jobs of one command could do."""

    cpus = 2

    def grade(self, out):
        def on_its_own(cpu):
            os.sched_setaffinity(0, {cpu})  # for this thread and every process that it starts
            super(OursInTwoCommands, self).grade(out / str(cpu))

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(on_its_own, sorted(os.sched_getaffinity(0))))

    def scores(self, out):
        one, other = (super(OursInTwoCommands, self).scores(part) for part in out.iterdir())
        return one if one == other else {}


class OursWithEightExercises(Ours):
    students = 24
    exercises = COPIES

    def prepare(self):
        for exercise in self.exercises:
            make_copy(self.folder / "exercises" / exercise)


def make_copy(folder):
    """Write an additional exercise with the checks and the starter of exercise 6."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / f"lessons/{EXERCISE}/exercise.py", folder)
    shutil.copy(ROOT / f"tests/exercises/test_{EXERCISE}.py", folder / f"test_{folder.name}.py")


class OursWithEightExercisesAndTwoJobs(OursWithEightExercises):
    students = 48
    jobs = cpus = 2


class OneByOne(Tool):
    """A tool that starts a new process for each student, in the folder of the student's answers."""

    statuses = (0,)

    def grade(self, out):
        for student in self.expected:
            files = self.files(student)
            run(self.command(out / student, *files), cwd=files[0].parent, statuses=self.statuses)

    def scores(self, out):
        return {student: self.score(out / student) for student in self.expected}


class FreshPytest(OneByOne):
    statuses = (0, 1)

    def command(self, report, file):
        checks = ROOT / f"tests/exercises/test_{EXERCISE}.py"
        return [sys.executable, "-m", "pytest", checks, "--target", file, "--junit-xml", report]

    def score(self, report):
        points = ".//property[@name='points']"
        cases = ET.parse(report).iter("testcase")
        return sum(int(case.find(points).get("value")) for case in cases if passed(case))


def passed(case):
    return {part.tag for part in case}.isdisjoint({"failure", "error", "skipped"})


class GradescopeUtils(OneByOne):
    group = "bench"

    def command(self, report, *files):
        return [self.program("python"), BENCH / "with_gradescope.py", report, *files]

    def score(self, report):
        return json.loads(report.read_text())["score"]


class GradescopeUtilsWithEightExercises(GradescopeUtils):
    exercises = COPIES


class Check50(OneByOne):
    group = "bench"
    statuses = (0, 1)

    def command(self, report, file):
        return [self.program("check50"), "--dev", BENCH, "-o", "json", "--output-file", report]

    def score(self, report):
        results = json.loads(report.read_text())["results"]
        return sum(result["data"]["points"] for result in results if result["passed"])


class OtterGrader(OneByOne):
    group = "bench"
    students = 2  # because it is slow

    def prepare(self):
        (self.folder / "tests").mkdir()
        (self.folder / "tests/notes.py").write_text((BENCH / "with_otter.py").read_text())
        run([self.program("otter"), "generate", "-t", "tests", "-o", "autograder.zip"], cwd=self.folder)

    def command(self, report, file):
        report.mkdir()
        return [
            self.program("otter"),
            "run",
            "-a",
            self.folder / "autograder.zip",
            "-o",
            report,
            "--no-logo",
            file,
        ]

    def score(self, report):
        return sum(
            test.get("score", 0) for test in json.loads((report / "results.json").read_text())["tests"]
        )


class Nbgrader(Tool):
    group = "bench-nbgrader"

    def prepare(self):
        self.course = self.folder / "course"
        files = [file for student in self.expected for file in self.files(student)]
        run([self.program("python"), BENCH / "with_nbgrader.py", self.course, *files])
        self.nbgrader("generate_assignment", EXERCISE)

    def nbgrader(self, *arguments):
        run([self.program("nbgrader"), *arguments], cwd=self.course)

    def grade(self, out):
        self.nbgrader("autograde", EXERCISE, "--force")

    def scores(self, out):
        self.nbgrader("export", "--to", out / "grades.csv")
        with (out / "grades.csv").open(encoding="utf-8", newline="") as grades:
            return {row["student_id"]: float(row["score"]) for row in csv.DictReader(grades)}


TOOLS = {
    "ours": Ours,
    "fresh pytest": FreshPytest,
    "gradescope-utils": GradescopeUtils,
    "check50": Check50,
    "otter-grader": OtterGrader,
    "nbgrader": Nbgrader,
    "ours, for one answer": OursForOneAnswer,
    "ours, on any CPU": OursOnAnyCpu,
    "ours, 2 jobs, 2 CPUs": OursWithTwoJobs,
    "ours, two commands": OursInTwoCommands,
    "ours, 8 exercises": OursWithEightExercises,
    "gradescope-utils, 8 exercises": GradescopeUtilsWithEightExercises,
    "ours, 8 exercises, 2 jobs, 2 CPUs": OursWithEightExercisesAndTwoJobs,
}


def main():
    arguments = read_arguments()
    with tempfile.TemporaryDirectory() as folder:
        tools = {name: TOOLS[name] for name in arguments.only}
        for group in sorted({tool.group for tool in tools.values() if tool.group}):
            make_environment(group)
        tools = dict(prepare_tools(tools, Path(folder)))
        times = {name: [] for name in tools}
        for turn in range(arguments.turns):
            for name, tool in tools.items():
                times[name].append(time_turn(tool, turn))
    report(times)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=TOOLS, default=list(TOOLS), metavar="NAME")
    parser.add_argument("--turns", type=int, default=4)
    return parser.parse_args()


def make_environment(group):
    """Make .venv/bench or .venv/bench-nbgrader, unless it already contains the locked packages."""
    venv, lock = ROOT / ".venv" / group, BENCH / f"requirements-{group}.txt"
    installed = venv / ".installed"
    if installed.exists() and installed.read_text() == lock.read_text():
        return
    with contextlib.suppress(SystemExit):  # a tool that cannot be installed is not measured
        make_venv.make_environment(str(venv))
        make_venv.install([*make_venv.GROUPS["lessons"][1], str(lock.relative_to(ROOT))], str(venv))
        shutil.copy(lock, installed)


def prepare_tools(tools, folder):
    """Yield (name, tool) for each tool that works, after one turn to warm up."""
    for name, tool in tools.items():
        try:
            ready = tool(folder / name.replace(" ", "-"))
            time_turn(ready, "warm-up")
            yield name, ready
        except (NotMeasured, OSError) as problem:
            print(f"  {name:34}not measured: {problem}")


def time_turn(tool, turn):
    """Return the seconds that a tool takes for one answer. Print a line if a score is wrong."""
    out = tool.folder / f"turn-{turn}"
    out.mkdir()
    with on_cpus(tool.cpus):
        start = time.perf_counter()
        tool.grade(out)
        seconds = time.perf_counter() - start
    scores = tool.scores(out)
    if scores != tool.expected:  # check50 sometimes gives a wrong score
        assert not isinstance(tool, Ours), f"ours gives {scores} instead of {tool.expected}"
        print(f"  {type(tool).__name__} gave a wrong score in turn {turn}")
    answers = tool.students * len(tool.exercises) * (2 if isinstance(tool, OursInTwoCommands) else 1)
    return seconds / answers


@contextlib.contextmanager
def on_cpus(count):
    """Limit the programs that the block starts to this number of CPUs, if the system supports it."""
    if count is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every)[-count:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


def report(times):
    pinned = "on one CPU" if hasattr(os, "sched_setaffinity") else "on any CPU (this system cannot limit it)"
    print(f"time for one answer to exercise 6 or to a copy of it, {pinned} unless a name says otherwise")
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, median in medians.items():
        spread = f"{1000 * min(times[name]):.0f} to {1000 * max(times[name]):.0f} ms"
        other = "ours, 8 exercises" if "8 exercises" in name else "ours"  # as many answers of each student
        ratio = f"{other} is {median / medians[other]:.2f} x as fast" if other in medians else ""
        print(f"  {name:34}{1 / median:7.2f}/s {1000 * median:7.0f} ms  ({spread})  {ratio}".rstrip())


def run(command, cwd=ROOT, statuses=(0,), **variables):
    """Run a command that can import the checks, with an empty home folder and these environment variables."""
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by name
    with tempfile.TemporaryDirectory() as home:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment |= {
            "HOME": home,
            "PATH": path,
            "PYTHONPATH": PYTHONPATH,
            "SECRET_KEY": secrets.token_hex(),
            **variables,
        }
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(command, cwd=cwd, env=environment, text=True, **pipes)
    if done.returncode not in statuses:
        said = done.stdout.strip().splitlines() or ["no output"]
        raise NotMeasured(f"{Path(command[0]).name} ended with status {done.returncode}: {said[-1]}")


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # `head` closed the pipe, or Ctrl-C
        main()

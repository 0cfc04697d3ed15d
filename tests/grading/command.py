"""The command that grades a folder of submissions. Its help text is in __main__.py."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grading.bubblewrap import limit_memory
from grading.formats import clean, clean_line, display_name, display_points, render
from grading.grade import Course, Submit, Work, grade, grade_all, grader_error, max_points, version_of_checks
from grading.pool import CheckerLost, CheckerPool
from grading.record import Outcome, Person, StudentResult
from grading.reports import Busy, Reports, make_pseudonym
from grading.roster import BadTable, Overrides, assign, read_overrides, read_roster, with_class
from grading.sandbox import NoSandbox, require_sandbox
from grading.submissions import NoSubmissions, Source, find_submissions, ignored, read_submission
from lesson_loader import BadExercises, find_exercises, label_of
from originals import NoOriginals

NO_MEMORY_LIMIT = "Each process had a memory limit. The whole sandbox had none: that limit needs systemd."
LOST = "the record of this student is missing in the folder of the results"


class BadCommand(Exception):
    """The command has a mistake, or this machine lacks something. The message says what to do."""


def main() -> int:
    options = parse_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end the checkers, as after Ctrl-C
    try:
        return grade_class(options)
    except (BadExercises, BadTable, BadCommand, NoOriginals, NoSubmissions, NoSandbox, Busy) as problem:
        print(problem)
        return 1
    except CheckerLost as problem:
        print(f"The grader cannot list the checks: {problem}")
        return 3
    except OSError as problem:
        place = problem.filename or options.out
        print(f"The grader stopped, because it cannot write {place}: {problem.strerror or problem}.", end=" ")
        print("Results so far are kept. After you have solved the problem, run the same command again.")
        return 3
    except KeyboardInterrupt:
        command = "the same command without --regrade" if options.regrade else "the same command"
        print(f"\nStopped. To continue, run {command}.")
        return 130


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/grading",
        description=sys.modules["__main__"].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("submissions", type=Path, help="the folder with what students handed in")
    add("--out", type=Path, default=Path("grades"), help="the folder for the results (default: grades)")
    add("--exercises", nargs="+", metavar="N", help="the exercises that count, such as 1 3b")
    add("--roster", type=Path, metavar="FILE", help="a CSV file with a line for each student")
    add("--overrides", type=Path, metavar="FILE", help="a CSV file with your own points and comments")
    add("--anonymous", action="store_true", help="show a pseudonym instead of each name on the pages")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    add("--jobs", type=int, default=processors, help="students at a time (default: %(default)s)")
    add("--scheduler", metavar="tcp://HOST:PORT", help="grade on the workers of this Dask cluster")
    add("--seed", type=int, help="use the random users of an earlier run")
    add(
        "--regrade",
        action="store_true",
        help="grade everyone again, with new random users or those of --seed",
    )
    add("--seconds", type=float, default=5.0, help="seconds for a start or a response (default: 5)")
    add("--time-limit", type=float, default=30.0, help="seconds for all checks of an answer (default: 30)")
    add("--no-sandbox", action="store_true", help="run answers that you trust, without a sandbox")
    add("--summary", type=Path, metavar="FILE", help="for GitHub Actions: append the points, but no names")
    options = parser.parse_args()
    if options.jobs < 1:
        parser.error("--jobs needs at least 1")
    if not all(0 < seconds < 86_400 for seconds in (options.seconds, options.time_limit)):  # also refuses nan
        parser.error("--seconds and --time-limit need more than 0 and less than a day")
    return options


def grade_class(options: argparse.Namespace) -> int:
    """Grade a folder of submissions, write the reports and return the exit status."""
    sources, others = find_submissions(options.submissions), ignored(options.submissions)
    if options.out.resolve().is_relative_to(options.submissions.resolve()):
        advice = "Choose another --out (make: OUT=folder)."
        raise BadCommand(f"{options.out} is in the folder of the submissions. {advice}")
    plans = make_plans(options, sources)
    unmatched = [plan.person.id for plan in plans if not plan.in_roster]
    if options.no_sandbox:
        print("Without a sandbox, an answer can read, change and delete your files.")
    elif not options.scheduler:
        require_sandbox()
    reports = Reports(options.out)
    with reports.lock():
        run = grade_plans(options, plans, reports)
        exercises = sorted({name for plan in plans for name in plan.exercises})
        students = reports.finish(run.results(), exercises, unmatched)
        with open(options.summary or os.devnull, "a", encoding="utf-8") as file:
            # Sort by pseudonym, because the order of the names would show who is who.
            for student in sorted(students, key=lambda student: student.pseudonym):
                print_line(student)
                file.write(render("summary.md", student))
    pages = f"{options.out / 'index.html'}, {options.out / 'grades.csv'} and {options.out / 'totals.csv'}"
    print(f"\nSeed {run.course.seed}. The class: {pages}")
    if unmatched:
        print(f"These submissions belong to nobody in the roster: {', '.join(map(clean_line, unmatched))}")
    if others:
        print(f"The grader ignored these files, because they are not submissions: {', '.join(others)}")
    if not options.no_sandbox and not options.scheduler and not limit_memory():
        print(NO_MEMORY_LIMIT)
    if is_unmarked := any(student.points is None for student in students):
        print("The grader failed for some students, who have no mark yet. Run the same command again.")
    return 3 if is_unmarked else 0


@dataclass(frozen=True)
class Plan:
    """Who is graded, what they handed in, and which exercises count for them."""

    person: Person
    source: Source | None
    exercises: tuple[str, ...]
    in_roster: bool = True

    def read(self) -> Work:
        """Read the submission. If this machine cannot read it, try once more."""
        submission = None
        if self.source:
            submission = read_submission(self.source, self.exercises)
            if submission.error:
                submission = read_submission(self.source, self.exercises)
        return Work(self.person, submission, self.exercises)


def make_plans(options: argparse.Namespace, sources: dict[str, Source]) -> list[Plan]:
    """Return a plan for everyone in the roster, and for every submission that belongs to nobody there."""
    members = read_roster(options.roster) if options.roster else []
    assigned, others = assign(members, sources)
    known = {label: exercise.name for label, exercise in find_exercises().items()}
    labels = options.exercises or [label for member in members for label in member.labels]
    if unknown := set(labels) - known.keys():
        message = f"There is no exercise {min(unknown)}. The exercises are {', '.join(known)}."
        raise BadCommand(f"{message} For your own exercises, set EXERCISES to their folder.")
    if not labels:
        raise BadCommand(ask_for_exercises(sources, known))

    def name_all(chosen: Collection[str]) -> tuple[str, ...]:
        return tuple(name for label, name in known.items() if label in chosen)

    plans = []
    for member in members:
        exercises = name_all(options.exercises or member.labels or labels)
        plans.append(Plan(member.person, assigned[member.person.id], exercises))
    plans += [Plan(Person(source.name), source, name_all(labels), in_roster=not members) for source in others]
    return plans


def ask_for_exercises(sources: dict[str, Source], known: dict[str, str]) -> str:
    """Return a message that asks which exercises count. It names those that somebody handed in."""
    submissions = (read_submission(source, known.values()) for source in sources.values())
    names = {name for submission in submissions for name in (*submission.answers, *submission.problems)}
    labels = [label for label, name in known.items() if name in names]
    hint = f" The submissions have answers to {', '.join(labels)}." if labels else ""
    option = f"--exercises {' '.join(labels) or '1'}"
    advice = f"Add their numbers to your command, such as {option} (make: ARGS='{option}')."
    return f"Which exercises count?{hint} {advice}"


@dataclass(frozen=True)
class Run:
    """One run of the command."""

    options: argparse.Namespace
    course: Course
    plans: list[Plan]
    reports: Reports
    overrides: Overrides

    def update(self, result: StudentResult, person: Person) -> StudentResult:
        """Return a result with what the roster, the overrides and --anonymous say now."""
        pseudonym = make_pseudonym(self.course.seed, person.id) if self.options.anonymous else ""
        return with_class(result, person, self.overrides, pseudonym)

    def unfinished(self, advance: Callable[[], None]) -> Iterator[Work]:
        """Yield the work that has no valid result. Write the reports of the others again, if they changed."""
        for plan in self.plans:
            work, result = plan.read(), self.reports.find(plan.person.id)
            has_mark = result and result.outcome is not Outcome.GRADER_ERROR
            if result and has_mark and not self.options.regrade and result.digest == work.digest(self.course):
                if (updated := self.update(result, plan.person)) != result:
                    self.reports.keep(updated)
                advance()
            else:
                yield work

    def results(self) -> Iterator[StudentResult]:
        """Yield the result of everyone from the records. A lost record becomes a grader error."""
        for plan in self.plans:
            yield self.reports.find(plan.person.id) or self.update(
                grader_error(self.course, plan.person, plan.exercises, LOST), plan.person
            )


def grade_plans(options: argparse.Namespace, plans: list[Plan], reports: Reports) -> Run:
    """Grade everyone who has no valid result yet, and write the reports of each student."""
    # At the end, or after Ctrl-C, the checkers end first. Then no thread waits for one.
    with start_threads(options.jobs) as threads, closing(CheckerPool()) as pool:
        course = Course(
            checks=threads.submit(pool.list_checks).result(),
            seed=reports.choose_seed(options.seed, options.regrade),
            seconds=options.seconds,
            time_limit=options.time_limit,
            sandboxed=not options.no_sandbox,
            version=version_of_checks(),
        )
        most = {plan.person.id: {name: max_points(course, name) for name in plan.exercises} for plan in plans}
        overrides = read_overrides(options.overrides, most) if options.overrides else {}
        run = Run(options, course, plans, reports, overrides)
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("students"), TimeRemainingColumn())
        progress = Progress(*columns, console=Console(stderr=True), transient=True)
        task = progress.add_task("", total=len(plans))
        with progress, submit_to(options, threads, pool) as (submit, window):
            for result in grade_all(course, run.unfinished(lambda: progress.advance(task)), submit, window):
                reports.keep(run.update(result, result.person))
                progress.advance(task)
    return run


def start_threads(jobs: int) -> ThreadPoolExecutor:
    """Return threads that wait for checkers.

    A checker and its sandbox take turns. So if there are as many checkers as processors or more, each thread
    and everything that it starts stay on one processor.
    """
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if not 0 < len(processors) <= jobs:
        return ThreadPoolExecutor(jobs)
    following = cycle(processors)
    return ThreadPoolExecutor(jobs, initializer=lambda: os.sched_setaffinity(0, {next(following)}))


@contextmanager
def submit_to(
    options: argparse.Namespace, threads: ThreadPoolExecutor, pool: CheckerPool
) -> Iterator[tuple[Submit, int]]:
    """Yield a function that submits work, and how many submissions should be under way."""
    if not options.scheduler:
        yield lambda course, work: threads.submit(grade, course, work, pool), 2 * options.jobs
        return
    try:
        from grading.cluster import NoScheduler, connect
    except ImportError:
        raise BadCommand("Dask is missing. Install it: python3 lessons/make_venv.py cluster") from None
    try:
        with connect(options.scheduler) as submit_and_window:
            yield submit_and_window
    except NoScheduler as problem:
        raise BadCommand(str(problem)) from None


def print_line(result: StudentResult) -> None:
    """Print a student's points, and why exercises did not pass. What was not handed in comes last."""
    labels: dict[str, list[str]] = defaultdict(list)
    for exercise in sorted(result.exercises, key=lambda one: one.outcome is Outcome.NOT_HANDED_IN):
        if exercise.manual_points is not None:
            labels[f"{exercise.manual_points} points by hand"].append(label_of(exercise.exercise))
        elif exercise.outcome is not Outcome.PASSED and not result.problem:
            labels[exercise.problem or exercise.outcome.value].append(label_of(exercise.exercise))
    reasons = [result.problem] if result.problem else []
    reasons += [f"{', '.join(several)}: {reason}" for reason, several in labels.items()]
    if any(exercise.outcome is Outcome.NOT_HANDED_IN for exercise in result.exercises):
        reasons += result.notes
    text = "; ".join(reason.removesuffix(".") for reason in reasons)
    name = display_name(result)
    name += " " * (24 - cell_len(name))  # for a terminal, where one character can take two cells
    print(f"{display_points(result):>12}  {name}  {clean(text, 300)}".rstrip())

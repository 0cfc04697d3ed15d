"""The command that grades a folder of submissions. Its help text is in __main__.py."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, groupby
from pathlib import Path
from typing import Any

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

PLAIN: dict[str, Any] = {"markup": False, "highlight": False, "soft_wrap": True}  # names are not markup
NO_MEMORY_LIMIT = "Each process had a memory limit. The sandbox as a whole had none: that needs systemd."
LOST = "the record of this student is missing in the folder of the results"
FAILED = "The grader failed for some students, who have no mark yet. Run the same command again."


class BadCommand(Exception):
    """The command has a mistake, or this machine lacks something. The message says what to do."""


def main() -> int:
    options = parse_options()
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # for names that a terminal cannot show
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end the checkers, as after Ctrl-C
    console = Console()
    try:
        return grade_class(options, console)
    except (BadExercises, BadTable, BadCommand, NoSubmissions, NoSandbox, Busy) as problem:
        console.print(str(problem), **PLAIN)
        return 1
    except CheckerLost as problem:
        console.print(f"The grader cannot list the checks: {problem}", **PLAIN)
        return 3
    except OSError as problem:
        place = problem.filename or options.out
        console.print(
            f"The grader stopped, because it cannot write {place}: {problem.strerror or problem}. "
            "Results so far are kept. After you have solved the problem, run the same command again.",
            **PLAIN,
        )
        return 3
    except KeyboardInterrupt:
        command = "the same command without --regrade" if options.regrade else "the same command"
        console.print(f"\nStopped. To continue, run {command}.", **PLAIN)
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
    add("--anonymous", action="store_true", help="show a pseudonym instead of each name in the reports")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    add("--jobs", type=positive, default=processors, help="students at a time (default: %(default)s)")
    add("--scheduler", metavar="tcp://HOST:PORT", help="grade on the workers of this Dask cluster")
    add("--seed", type=int, help="use the random users of an earlier run")
    add("--regrade", action="store_true", help="grade everyone again, with other random users")
    add("--seconds", type=duration, default=5.0, help="seconds for a start or a response (default: 5)")
    add("--time-limit", type=duration, default=30.0, help="seconds for one answer in all (default: 30)")
    add("--no-sandbox", action="store_true", help="run the answers on this machine, without protection")
    add("--summary", type=Path, metavar="FILE", help="append the points to this file, as Markdown")
    return parser.parse_args()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def duration(text: str) -> float:
    number = float(text)
    if not 0 < number < 86_400:  # also refuses nan
        raise argparse.ArgumentTypeError("more than 0 and less than a day")
    return number


def grade_class(options: argparse.Namespace, console: Console) -> int:
    """Grade a folder of submissions, write the reports and return the exit status."""
    sources, others = find_submissions(options.submissions), ignored(options.submissions)
    if options.submissions.resolve() in (options.out.resolve(), *options.out.resolve().parents):
        raise BadCommand(f"{options.out} is in the folder of the submissions. Choose another --out.")
    plans = plan(options, sources)
    warn_about_machine(options, console)
    try:
        reports = Reports(options.out)
    except OSError as problem:
        raise BadCommand(f"The folder {options.out} cannot be made: {problem.strerror}.") from None
    pool = CheckerPool()
    with reports.alone(), threads_for(options.jobs, pool) as threads:
        new_seed = secrets.randbelow(10**18)  # too many to try them all against --anonymous
        seed = new_seed if options.regrade and options.seed is None else options.seed
        course = Course(
            checks=threads.submit(pool.list_checks).result(),
            seed=reports.seed(seed, new_seed),
            seconds=options.seconds,
            time_limit=options.time_limit,
            sandboxed=not options.no_sandbox,
            version=version_of_checks(),
        )
        update = updater(options, course, plans)
        with progress_of(len(plans)) as advance, submit_to(options, threads, pool) as (submit, window):
            waiting = unfinished(course, plans, reports, update, options.regrade, advance)
            for result in grade_all(course, waiting, submit, window):
                reports.keep(update(result))
                advance()
        expected = [update(grader_error(course, each.person, each.exercises, LOST)) for each in plans]
        exercises = sorted({name for each in plans for name in each.exercises})
        unmatched = [each.person.id for each in plans if not each.in_roster]
        summary = reports.finish(expected, exercises, unmatched)
        with open(options.summary or os.devnull, "a", encoding="utf-8") as file:
            in_order = sorted(expected, key=display_name) if options.anonymous else expected
            for result in reports.results(in_order):
                print_line(console, result)
                file.write(render("summary.md", result))
    pages = f"{options.out / 'index.html'}, {options.out / 'grades.csv'} and {options.out / 'totals.csv'}"
    console.print(f"\nSeed {course.seed}. The class: {pages}", **PLAIN)
    if unmatched:
        console.print(f"They fit nobody in the roster: {', '.join(map(clean_line, unmatched))}", **PLAIN)
    if others:
        console.print(f"Ignored, because they are not submissions: {', '.join(others)}", **PLAIN)
    if course.sandboxed and not options.scheduler and not limit_memory():
        console.print(NO_MEMORY_LIMIT, **PLAIN)
    if summary.errors:
        console.print(FAILED, **PLAIN)
    return 3 if summary.errors else 0


@dataclass(frozen=True)
class Plan:
    """Who is graded, what they handed in, and which exercises count for them."""

    person: Person
    source: Source | None
    exercises: tuple[str, ...]
    in_roster: bool = True

    def read(self) -> Work:
        """Read the submission. If this machine cannot read it, try once more."""
        if not self.source:
            return Work(self.person, None, self.exercises)
        submission = read_submission(self.source, self.exercises)
        if submission.error:
            submission = read_submission(self.source, self.exercises)
        return Work(self.person, submission, self.exercises)


def plan(options: argparse.Namespace, sources: dict[str, Source]) -> list[Plan]:
    """Return a plan for everyone in the roster, and for every submission that belongs to nobody there."""
    members = read_roster(options.roster) if options.roster else []
    assigned, others = assign(members, sources)
    known = {label: exercise.name for label, exercise in find_exercises().items()}
    labels = options.exercises or {label for member in members for label in member.labels}
    if unknown := set(labels) - set(known):
        hint = (
            " For your own exercises, set EXERCISES to their folder." if min(unknown)[-1:].isalpha() else ""
        )
        raise BadCommand(f"There is no exercise {min(unknown)}. There are {', '.join(known)}.{hint}")
    if not labels:
        raise BadCommand(ask_for_exercises(sources, known))
    of_class = tuple(name for label, name in known.items() if label in labels)
    plans = []
    for member in members:
        own = tuple(name for label, name in known.items() if label in member.labels)
        exercises = of_class if options.exercises else own or of_class
        plans.append(Plan(member.person, assigned[member.person.id], exercises))
    plans += [Plan(Person(source.name), source, of_class, in_roster=not members) for source in others]
    return plans


def ask_for_exercises(sources: dict[str, Source], known: dict[str, str]) -> str:
    """Return a message that asks which exercises count. It names those that somebody handed in."""
    found: set[str] = set()
    for source in sources.values():
        submission = read_submission(source, known.values())
        found |= {*submission.answers, *submission.problems}
    labels = [label for label, name in known.items() if name in found]
    hint = f" The submissions have answers to {', '.join(labels)}." if labels else ""
    option = f"--exercises {' '.join(labels) or '1'}"
    return f"Which exercises count?{hint} Add them to your command, such as {option} (make: ARGS='{option}')."


def warn_about_machine(options: argparse.Namespace, console: Console) -> None:
    """Warn if nothing protects this machine. Raises NoSandbox if it needs a sandbox and none works here."""
    if options.no_sandbox:
        console.print("Without a sandbox, an answer can read, change and delete your files.", **PLAIN)
    elif not options.scheduler:
        require_sandbox()


def updater(
    options: argparse.Namespace, course: Course, plans: list[Plan]
) -> Callable[[StudentResult], StudentResult]:
    """Return a function that updates a result from the roster, the overrides and --anonymous."""
    people = {each.person.id: each.person for each in plans}
    overrides: Overrides = {}
    if options.overrides:
        most = {name: max_points(course, name) for each in plans for name in each.exercises}
        counting = {each.person.id: {name: most[name] for name in each.exercises} for each in plans}
        overrides = read_overrides(options.overrides, counting)

    def update(result: StudentResult) -> StudentResult:
        id = result.person.id
        pseudonym = make_pseudonym(course.seed, id) if options.anonymous else ""
        return with_class(result, people[id], overrides, pseudonym)

    return update


def unfinished(
    course: Course,
    plans: list[Plan],
    reports: Reports,
    update: Callable[[StudentResult], StudentResult],
    regrade: bool,
    advance: Callable[[], None],
) -> Iterator[Work]:
    """Yield the work that has no valid result. Write the reports of the others again, if they changed."""
    for each in plans:
        work, result = each.read(), reports.find(each.person.id)
        is_marked = result and result.outcome is not Outcome.GRADER_ERROR
        if not result or not is_marked or regrade or result.digest != work.digest(course):
            yield work
        else:
            if (updated := update(result)) != result:
                reports.keep(updated)
            advance()


@contextmanager
def threads_for(jobs: int, pool: CheckerPool) -> Iterator[ThreadPoolExecutor]:
    """Yield threads that wait for checkers. At the end, or after Ctrl-C, all checkers end.

    A checker and its sandbox take turns. So if there are as many checkers as processors or more, each thread
    and everything that it starts stay on one processor.
    """
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    following = cycle(processors)

    def stay() -> None:
        if 0 < len(processors) <= jobs:
            os.sched_setaffinity(0, {next(following)})

    threads = ThreadPoolExecutor(jobs, initializer=stay)
    try:
        yield threads
    finally:
        pool.close()
        threads.shutdown(cancel_futures=True)


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


@contextmanager
def progress_of(total: int) -> Iterator[Callable[[], None]]:
    """Show a bar on standard error, and yield a function that moves it on by one student."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("students"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)


def print_line(console: Console, result: StudentResult) -> None:
    """Print a student's points, and why exercises did not pass."""
    labels: dict[str, list[str]] = {}
    for exercise in sorted(result.exercises, key=lambda one: one.outcome is Outcome.NOT_HANDED_IN):
        reason = exercise.problem or str(exercise.outcome)
        if exercise.manual_points is not None:
            reason = f"{exercise.manual_points} points by hand"
        elif exercise.outcome is Outcome.PASSED:
            continue
        labels.setdefault(reason, []).append(label_of(exercise.exercise))
    each = (f"{join_labels(which)} {reason}" for reason, which in labels.items())
    is_missing = any(one.outcome is Outcome.NOT_HANDED_IN for one in result.exercises)
    reasons = result.problem or "; ".join([*each, *(result.notes if is_missing else ())])
    name = display_name(result)
    name += " " * (24 - cell_len(name))
    console.print(f"{display_points(result):>12}  {name}  {clean(reasons, 300)}".rstrip(), **PLAIN)


def join_labels(labels: list[str]) -> str:
    """Return ascending labels in short: 1, 3-5, 8, 8b."""
    runs = [
        [label for _, label in run]
        for _, run in groupby(
            enumerate(labels), lambda one: int(one[1]) - one[0] if one[1].isdecimal() else one
        )
    ]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else run[0] for run in runs)

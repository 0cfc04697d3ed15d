"""The command that grades a folder of submissions; how to use it is in __main__.py."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, groupby
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grading.formats import clean, clean_name, summary_markdown
from grading.grade import CheckerLost, Course, digest_of_checks, grade_all, list_checks, stop
from grading.record import Outcome, StudentResult
from grading.reports import Busy, Reports
from grading.sandbox import NoSandbox, require_sandbox
from grading.submissions import NoSubmissions, Submission, find_submissions, left_out, read_submission
from lesson_loader import BadExercises, find_exercises, label_of


class NoScheduler(Exception):
    """There is no cluster to grade on; the message says why and what to do."""


WORKER = "in a clone like this one, PYTHONPATH=tests:lessons .venv/bin/dask worker tcp://HOST:PORT"
PLAIN = {"markup": False, "highlight": False, "soft_wrap": True}  # what students named is no markup


def main() -> int:
    options = parse()
    sys.stdout.reconfigure(errors="replace")  # for names that a terminal cannot show
    console = Console()
    try:
        return grade_folder(options, console)
    except (BadExercises, NoSubmissions, NoSandbox, Busy, NoScheduler) as problem:
        console.print(str(problem), **PLAIN)
        return 1
    except CheckerLost as problem:
        console.print(f"The checks cannot be listed: {problem}", **PLAIN)
        return 3
    except OSError as problem:
        where = problem.filename or options.out
        console.print(f"{where} cannot be written to: {problem.strerror or problem}", **PLAIN)
        return 1
    except KeyboardInterrupt:
        command = "The same command without --regrade" if options.regrade else "The same command"
        console.print(f"\nBroken off. {command} goes on from here.", **PLAIN)
        return 130


def parse() -> argparse.Namespace:
    about = sys.modules["__main__"].__doc__
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="tests/grading", description=about, formatter_class=form)
    parser.add_argument("submissions", type=Path, help="the folder with a folder or archive for each student")
    parser.add_argument("--out", type=Path, default=Path("grades"), help="where results go (default: grades)")
    parser.add_argument("--exercises", nargs="+", metavar="N", help="default: those handed in")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument(
        "--jobs", type=positive, default=cores, help="answers at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--scheduler", metavar="tcp://HOST:PORT", help="grade on the workers of this Dask cluster"
    )
    parser.add_argument("--seed", type=int, help="repeat the run of this seed")
    parser.add_argument("--regrade", action="store_true", help="grade everyone again, with another seed")
    parser.add_argument("--seconds", type=duration, default=5.0, help="for each response (default: 5)")
    parser.add_argument(
        "--deadline", type=duration, default=30.0, help="seconds for one answer (default: 30)"
    )
    parser.add_argument("--no-sandbox", action="store_true", help="run answers on this machine, unprotected")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="add the points to it, in Markdown")
    return parser.parse_args()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def duration(text: str) -> float:
    number = float(text)
    if not 0 < number < 86_400:  # nor is it nan, with which nothing would start
        raise argparse.ArgumentTypeError("more than 0 and less than a day")
    return number


def grade_folder(options: argparse.Namespace, console: Console) -> int:
    """Grade a folder of submissions, write the reports, and return the exit status."""
    find_exercises()  # raises BadExercises before anything else happens
    students = find_submissions(options.submissions)
    if options.submissions.resolve() in (options.out.resolve(), *options.out.resolve().parents):
        raise NoSubmissions(f"{options.out} is in the folder of submissions: take an --out that is elsewhere")
    if names := left_out(options.submissions):
        console.print(f"Left out, as neither a folder nor an archive: {', '.join(names)}", **PLAIN)
    if options.no_sandbox:
        console.print("Without a sandbox, an answer can do to this machine whatever its user can.", **PLAIN)
    elif not options.scheduler:
        require_sandbox()
    reports = Reports(options.out)
    with reports.alone(), threads_of(options.jobs) as threads:
        catalogue = threads.submit(list_checks).result()
        new = secrets.randbelow(10**9)
        course = Course(
            exercises=choose(options.exercises, students, catalogue),
            seed=reports.seed(new if options.regrade and options.seed is None else options.seed, new),
            seconds=options.seconds,
            deadline=options.deadline,
            sandboxed=not options.no_sandbox,
            checks=digest_of_checks(),
        )
        with progress_of(len(students)) as advance:
            waiting = unfinished(course, students, reports, options.regrade, advance)
            with executor_for(options, threads) as (executor, window, more):
                for result in grade_all(course, waiting, executor, window, **more):
                    reports.keep(result)
                    advance()
        summary = reports.finish(students)
    for student in students:
        print_line(console, reports.find(student))
    if options.summary:
        with open(options.summary, "a", encoding="utf-8") as file:
            file.writelines(summary_markdown(reports.find(student)) for student in students)
    pages = f"{options.out / 'index.html'} and {options.out / 'grades.csv'}"
    console.print(f"\nSeed {course.seed}. The class: {pages}", **PLAIN)
    return 3 if summary.errors else 0


def choose(
    labels: list[str] | None, students: dict[str, list[Path]], catalogue: dict[str, Any]
) -> dict[str, Any]:
    """Return the exercises to grade: those of the labels, or else those that anyone handed in."""
    known = {label_of(name): name for name in sorted(catalogue)}
    if labels:
        if unknown := set(labels) - set(known):
            raise NoSubmissions(f"There is no exercise {min(unknown)}: there are {', '.join(known)}")
        names = {known[label] for label in labels}
    else:
        names = set()
        for student, paths in students.items():
            submission = read_submission(student, paths, catalogue)
            names |= {*submission.answers, *submission.problems}
    return {name: checks for name, checks in sorted(catalogue.items()) if name in (names or catalogue)}


def unfinished(
    course: Course,
    students: dict[str, list[Path]],
    reports: Reports,
    regrade: bool,
    advance: Callable[[], None],
) -> Iterator[Submission]:
    """Give each submission that has no result yet, or none that holds any more."""
    for student, paths in students.items():
        submission = read_submission(student, paths, course.exercises)
        if regrade or not reports.is_done(student, course.digest(submission)):
            yield submission
        else:
            advance()


@contextmanager
def threads_of(jobs: int) -> Iterator[ThreadPoolExecutor]:
    """Give so many threads, each of which has a checker.

    A checker and its box take turns, which is quicker on one processor: where there are as many checkers as
    processors, each thread stays on its own, and so does what it starts.
    """
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    following = cycle(processors)

    def stay() -> None:
        if 0 < len(processors) <= jobs:
            os.sched_setaffinity(0, {next(following)})

    threads = ThreadPoolExecutor(jobs, initializer=stay)
    try:
        yield threads
    except BaseException:
        stop()
        raise
    finally:
        threads.shutdown(cancel_futures=True)


@contextmanager
def executor_for(
    options: argparse.Namespace, threads: ThreadPoolExecutor
) -> Iterator[tuple[Executor, int, dict[str, Any]]]:
    """Give what runs the grading, how many submissions it should have on their way, and what it is told."""
    if not options.scheduler:
        yield threads, 2 * options.jobs, {}
        return
    try:
        from distributed import Client

        client = Client(options.scheduler, timeout=10)
    except ImportError:
        raise NoScheduler("Dask is not there: python3 lessons/make_venv.py cluster") from None
    except (OSError, ValueError) as error:
        raise NoScheduler(
            f"{options.scheduler} does not answer, is a Dask scheduler there? {error}"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=30)
        except TimeoutError:
            raise NoScheduler(f"{options.scheduler} has no workers: {WORKER}") from None
        workers = sum(client.nthreads().values())
        yield client.get_executor(pure=False, retries=3), 4 * workers, {}


@contextmanager
def progress_of(total: int) -> Iterator[Callable[[], None]]:
    """Show a bar on standard error, and give what moves it on by one."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("students"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)


def print_line(console: Console, result: StudentResult) -> None:
    """Print a student's points, and what is to say of the exercises that were not passed."""
    points = "no mark" if result.points is None else f"{result.points} of {result.max_points}"
    labels: dict[str, list[str]] = {}
    for exercise in sorted(result.exercises, key=lambda one: one.outcome is Outcome.NOT_HANDED_IN):
        if exercise.outcome is not Outcome.PASSED:
            note = exercise.problem or str(exercise.outcome)
            labels.setdefault(note, []).append(label_of(exercise.exercise))
    notes = result.problem or "; ".join(f"{spans(which)} {note}" for note, which in labels.items())
    name = clean_name(result.student)
    name += " " * (24 - cell_len(name))
    console.print(f"{points:>12}  {name}  {clean(notes, 300)}".rstrip(), **PLAIN)


def spans(labels: list[str]) -> str:
    """Return ascending labels in words: 1, 3-5, 8, 8b."""
    runs = [
        [label for _, label in run]
        for _, run in groupby(
            enumerate(labels), lambda one: int(one[1]) - one[0] if one[1].isdecimal() else one
        )
    ]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else run[0] for run in runs)

"""Grades on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from distributed import Client, Worker, WorkerPlugin, get_worker

from grading.grade import Course, Submit, Work, grade
from grading.pool import CheckerPool

WORKER = "in a clone like this one, PYTHONPATH=tests:lessons .venv/bin/dask worker tcp://HOST:PORT"


class NoScheduler(Exception):
    """There is no cluster to grade on. The message says why and what to do."""


class Checkers(WorkerPlugin):
    """Gives a worker a pool of checkers. They stay there for later runs."""

    name = "checkers"
    idempotent = True

    def setup(self, worker: Worker) -> None:
        self.pool = CheckerPool()

    def teardown(self, worker: Worker) -> None:
        self.pool.close()


def grade_on_worker(course: Course, work: Work) -> str:
    checkers = get_worker().plugins[Checkers.name]
    assert isinstance(checkers, Checkers)
    return grade(course, work, checkers.pool)


@contextmanager
def connect(scheduler: str) -> Iterator[tuple[Submit, int]]:
    """Yield a function that submits work to the cluster, and how many submissions should be under way.

    Raises NoScheduler if there is no scheduler, or if it has no workers.
    """
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise NoScheduler(f"{scheduler} does not respond. Does a Dask scheduler run there? {error}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=30)
        except TimeoutError:
            raise NoScheduler(f"{scheduler} has no workers. Start some: {WORKER}") from None
        client.register_plugin(Checkers())
        executor = client.get_executor(pure=False, retries=3)
        yield partial(executor.submit, grade_on_worker), 4 * sum(client.nthreads().values())

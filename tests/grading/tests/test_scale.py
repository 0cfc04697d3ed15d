"""Test grading on a cluster of machines, and grading more students than fit into memory."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import tracemalloc
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from helpers import ROOT, needs, wait_until

if os.name == "nt":
    pytest.skip("the grader does not run on Windows", allow_module_level=True)

import psutil
from distributed import Client

from grading.grade import Course, Work, grade, grade_all, version_of_checks
from grading.pool import CheckerPool
from grading.record import Person, StudentResult, from_json, to_json
from grading.submissions import Answer, Submission

pytestmark = pytest.mark.slow

FIRST = "01_auth_url"
SOLUTION = (ROOT / f"solutions/{FIRST}.py").read_text(encoding="utf-8")
STARTER = (ROOT / f"lessons/{FIRST}/exercise.py").read_text(encoding="utf-8")
SLOW = "import time\n\ntime.sleep(0.3)\n"
HERE = {"PYTHONPATH": str(ROOT / "lessons")}  # the environment may belong to another clone
CLASS = {f"student-{n:02}": SLOW + (STARTER if n % 3 == 0 else SOLUTION) for n in range(12)}


def hand_in(folder, answers):
    for student, answer in answers.items():
        (folder / student).mkdir(parents=True)
        (folder / student / f"{FIRST}.py").write_text(answer, encoding="utf-8")
    return folder


def command(submissions, out, *options):
    grader = [
        sys.executable,
        ROOT / "tests/grading",
        submissions,
        "--out",
        out,
        "--seed",
        "7",
        "--exercises",
        "1",
    ]
    return [str(part) for part in (*grader, *options)]


def run(*arguments, **environment):
    return subprocess.run(
        command(*arguments),
        env=os.environ | HERE | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


class Cluster:
    """A scheduler and its workers. Each is a process in an empty folder."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.environment = {"CLUSTER": str(folder), "TMPDIR": tempfile.mkdtemp(prefix="scale-")}
        stack.callback(shutil.rmtree, self.environment["TMPDIR"])
        file = folder / "scheduler.json"
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file)
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        self.address = json.loads(file.read_text())["address"]

    def start(self, kind, *options, root=ROOT):
        place = Path(tempfile.mkdtemp(dir=self.folder))
        paths = os.pathsep.join([str(root / "tests"), str(root / "lessons")])
        with open(place.with_suffix(".log"), "w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard", *map(str, options)],
                cwd=place,
                env=os.environ | self.environment | {"PYTHONPATH": paths},
                stdout=log,
                stderr=log,
            )
        self.stack.callback(stop, process)
        return process

    def worker(self, name, root=ROOT):
        options = ["--name", name, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny"]
        return self.start("worker", self.address, *options, root=root)

    def processes(self):
        """Return the processes of this cluster, its checkers and its command that still run."""
        return [process for process in psutil.process_iter() if mark_of(process) == str(self.folder)]

    def boxes(self):
        return list(Path(self.environment["TMPDIR"]).glob("grading-*"))


def mark_of(process):
    try:
        return process.environ().get("CLUSTER")
    except (psutil.Error, OSError):
        return None


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def cluster_in(folder):
    with ExitStack() as stack:
        yield Cluster(folder, stack)


# a cluster


def test_a_class_is_graded_on_two_machines_one_of_which_dies(tmp_path):
    needs("bwrap")
    submissions = hand_in(tmp_path / "class", CLASS)
    out = tmp_path / "out"
    with cluster_in(tmp_path) as cluster:
        victim = cluster.worker("victim")
        cluster.worker("survivor")
        with Client(cluster.address) as client:
            client.wait_for_workers(2, timeout=20)
            workers = client.scheduler_info()["workers"]
            address = next(key for key, worker in workers.items() if worker["name"] == "victim")
            grader = subprocess.Popen(
                command(submissions, out, "--scheduler", cluster.address),
                env=os.environ | HERE | cluster.environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            cluster.stack.callback(stop, grader)
            wait_until(lambda: list(out.glob("students/*/record.json")) and client.processing()[address])
            victim.kill()
            done = len(list(out.glob("students/*/record.json")))
            assert done < len(CLASS) - 1
            printed, _ = grader.communicate(timeout=60)
            assert grader.returncode == 0, printed
            assert len(client.scheduler_info()["workers"]) == 1
    wait_until(lambda: not cluster.processes() and not cluster.boxes())
    results = {student: from_json((out / f"students/{student}/record.json").read_text()) for student in CLASS}
    assert {student: result.points for student, result in results.items()} == {
        student: 10 if SOLUTION in answer else results["student-00"].points
        for student, answer in CLASS.items()
    }
    assert 0 <= results["student-00"].points < 10
    local = run(submissions, tmp_path / "local", "--jobs", "4")
    assert local.returncode == 0, local.stdout + local.stderr
    assert (out / "grades.csv").read_bytes() == (tmp_path / "local/grades.csv").read_bytes()


def test_a_worker_with_other_checks_gives_no_mark(tmp_path):
    submissions = hand_in(tmp_path / "class", {"anna": SOLUTION})
    other = tmp_path / "other"
    ignored = shutil.ignore_patterns("__pycache__", "data.db", ".venv", ".git")
    shutil.copytree(ROOT, other, ignore=ignored)
    with open(other / f"tests/exercises/test_{FIRST}.py", "a") as file:
        file.write("# another version\n")
    with cluster_in(tmp_path) as cluster:
        cluster.worker("other", root=other)
        with Client(cluster.address) as client:
            client.wait_for_workers(1, timeout=20)
        graded = run(submissions, tmp_path / "out", "--scheduler", cluster.address)
    assert graded.returncode == 3, graded.stdout + graded.stderr
    assert "no mark" in graded.stdout
    assert "this worker has other checks" in graded.stdout
    result = from_json((tmp_path / "out/students/anna/record.json").read_text())
    assert result.points is None


def one_line(graded):
    assert graded.returncode == 1, graded.stdout + graded.stderr
    assert graded.stderr.strip() == ""
    (line,) = graded.stdout.splitlines()
    return line


@pytest.mark.parametrize("scheduler", ["tcp://127.0.0.1:{port}", "nonsense://127.0.0.1"])
def test_a_missing_scheduler_is_reported_in_one_line(tmp_path, scheduler):
    submissions = hand_in(tmp_path / "class", {"anna": SOLUTION})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # but nothing listens
        scheduler = scheduler.format(port=taken.getsockname()[1])
        line = one_line(run(submissions, tmp_path / "out", "--scheduler", scheduler))
    assert line.startswith(f"{scheduler} does not respond. Does a Dask scheduler run there? ")


def test_without_dask_a_line_names_the_command_that_installs_it(tmp_path):
    submissions = hand_in(tmp_path / "class", {"anna": SOLUTION})
    (tmp_path / "distributed.py").write_text("raise ImportError\n")
    graded = run(
        submissions,
        tmp_path / "out",
        "--scheduler",
        "tcp://127.0.0.1:1",
        PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT / "lessons")]),
    )
    assert one_line(graded) == "Dask is missing. Install it: python3 lessons/make_venv.py cluster"


# very many students


COURSE = Course({}, seed=1, seconds=5, time_limit=30, sandboxed=True)


def grade_at_once(course, work):
    """Return a future that already has a result."""
    future = Future()
    future.set_result(to_json(StudentResult(work.person)))
    return future


def grade_many(count, window):
    """Return how many of `count` submissions got a result, and how many were underway at most."""
    read = finished = most = 0

    def works():
        nonlocal read, most
        for number in range(count):
            read += 1
            most = max(most, read - finished)
            submission = Submission("s", {FIRST: Answer("answer.py", bytes(10_000))})
            yield Work(Person(f"s{number}"), submission, (FIRST,))

    for _ in grade_all(COURSE, works(), grade_at_once, window):
        finished += 1
    return finished, most


def peak_of(count):
    tracemalloc.start()
    try:
        assert grade_many(count, 64) == (count, 64)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_ten_times_as_many_students_need_no_more_memory_and_no_more_are_underway():
    assert peak_of(5_000) < 3 * peak_of(500)


def test_no_submission_is_read_before_there_is_room_for_it():
    read = []
    works = (read.append(number) or Work(Person(str(number)), None, ()) for number in range(100))
    with closing(grade_all(COURSE, works, grade_at_once, 8)) as results:
        assert read == []
        next(results)
        assert len(read) == 8


# checkers


def test_no_two_threads_use_one_checker_and_a_lost_checker_is_replaced():
    needs("bwrap")
    with closing(CheckerPool()) as pool, ThreadPoolExecutor(2) as threads:
        checks = {FIRST: pool.list_checks()[FIRST]}
        course = Course(checks, seed=1, seconds=5, time_limit=30, sandboxed=True, version=version_of_checks())
        answers = {FIRST: Answer("answer.py", (SLOW + SOLUTION).encode())}
        work = Work(Person("anna"), Submission("anna", answers), (FIRST,))

        def points():
            return [
                from_json(text).points for text in threads.map(grade, [course] * 4, [work] * 4, [pool] * 4)
            ]

        assert points() == [10] * 4
        assert len(pool.idle) == 2
        lost = set(pool.idle)
        for checker in lost:
            checker.process.kill()
            checker.process.wait()
        assert points() == [10] * 4
        assert len(pool.idle) == 2
        assert not lost & set(pool.idle)

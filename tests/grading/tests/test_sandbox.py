"""Test what a sandbox does when something goes wrong, with an answer or with the machine."""

import os
import signal
import threading
import time
from contextlib import closing, suppress
from dataclasses import replace

import psutil
import pytest

from grading import bubblewrap, seccomp
from grading.grade import REFUSED_CALL, Course, Work, grade, version_of_checks
from grading.pool import CheckerPool
from grading.record import Outcome, Person, from_json
from grading.sandbox import NoSandbox, Sandbox, Sandboxes, new_log, require_sandbox
from grading.submissions import Answer, Submission
from helpers import ROOT, needs, wait_until
from originals import read_app

FIRST, SECOND = "01_auth_url", "07_more_options"
SOLUTIONS = {name: (ROOT / f"solutions/{name}.py").read_text(encoding="utf-8") for name in (FIRST, SECOND)}
EXIT_ON_LOGIN = "\n\n@app.before_request\ndef end():\n    import os\n\n    os._exit(3)\n"
WAIT_ON_LOGIN = "\n\n@app.before_request\ndef wait():\n    import time\n\n    time.sleep(0.2)\n"


@pytest.fixture(scope="module", autouse=True)
def installed_bubblewrap():
    needs("bwrap", "setpriv") if os.geteuid() == 0 else needs("bwrap")


@pytest.fixture(scope="module")
def pool():
    with closing(CheckerPool()) as pool:
        yield pool


@pytest.fixture(scope="module")
def graded(pool):
    """A function that grades a student's answers to exercises 1 and 7, and returns the result."""
    every_check = pool.list_checks()
    checks = {name: every_check[name] for name in SOLUTIONS}
    course = Course(checks, seed=1, seconds=5, time_limit=20, sandboxed=True, version=version_of_checks())

    def graded(first, second=SOLUTIONS[SECOND], **changes):
        texts = {FIRST: first, SECOND: second}
        answers = {name: Answer("answer.py", text.encode()) for name, text in texts.items()}
        work = Work(Person("anna"), Submission("anna", answers), (FIRST, SECOND))
        return from_json(grade(replace(course, **changes), work, pool))

    return graded


def servers():
    """Return the processes that serve.py runs in: the server of each sandbox, and its apps."""
    found = []
    for process in psutil.process_iter():
        try:
            if "/box/serve.py" in process.cmdline() and process.name() not in ("bwrap", "setpriv"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def apps():
    """Return the apps of this test that run: the children of a server."""
    ours = {process.pid for process in psutil.Process().children(recursive=True)}
    serving = [process for process in servers() if process.pid in ours]
    numbers, found = {process.pid for process in serving}, []
    for process in serving:
        with suppress(psutil.Error):  # it may have just ended
            if process.ppid() in numbers:
                found.append(process)
    return found


def test_an_app_that_something_else_kills_is_checked_once_more(graded):
    killed = []

    def kill_the_first_app():
        ends = time.monotonic() + 20
        while not killed and time.monotonic() < ends:
            killed.extend(apps()[:1])
            time.sleep(0.02)
        killed[0].kill()

    thread = threading.Thread(target=kill_the_first_app)
    thread.start()
    result = graded(SOLUTIONS[FIRST] + WAIT_ON_LOGIN)
    thread.join()
    assert killed
    assert [exercise.points for exercise in result.exercises] == [10, 10]


def test_a_checker_gives_each_run_the_sandbox_that_it_asks_for(graded):
    prints = SOLUTIONS[FIRST] + "\nimport os\n\nprint(os.path.exists('/proc'))\n"
    for sandboxed in (True, False, True):
        [exercise, _] = graded(prints, sandboxed=sandboxed).exercises
        assert exercise.points == 10
        assert exercise.printed.startswith(str(not sandboxed))


def test_without_bubblewrap_an_app_ends_when_its_checker_ends():
    files = read_app(FIRST) | {"answer.py": b"import time; time.sleep(60)"}
    with closing(Sandbox(sandboxed=False)) as sandbox, new_log() as log:
        sandbox.wait()
        sandbox.open(files, b"", "secret", cpu=60)
        with sandbox.start(False, log):
            wait_until(lambda: psutil.Process(sandbox.process.pid).children())
            [app] = psutil.Process(sandbox.process.pid).children()
            sandbox.control.close()
            wait_until(lambda: not app.is_running() or app.status() == psutil.STATUS_ZOMBIE)


def test_the_message_names_the_limit_that_was_over(graded):
    sleeps = SOLUTIONS[FIRST] + WAIT_ON_LOGIN.replace("0.2", "9")
    for limits, words in (({"time_limit": 1}, "time limit of 1 second"), ({"seconds": 1}, "within 1 second")):
        check = graded(sleeps, **limits).exercises[0].checks[0]
        assert check.outcome is Outcome.NO_RESPONSE_IN_TIME
        assert words in check.got


def test_an_answer_can_print_more_than_the_page_shows(graded):
    [exercise, _] = graded(SOLUTIONS[FIRST] + "\nprint('x' * 2**21)\n").exercises
    assert exercise.points == 10
    assert exercise.printed == "x" * 2_000 + "\n[…]"


@pytest.mark.parametrize(
    "line",
    [
        "import asyncio; asyncio.run(asyncio.sleep(0))",
        "import zoneinfo; zoneinfo.ZoneInfo('Europe/Berlin')",
        "import pathlib; pathlib.Path.home()",
        "import getpass; getpass.getuser()",
    ],
)
def test_an_answer_can_use_the_standard_library(graded, line):
    exercise, _ = graded(f"{SOLUTIONS[FIRST]}\n{line}\n").exercises
    assert exercise.points == 10, exercise.checks[0].message


def test_an_app_that_ends_itself_has_died_and_the_next_exercise_is_checked(graded):
    first, second = graded(SOLUTIONS[FIRST] + EXIT_ON_LOGIN).exercises
    assert first.outcome is Outcome.DIED
    assert (first.points, second.points) == (0, 10)


def test_a_refused_system_call_is_a_note_for_student_and_instructor(graded):
    result = graded("import os\n\nos.sched_setaffinity(0, {0})\n")
    assert result.exercises[0].outcome is Outcome.DID_NOT_START
    assert "Function not implemented" in result.exercises[0].checks[0].message
    assert result.notes == [REFUSED_CALL]
    assert graded(SOLUTIONS[FIRST]).notes == []


def test_a_sandbox_that_does_not_start_is_tried_once_more():
    with closing(Sandboxes(True)) as sandboxes:
        sandboxes.next.wait()  # otherwise it can report that it is ready before it ends
        os.killpg(sandboxes.next.process.pid, signal.SIGKILL)
        with closing(sandboxes.take()) as sandbox:
            assert sandbox.process.poll() is None


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """A stand-in for systemd-run: it notes its options, and runs the command."""
    program = tmp_path / "bin/systemd-run"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/options\n'
        'while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SECRET", "canary")
    bubblewrap.limit_memory.cache_clear()
    yield tmp_path / "options", program
    bubblewrap.limit_memory.cache_clear()


def test_systemd_limits_the_memory_of_a_sandbox_and_its_environment_stays_outside(systemd):
    options, _ = systemd
    require_sandbox()
    used = options.read_text().splitlines()[-1]
    assert f"--property=MemoryMax={640 * 2**20}" in used
    assert "bwrap" in used
    with closing(Sandbox()) as sandbox:
        sandbox.wait()
        environments = [process.environ() for process in servers() if process.ppid() != os.getpid()]
        assert environments
        assert not [variables for variables in environments if "SECRET" in variables]


def test_without_a_working_systemd_a_sandbox_has_no_common_limit(systemd):
    _, program = systemd
    program.write_text("#!/bin/sh\nexit 1\n")
    assert bubblewrap.limit_memory() == ()
    require_sandbox()


def test_a_sandbox_that_refuses_what_flask_needs_stops_the_command_before_anyone_is_graded(monkeypatch):
    monkeypatch.setattr(seccomp, "ALLOWED", seccomp.ALLOWED.replace("recvmsg", ""))
    with pytest.raises(NoSandbox):
        require_sandbox()


def test_a_missing_bubblewrap_names_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSandbox, match="sudo apt install bubblewrap libseccomp2"):
        require_sandbox()


def test_a_closed_sandbox_leaves_no_process():
    with closing(Sandbox()) as sandbox:
        sandbox.wait()
        started = psutil.Process(sandbox.process.pid).children(recursive=True)
        assert started
    wait_until(lambda: not any(process.is_running() for process in started), 5)

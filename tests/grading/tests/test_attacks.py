"""Test that an attack stays in its sandbox, costs only its own points and leaves nothing behind."""

import ctypes
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

import originals
from exercises.client import NoResponse
from grading import bubblewrap, sandbox
from grading.bubblewrap import become, reveal, without_bubblewrap
from grading.grade import Course, Work, grade, version_of_checks
from grading.http_messages import exchange, read_response, write_request
from grading.pool import Checker, CheckerPool
from grading.record import Outcome, Person, from_json
from grading.sandbox import NoSandbox, Sandbox, Sandboxes, require_sandbox
from grading.submissions import Answer, Submission
from helpers import ROOT, needs, wait_until

pytestmark = pytest.mark.slow

EXERCISE, NEXT = "01_auth_url", "07_more_options"
SOLUTION, NEXT_SOLUTION = ((ROOT / "solutions" / f"{name}.py").read_text() for name in (EXERCISE, NEXT))
ATTACKS = ROOT / "tests/grading/attacks"
POINTS = (2, 2, 2, 2, 2)
LETTERS = {
    "p": Outcome.PASSED,
    "f": Outcome.FAILED,
    "s": Outcome.SKIPPED,
    "n": Outcome.DID_NOT_START,
    "t": Outcome.NO_RESPONSE_IN_TIME,
    "d": Outcome.DIED,
}
USER = 12345  # an ordinary user
KEYCTL = {"x86_64": 250, "aarch64": 219}  # the number of this system call
# No process needs this limit, and every process inherits it. So its value can mark what a checker starts.
LIMIT = "Max msgqueue size"
EXPECTED = {
    # end early
    "exits_at_import": "nssss",
    "sys_exits_at_import": "nssss",
    "exits_in_a_view": "dssss",
    "sys_exits_in_a_view": "fssss",
    "kills_itself": "dssss",
    "segfaults": "dssss",
    # report a result of their own
    "prints_results": "nssss",
    "writes_result_files": "nssss",
    "writes_to_every_descriptor": "nssss",
    "says_ok_itself": "dssss",
    "answers_the_control_socket": "nssss",
    "takes_the_control_socket": "ppppp",
    "patches_pytest": "fssss",
    "equals_everything": "pffff",
    "shadows_and_configures": "fssss",
    "links_everywhere": "fssss",
    # never end
    "loops_at_import": "nssss",
    "sleeps_at_import": "nssss",
    "loops_in_one_view": "ppppt",
    "sleeps_in_every_view": "tssss",
    "dribbles": "tssss",
    # send responses that are hard to read
    "never_stops": "fssss",
    "gzip_bomb": "fssss",
    "deep_json": "fssss",
    "long_number": "fssss",
    "redirects": "fssss",
    "header_bomb": "fssss",
    "slow_headers": "fssss",
    "long_lengths": "fssss",
    "nul_and_escapes": "fssss",
    "continues_for_ever": "fssss",
    "speaks_no_http": "fssss",
    # use up a resource
    "fork_bomb": "nssss",
    "thread_bomb": "dssss",
    "memory_bomb": "fssss",
    "memory_bombs": "dssss",
    "disk_bomb": "ppppp",
    "inode_bomb": "nssss",
    "many_files": "nssss",
    "grows_pipes": "ppppp",
    "fills_sockets": "ppppp",
    "sends_descriptors": "ppppp",
    "burns_processors": "ppppp",
    "untidy_folders": "ppppp",
    "log_bomb": "ppppp",
    "fills_the_disk": "ppppp",
    "takes_shared_memory": "ppppp",
    # outlive their box, or kill other processes
    "daemons": "ppppp",
    "deaf_daemons": "ppppp",
    "kills_all": "nssss",
    "kills_its_parents": "nssss",
    "holds_its_parent": "ppppp",
    "locks_the_report": "nssss",
    "leaves_marks": "ppppp",
    "stops_its_parent_in_a_view": "tssss",
    "lives_on": "ppppp",
    "signals_the_server": "ppppp",
    "weakens_the_server": "ppppp",
    "reads_the_server": "ppppp",
    "looks_into_descriptors": "ppppp",
    "spoils_the_log": "ppppp",
    "dumps_core": "ppppp",
    # look around, reach out or ask for more rights; a vain attempt costs no points
    "reads_secrets": "ppppp",
    "reads_neighbours": "ppppp",
    "traces_others": "ppppp",
    "reaches_the_network": "ppppp",
    "makes_namespaces": "ppppp",
    "clones_into_namespaces": "ppppp",
    "asks_the_kernel": "ppppp",
    "takes_kernel_objects": "ppppp",
    "takes_a_name": "ppppp",
    "locks_files": "ppppp",
    "slows_the_machine": "ppppp",
    "finds_keys": "ppppp",
    "becomes_root": "ppppp",
    "pushes_keys": "ppppp",
    # do not solve the exercise, or do it only while they are graded
    "behaves_when_graded": "ppppp",
    "knows_bob_and_alice": "fssss",
    "says_200_to_everything": "pffff",
    "own_server": "pffff",
    "forges_alg_none": "pfffp",
}


def points(letters):
    return sum(worth for worth, letter in zip(POINTS, letters, strict=True) if letter == "p")


def leftovers(mark):
    """Return how many processes with our mark run each program. A sandbox waits for the next student."""
    programs = Counter()
    for path in Path("/proc").glob("[0-9]*/limits"):
        try:
            program = path.with_name("cmdline").read_bytes().partition(b"\0")[0]
            lines = path.read_text().splitlines()
        except OSError:
            continue  # it has just ended
        is_marked = any(line.startswith(LIMIT) and line.split()[3] == str(mark) for line in lines)
        if program and is_marked and int(path.parent.name) != os.getpid():  # a zombie has no command line
            programs[Path(program.decode()).name] += 1
    return programs


def mounts_of_this_machine():
    """Return the mounts, without those that test_faults.py makes at the same time."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if " - tmpfs results " not in line]


@pytest.fixture(scope="module", autouse=True)
def installed_bubblewrap():
    needs("bwrap", "setpriv") if os.geteuid() == 0 else needs("bwrap")
    try:
        require_sandbox()
    except NoSandbox as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def trap(tmp_path_factory):
    """Lines of Python that name what an attack must not reach: two listeners, and files in some folders."""
    name, folder = f"trap-{os.getpid()}", tmp_path_factory.mktemp("trap")
    (folder / "hidden-by-the-test").write_text("canary")
    places = [
        *(ROOT / part for part in ("tests", "solutions", "README.md", "notebooks")),
        folder,
        Path.home() / ".ssh",
    ]
    files = [f"test_{EXERCISE}.py", f"{EXERCISE}.py", "test_attacks.py"]
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{name}")
        abstract.listen()
        yield (
            f"PORT, ABSTRACT = {server.getsockname()[1]}, {name!r}\n"
            f"PLACES, FILES = {list(map(str, places))}, {files}\n"
        )


@pytest.fixture(scope="module")
def grader(tmp_path_factory):
    """A function that grades an answer, and a good one after it by the same student.

    Its processes carry a mark, and its files are in one folder.
    """
    import resource

    folder, mark = tmp_path_factory.mktemp("grader"), os.getpid()
    before = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
    remember_a_key()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setenv("SECRET", "canary")
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (mark, before[1]))
        checker = Checker()
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, before)
        every_check = checker.ask({})
    checks = {name: every_check[name] for name in (EXERCISE, NEXT)}
    course = Course(checks, seed=1, seconds=1.5, time_limit=5, sandboxed=True, version=version_of_checks())
    pool = CheckerPool()
    pool.idle.append(checker)

    def graded(source):
        result, next_result = from_json(grade(course, work_of(source), pool)).exercises
        assert list(pool.idle) == [checker]
        assert next_result.points == 10, next_result
        return result

    def at_rest():
        wait_until(lambda: bubblewrap.PYTHON.name in leftovers(mark))  # the next sandbox is ready
        return graded.leftovers()

    graded.leftovers, graded.at_rest = lambda: (leftovers(mark), set(folder.rglob("*"))), at_rest
    with closing(pool):
        assert graded(SOLUTION).points == 10
        yield graded


def work_of(source):
    sources = {EXERCISE: source, NEXT: NEXT_SOLUTION}
    answers = {name: Answer("answer.py", text.encode()) for name, text in sources.items()}
    return Work(Person("student"), Submission("student", answers), (EXERCISE, NEXT))


def remember_a_key():
    """Put a key into a new session keyring, as a login does."""
    libc, number = ctypes.CDLL(None), KEYCTL[platform.machine()]
    assert libc.syscall(number, 1, None) > 0  # make the keyring
    assert libc.syscall(number - 2, b"user", b"of-the-grader", b"canary", 6, -3) > 0


def source_of(attack, trap):
    return SOLUTION + trap + (ATTACKS / f"{attack}.py").read_text()


@pytest.mark.parametrize("attack", EXPECTED)
def test_an_attack_is_contained_and_costs_its_own_points_only(attack, grader, trap):
    mounts, before = mounts_of_this_machine(), grader.at_rest()
    hostile = grader(source_of(attack, trap))
    outcomes = [check.outcome for check in hostile.checks]
    assert outcomes == [LETTERS[letter] for letter in EXPECTED[attack]], hostile
    assert hostile.points == points(EXPECTED[attack])
    assert "BROKE OUT" not in hostile.printed
    assert len(hostile.printed) <= 2_000 + len("\n[…]")
    if "BROKE OUT" in (ATTACKS / f"{attack}.py").read_text():
        assert "OK" in hostile.printed  # the attack ran to its end
    assert grader(SOLUTION).points == 10
    wait_until(lambda: grader.leftovers() == before)
    assert mounts_of_this_machine() == mounts


def test_every_attack_is_run():
    assert {path.stem for path in ATTACKS.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("attack", ["finds_keys", "disk_bomb", "daemons", "lives_on", "reads_secrets"])
def test_an_answer_finds_nothing_of_the_answer_before_it(attack, grader, trap):
    for _ in range(2):
        assert "BROKE OUT" not in grader(source_of(attack, trap)).printed


@pytest.mark.parametrize("header", ["X: " + "x" * 2_000, "Content-Length: " + "9" * 30])
def test_headers_that_are_too_long_or_promise_too_much_are_no_response(header):
    lines = ["HTTP/1.1 200 OK", *[header] * (1 if header[0] == "C" else 10), "", "{}"]
    with pytest.raises(NoResponse):
        read_response("\r\n".join(lines).encode(), "GET")


LOOP = """
@app.get("/loop")
def loop():
    while True:
        pass
"""


def test_a_process_that_uses_too_much_processor_time_is_ended():
    """The limit on processor time is 1 second, long before the others of 60 seconds."""
    files = originals.read_app(EXERCISE) | {"answer.py": (SOLUTION + LOOP).encode()}
    connection, inside = socket.socketpair()
    with closing(Sandbox()) as box, sandbox.new_log() as log, connection:
        box.wait()
        box.open(files, b"", "secret", cpu=1)
        with box.start(False, log) as channel:
            assert channel.recv(4096) == b"ok"
            with inside:
                socket.send_fds(channel, [b"r"], [inside.fileno()])
            request = write_request("GET", "/loop", {}, None)
            assert exchange(connection, request, time.monotonic() + 60) == b""


def test_a_sandbox_that_no_longer_responds_is_replaced(monkeypatch):
    monkeypatch.setattr(sandbox, "PATIENCE", 3)
    with closing(Sandboxes(True)) as sandboxes:
        os.killpg(sandboxes.next.process.pid, signal.SIGSTOP)
        frozen = sandboxes.next
        with closing(sandboxes.take()) as box:
            assert box is not frozen
            assert frozen.process.returncode is not None


# a class of attackers, with an honest student before and after them


def hand_in(folder):
    trap = "PORT, ABSTRACT, PLACES, FILES = 9, 'none', [], []\n"
    sources = {name: source_of(name, trap) for name in EXPECTED}
    for name, source in ({"a-honest": SOLUTION, "z-honest": SOLUTION} | sources).items():
        (folder / name).mkdir(parents=True)
        (folder / name / f"{EXERCISE}.py").write_text(source)


MARKS = {name: points(letters) for name, letters in EXPECTED.items()} | {"a-honest": 10, "z-honest": 10}


def grade_class(folder, *before):
    limit = ["sh", "-c", 'ulimit -n 1024 && exec "$@"', "sh"]  # the usual limit on a user's open files
    command = [
        *before,
        *limit,
        sys.executable,
        ROOT / "tests/grading",
        folder / "class",
        "--out",
        folder / "out",
    ]
    ran = subprocess.run(
        [*command, "--exercises", "1", "--seconds", "1.5", "--time-limit", "5"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd="/",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return {line.split()[3]: int(line.split()[0]) for line in ran.stdout.splitlines() if " of " in line}


def test_a_hostile_class_is_graded_by_the_command(tmp_path):
    hand_in(tmp_path / "class")
    assert grade_class(tmp_path) == MARKS


@pytest.fixture
def ordinary():
    """A folder with a class that belongs to an ordinary user, and a command that makes root this user."""
    if os.geteuid() != 0:
        pytest.skip("an ordinary user has just run the test above")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hand_in(folder / "class")
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, USER, USER)
        yield folder, [*reveal([Path(sys.base_prefix), Path(sys.prefix), ROOT]), *become(USER)]


def test_a_hostile_class_is_graded_by_an_ordinary_user(ordinary):
    folder, user = ordinary
    assert grade_class(folder, *user) == MARKS
    assert (folder / "out/students/a-honest/record.json").stat().st_uid == USER


def test_an_ordinary_user_who_has_many_processes_can_grade_without_a_sandbox(ordinary):
    folder, user = ordinary
    for student in (folder / "class").iterdir():
        if student.name != "a-honest":
            shutil.rmtree(student)
    busy = [subprocess.Popen(["sleep", "60"], user=USER) for _ in range(40)]
    try:
        graded = subprocess.run(
            [
                *user,
                sys.executable,
                ROOT / "tests/grading",
                folder / "class",
                "--out",
                folder / "out",
                "--exercises",
                "1",
                "--no-sandbox",
            ],
            capture_output=True,
            text=True,
            cwd="/",
        )
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert "10 of 10  a-honest" in graded.stdout, graded.stdout + graded.stderr


def test_root_gives_each_answer_a_user_of_its_own_if_there_is_no_sandbox(monkeypatch):
    """Otherwise the answers would share one limit on processes."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    monkeypatch.setattr(
        bubblewrap, "reveal", lambda paths: []
    )  # pretend that every user can read this Python
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        commands = [without_bubblewrap(Path(name)) for name in (one, other)]
        users = [next(part for part in command if "reuid" in part) for command in commands]
    assert users[0] != users[1]


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="the system has no Python")
def test_the_grader_can_run_on_the_python_of_the_system(monkeypatch):
    monkeypatch.setattr(bubblewrap, "PYTHON", Path("/usr/bin/python3").resolve())
    monkeypatch.setattr(bubblewrap, "INSTALLATION", [bubblewrap.PYTHON])
    require_sandbox()

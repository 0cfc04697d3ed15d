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
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import originals
from exercises.client import NoResponse
from grading import sandbox
from grading.box import Boxes
from grading.grade import IDLE, Checker, Course, digest_of_checks, grade, grade_all
from grading.record import Outcome, from_json
from grading.sandbox import KEYCTL, STANDARD_LIBRARY, NoSandbox, become, require_sandbox, reveal
from grading.submissions import HandedIn, Submission
from grading.wire import parse
from helpers import ROOT, needs, wait_until

pytestmark = pytest.mark.slow

EXERCISE = "01_auth_url"
SOLUTION = (ROOT / "solutions" / f"{EXERCISE}.py").read_text()
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
    "inode_bomb": "ppppp",
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
    # look around, reach out or ask for more rights; a vain attempt costs no points
    "reads_secrets": "ppppp",
    "reads_neighbours": "ppppp",
    "traces_others": "ppppp",
    "reaches_the_network": "ppppp",
    "makes_namespaces": "ppppp",
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
    """Return the processes with our mark, except this one."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/limits"):
        try:
            if not path.with_name("cmdline").read_bytes():
                continue  # a zombie: it has ended, but nothing collects it
            lines = path.read_text().splitlines()
        except OSError:
            continue  # it has just ended
        if any(line.startswith(LIMIT) and line.split()[3] == str(mark) for line in lines):
            found.add(int(path.parent.name))
    return found - {os.getpid()}


@pytest.fixture(scope="module", autouse=True)
def bubblewrap():
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
    """A function that grades an answer. Its processes carry a mark, and its files are in one folder."""
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
    course = course_of(checker)

    def graded(source):
        answers = {EXERCISE: HandedIn("answer.py", source.encode())}
        IDLE.append(checker)
        result = from_json(grade(course, Submission("student", "student", answers))).exercises[0]
        assert IDLE.pop() is checker
        return result

    graded.leftovers = lambda: (leftovers(mark), set(folder.rglob("*")))
    with closing(checker):
        assert graded(SOLUTION).points == 10
        yield graded


def remember_a_key():
    """Put a key into a new session keyring, as a login does."""
    libc, number = ctypes.CDLL(None), KEYCTL[platform.machine()]
    assert libc.syscall(number, 1, None) > 0  # make the keyring
    assert libc.syscall(number - 2, b"user", b"of-the-grader", b"canary", 6, -3) > 0


def course_of(checker):
    exercises = {EXERCISE: checker.ask({})[EXERCISE]}
    return Course(exercises, seed=1, seconds=1.5, deadline=5, sandboxed=True, checks=digest_of_checks())


def source_of(attack, trap):
    return SOLUTION + trap + (ATTACKS / f"{attack}.py").read_text()


@pytest.mark.parametrize("attack", EXPECTED)
def test_an_attack_is_contained_and_costs_its_own_points_only(attack, grader, trap):
    mounts, before = Path("/proc/self/mountinfo").read_text(), grader.leftovers()
    hostile = grader(source_of(attack, trap))
    outcomes = [check.outcome for check in hostile.checks]
    assert outcomes == [LETTERS[letter] for letter in EXPECTED[attack]], hostile
    assert hostile.points == points(EXPECTED[attack])
    assert "BROKE OUT" not in hostile.printed
    assert len(hostile.printed) <= 2_000
    if "BROKE OUT" in (ATTACKS / f"{attack}.py").read_text():
        assert "OK" in hostile.printed  # the attack ran to its end
    assert grader(SOLUTION).points == 10
    wait_until(lambda: grader.leftovers() == before, 5)
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_every_attack_is_run():
    assert {path.stem for path in ATTACKS.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("attack", ["finds_keys", "disk_bomb", "daemons", "reads_secrets"])
def test_an_answer_finds_nothing_of_the_answer_before_it(attack, grader, trap):
    for _ in range(2):
        assert "BROKE OUT" not in grader(source_of(attack, trap)).printed


@pytest.mark.parametrize("header", ["X: " + "x" * 2_000, "Content-Length: " + "9" * 30])
def test_headers_that_are_too_long_or_promise_too_much_are_no_response(header):
    lines = ["HTTP/1.1 200 OK", *[header] * (1 if header[0] == "C" else 10), "", "{}"]
    with pytest.raises(NoResponse):
        parse("\r\n".join(lines).encode(), "GET")


LOOP = """
@app.get("/loop")
def loop():
    while True:
        pass
"""


@pytest.mark.parametrize("part", [True, False])
def test_a_process_that_uses_too_much_processor_time_is_ended(part):
    """The limit on processor time is 1 second, long before the others of 60 seconds."""
    with closing(Boxes(part=part)) as boxes, boxes.open(seconds=60, deadline=60, cpu=1) as box:
        box.ready(originals.read_app(EXERCISE) | {"answer.py": (SOLUTION + LOOP).encode()}, b"", "secret")
        with pytest.raises(NoResponse) as problem:
            box.start().app("GET", "/loop", {}, None)
    assert problem.value.outcome == "died"


def test_a_frozen_box_is_ended_and_its_server_goes_on():
    with closing(Boxes()) as boxes:
        server = boxes.server
        for _ in range(2):
            with boxes.open(seconds=5, deadline=5) as box:
                box.meet()
                signal.pidfd_send_signal(box.first, signal.SIGSTOP)
            assert server.lives()
        assert boxes.server is server


# a class of attackers, with an honest student before and after them


def hand_in(folder):
    trap = "PORT, ABSTRACT, PLACES, FILES = 9, 'none', [], []\n"
    sources = {name: source_of(name, trap) for name in EXPECTED}
    for name, source in ({"a-honest": SOLUTION, "z-honest": SOLUTION} | sources).items():
        (folder / name).mkdir(parents=True)
        (folder / name / f"{EXERCISE}.py").write_text(source)


MARKS = {name: points(letters) for name, letters in EXPECTED.items()} | {"a-honest": 10, "z-honest": 10}


def grade_class(folder, *before):
    command = [*before, sys.executable, ROOT / "tests/grading", folder / "class", "--out", folder / "out"]
    ran = subprocess.run(
        [*command, "--seconds", "1.5", "--deadline", "5"],
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
        yield folder, [*reveal([STANDARD_LIBRARY, Path(sys.prefix), ROOT]), *become(USER)]


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
    monkeypatch.setattr(sandbox, "reveal", lambda paths: [])  # pretend that every user can read this Python
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        users = [next(part for part in sandbox.bare(name) if "reuid" in part) for name in (one, other)]
    assert users[0] != users[1]


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="the system has no Python")
def test_the_grader_can_run_on_the_python_of_the_system(monkeypatch):
    monkeypatch.setattr(sandbox, "PYTHON", Path("/usr/bin/python3").resolve())
    monkeypatch.setattr(sandbox, "STANDARD_LIBRARY", sandbox.PYTHON)
    require_sandbox()


class Alone(Checker):
    """A checker on a machine where a process in a sandbox cannot make namespaces."""

    program = (
        "-c",
        "import sys; from grading import box, checker; "
        "box.Boxes.__init__.__defaults__ = True, False; checker.main(sys.argv[1])",
    )


def test_a_hostile_class_is_graded_with_one_bubblewrap_for_each_box(trap):
    with closing(Alone()) as one, closing(Alone()) as two, ThreadPoolExecutor(2) as threads:
        IDLE.extend([one, two])
        answers = {name: source_of(name, trap) for name in EXPECTED}
        submissions = [
            Submission(name, name, {EXERCISE: HandedIn("answer.py", source.encode())})
            for name, source in ({"a-honest": SOLUTION} | answers | {"z-honest": SOLUTION}).items()
        ]
        results = {result.student: result for result in grade_all(course_of(one), submissions, threads, 4)}
        assert {IDLE.pop(), IDLE.pop()} == {one, two}
    slow = {"inode_bomb": 0}  # without the limits of a namespace, only the time limit stops it
    assert {name: result.points for name, result in results.items()} == MARKS | slow
    assert not [name for name in results if "BROKE OUT" in results[name].exercises[0].printed]

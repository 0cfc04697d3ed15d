"""Answers that attack the grader: each is contained, costs its own points only, and leaves nothing behind."""

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

from exercises.client import NoResponse
from grading import sandbox
from grading.box import Boxes
from grading.grade import IDLE, Checker, Course, digest_of_checks, grade, grade_all
from grading.record import Outcome, from_json
from grading.sandbox import KEYCTL, STANDARD_LIBRARY, NoSandbox, become, require_sandbox, reveal
from grading.submissions import HandedIn, Submission
from grading.wire import parse
from helpers import ROOT, eventually, needs

EXERCISE = "01_auth_url"
SOLUTION = (ROOT / "solutions" / f"{EXERCISE}.py").read_text()
ATTACKS = ROOT / "tests/grading/attacks"
POINTS = (3, 2, 1, 2, 2)
LETTERS = {
    "p": Outcome.PASSED,
    "f": Outcome.FAILED,
    "s": Outcome.SKIPPED,
    "n": Outcome.DID_NOT_START,
    "t": Outcome.NO_RESPONSE_IN_TIME,
    "d": Outcome.DIED,
}
USER = 12345  # an ordinary one
LIMIT = "Max msgqueue size"  # which nobody needs, and which all that a process starts inherits
EXPECTED = {
    # ends early
    "exits_at_import": "nssnn",
    "sys_exits_at_import": "nssnn",
    "exits_in_a_view": "dssdd",
    "sys_exits_in_a_view": "fssff",
    "kills_itself": "dssdd",
    "segfaults": "dssdd",
    # says how it went itself
    "prints_results": "nssnn",
    "writes_result_files": "nssnn",
    "writes_to_every_descriptor": "nssnn",
    "says_ok_itself": "dssdd",
    "answers_the_control_socket": "nssnn",
    "takes_the_control_socket": "ppppp",
    "patches_pytest": "fsspp",
    "equals_everything": "ppfff",
    "shadows_and_configures": "fsspp",
    "links_everywhere": "fsspp",
    # never comes to an end
    "loops_at_import": "nssnn",
    "sleeps_at_import": "nssnn",
    "loops_in_one_view": "ppppt",
    "sleeps_in_every_view": "tsstt",
    "dribbles": "tsstt",
    # says what is hard to read
    "never_stops": "fssff",
    "gzip_bomb": "fssff",
    "deep_json": "fssff",
    "long_number": "fssff",
    "redirects": "fssff",
    "header_bomb": "fssff",
    "slow_headers": "fssff",
    "long_lengths": "fssff",
    "nul_and_escapes": "fssff",
    "continues_for_ever": "fssff",
    "speaks_no_http": "fssff",
    # takes all there is
    "fork_bomb": "nssnn",
    "thread_bomb": "dssdd",
    "memory_bomb": "fssff",
    "memory_bombs": "dssdd",
    "disk_bomb": "ppppp",
    "inode_bomb": "ppppp",
    "log_bomb": "ppppp",
    "fills_the_disk": "ppppp",
    "takes_shared_memory": "ppppp",
    # stays, or ends others
    "daemons": "ppppp",
    "deaf_daemons": "ppppp",
    "kills_all": "nssnn",
    "kills_its_parents": "nssnn",
    "holds_its_parent": "ppppp",
    "locks_the_report": "nssnn",
    "leaves_marks": "ppppp",
    "stops_its_parent_in_a_view": "tsstt",
    # looks around, reaches out, wants more rights; what it may do nothing with costs nothing
    "reads_secrets": "ppppp",
    "reads_neighbours": "ppppp",
    "traces_others": "ppppp",
    "reaches_the_network": "ppppp",
    "makes_namespaces": "ppppp",
    "finds_keys": "ppppp",
    "becomes_root": "ppppp",
    "pushes_keys": "ppppp",
    # is no answer
    "behaves_when_graded": "ppppp",
    "knows_bob_and_alice": "fsspp",
    "says_200_to_everything": "ppfff",
    "own_server": "ppfff",
    "forges_alg_none": "pffpp",
}


def points(letters):
    return sum(worth for worth, letter in zip(POINTS, letters, strict=True) if letter == "p")


def leftovers(mark):
    """Return the processes with our mark, except this one."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/limits"):
        try:
            if not path.with_name("cmdline").read_bytes():
                continue  # dead, where nobody collects orphans
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
    """What an attack must not reach: listeners on this machine and in memory, files, and where they are."""
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
    """Grade an answer by a checker that stays; all it starts has a mark, and its files have a folder."""
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

    graded.left = lambda: (leftovers(mark), set(folder.rglob("*")))
    with closing(checker):
        assert graded(SOLUTION).points == 10
        yield graded


def remember_a_key():
    """Have a key in a session of one's own, as whoever has logged in may have."""
    libc, number = ctypes.CDLL(None), KEYCTL[platform.machine()]
    assert libc.syscall(number, 1, None) > 0  # a new session
    assert libc.syscall(number - 2, b"user", b"of-the-grader", b"canary", 6, -3) > 0


def course_of(checker):
    exercises = {EXERCISE: checker.ask({})[EXERCISE]}
    return Course(exercises, seed=1, seconds=1.5, deadline=5, sandboxed=True, checks=digest_of_checks())


def source_of(attack, trap):
    return SOLUTION + trap + (ATTACKS / f"{attack}.py").read_text()


@pytest.mark.parametrize("attack", EXPECTED)
def test_an_attack_is_contained_and_costs_its_own_points_only(attack, grader, trap):
    mounts, left = Path("/proc/self/mountinfo").read_text(), grader.left()
    hostile = grader(source_of(attack, trap))
    outcomes = [check.outcome for check in hostile.checks]
    assert outcomes == [LETTERS[letter] for letter in EXPECTED[attack]], hostile
    assert hostile.points == points(EXPECTED[attack])
    assert "BROKE OUT" not in hostile.printed
    assert len(hostile.printed) <= 2_000
    if "BROKE OUT" in (ATTACKS / f"{attack}.py").read_text():
        assert "OK" in hostile.printed  # it came to its end
    assert grader(SOLUTION).points == 10
    eventually(lambda: grader.left() == left, 5)
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_every_attack_is_run():
    assert {path.stem for path in ATTACKS.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("attack", ["finds_keys", "disk_bomb", "daemons", "reads_secrets"])
def test_an_answer_finds_nothing_of_one_before_it(attack, grader, trap):
    for _ in range(2):
        assert "BROKE OUT" not in grader(source_of(attack, trap)).printed


@pytest.mark.parametrize("header", ["X: " + "x" * 2_000, "Content-Length: " + "9" * 30])
def test_headers_that_take_long_to_read_or_say_too_much_are_no_answer(header):
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
def test_a_process_that_uses_too_much_of_a_processor_is_ended(part):
    """It is ended long before the seconds that it has are over."""
    with closing(Boxes(part=part)) as boxes, boxes.open(seconds=60, deadline=60, cpu=1) as box:
        lesson = ROOT / "lessons" / EXERCISE
        files = {str(path.relative_to(lesson)): path.read_bytes() for path in lesson.rglob("*.py")}
        box.ready(files | {"answer.py": (SOLUTION + LOOP).encode()}, b"", "secret")
        with pytest.raises(NoResponse) as problem:
            box.start().app("GET", "/loop", {}, None)
    assert problem.value.outcome == "died"


def test_a_box_that_stands_still_is_ended_and_its_server_goes_on():
    with closing(Boxes()) as boxes:
        server = boxes.server
        for _ in range(2):
            with boxes.open(seconds=5, deadline=5) as box:
                box.meet()
                signal.pidfd_send_signal(box.first, signal.SIGSTOP)
            assert server.lives()
        assert boxes.server is server


# a class of attacks, with someone honest before and after


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
    """A folder of an ordinary user's, in which there is a class, and the command that makes root one."""
    if os.geteuid() != 0:
        pytest.skip("the test above is run by one")
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
        said = subprocess.run(
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
    assert "10 of 10  a-honest" in said.stdout, said.stdout + said.stderr


def test_without_a_sandbox_each_answer_of_roots_has_a_user_of_its_own(monkeypatch):
    """Or else all of them would share a limit of processes."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    monkeypatch.setattr(sandbox, "reveal", lambda paths: [])  # as if anyone could read this Python
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        users = [next(part for part in sandbox.bare(name) if "reuid" in part) for name in (one, other)]
    assert users[0] != users[1]


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="there is no Python of the system's")
def test_the_systems_own_python_can_be_the_graders(monkeypatch):
    monkeypatch.setattr(sandbox, "PYTHON", Path("/usr/bin/python3").resolve())
    monkeypatch.setattr(sandbox, "STANDARD_LIBRARY", sandbox.PYTHON)
    require_sandbox()


class Alone(Checker):
    """A checker where a sandbox cannot make namespaces of its own."""

    program = (
        "-c",
        "import sys; from grading import box, checker; "
        "box.Boxes.__init__.__defaults__ = True, False; checker.main(sys.argv[1])",
    )


def test_a_hostile_class_is_graded_where_each_box_is_bubblewraps_own(trap):
    with closing(Alone()) as one, closing(Alone()) as two, ThreadPoolExecutor(2) as threads:
        IDLE.extend([one, two])
        answers = {name: source_of(name, trap) for name in EXPECTED}
        submissions = [
            Submission(name, name, {EXERCISE: HandedIn("answer.py", source.encode())})
            for name, source in ({"a-honest": SOLUTION} | answers | {"z-honest": SOLUTION}).items()
        ]
        results = {result.student: result for result in grade_all(course_of(one), submissions, threads, 4)}
        assert {IDLE.pop(), IDLE.pop()} == {one, two}
    slow = {"inode_bomb": 0}  # where there is no limit but time
    assert {name: result.points for name, result in results.items()} == MARKS | slow
    assert not [name for name in results if "BROKE OUT" in results[name].exercises[0].printed]

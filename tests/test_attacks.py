"""Answers that attack the grader: each is contained, costs its own points only, and leaves nothing behind."""

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from grading.box import NoSandbox, require_sandbox
from grading.grade import HERE, Checker, Course, digest_of_checks, grade
from grading.record import Outcome, from_json
from grading.submissions import HandedIn, Submission
from helpers import ROOT, eventually, needs

EXERCISE = "01_auth_url"
SOLUTION = (ROOT / "solutions" / f"{EXERCISE}.py").read_text()
ATTACKS = Path(__file__).with_name("attacks")
POINTS = (3, 2, 1, 2, 2)
LETTERS = {
    "p": Outcome.PASSED,
    "f": Outcome.FAILED,
    "s": Outcome.SKIPPED,
    "n": Outcome.DID_NOT_START,
    "t": Outcome.NO_ANSWER_IN_TIME,
    "d": Outcome.DIED,
}
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
    "takes_the_control_socket": "dssdd",
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
    "nul_and_escapes": "fssff",
    "continues_for_ever": "fssff",
    "speaks_no_http": "fssff",
    # takes all there is
    "fork_bomb": "nssnn",
    "thread_bomb": "dssdd",
    "memory_bomb": "fssff",
    "memory_bombs": "dssdd",
    "disk_bomb": "ppppp",
    "inode_bomb": "nssnn",
    "log_bomb": "ppppp",
    # stays, or ends others
    "daemons": "ppppp",
    "deaf_daemons": "ppppp",
    "kills_all": "nssnn",
    "kills_its_parents": "nssnn",
    "stops_its_parent_in_a_view": "tsstt",
    # looks around, reaches out, wants more rights; what it may do nothing with costs nothing
    "reads_secrets": "ppppp",
    "reads_neighbours": "ppppp",
    "traces_others": "ppppp",
    "reaches_the_network": "ppppp",
    "makes_namespaces": "ppppp",
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


@pytest.fixture(scope="module")
def bubblewrap():
    needs("bwrap")
    try:
        require_sandbox()
    except NoSandbox as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def trap(bubblewrap):
    """What an attack must not reach: a listener on this machine, and an abstract one."""
    name = f"trap-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{name}")
        abstract.listen()
        yield f"PORT, ABSTRACT = {server.getsockname()[1]}, {name!r}\n"


@pytest.fixture(scope="module")
def grader(bubblewrap, tmp_path_factory):
    """Grade an answer by a checker that stays; all it starts has a mark, and its files have a folder."""
    import resource

    folder, mark = tmp_path_factory.mktemp("grader"), os.getpid()
    before = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setenv("SECRET", "canary")
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (mark, before[1]))
        HERE.checker = checker = Checker()
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, before)
    exercises = {EXERCISE: checker.exercises[EXERCISE]}
    course = Course(exercises, 1, 1, 4, True, digest_of_checks())

    def graded(source):
        answers = {EXERCISE: HandedIn("answer.py", source.encode())}
        return from_json(grade(course, Submission("student", "student", answers))).exercises[0]

    graded.left = lambda: (leftovers(mark), list(folder.iterdir()))
    with closing(checker):
        yield graded
    HERE.checker = None


@pytest.mark.parametrize("attack", EXPECTED)
def test_an_attack_is_contained_and_costs_its_own_points_only(attack, grader, trap):
    checker, mounts = HERE.checker, Path("/proc/self/mountinfo").read_text()
    hostile = grader(SOLUTION + trap + (ATTACKS / f"{attack}.py").read_text())
    outcomes = [check.outcome for check in hostile.checks]
    assert outcomes == [LETTERS[letter] for letter in EXPECTED[attack]], hostile
    assert hostile.points == points(EXPECTED[attack])
    assert "BROKE OUT" not in hostile.printed
    assert len(hostile.printed) <= 2_000
    if "BROKE OUT" in (ATTACKS / f"{attack}.py").read_text():
        assert "OK" in hostile.printed  # it came to its end
    assert grader(SOLUTION).points == 10
    assert HERE.checker is checker
    eventually(lambda: grader.left() == ({checker.process.pid}, []), 5)
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_every_attack_is_run():
    assert {path.stem for path in ATTACKS.glob("*.py")} == set(EXPECTED)


def hand_in(folder):
    """Hand in every attack, one more that is honest before and after them."""
    sources = {name: SOLUTION + (ATTACKS / f"{name}.py").read_text() for name in EXPECTED}
    for name, source in ({"a-honest": SOLUTION, "z-honest": SOLUTION} | sources).items():
        (folder / name).mkdir(parents=True)
        (folder / name / f"{EXERCISE}.py").write_text("PORT, ABSTRACT = 9, 'none'\n" + source)
    return folder


def grade_class(root, python, folder, out, *before):
    command = [*before, python, root / "tests/grading", folder, "--out", out]
    ran = subprocess.run(
        [*command, "--seconds", "1", "--deadline", "4"], capture_output=True, text=True, timeout=300, cwd="/"
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    marks = {line.split()[3]: int(line.split()[0]) for line in ran.stdout.splitlines() if " of " in line}
    assert marks == {name: points(letters) for name, letters in EXPECTED.items()} | dict.fromkeys(
        ("a-honest", "z-honest"), 10
    )


def test_a_hostile_class_is_graded_by_the_command(bubblewrap, tmp_path):
    grade_class(ROOT, sys.executable, hand_in(tmp_path / "class"), tmp_path / "out")

"""Grading where others run it: Gradescope's autograder, and GitHub Actions in a student's fork."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pytest
import yaml

from grading.formats import summary_markdown
from grading.record import CheckResult, ExerciseResult, Outcome, StudentResult
from helpers import ROOT, needs

FIRST = "01_auth_url"
RIGHT = (ROOT / f"solutions/{FIRST}.py").read_bytes()
WRONG = (ROOT / f"lessons/{FIRST}/exercise.py").read_bytes()
STUBS = {  # what would need root or the network; the environment is that of these tests
    "apt-get": 'echo "$@" >> "$CALLED"',
    "sudo": 'echo "$@" >> "$CALLED"',
    "python3": 'if [ "$1" = -c ]; then exec "$REAL" "$@"; else ln -sfn "$ENVIRONMENT" .venv; fi',
}


def environment(folder, **more):
    """The environment of a service, with programs that stand for those which it would need root for."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in STUBS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    more |= {"CALLED": str(folder / "called"), "ENVIRONMENT": sys.prefix, "REAL": sys.executable}
    return os.environ | {"PATH": path} | more


def run(command, folder, environment):
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def gradescope(tmp_path_factory):
    """A Gradescope container after its set-up, for exercise 1, and a way to hand in files."""
    needs("bash", "bwrap")
    folder = tmp_path_factory.mktemp("gradescope")
    built = folder / "gradescope.zip"
    build = [sys.executable, ROOT / "tests/grading/package.py", "1", "--out", built]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    source = folder / "source"
    with zipfile.ZipFile(built) as archive:
        archive.extractall(source)
        modes = {info.filename: info.external_attr >> 16 & 0o777 for info in archive.infolist()}
    for script in ("setup.sh", "run_autograder"):
        (source / script).chmod(modes[script])
    (folder / "results").mkdir()
    variables = environment(folder, AUTOGRADER=str(folder))
    setup = run([source / "setup.sh"], folder, variables)
    assert setup.returncode == 0, setup.stderr
    assert "bubblewrap libseccomp2 python3 python3-venv" in (folder / "called").read_text()

    def hand_in(files, **more):
        shutil.rmtree(folder / "submission", ignore_errors=True)
        for name, content in files.items():
            (folder / "submission" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "submission" / name).write_bytes(content)
        done = run([source / "run_autograder"], folder, variables | more)
        results = folder / "results/results.json"
        return done, json.loads(results.read_text()) if results.exists() else None

    return SimpleNamespace(folder=folder, hand_in=hand_in)


@pytest.mark.parametrize("name", [f"{FIRST}.py", f"lessons/{FIRST}/answer.py"])
def test_gradescope_gets_full_marks_for_a_right_answer(gradescope, name):
    done, results = gradescope.hand_in({name: RIGHT})
    assert results is not None, done.stdout + done.stderr
    assert results["score"] == 10
    assert "sandbox" not in results["output"]


def test_gradescope_gets_fewer_marks_for_a_wrong_answer(gradescope):
    _, results = gradescope.hand_in({f"{FIRST}.py": WRONG})
    assert 0 <= results["score"] < 10
    assert len(results["tests"]) > 1


def test_a_hostile_submission_gets_nothing_run_and_no_points(gradescope):
    mark = gradescope.folder / "was-here"
    forged = f'open({str(mark)!r}, "w").write("x")\nimport os\nos._exit(0)\n'.encode()
    files = {
        f"{FIRST}.py": forged,
        f"$(touch {mark.name}).py": b"",
        "-rf": b"",
        "setup.sh": b"touch was-here",
    }
    _, results = gradescope.hand_in(files | {"results.json": b'{"score": 100}'})
    assert results["score"] == 0
    assert not list(gradescope.folder.rglob("was-here"))


def test_an_empty_submission_gets_no_points_on_gradescope(gradescope):
    _, results = gradescope.hand_in({"notes.txt": b""})
    assert results["score"] == 0


def test_gradescope_grades_without_a_sandbox_where_there_is_none_and_says_so(gradescope, tmp_path):
    for program in ("bash", "cp", "env", "mkdir", "mktemp", "rm", "setpriv", "tail"):  # and no bwrap
        needs(program)
        (tmp_path / program).symlink_to(shutil.which(program))
    done, results = gradescope.hand_in({f"{FIRST}.py": RIGHT}, PATH=str(tmp_path))
    assert results is not None, done.stdout + done.stderr
    assert results["score"] == 10
    assert "without a sandbox" in results["output"]


def test_gradescope_gets_no_result_where_the_grader_fails(gradescope):
    checks = gradescope.folder / f"source/tests/exercises/test_{FIRST}.py"
    right = checks.read_text()
    checks.write_text(right.replace("def test_", "def test_fails(nothing):\n    pass\n\n\ndef test_", 1))
    try:
        done, results = gradescope.hand_in({f"{FIRST}.py": RIGHT})
    finally:
        checks.write_text(right)
    assert done.returncode != 0
    assert results is None


def test_the_autograder_is_the_same_each_time_and_holds_no_solution(tmp_path):
    archives = [tmp_path / "1.zip", tmp_path / "2.zip"]
    for archive in archives:
        subprocess.run([sys.executable, ROOT / "tests/grading/package.py", "--out", archive], check=True)
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        names = archive.namelist()
        assert archive.read("exercises.txt").split() == [b"%d" % number for number in range(1, 9)]
    assert not [name for name in names if "solution" in name or name.endswith(("answer.py", "data.db"))]


@pytest.mark.parametrize(("answer", "said"), [(RIGHT, "## 10 of 10 points"), (WRONG, "of 10 points")])
def test_a_push_to_a_fork_is_graded_and_summed_up(tmp_path, answer, said):
    needs("bash", "bwrap", "git")
    fork, temporary, summary = tmp_path / "fork", tmp_path / "temp", tmp_path / "summary.md"
    temporary.mkdir()
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    for name in listed.splitlines():
        if (ROOT / name).is_file() and not name.startswith(".venv"):
            (fork / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, fork / name)
    (fork / f"lessons/{FIRST}/answer.py").write_bytes(answer)
    git = ["git", "-c", "user.name=student", "-c", "user.email=student@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "My answer"]):
        subprocess.run([*git, *command], cwd=fork, check=True)
    variables = environment(
        tmp_path,
        RUNNER_TEMP=str(temporary),
        GITHUB_STEP_SUMMARY=str(summary),
        PYTHONPATH=str(fork / "lessons"),  # where make_venv.py would have put it
    )
    workflow = yaml.safe_load((ROOT / ".github/workflows/grade.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for step in workflow["jobs"]["grade"]["steps"]:
        if "run" in step:
            assert "${{" not in step["run"]
            done = run(["bash", "-e", "-c", step["run"]], fork, variables)
            assert done.returncode == 0, done.stdout + done.stderr
    assert said in summary.read_text()
    assert "is advice" in summary.read_text()
    assert "install --quiet --yes bubblewrap" in (tmp_path / "called").read_text()


def test_a_summary_shows_hostile_text_and_does_nothing_it_says():
    evil = "<img src=x>\n| [a](http://b) `c` @everyone \x1b[31m&lt;"
    check = CheckResult("test_it", "Users log in.", 10, Outcome.UNREADABLE, message=evil, got=evil)
    exercise = ExerciseResult(FIRST, 10, [check], file=evil, printed=evil, problem=evil)
    text = summary_markdown(StudentResult(evil, evil, [exercise], sandboxed=False))
    row = text.splitlines()[-1]
    assert row.startswith(
        r"| 01\_auth\_url | 0 of 10 | unreadable\: &lt;img src=x&gt; \| \[a\]\(http\://b\) \`c\` "
    )
    assert row.endswith("@&#8203;everyone &amp;lt; |")
    assert "\x1b" not in text
    assert text.count("img") == 1
    assert "without a sandbox" in text


def test_a_summary_has_no_mark_where_the_grader_failed():
    check = CheckResult("test_it", "Users log in.", 10, Outcome.GRADER_ERROR)
    assert summary_markdown(StudentResult("a", "a", [ExerciseResult(FIRST, 10, [check])])).startswith(
        "## no mark"
    )

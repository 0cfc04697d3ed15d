"""Test the course for students, which notebooks/student.py writes: it has no answers and works by itself."""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

import student
from helpers import ROOT, lesson_server, needs
from lesson_loader import find_exercises, find_lessons

EXERCISES = {label: exercise for label, exercise in find_exercises().items() if not exercise.is_additional}
INSTRUCTORS_FOLDERS = {
    "alternatives",
    "bench",
    "claims",
    "course",
    "grading",
    "mistakes",
    "notebooks",
    "repository",
}
INSTRUCTORS_FOLDERS |= {"solutions", ".git", ".github", "site"}
# What a lesson teaches: a solution may use it too.
TAUGHT = re.compile(r"lessons/\d\d_\w+/(README\.md|app\.py|security\.py|(models|resources)/\w+\.py)")


@pytest.fixture(scope="module")
def edition():
    """The content of each file of the edition, by path."""
    return student.make_edition(hints=2)


@pytest.fixture(scope="module")
def texts(edition):
    """Each text in the edition by path, also those in archives."""
    contents = dict(edition)
    for name in [path for path in edition if path.endswith(".zip")]:
        with zipfile.ZipFile(io.BytesIO(contents.pop(name))) as archive:
            contents |= {f"{name}/{path}": archive.read(path) for path in archive.namelist()}
    return {path: content.decode("utf-8", "replace") for path, content in contents.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, own_exercise):
    """The edition with exercise 3b in a folder."""
    folder = tmp_path_factory.mktemp("class") / "edition"
    status, output = run(folder, EXERCISES=own_exercise.parent)
    assert status == 0, output
    assert "It includes your own exercises: 3b\n" in output
    return folder


@pytest.fixture(scope="module")
def own_exercise(tmp_path_factory):
    """The folder of the additional exercise 3b, which is exercise 3 under another name."""
    folder = tmp_path_factory.mktemp("own") / "03b_pin_login"
    folder.mkdir()
    shutil.copy(ROOT / "lessons/03_auth_key/exercise.py", folder)
    shutil.copy(ROOT / "lessons/03_auth_key/hints.md", folder)
    shutil.copy(ROOT / "tests/exercises/test_03_auth_key.py", folder / "test_03b_pin_login.py")
    shutil.copy(ROOT / "solutions/03_auth_key.py", folder / "solution.py")
    shutil.copytree(ROOT / "tests/exercises/mistakes/03_auth_key", folder / "mistakes")
    (folder / "answer.py").write_text("# the instructor's own answer\n")
    (folder / "notes.md").write_text("the marks of last year\n")
    return folder


def run(*arguments, **environment):
    """Run the command. Return its exit status and what it prints."""
    command = [sys.executable, ROOT / "notebooks/student.py", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lessons")} | environment
    result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert "Traceback" not in result.stderr
    return result.returncode, result.stdout + result.stderr


def files_in(folder):
    """Return the content of each file in a folder, by path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


# what is in it


def test_it_contains_all_lessons_and_exercises(edition):
    for lesson in find_lessons().values():
        assert {f"lessons/{lesson.name}/app.py", f"tests/lessons/test_{lesson.name}.py"} <= edition.keys()
    for name in (exercise.name for exercise in EXERCISES.values()):
        assert {f"lessons/{name}/exercise.py", f"tests/exercises/test_{name}.py"} <= edition.keys()


def test_it_contains_no_folder_and_no_answer_of_the_instructor(texts):
    assert [path for path in texts if INSTRUCTORS_FOLDERS & set(path.split("/"))] == []
    assert [path for path in texts if re.search(r"(^|/)(answer|solution)[^/]*\.py$", path)] == []


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_no_line_that_only_a_solution_has_is_in_it(texts, exercise):
    starter, solution = (
        {line.strip() for line in file.read_text(encoding="utf-8").splitlines()}
        for file in (exercise.folder / "exercise.py", exercise.solution)
    )
    taught = [text for path, text in texts.items() if TAUGHT.fullmatch(path)]
    lines = {line for line in solution - starter if len(line) > 20 and not line.startswith("from ")}
    lines = {line for line in lines if not any(line in text for text in taught)}
    assert lines
    assert [(path, line) for path, text in texts.items() for line in lines if line in text] == []


def test_the_third_hints_are_only_in_it_if_the_instructor_asks_for_them(edition):
    full = student.make_edition(hints=3)
    paths = [path for path in edition if re.fullmatch(r"lessons/.+/hints\.md", path)]
    assert len(paths) == len(EXERCISES)
    for path in paths:
        original = (ROOT / path).read_bytes()
        assert full[path] == original
        assert edition[path] == original[: original.index(b"\n3. ") + 1]


def test_an_additional_exercise_comes_without_its_solution(folder):
    assert sorted(files_in(folder / "exercises")) == [
        "03b_pin_login/exercise.py",
        "03b_pin_login/hints.md",
        "03b_pin_login/test_03b_pin_login.py",
    ]


def test_every_link_leads_to_a_file_in_it(edition):
    texts = {path: content.decode() for path, content in edition.items() if path.endswith(".md")}
    links = [
        (path, link) for path, text in texts.items() for link in re.findall(r"\]\(([^)\s#:]+)[)#]", text)
    ]
    assert len(links) > 50
    folders = {path.rpartition("/")[0] for path in edition}
    for path, link in links:
        target = os.path.normpath(os.path.join(os.path.dirname(path), link))
        assert target in edition or target in folders, f"{path} links {link}"


def test_its_texts_have_no_footnotes_but_all_their_code(edition):
    blocks = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    for path in edition.keys() - {"README.md"}:
        if path.endswith(".md"):
            text = edition[path].decode()
            assert "[^" not in text, path
            assert blocks.findall(text) == blocks.findall((ROOT / path).read_text(encoding="utf-8"))


def test_make_lists_and_runs_only_the_commands_of_learners(folder):
    needs("make")
    ours, theirs = (
        re.findall(
            r"^(?:[A-Z].*|  make .*)", subprocess.check_output(["make", "help"], cwd=root, text=True), re.M
        )
        for root in (ROOT, folder)
    )
    learners = [
        line for line in ours[: ours.index("Teach (notebooks/README.md)")] if "solution-N" not in line
    ]
    assert theirs == [*learners, "Clean up", theirs[-1]]
    text = "\n".join(
        (folder / name).read_text(encoding="utf-8") for name in ("README.md", "lessons/README.md")
    )
    for command in set(re.findall(r"`make ([a-z]+(?:-\d\w*)?)\b", text)):
        subprocess.run(["make", "-n", command], cwd=folder, check=True, capture_output=True)
    assert subprocess.run(["make", "-n", "grade"], cwd=folder, capture_output=True).returncode != 0
    command = ["make", "-n", "lesson-1", "hint-1", "PORT=8001", "LEVEL=2"]
    output = subprocess.check_output(command, cwd=folder, text=True)
    assert "serve 1 --port 8001\n" in output
    assert "hint 1 --level 2\n" in output
    assert "lessons solution 1" in subprocess.check_output(
        ["make", "-n", "solution-1"], cwd=folder, text=True
    )


# the folder


def test_the_same_course_gives_the_same_bytes(tmp_path, edition):
    student.update(tmp_path / "one", edition)
    student.update(tmp_path / "two", dict(reversed(student.make_edition(hints=2).items())))
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")


def test_an_update_replaces_what_it_wrote_and_keeps_what_others_wrote(tmp_path):
    student.update(tmp_path, {"old": b"1", "edited": b"1", "edited and old": b"1", "same": b"1"})
    for name in ("edited", "edited and old", "answer.py"):
        (tmp_path / name).write_bytes(b"mine")
    new = {"edited": b"2", "same": b"2", "new": b"2"}
    for _ in range(2):  # also when nothing has changed
        edited, removed = student.update(tmp_path, new)
        assert set(edited) <= {"edited", "edited and old"}
        assert set(removed) <= {"old"}
        files = files_in(tmp_path)
        del files[student.LIST]
        assert files == {
            "edited": b"mine",
            "edited and old": b"mine",
            "answer.py": b"mine",
            "same": b"2",
            "new": b"2",
        }
    (tmp_path / "edited").unlink()
    assert student.update(tmp_path, new) == ([], [])
    assert (tmp_path / "edited").read_bytes() == b"2"


def test_an_update_does_not_replace_a_file_that_was_there_before(tmp_path):
    student.update(tmp_path, {})
    (tmp_path / "notes.md").write_bytes(b"mine")
    assert student.update(tmp_path, {"notes.md": b"ours"}) == (["notes.md"], [])
    assert (tmp_path / "notes.md").read_bytes() == b"mine"


def test_the_command_updates_a_repository_and_names_what_it_keeps(tmp_path):
    (tmp_path / ".git").mkdir()
    status, output = run(tmp_path)
    assert (status, output.count("\n")) == (0, 2)
    assert output.endswith(
        f"Next: type cd {tmp_path}, and try make lesson-0. Then type make clean, and commit and push it.\n"
    )
    readme = tmp_path / "README.md"
    readme.write_text("Our course begins on Monday.\n")
    status, output = run(tmp_path)
    assert status == 0
    assert "delete it and run this command again:\n\n  README.md\n\n" in output
    assert readme.read_text() == "Our course begins on Monday.\n"
    (tmp_path / "lessons/01_auth_url/answer.py").touch()
    assert "contains answers. Delete them if they are yours, " in run(tmp_path)[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("file", "is a file."),
        ("file/edition", "make student stopped: "),
        ("full", "contains notes.md, which no edition wrote."),
    ],
)
def test_a_bad_folder_gets_a_message_and_stays_as_it_is(tmp_path, name, message):
    (tmp_path / "file").write_text("mine\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.md").write_text("mine\n")
    before = files_in(tmp_path)
    status, output = run(tmp_path / name)
    assert status == 1
    assert message in output
    assert output.count("\n") == 1
    assert files_in(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "contains this course itself."),
        ("..", "contains this course itself."),
        ("lessons", "is in the folder lessons of this course."),
        ("tests/exercises/mistakes/new", "is in the folder tests of this course."),
        (".git/edition", "is in the folder .git of this course."),
    ],
)
def test_a_folder_of_the_course_is_refused(name, message):
    # Never run the command on such a folder: if this test fails, the command would write into the course.
    with pytest.raises(SystemExit, match=message):
        student.refuse_folder((ROOT / name).resolve())


def test_a_missing_folder_name_and_a_bad_number_of_hints_get_messages(tmp_path):
    assert "required: FOLDER" in run()[1]
    assert "invalid choice" in run(tmp_path, "--hints", "4")[1]


def test_students_get_the_original_of_a_file_that_the_instructor_has_changed(copy, monkeypatch, capsys):
    app = copy / "01_auth_url/app.py"
    original = app.read_bytes()
    app.write_bytes(original + b"# changed in class\n")
    monkeypatch.setattr(student, "find_lessons", lambda: {1: copy / "01_auth_url"})
    student.print_changes()
    assert capsys.readouterr().out.startswith(
        "lessons/01_auth_url/app.py has changed since the last make originals."
    )
    assert student.originals.read("01_auth_url")["app.py"] == original


LINES = {
    "absolute": "{outside}/notes.md",
    "dots": "../outside/notes.md",
    "hidden dots": "a/../../outside/notes.md",
}


@pytest.mark.parametrize("path", LINES.values(), ids=LINES)
def test_a_list_that_somebody_has_changed_deletes_nothing_outside_the_folder(path, tmp_path):
    notes = tmp_path / "outside/notes.md"
    notes.parent.mkdir()
    notes.write_bytes(b"mine")
    student.update(tmp_path / "edition", {"a/b": b"1"})
    (tmp_path / "edition/.git").mkdir()
    (tmp_path / "edition/.git/HEAD").write_bytes(b"mine")
    with (tmp_path / "edition" / student.LIST).open("a") as file:
        file.write(f"{student.digest(b'mine')}  {path.format(outside=notes.parent)}\nno digest\n")
        file.write(f"{student.digest(b'mine')}  .git/HEAD\n")
    assert student.update(tmp_path / "edition", {"a/b": b"2"}) == ([], [])
    assert notes.read_bytes() == b"mine"
    assert (tmp_path / "edition/.git/HEAD").exists()
    assert (tmp_path / "edition/a/b").read_bytes() == b"2"


@pytest.mark.parametrize("new", [{"a/b": b"2"}, {}], ids=["replaced", "removed"])
@pytest.mark.parametrize("link", ["a", "a/b"])
def test_an_update_follows_no_link(link, new, tmp_path):
    student.update(tmp_path / "edition", {"a/b": b"1"})
    (tmp_path / "edition" / link).rename(tmp_path / "outside")
    (tmp_path / "edition" / link).symlink_to(tmp_path / "outside")
    before = files_in(tmp_path / "outside") or (tmp_path / "outside").read_bytes()
    assert student.update(tmp_path / "edition", new) == ([link], [])
    assert before == (files_in(tmp_path / "outside") or (tmp_path / "outside").read_bytes())


def test_a_list_that_is_a_link_or_no_text_gets_a_clear_line(tmp_path):
    student.update(tmp_path / "edition", {"a": b"1"})
    (tmp_path / "edition" / student.LIST).rename(tmp_path / "list")
    (tmp_path / "edition" / student.LIST).symlink_to(tmp_path / "list")
    status, output = run(tmp_path / "edition")
    assert (status, output.count("\n")) == (1, 1)
    assert ".edition is a link." in output
    (tmp_path / "edition" / student.LIST).unlink()
    (tmp_path / "edition" / student.LIST).write_bytes(b"\xff")
    status, output = run(tmp_path / "edition")
    assert (status, output.count("\n")) == (1, 1)
    assert ".edition is not UTF-8 text. Save it with the encoding UTF-8." in output


@pytest.mark.parametrize("first", [None, {"a": b"1", "b": b"1", "c": b"1"}], ids=["first run", "update"])
@pytest.mark.parametrize("files_before_the_end", range(4))
def test_an_interrupted_command_can_run_again(first, files_before_the_end, tmp_path, monkeypatch):
    if first:
        student.update(tmp_path, first)
    new = {"a": b"2", "b": b"2", "d": b"2"}
    names = iter(range(files_before_the_end))

    def replace(temporary, file):
        if next(names, None) is None:
            raise KeyboardInterrupt
        os.rename(temporary, file)

    with monkeypatch.context() as patch:
        patch.setattr(student.os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            student.update(tmp_path, new)
    student.refuse_folder(tmp_path)
    edited, _ = student.update(tmp_path, new)
    assert edited == []
    files = files_in(tmp_path)
    del files[student.LIST]
    assert files == new


def test_the_last_line_quotes_the_name_of_the_folder(tmp_path):
    assert f"Next: type cd '{tmp_path}/my class', and try" in run(tmp_path / "my class")[1]


# what is wrong in an exercise of the instructor


@pytest.fixture
def bad_exercise(own_exercise, tmp_path):
    """A copy of exercise 3b that a test may change."""
    return shutil.copytree(own_exercise, tmp_path / "own" / own_exercise.name)


@pytest.mark.parametrize(
    "text",
    [
        "1. Why?\n2. Look.\n3) The third hint\n",
        "1. Why?\n2. Look.\n3.\tThe third hint\n",
        "1. Why?\n2. Look.\n 3. The third hint\n",
        " 1. Why?\n 2. Look.\n 3. The third hint\n",
        "1. Why?\n2. Look.\n3) The third hint\n3. The end\n",
        "1. Why?\n2. Look.\n",
        "1. Why?\n2. Look.\n3. The third hint\n4. The end\n",
    ],
)
def test_hints_that_are_no_list_of_three_get_a_clear_line(text, bad_exercise, tmp_path):
    (bad_exercise / "hints.md").write_text(text)
    status, output = run(tmp_path / "edition", EXERCISES=bad_exercise.parent)
    assert status == 1
    assert output.endswith("03b_pin_login/hints.md needs three hints as a list that begins with 1. 2. 3.\n")
    assert output.count("\n") == 1
    assert not (tmp_path / "edition").exists()


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_hints_become_a_clean_list(mark, tmp_path):
    hints = tmp_path / "hints.md"
    text = f"{mark}1. Why?\n2. Look here:\n\n   `app.py`\n3.  The third hint\n\nIt is nearly the solution.\n"
    hints.write_text(text, "utf-8")
    assert student.first_hints(hints, 2) == "1. Why?\n2. Look here:\n\n   `app.py`\n"
    assert student.first_hints(hints, 1) == "1. Why?\n"


@pytest.mark.parametrize("name", ["exercise.py", "hints.md"])
def test_a_file_that_is_a_link_or_no_text_gets_a_clear_line(name, bad_exercise, tmp_path):
    file = bad_exercise / name
    file.rename(tmp_path / "private")
    file.symlink_to(tmp_path / "private")
    status, output = run(tmp_path / "edition", EXERCISES=bad_exercise.parent)
    assert (status, output.count("\n")) == (1, 1)
    assert f"{name} is a link to another folder. Replace it with a copy of that file." in output
    file.unlink()
    file.write_bytes("é".encode("latin-1"))
    status, output = run(tmp_path / "edition", EXERCISES=bad_exercise.parent)
    assert (status, output.count("\n")) == (1, 1)
    assert f"03b_pin_login/{name} is not UTF-8 text. Save it with the encoding UTF-8." in output


# it works by itself


def lessons(folder, *arguments):
    """Run a command for students in their folder and return what it prints."""
    environment = os.environ | {"PYTHONPATH": str(folder / "lessons")}
    command = [sys.executable, "lessons", *arguments]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")
    assert "Traceback" not in result.stdout + result.stderr
    assert str(ROOT) not in result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture
def work(folder, tmp_path):
    """A student's copy of the edition."""
    return shutil.copytree(folder, tmp_path / "work")


def solve(work, label, own_exercise):
    """Write a right answer, as a good student would."""
    if label == "3b":
        shutil.copy(own_exercise / "solution.py", work / "exercises/03b_pin_login/answer.py")
    else:
        name = EXERCISES[label].name
        shutil.copy(ROOT / f"solutions/{name}.py", work / f"lessons/{name}/answer.py")


def test_a_student_works_through_an_exercise(work, own_exercise):
    assert "answer.py is your copy. Change it at the TODO:" in lessons(work, "start", "1")
    assert "\n0 of 10 points.\n" in lessons(work, "check", "1")
    assert "Hint 1 of 2\n" in lessons(work, "hint", "1")
    assert "Hint 2 of 2\n" in (last := lessons(work, "hint", "1", "--level", "2"))
    assert last.endswith("If this hint does not help, ask your instructor.\n")
    assert "has no hint 3" in lessons(work, "hint", "1", "--level", "3")
    assert "Your instructor has the solution" in lessons(work, "solution", "1", "--peek")
    solve(work, "1", own_exercise)
    done = lessons(work, "check", "1")
    assert "\n10 of 10 points.\n\nAll checks pass.\n\nNext: read lessons/02_token_expiry/README.md" in done
    assert "Your instructor has the solution" in lessons(work, "solution", "1")
    assert "answer-1.py" in lessons(work, "reset", "1")


def test_a_student_works_through_an_additional_exercise(work, own_exercise):
    assert "exercises/03b_pin_login/answer.py is your copy." in lessons(work, "start", "3b")
    assert "\n0 of 10 points.\n" in lessons(work, "check", "3b")
    solve(work, "3b", own_exercise)
    assert "\n10 of 10 points.\n\nAll checks pass.\n" in lessons(work, "check", "3b")
    assert re.search(r"03b_pin_login +#+ +10 of 10 points\n", lessons(work, "progress"))


@pytest.mark.slow
def test_a_student_tests_and_restores_a_lesson(work):
    app = work / "lessons/01_auth_url/app.py"
    app.write_text(app.read_text().replace("/login", "/bye"))
    assert "FAILED" in lessons(work, "test", "1")
    assert "app.py is the original file again." in lessons(work, "restore", "1")
    assert "FAILED" not in lessons(work, "test", "1")


def test_a_lesson_has_its_console(work, tmp_path):
    with lesson_server(2, tmp_path, lessons=work / "lessons") as server:
        server.wait_for_status(200, "/")
        assert "Choose how long a token lasts" in server.get("/").text
        assert "how-an-exercise-goes" not in server.get("/_playground/glossary.html").text
        for path in ("page.js", "page.css", "token.js", "console.js", "icon.svg", "settings.json"):
            assert server.get(f"/_playground/{path}").status_code == 200


@pytest.mark.slow
def test_every_lesson_passes_its_own_tests(work):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/lessons",
        "--run-on=own",
    ]
    environment = os.environ | {"PYTHONPATH": str(work / "lessons")}
    result = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
def test_the_full_course_grades_what_a_student_hands_in(work, own_exercise, tmp_path):
    needs("bwrap", "setpriv") if os.geteuid() == 0 else needs("bwrap")
    for label in ("1", "3b"):
        solve(work, label, own_exercise)
    shutil.copytree(work, tmp_path / "submissions/anna")
    command = [sys.executable, ROOT / "tests/grading", tmp_path / "submissions", "--out", tmp_path / "grades"]
    command += ["--exercises", "1", "3b"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lessons"), "EXERCISES": str(own_exercise.parent)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    with open(tmp_path / "grades/grades.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["assignment"]: row["score"] for row in rows} == {"01_auth_url": "10", "03b_pin_login": "10"}

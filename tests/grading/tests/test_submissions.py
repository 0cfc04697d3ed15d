"""Test that the grader finds and reads what students hand in, and that no submission can do harm."""

import bz2
import errno
import gzip
import io
import os
import pickle
import random
import resource
import shutil
import socket
import stat
import struct
import subprocess
import tarfile
import time
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import pytest

from grading import entries as limits
from grading import submissions as reading
from grading.entries import quote
from grading.submissions import (
    Answer,
    NoSubmissions,
    Source,
    Submission,
    find_submissions,
    ignored,
    is_unchanged_starter,
    read_submission,
    safe_name,
)
from grading.tests.make_class import DOWNLOADS, make_class, write_download
from grading.tests.make_class import EXERCISES as CLASS_EXERCISES
from lesson_loader import find_exercises, label_of

ROOT = Path(__file__).parents[3]
FIRST, SECOND = "01_auth_url", "02_token_expiry"
EXERCISES = [FIRST, SECOND]
FORK, FLAT = f"lessons/{FIRST}/answer.py", f"{FIRST}.py"
ARCHIVES = [".zip", ".tar", ".tar.gz", ".tgz"]
GOOD = b"app = 'an answer'\n"
MIB = 2**20


def read(*paths, exercises=EXERCISES):
    """Read the submission at these paths. This never raises an error."""
    return read_submission(Source("anna", paths, frozenset({"anna"})), exercises)


def contents(submission):
    return {exercise: answer.content for exercise, answer in submission.answers.items()}


def zipped(*entries, compression=zipfile.ZIP_DEFLATED):
    """Return a .zip of (name or ZipInfo, content) pairs. Two of them may have the same name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


def zip_info(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def tarred(*entries, form=tarfile.PAX_FORMAT):
    """Return a .tar of (name, content) or (name, content, further attributes of its TarInfo)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, content, *more in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in dict(*more).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def packed(ending, *entries):
    if ending == ".zip":
        return zipped(*entries)
    return gzip.compress(tarred(*entries)) if ending.endswith("gz") else tarred(*entries)


def handed_in(tmp_path, name, *entries):
    """Write (name, content) pairs to a folder or an archive with this name."""
    path = tmp_path / name
    ending = limits.ENDING.search(name)
    if ending:
        path.write_bytes(packed(ending[0].lower(), *entries))
        return path
    path.mkdir()
    for file, content in entries:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_bytes(content)
    return path


def is_clear(problem):
    """Tell if a problem is one short printable line with what the student can do."""
    says_what_to_do = any(words in problem for words in ("expected", "Expected", "Save it as"))
    return says_what_to_do and problem.isprintable() and len(problem) < 400


EVERY_KIND = ["anna", *(f"anna{ending}" for ending in ARCHIVES)]


@pytest.mark.parametrize("name", EVERY_KIND)
@pytest.mark.parametrize("top", ["", "repo-main/", "Анна Ⅳ 🦉/"])
@pytest.mark.parametrize("answer", [FORK, FLAT])
def test_an_answer_is_read_from_each_format_and_each_layout(tmp_path, name, top, answer):
    rest = (f"{top}solutions/{SECOND}.py", b"no"), (f"{top}README.md", b"no")
    path = handed_in(tmp_path, name, (top + answer, GOOD), *rest, ("__MACOSX/._x", b"no"), (".git/x", b"no"))
    submission = read(path)
    assert submission.answers == {FIRST: Answer(top + answer, GOOD)}
    assert (submission.source, submission.problem, submission.error) == (name, "", "")


@pytest.mark.parametrize("name", EVERY_KIND)
@pytest.mark.parametrize("top", ["", "repo-main/"])
@pytest.mark.parametrize("answer", ["exercises/03b_pin_login/answer.py", "03b_pin_login.py"])
def test_an_answer_to_an_additional_exercise_is_read(tmp_path, name, top, answer):
    path = handed_in(tmp_path, name, (top + answer, GOOD), (f"{top}README.md", b"no"))
    submission = read(path, exercises=[*EXERCISES, "03b_pin_login"])
    assert contents(submission) == {"03b_pin_login": GOOD}


def test_a_fork_has_answers_of_both_kinds(tmp_path):
    path = handed_in(tmp_path, "anna", (FORK, GOOD), ("exercises/03b_pin_login/answer.py", b"another"))
    submission = read(path, exercises=[*EXERCISES, "03b_pin_login"])
    assert contents(submission) == {FIRST: GOOD, "03b_pin_login": b"another"}


def test_a_folder_exercises_with_files_is_read_if_there_are_no_additional_exercises(tmp_path):
    path = handed_in(tmp_path, "anna.zip", (f"exercises/{FLAT}", GOOD))
    assert contents(read(path)) == {FIRST: GOOD}


def test_in_a_fork_an_answer_in_its_lesson_counts_more_than_one_beside_the_lessons(tmp_path):
    beside = ((FLAT, b"beside"), (f"{SECOND}.py", b"an old one"))
    path = handed_in(tmp_path, "anna", (f"lessons/{SECOND}/answer.py", GOOD), *beside)
    assert contents(read(path)) == {FIRST: b"beside", SECOND: GOOD}


@pytest.mark.parametrize("name", ["anna", "anna.zip"])
def test_an_old_answer_that_make_reset_kept_does_not_count(tmp_path, name):
    old = FORK.replace("answer", "answer-1")
    assert contents(read(handed_in(tmp_path, name, (FORK, GOOD), (old, b"old")))) == {FIRST: GOOD}


@pytest.mark.parametrize("name", EVERY_KIND)
def test_an_answer_may_have_any_letters_up_to_the_limit_and_a_name_in_capitals(tmp_path, name):
    letters = "".join(map(chr, random.Random(1).choices(range(1, 0xD800), k=limits.ANSWER_BYTES)))
    content = letters.encode()[: limits.ANSWER_BYTES].decode(errors="ignore").encode()
    content += b"#" * (limits.ANSWER_BYTES - len(content))
    path = handed_in(tmp_path, name, (FLAT.upper(), content), (f"{SECOND}.py", content + b"!"))
    submission = read(path)
    assert contents(submission) == {FIRST: content}
    assert "at most 65,536 bytes" in submission.problems[SECOND]


@pytest.mark.parametrize("name", ["a zip.tar", "a zip.tgz", "a tar.zip", "a tar.gz.tar"])
def test_an_archive_is_read_even_if_its_name_has_the_wrong_ending(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(packed(f".{name.removeprefix('a ').rpartition('.')[0]}", (FLAT, GOOD)))
    assert contents(read(path)) == {FIRST: GOOD}


def test_a_zip_from_windows_may_have_backslashes(tmp_path):
    path = handed_in(tmp_path, "anna.zip", (FORK.replace("/", "\\"), GOOD), ("lessons\\empty\\", b""))
    assert contents(read(path)) == {FIRST: GOOD}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tar_is_read_with_its_folders_and_links(tmp_path, form):
    folder = ("name/lessons", b"", {"type": tarfile.DIRTYPE})
    honest_link = ("name/.venv/bin/python", b"", {"type": tarfile.SYMTYPE, "linkname": "/usr/" + "x" * 90})
    long = (f"name/{'long ' * 18}/{'name ' * 18}", GOOD)
    path = tmp_path / "anna.tar"
    path.write_bytes(tarred(folder, honest_link, long, (f"name/{FORK}", GOOD), form=form))
    assert contents(read(path)) == {FIRST: GOOD}


def test_a_name_of_more_than_a_hundred_letters_is_read_whole_from_a_tar(tmp_path):
    top = "long n\u00e4me \udce4 " * 20
    for number, form in enumerate([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]):
        path = tmp_path / f"{number}.tar"
        path.write_bytes(tarred((f"./{top}/{FLAT}", GOOD), form=form))
        assert read(path).answers == {FIRST: Answer(f"./{top}/{FLAT}", GOOD)}


def test_links_that_honest_students_have_in_a_fork_do_no_harm(tmp_path):
    path = handed_in(tmp_path, "anna", (FORK, GOOD), (f"lessons/{FIRST}/app.py", b"x"), (".venv/x", b"x"))
    (path / ".venv" / "bin").symlink_to("/usr/bin")
    (path / f"lessons/{FIRST}/data.db").symlink_to("/dev/zero")
    packed = shutil.make_archive(str(tmp_path / "bob"), "gztar", tmp_path, "anna")
    assert contents(read(path)) == contents(read(tmp_path / packed)) == {FIRST: GOOD}


def test_only_folders_that_lead_to_an_answer_are_listed(tmp_path, monkeypatch):
    names = [".venv/lib/x", "solutions/x", "lessons/x/y", f"lessons/{FIRST}/__pycache__/x"]
    names += [f"lessons/{FIRST}/models/user.py", ".git/objects/00/x", ".git/refs/tags/x"]
    others = [(name, b"") for name in names]
    path = handed_in(tmp_path, "anna", (FORK, GOOD), *others)
    listed = []
    list_one_folder = limits.list_one_folder

    def look(path, name="", place=""):
        listed.append(name.rstrip("/"))
        return list_one_folder(path, name, place)

    monkeypatch.setattr(limits, "list_one_folder", look)
    read(path)
    assert listed == ["", ".git", "lessons", ".git/refs", f"lessons/{FIRST}", f"lessons/{FIRST}/models"]


@pytest.mark.parametrize("name", EVERY_KIND)
def test_an_empty_submission_has_neither_answers_nor_a_problem(tmp_path, name):
    assert read(handed_in(tmp_path, name)) == Submission(name)


@pytest.mark.parametrize("name", EVERY_KIND)
def test_hidden_files_beside_a_wrapping_folder_are_not_listed_as_its_files(tmp_path, name):
    path = handed_in(
        tmp_path, name, (f"repo/{FLAT}", GOOD), (f"__MACOSX/{SECOND}.py", b"no"), (".git/x.py", b"no")
    )
    assert read(path) == Submission(name, {FIRST: Answer(f"repo/{FLAT}", GOOD)})


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_fork_without_answers_has_neither_answers_nor_a_problem(tmp_path, name):
    assert read(handed_in(tmp_path, name, (f"lessons/{FIRST}/README.md", b""))) == Submission(name)


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_submission_without_a_known_name_gets_the_expected_names(tmp_path, name):
    submission = read(handed_in(tmp_path, name, ("exercise one.py", b""), ("x.txt", b"")))
    assert submission == Submission(name, problem=submission.problem)
    expected = "expected 01_auth_url.py, 02_token_expiry.py."
    assert submission.problem == f'Found "exercise one.py", "x.txt"; {expected}'


def test_a_submission_can_be_pickled(tmp_path):
    submission = read(handed_in(tmp_path, "anna.zip", (FORK, GOOD)))
    assert pickle.loads(pickle.dumps(submission)) == submission


# --- names -----------------------------------------------------------------------------------------------

ADDITIONAL = "03b_pin_login"


@pytest.mark.parametrize("name", ["anna", "anna.zip", "anna.tar.gz"])
@pytest.mark.parametrize("top", ["", "answers/", "Downloads/answers/"])
@pytest.mark.parametrize(
    "file",
    [
        "answer.py",
        "answer (1).py",
        "answer-2.py",
        "answer - Copy.py",
        "answer - Copy (2).py",
        "Answer copy 3.PY",
        f"{FIRST} (2).py",
        f"{FIRST}-1.py",
        f"{FIRST}-1 (1).py",
        f"{FIRST} - Copy.py",
        f"{FIRST}/answer.py",
        f"{FIRST} (1)/answer (1).py",
        f"{FIRST}/{FIRST}.py",
        f"exercises/{FIRST}.py",
        f"lessons/{FIRST}/answer (1).py",
    ],
)
def test_one_exercise_can_be_handed_in_with_these_names(tmp_path, name, top, file):
    path = handed_in(tmp_path, name, (top + file, GOOD))
    assert read(path, exercises=[FIRST]) == Submission(name, {FIRST: Answer(top + file, GOOD)})


@pytest.mark.parametrize("name", ["anna", "anna.zip"])
@pytest.mark.parametrize(
    "file",
    [
        f"{ADDITIONAL}.py",
        f"{ADDITIONAL} (1).py",
        f"{ADDITIONAL}/answer.py",
        f"exercises/{ADDITIONAL}/answer.py",
        f"exercises/{ADDITIONAL}.py",
    ],
)
def test_an_additional_exercise_can_be_handed_in_with_these_names(tmp_path, name, file):
    path = handed_in(tmp_path, name, (file, GOOD), (file.replace(ADDITIONAL, FIRST), b"another"))
    submission = read(path, exercises=[FIRST, ADDITIONAL])
    assert contents(submission) == {FIRST: b"another", ADDITIONAL: GOOD}


@pytest.mark.parametrize("name", ["anna", "anna.zip"])
def test_the_only_python_file_is_the_answer_to_the_only_exercise(tmp_path, name):
    path = handed_in(tmp_path, name, ("my login.py", GOOD), ("README.md", b""))
    submission = read(path, exercises=[FIRST])
    assert submission.answers == {FIRST: Answer("my login.py", GOOD)}
    [note] = submission.notes
    assert '"my login.py"' in note


@pytest.mark.parametrize(
    "files",
    [
        ["one.py", "two.py"],
        ["one.py", f"lessons/{SECOND}/answer.py"],
        [f"{SECOND}.py"],
        [f"{SECOND}/answer.py"],
        ["08_flask_jwt_extended.py"],
        ["08_flask_jwt_extended/answer.py"],
        ["answer/one.txt"],
    ],
)
def test_no_other_file_is_the_answer_to_the_only_exercise(tmp_path, files):
    path = handed_in(tmp_path, "anna", *((file, GOOD) for file in files))
    assert read(path, exercises=[FIRST]).answers == {}


def test_answer_py_is_no_answer_if_there_are_two_exercises(tmp_path):
    problem = read(handed_in(tmp_path, "anna", ("answer.py", GOOD))).problem
    assert problem == 'Found "answer.py"; expected 01_auth_url.py, 02_token_expiry.py.'


@pytest.mark.parametrize("name", ["anna", "anna.zip"])
def test_copies_are_one_answer_if_they_are_the_same(tmp_path, name):
    path = handed_in(tmp_path, name, (FLAT, GOOD), (f"{FIRST} (1).py", GOOD))
    assert contents(read(path)) == {FIRST: GOOD}
    differs = handed_in(
        tmp_path, f"b{name}", (FLAT, GOOD), (f"{FIRST} (1).py", b"1"), (f"{FIRST}-2.py", b"2")
    )
    submission = read(differs)
    assert submission.answers == {}
    assert f'"{FLAT}"' in submission.problems[FIRST]
    assert f'"{FIRST} (1).py"' in submission.problems[FIRST]


FOUND = {  # by files: the exercises, then what the student reads
    ("exercise3.py", "notes.txt"): (["03_auth_key", FIRST], "03_auth_key.py, 01_auth_url.py."),
    ("answer.docx",): (["03_auth_key"], "answer.py or 03_auth_key.py."),
    ("answer.ipynb",): (["03_auth_key"], "answer.py or 03_auth_key.py."),
    ("answer.py.txt",): (
        ["03_auth_key"],
        "answer.py or 03_auth_key.py.",
    ),
    ("text.html",): (EXERCISES, "01_auth_url.py, 02_token_expiry.py."),
}


@pytest.mark.parametrize("files", FOUND)
@pytest.mark.parametrize("name", ["anna", "anna.zip"])
def test_files_that_the_grader_does_not_understand_are_named(tmp_path, name, files):
    exercises, expected = FOUND[files]
    path = handed_in(tmp_path, name, *((file, GOOD) for file in files))
    submission = read(path, exercises=exercises)
    names = ", ".join(f'"{file}"' for file in files)
    assert submission == Submission(name, problem=f"Found {names}; expected {expected}")


def test_a_file_in_another_folder_is_named(tmp_path):
    path = handed_in(tmp_path, "anna", ("homework/mine.py", GOOD), ("notes/x/y.py", GOOD))
    assert 'Found "homework/mine.py"; expected' in read(path).problem


def test_at_most_three_files_are_named(tmp_path):
    path = handed_in(tmp_path, "anna", *((f"{number}.txt", b"") for number in range(9)))
    assert 'Found "0.txt", "1.txt", "2.txt" and 6 more; expected' in read(path).problem


@pytest.mark.parametrize("file", ["expiry.py", "exercise2.py", "answer2.docx"])
def test_a_file_that_may_be_a_missing_answer_is_named_in_a_note(tmp_path, file):
    path = handed_in(tmp_path, "anna", (FLAT, GOOD), (file, GOOD))
    assert contents(read(path)) == {FIRST: GOOD}
    assert read(path).notes == (f'Found "{file}"; expected 02_token_expiry.py.',)
    assert read(path, exercises=[FIRST]).notes == ()


@pytest.mark.parametrize("name", ["anna", "anna.zip"])
@pytest.mark.parametrize("room", ["", "lessons/"])
def test_an_answer_in_the_old_folder_of_a_lesson_is_named(tmp_path, name, room):
    old = f"{room}08_flask_jwt_extended/answer.py"
    path = handed_in(tmp_path, name, (f"{room}{FIRST}/answer.py", GOOD), (old, GOOD))
    submission = read(path, exercises=[FIRST, "08_custom_claims"])
    new = f"{room}08_custom_claims/answer.py" if room else "08_custom_claims.py"
    assert submission.notes == (f'Found "{old}"; expected {new}.',)
    assert read(path, exercises=[FIRST]).notes == ()


@pytest.mark.parametrize("file", ["answer.py", f"lessons/{FLAT}x", f"lessons/{FIRST}/answer.py.txt"])
def test_a_misplaced_answer_in_a_fork_is_named(tmp_path, file):
    path = handed_in(tmp_path, "anna", (f"lessons/{SECOND}/answer.py", GOOD), (file, GOOD))
    submission = read(path)
    assert contents(submission) == {SECOND: GOOD}
    [text] = submission.notes
    assert text == f'Found "{file}"; expected {FORK}.'
    submission = read(path, exercises=[FIRST])
    assert submission.answers == {}
    assert submission.notes == (text,)


def test_an_additional_exercise_that_is_not_known_is_named(tmp_path):
    path = handed_in(tmp_path, "anna", (f"{ADDITIONAL}.py", GOOD))
    assert f'Found "{ADDITIONAL}.py"; expected 01_auth_url.py' in read(path).problem


def test_a_known_exercise_that_is_not_graded_is_not_mentioned(tmp_path):
    path = handed_in(tmp_path, "anna", (FLAT, GOOD), ("05_error_handler.py", GOOD))
    assert read(path) == Submission("anna", {FIRST: Answer(FLAT, GOOD)})


# --- Canvas, Moodle and Gradescope -----------------------------------------------------------------------


def write_class(tmp_path, *files):
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        ending = limits.ENDING.search(file)
        content = packed(ending[0], (FLAT, GOOD), (f"{SECOND}.py", b"2")) if ending else file.encode()
        (tmp_path / file).write_bytes(content)
    return find_submissions(tmp_path)


def test_a_file_name_cannot_put_a_file_under_another_students_name(tmp_path):
    sources = write_class(
        tmp_path,
        "mallorym_11111_222223_x_1042_assignsubmission_file_01_auth_url.py",
        "Mallory M_11111_assignsubmission_file_x_1042_assignsubmission_file_01_auth_url.py",
    )
    assert {name: source.names for name, source in sources.items()} == {
        "mallorym_11111": {"mallorym", "11111"},
        "Mallory M_11111": {"Mallory M", "11111"},
    }


def test_the_flat_download_of_canvas_is_read(tmp_path):
    sources = write_class(
        tmp_path,
        f"lovelaceada_LATE_12345_678901_{FIRST}-1.py",
        "lovelaceada_LATE_12345_678902_02_token_expiry.py",
        "hoppergrace_12346_678903_answers.zip",
        "lovelaceada_12347_678904_01_auth_url.py",
        "anon_Xy12z_678905_01_auth_url.py",
        "LATE_anon_aB9_678906_01_auth_url.py",
        "müllerzoë_12348_text.html",
    )
    assert {name: source.names for name, source in sources.items()} == {
        "lovelaceada_12345": {"lovelaceada", "12345"},
        "hoppergrace_12346": {"hoppergrace", "12346"},
        "lovelaceada_12347": {"lovelaceada", "12347"},
        "anon_Xy12z": {"anon_Xy12z"},
        "anon_aB9": {"anon_aB9"},
        "müllerzoë_12348": {"müllerzoë", "12348"},
    }
    assert ignored(tmp_path) == []
    ada = read_submission(sources["lovelaceada_12345"], EXERCISES)
    assert ada.answers[FIRST].file == f"{FIRST}-1.py"
    assert set(ada.answers) == {FIRST, SECOND}
    assert ada.notes == ()
    assert contents(read_submission(sources["hoppergrace_12346"], EXERCISES)) == {FIRST: GOOD, SECOND: b"2"}
    assert contents(read_submission(sources["anon_aB9"], EXERCISES)).keys() == {FIRST}
    assert 'Found "text.html"' in read_submission(sources["müllerzoë_12348"], EXERCISES).problem


def test_two_attempts_in_canvas_are_one_answer_only_if_they_are_the_same(tmp_path):
    name = "lovelaceada_12345_67890"
    sources = write_class(tmp_path, f"{name}1_answer-1.py", f"{name}2_answer-2.py")
    (tmp_path / f"{name}1_answer-1.py").write_bytes(GOOD)
    problem = read_submission(sources["lovelaceada_12345"], [FIRST]).problems[FIRST]
    assert problem.startswith('There is more than one file: "answer-1.py", "answer-2.py". Expected only one')
    (tmp_path / f"{name}2_answer-2.py").write_bytes(GOOD)
    assert contents(read_submission(sources["lovelaceada_12345"], [FIRST])) == {FIRST: GOOD}


@pytest.mark.parametrize("trailing", ["", "_"])
def test_the_folders_of_moodle_are_read(tmp_path, trailing):
    sources = write_class(
        tmp_path,
        f"Ada Lovelace_12345_assignsubmission_file{trailing}/01_auth_url.py",
        f"Ada Lovelace_12345_assignsubmission_onlinetext{trailing}/onlinetext.html",
        f"Ada Lovelace_12346_assignsubmission_file{trailing}/answers.zip",
        f"Grace Hopper_7_assignsubmission_file{trailing}.zip",
        f"Зоя_8_assignsubmission_onlinetext{trailing}/onlinetext.html",
    )
    assert {name: source.names for name, source in sources.items()} == {
        "Ada Lovelace_12345": {"Ada Lovelace", "12345"},
        "Ada Lovelace_12346": {"Ada Lovelace", "12346"},
        "Grace Hopper_7": {"Grace Hopper", "7"},
        "Зоя_8": {"Зоя", "8"},
    }
    ada = read_submission(sources["Ada Lovelace_12345"], EXERCISES)
    assert set(ada.answers) == {FIRST}
    for name in ("Ada Lovelace_12346", "Grace Hopper_7"):
        assert contents(read_submission(sources[name], EXERCISES)) == {FIRST: GOOD, SECOND: b"2"}
    assert 'Found "onlinetext.html"' in read_submission(sources["Зоя_8"], EXERCISES).problem


def test_the_flat_download_of_moodle_is_read(tmp_path):
    sources = write_class(
        tmp_path,
        "Ada Lovelace_12345_assignsubmission_file_01_auth_url.py",
        "Ada Lovelace_12345_assignsubmission_file_02_token_expiry (1).py",
        "Grace Hopper_7_assignsubmission_file_answers.zip",
        "Зоя_8_assignsubmission_onlinetext_onlinetext.html",
    )
    assert set(read_submission(sources["Ada Lovelace_12345"], EXERCISES).answers) == set(EXERCISES)
    assert set(read_submission(sources["Grace Hopper_7"], EXERCISES).answers) == set(EXERCISES)
    assert 'Found "onlinetext.html"' in read_submission(sources["Зоя_8"], EXERCISES).problem


def test_the_export_of_gradescope_is_read(tmp_path):
    sources = write_class(tmp_path, "submission_123456789/01_auth_url.py")
    (tmp_path / "submission_metadata.yml").touch()
    assert list(sources) == ["submission_123456789"]
    assert ignored(tmp_path) == []
    assert set(read_submission(sources["submission_123456789"], EXERCISES).answers) == {FIRST}


@pytest.mark.parametrize("download", DOWNLOADS)
def test_a_made_up_class_is_read_from_each_download(tmp_path, download):
    students = [
        student for student in make_class(students=40) if student.kind in ("right", "half right", "wrong")
    ]
    names = write_download(tmp_path, download, students)
    sources = find_submissions(tmp_path)
    assert set(names.values()) == set(sources)
    for student in students:
        submission = read_submission(sources[names[student.name]], list(CLASS_EXERCISES))
        texts = {exercise: content.decode() for exercise, content in contents(submission).items()}
        assert texts == student.answers


# --- forks -----------------------------------------------------------------------------------------------


@pytest.fixture
def fork(tmp_path):
    """Return a fork as a student clones it, with an answer."""
    shutil.copytree(
        ROOT / "lessons", tmp_path / "anna/lessons", ignore=lambda *_: {"__pycache__", "answer.py"}
    )
    (tmp_path / "anna/README.md").touch()
    (tmp_path / "anna" / FORK).write_bytes(GOOD)
    return tmp_path / "anna"


def packed_fork(fork, kind):
    if kind == "folder":
        return fork
    if kind == "zip":  # GitHub makes such archives
        return Path(
            shutil.make_archive(str(fork.parent / "flask-jwt-companion-main"), "zip", fork.parent, "anna")
        )
    return Path(shutil.make_archive(str(fork.parent / "anna"), "gztar", fork))


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_a_fork_is_read_without_notes_if_its_files_are_the_originals(fork, kind):
    windows = fork / f"lessons/{SECOND}/app.py"
    windows.write_bytes(b"\xef\xbb\xbf" + windows.read_bytes().replace(b"\n", b"\r\n"))
    (fork / f"lessons/{FIRST}/db.py").unlink()
    (fork / "lessons/05_error_handler/app.py").write_bytes(b"this exercise is not graded")
    submission = read(packed_fork(fork, kind))
    assert contents(submission) == {FIRST: GOOD}
    assert (submission.problems, submission.notes) == ({}, ())


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_a_student_is_told_which_files_of_the_lessons_they_changed(fork, kind):
    for name in ("app.py", "models/user.py", "schema.sql", "exercise.py", "mine.py"):
        (fork / f"lessons/{FIRST}/{name}").write_bytes(b"changed")
    (fork / f"lessons/{SECOND}/app.py").write_bytes(b"#" * 100_000)
    [note] = read(packed_fork(fork, kind)).notes
    first = f"lessons/{FIRST}/"
    assert note == (
        f"You changed {first}app.py, {first}exercise.py, {first}models/user.py and 2 more. "
        "The grader does not use these changes, only your answer.py."
    )


def test_the_files_of_an_additional_exercise_s_lesson_are_compared(fork, monkeypatch, tmp_path):
    (tmp_path / "own" / ADDITIONAL).mkdir(parents=True)
    monkeypatch.setenv("EXERCISES", str(tmp_path / "own"))
    (fork / "lessons/03_auth_key/app.py").write_bytes(b"changed")
    assert read(fork, exercises=[ADDITIONAL]).notes == (
        "You changed lessons/03_auth_key/app.py. The grader does not use these changes, only your answer.py.",
    )


COMMIT = "0123456789abcdef" * 2 + "01234567"


def write_git(fork, **files):
    for name, content in files.items():
        path = fork / ".git" / name.replace("__", "/").replace("_", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
@pytest.mark.parametrize(
    "files",
    [
        {"HEAD": COMMIT + "\n"},
        {"HEAD": "ref: refs/heads/main\n", "refs__heads__main": COMMIT + "\n"},
        {"HEAD": "ref: refs/heads/Mine/main\n", "refs__heads__Mine__main": COMMIT + "\n"},
        {
            "HEAD": "ref: refs/heads/main\n",
            "packed_refs": f"# pack\n{COMMIT[::-1]} x\n{COMMIT} refs/heads/main\n",
        },
    ],
)
def test_the_commit_of_a_fork_is_read(fork, kind, files):
    write_git(fork, **files)
    assert read(packed_fork(fork, kind)).commit == COMMIT


HOSTILE_HEADS = [
    "",
    "ref: ",
    "ref: ../../../../etc/passwd",
    "ref: /etc/passwd",
    "ref: (",
    "x" * 40,
    COMMIT + "0",
]


@pytest.mark.parametrize(
    "head", [*HOSTILE_HEADS, "ref: " + "a/" * 30_000, f"{COMMIT}\0", "ref: refs/heads/gone"]
)
def test_a_commit_that_is_none_is_not_shown(fork, head):
    write_git(fork, HEAD=head)
    assert read(fork).commit == ""


URLS = {
    "https://github.com/ada/course.git": "https://github.com/ada/course",
    "https://ada:secret@github.com/ada/course": "https://github.com/ada/course",
    "git@github.com:ada/course.git": "https://github.com/ada/course",
    "ssh://git@gitlab.example.org:2222/school/ada/my.course.git": "https://gitlab.example.org/school/ada/my.course",
    "/home/ada/course": "",
    "file:///srv/course": "",
    "C:\\course": "",
    "https://github.com": "",
    "https://github.com/ada/<script>": "",
    "javascript:alert(1)": "",
    "x" * 60_000: "",
}


@pytest.mark.parametrize("url", URLS, ids=lambda url: url[:50])
def test_the_repository_of_a_fork_is_read_without_passwords(fork, url):
    config = (
        f'[core]\n\tbare = false\n[remote "up"]\n\turl = no\n[remote "origin"]\n\tfetch = +x\n\turl = {url}\n'
    )
    write_git(fork, config=config)
    assert read(fork).repository == URLS[url]


@pytest.mark.parametrize(
    "part", ["\n", " ", '[remote "origin"]\n', '[remote "origin"]\n\t', "\tfetch = x\n", "a/", "a."]
)
def test_a_hostile_git_config_costs_little_time(fork, part):
    write_git(fork, config='[remote "origin"]\n' + part * (60_000 // len(part)), HEAD="ref: " + part * 10_000)
    began = time.process_time()
    assert read(fork).repository == ""
    assert time.process_time() - began < 1


def test_git_is_not_followed_through_links(fork, tmp_path):
    write_git(tmp_path, HEAD=COMMIT, config="")
    (fork / ".git").symlink_to(tmp_path / ".git")
    assert read(fork).commit == ""


# --- contents --------------------------------------------------------------------------------------------

TEXT = "app = 'ä'\n"
ENCODED = {
    "UTF-8": (TEXT.encode(), ""),
    "UTF-8 with a mark": (TEXT.encode("utf-8-sig"), ""),
    "UTF-16": (TEXT.encode("utf-16"), "is not UTF-8 text"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "is not UTF-8 text"),
    "UTF-16, big end first": (b"\xfe\xff" + TEXT.encode("utf-16-be"), "is not UTF-8 text"),
    "UTF-32": (TEXT.encode("utf-32"), "is not UTF-8 text"),
    "a NUL byte": (b"app = 1\n\0", "is not UTF-8 text"),
    "Latin-1": (TEXT.encode("latin-1"), "is not UTF-8 text"),
    "Latin-1 with a declaration": (f"#!x\n# -*- coding: latin-1 -*-\n{TEXT}".encode("latin-1"), ""),
    "a late declaration": (f"\n\n# coding: latin-1\n{TEXT}".encode("latin-1"), "is not UTF-8 text"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_an_answer_that_is_no_utf_8_gets_advice(tmp_path, name):
    content, problem = ENCODED[name]
    submission = read(handed_in(tmp_path, "anna", (FORK, content)))
    if problem:
        advice = "Save it as UTF-8 (in Notepad: Save as, Encoding) and hand it in again."
        [said] = submission.problems.values()
        assert said.startswith(f'"{FORK}" {problem}')
        assert said.endswith(advice)
    else:
        assert contents(submission) == {FIRST: content}


@pytest.mark.parametrize("exercise", find_exercises().values(), ids=lambda exercise: exercise.name)
def test_an_unchanged_starter_is_recognized(exercise):
    starter = (exercise.folder / "exercise.py").read_bytes()
    windows = b"\xef\xbb\xbf" + starter.replace(b"\n", b" \r\n") + b"\r\n\r\n"
    for content in (starter, windows, starter.strip()):
        assert is_unchanged_starter(exercise, content)
    for content in (b"", starter + b"# changed", starter.replace(b"app", b"App")):
        assert not is_unchanged_starter(exercise, content)


def test_an_unchanged_starter_of_an_additional_exercise_is_recognized(monkeypatch, tmp_path):
    monkeypatch.setenv("EXERCISES", str(tmp_path))
    (tmp_path / ADDITIONAL).mkdir()
    exercise = find_exercises()[label_of(ADDITIONAL)]
    assert not is_unchanged_starter(exercise, b"x = 1")
    (tmp_path / ADDITIONAL / "exercise.py").write_text("x = 1\n")
    assert is_unchanged_starter(exercise, b"x = 1")


# --- hostile folders -------------------------------------------------------------------------------------


def link(target):
    return lambda path: path.symlink_to(target)


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(".", os.O_RDONLY)
        os.chdir(path.parent)  # because the path of a socket must be short
        try:
            server.bind(path.name)
        finally:
            os.fchdir(here)
            os.close(here)


def device(path):
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:  # only root makes devices
        path.symlink_to("/dev/zero")


def sparse(path):
    path.touch()
    os.truncate(path, 2**40)


IN_PLACE_OF_A_FILE = {
    "a link to a secret": link("/etc/passwd"),
    "a link to itself": link(FLAT),
    "a link to nothing": link("nowhere"),
    "a link to a file beside it": link(f"{SECOND}.py"),
    "a hanging pipe": os.mkfifo,
    "a socket": unix_socket,
    "a device without end": device,
    "a file of a TiB": sparse,
    "an empty folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("make", IN_PLACE_OF_A_FILE.values(), ids=IN_PLACE_OF_A_FILE)
@pytest.mark.parametrize("answer", [FORK, FLAT])
def test_anything_but_a_plain_file_in_a_folder_is_a_problem_of_that_answer_only(tmp_path, make, answer):
    other = answer.replace(FIRST, SECOND)
    path = handed_in(tmp_path, "anna", (other, GOOD))
    (path / answer).parent.mkdir(exist_ok=True)
    make(path / answer)
    submission = read(path)
    assert contents(submission) == {SECOND: GOOD}
    assert is_clear(submission.problems[FIRST])


@pytest.mark.parametrize("step", ["lessons", f"lessons/{FIRST}"])
@pytest.mark.parametrize("make", [link("/tmp"), os.mkfifo, lambda path: path.touch()])
def test_anything_but_a_folder_on_the_way_to_an_answer_is_named(tmp_path, step, make):
    path = handed_in(tmp_path, "anna", ("README.md", GOOD), (f"elsewhere/{FIRST}/answer.py", GOOD))
    (path / step).parent.mkdir(exist_ok=True)
    make(path / step)
    submission = read(path)
    assert is_clear(submission.problem or submission.notes[0])
    assert submission.answers == {}


@pytest.mark.parametrize("room", ["lessons", "exercises"])
def test_links_within_a_submission_are_not_followed_either(tmp_path, room):
    path = handed_in(tmp_path, "anna", (f"mine/{FIRST}/answer.py", GOOD), (FLAT, GOOD))
    (path / room).symlink_to("mine")
    assert f'"{room}" is a link' in read(path).problem


def fail_to_open(monkeypatch, name, number):
    """Let the system fail to open this file. Root may open everything, so a test cannot forbid it."""
    system = os.open

    def refuse(path, *more, **options):
        if os.path.basename(path) == os.path.basename(name):
            raise OSError(number, os.strerror(number), path)
        return system(path, *more, **options)

    monkeypatch.setattr(os, "open", refuse)


MACHINE_FAULTS = [errno.ENOENT, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE, errno.ENOTCONN]
MACHINE_FAULTS += [errno.EMFILE, errno.ENFILE, errno.ENOMEM]


@pytest.mark.parametrize("number", MACHINE_FAULTS, ids=errno.errorcode.get)
@pytest.mark.parametrize("name", ["anna", "lessons", FIRST, "answer.py", "anna.zip"])
def test_a_fault_of_the_machine_is_an_error_of_the_whole_submission(tmp_path, monkeypatch, name, number):
    other = f"lessons/{SECOND}/answer.py"
    folder = "anna.zip" if name == "anna.zip" else "anna"
    path = handed_in(tmp_path, folder, (FORK, GOOD), (other, GOOD), (".git/HEAD", b""))
    fail_to_open(monkeypatch, name, number)
    submission = read(path)
    assert submission == Submission(folder, error=submission.error)
    subject = "The submission" if name == folder else f'{name}"'
    assert f"{subject} cannot be read: {os.strerror(number)}." in submission.error
    assert submission.error.isprintable()


@pytest.mark.parametrize("call", ["listing", "reading"])
def test_a_fault_while_a_folder_is_listed_or_a_file_is_read_is_an_error(tmp_path, monkeypatch, call):
    path = handed_in(tmp_path, "anna", (FLAT, GOOD))

    def fail(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    if call == "listing":
        monkeypatch.setattr(os, "scandir", fail)
    else:
        monkeypatch.setattr(limits, "open", fail, raising=False)
    assert "Input/output error" in read(path).error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_file_without_permission_is_an_error(tmp_path):
    path = handed_in(tmp_path, "anna", (FLAT, GOOD))
    (path / FLAT).chmod(0)
    assert "Permission denied" in read(path).error


def test_a_file_that_vanishes_after_the_listing_is_an_error(tmp_path, monkeypatch):
    path = handed_in(tmp_path, "anna", (FLAT, GOOD))
    before_reading(monkeypatch, lambda: (path / FLAT).unlink())
    assert "No such file" in read(path).error


def test_too_little_memory_is_an_error(tmp_path, monkeypatch):
    path = handed_in(tmp_path, "anna.zip", (FLAT, GOOD))

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(limits.zipfile, "ZipFile", fail)
    assert "memory" in read(path).error


@pytest.mark.parametrize("number", [errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO])
def test_what_only_a_student_can_cause_is_a_problem(tmp_path, monkeypatch, number):
    path = handed_in(tmp_path, "anna", (FLAT, GOOD))
    fail_to_open(monkeypatch, FLAT, number)
    assert is_clear(read(path).problems[FIRST])


def before_reading(monkeypatch, change):
    """Change something between the listing and the reading of a submission."""
    read_all = reading.Reader.read

    def change_and_read(reader):
        change()
        return read_all(reader)

    monkeypatch.setattr(reading.Reader, "read", change_and_read)


@pytest.mark.parametrize("swapped", ["", "lessons", f"lessons/{FIRST}", FORK])
def test_a_link_that_replaces_a_file_after_the_listing_is_not_followed(tmp_path, monkeypatch, swapped):
    secrets = handed_in(tmp_path, "secrets", (FORK, b"secret"))
    path = handed_in(tmp_path, "anna", (FORK, GOOD))

    def swap():
        (path / swapped).rename(tmp_path / "aside")
        (path / swapped).symlink_to(secrets / swapped)

    before_reading(monkeypatch, swap)
    submission = read(path)
    assert submission.answers == {}
    assert is_clear(submission.problems[FIRST])


def test_a_pipe_that_replaces_a_file_after_the_listing_does_not_hang_the_grader(tmp_path, monkeypatch):
    path = handed_in(tmp_path, "anna", (FLAT, GOOD))

    def swap():
        (path / FLAT).unlink()
        os.mkfifo(path / FLAT)

    before_reading(monkeypatch, swap)
    assert "special file" in read(path).problems[FIRST]


def test_a_missing_folder_is_an_error(tmp_path):
    assert read(tmp_path / "gone").error == "The submission cannot be read: No such file or directory."


def test_a_link_instead_of_a_submission_is_a_problem(tmp_path):
    real = handed_in(tmp_path, "real", (FLAT, GOOD))
    (tmp_path / "anna").symlink_to(real)
    archive = handed_in(tmp_path, "real.zip", (FLAT, GOOD))
    (tmp_path / "bob.zip").symlink_to(archive)
    for name in ("anna", "bob.zip"):
        submission = read(tmp_path / name)
        assert submission.answers == {}
        assert "is a link" in submission.problem


def test_a_pipe_instead_of_an_archive_is_a_problem(tmp_path):
    os.mkfifo(tmp_path / "anna.zip")
    assert "special file" in read(tmp_path / "anna.zip").problem


@pytest.mark.parametrize("twice", [("lessons", "Lessons"), (FLAT, FLAT.upper())])
def test_names_in_a_folder_that_differ_only_by_case_are_ambiguous(tmp_path, twice):
    files = [name if name.endswith((".py", ".PY")) else f"{name}/{FIRST}/answer.py" for name in twice]
    path = handed_in(tmp_path, "anna", (files[0], GOOD), (files[1], b"another"))
    if len(list(path.iterdir())) < 2:
        pytest.skip("this file system ignores case")
    assert "more than one file" in read(path).problems[FIRST]


@pytest.mark.parametrize("name", ["anna", "anna.zip", "anna.tar"])
@pytest.mark.parametrize("folder", ["", "lessons/", "anna/", ".git/refs/heads/"])
def test_too_many_names_are_a_problem(tmp_path, monkeypatch, name, folder):
    monkeypatch.setattr(limits, "ENTRIES", 50)
    path = handed_in(tmp_path, name, *((f"{folder}{number}", b"") for number in range(51)))
    assert "at most 50 entries" in read(path).problem


STUDENT = "Ada Lovelace"
WITH_A_MESSAGE = {  # by what the student handed in: the name of the folder or archive, and its content
    "a damaged zip": (f"{STUDENT}.zip", b"PK"),
    "a damaged tar": (f"{STUDENT}.tar.gz", b"\x1f\x8b"),
    "another format": (f"{STUDENT}.rar", b"Rar!"),
    "too many bytes": (f"{STUDENT}.zip", bytes(limits.ARCHIVE_BYTES + 1)),
    "another file": (f"{STUDENT}.zip", zipped(("x.txt", b""))),
    "an archive from Canvas": (f"{STUDENT.replace(' ', '')}_12345_678901_{STUDENT}.zip", b"PK"),
    "an archive from Moodle": (f"{STUDENT}_12345_assignsubmission_file_{STUDENT}.zip", b"PK"),
    "a file from Moodle": (f"{STUDENT}_12345_assignsubmission_file_x.txt", b""),
    "a link": (STUDENT, link("nowhere")),
    "a pipe": (f"{STUDENT}.zip", os.mkfifo),
    "nothing": (f"{STUDENT}.zip", lambda path: None),
    "a folder with a link": (STUDENT, lambda path: (path.mkdir(), (path / FLAT).symlink_to(STUDENT[::-1]))),
    "a folder with other files": (STUDENT, lambda path: (path.mkdir(), (path / "x").touch())),
    "a folder with an archive": (
        STUDENT,
        lambda path: (path.mkdir(), (path / f"{STUDENT}.zip").write_bytes(b"PK")),
    ),
}


@pytest.mark.parametrize("kind", WITH_A_MESSAGE)
def test_no_message_contains_the_name_of_the_student_or_a_path_of_this_machine(tmp_path, kind):
    """Reports can have pseudonyms. A message names only what is in a submission."""
    name, content = WITH_A_MESSAGE[kind]
    path = tmp_path / name
    path.write_bytes(content) if isinstance(content, bytes) else content(path)
    submission = read(path)
    text = "\n".join([submission.problem, submission.error, *submission.problems.values(), *submission.notes])
    assert text.strip()
    for secret in ("Ada", "Lovelace", tmp_path.name, str(tmp_path.parent)):
        assert secret not in text


def test_a_student_who_handed_in_twice_is_not_named(tmp_path):
    paths = [handed_in(tmp_path, name, (FLAT, GOOD)) for name in (STUDENT, f"{STUDENT}.zip")]
    assert "Ada" not in read(*paths).problem


# --- hostile archives ------------------------------------------------------------------------------------

OUTSIDE = [
    "../x",
    "lessons/../../x",
    "/etc/passwd",
    "\\\\host\\x",
    "C:\\x.py",
    "c:x",
    "..",
    "x/..\\..\\y",
]


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
@pytest.mark.parametrize("name", OUTSIDE, ids=lambda name: name[:20])
def test_an_archive_with_a_name_that_leads_out_of_it_is_refused(tmp_path, ending, name):
    submission = read(handed_in(tmp_path, f"anna{ending}", (FLAT, GOOD), (name, b"")))
    assert submission.answers == {}
    assert is_clear(submission.problem)
    assert "leads out of the archive" in submission.problem


def in_tar(kind, **more):
    return {"type": kind} | more


ODD_ANSWERS = {
    "zip: a link": (".zip", zipped((zip_info(FLAT, stat.S_IFLNK | 0o777), b"/etc/passwd"))),
    "zip: a pipe": (".zip", zipped((zip_info(FLAT, stat.S_IFIFO), b""))),
    "zip: a device": (".zip", zipped((zip_info(FLAT, stat.S_IFCHR), b""))),
    "zip: a folder": (".zip", zipped((FLAT + "/", b""))),
    "zip: a folder of Windows": (".zip", zipped((FLAT + "\\", b""))),
    "zip: a folder by its mode": (".zip", zipped((zip_info(FLAT, stat.S_IFDIR), b""))),
    "zip: something in it": (".zip", zipped((FLAT + "/x", GOOD))),
    "zip: twice": (".zip", zipped((FLAT, GOOD), (FLAT, b"another"))),
    "zip: twice by ./": (".zip", zipped((FLAT, GOOD), ("./" + FLAT, b"another"))),
    "zip: twice by case": (".zip", zipped((FLAT, GOOD), (FLAT.upper(), b"another"))),
    "zip: twice by the case of a folder": (".zip", zipped((FORK, GOOD), (FORK.capitalize(), b"another"))),
    "zip: twice by backslash": (".zip", zipped((FORK, GOOD), (FORK.replace("/", "\\"), b"another"))),
    "zip: bzip2 bomb": (".zip", zipped((FLAT, bytes(64 * MIB)), compression=zipfile.ZIP_BZIP2)),
    "zip: LZMA": (".zip", zipped((FLAT, GOOD), compression=zipfile.ZIP_LZMA)),
    "zip: a bomb": (".zip", zipped((FLAT, bytes(64 * MIB)))),
    "zip: the folder lessons is a link": (
        ".zip",
        zipped((zip_info("lessons", stat.S_IFLNK), b"/"), (FORK, GOOD)),
    ),
    "tar: a link": (".tar", tarred((FLAT, b"", in_tar(tarfile.SYMTYPE, linkname="/etc/passwd")))),
    "tar: a hard link": (".tar", tarred((FLAT, b"", in_tar(tarfile.LNKTYPE, linkname="../bob/x.py")))),
    "tar: a hard link within": (
        ".tar",
        tarred((f"{SECOND}.txt", GOOD), (FLAT, b"", in_tar(tarfile.LNKTYPE, linkname=f"{SECOND}.txt"))),
    ),
    "tar: a pipe": (".tar", tarred((FLAT, b"", in_tar(tarfile.FIFOTYPE)))),
    "tar: a device": (".tar", tarred((FLAT, b"", in_tar(tarfile.CHRTYPE, devmajor=1, devminor=5)))),
    "tar: a disk": (".tar", tarred((FLAT, b"", in_tar(tarfile.BLKTYPE)))),
    "tar: a folder": (".tar", tarred((FLAT, b"", in_tar(tarfile.DIRTYPE)))),
    "tar: a sparse file": (".tar", tarred((FLAT, GOOD, in_tar(tarfile.GNUTYPE_SPARSE)))),
    "tar: of an unknown kind": (".tar", tarred((FLAT, GOOD, in_tar(b"Q")))),
    "tar: twice": (".tar", tarred((FLAT, GOOD), (FLAT, b"another"))),
    "tar: twice by case": (".tar", tarred((FORK, GOOD), (FORK.title(), b"another"))),
    "tar: a bomb": (".tar.gz", gzip.compress(tarred((FLAT, bytes(64 * MIB))))),
}


def changed(content, place, new):
    return content[:place] + new + content[place + len(new) :]


ONE = zipped((FLAT, GOOD))
LISTED, END = ONE.index(b"PK\1\2"), ONE.index(b"PK\5\6")
ODD_ANSWERS |= {
    "zip: a password": (".zip", changed(changed(ONE, 6, b"\1"), LISTED + 8, b"\1")),
    "zip: an unknown compression": (".zip", changed(changed(ONE, 8, b"\x2a"), LISTED + 10, b"\x2a")),
    "zip: a wrong checksum": (".zip", changed(ONE, LISTED + 16, b"\0\0\0\0")),
    "zip: a size that is too small": (".zip", changed(ONE, LISTED + 24, b"\1\0\0\0")),
    "zip: a packed size that is too small": (".zip", changed(ONE, LISTED + 20, b"\1\0\0\0")),
    "zip: content that is nowhere": (".zip", changed(ONE, LISTED + 42, b"\xff\xff\xff\x7f")),
    "zip: no content where it should be": (".zip", changed(ONE, 0, b"XX")),
    "zip: another name at the content": (".zip", changed(ONE, 30, b"02")),
    "zip: broken content": (".zip", changed(ONE, 30 + len(FLAT), b"\xff\xff")),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_anything_but_a_plain_file_in_an_archive_is_a_problem_of_that_answer(tmp_path, name):
    ending, content = ODD_ANSWERS[name]
    path = tmp_path / f"anna{ending}"
    path.write_bytes(content)
    tracemalloc.start()
    submission = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert submission.answers == {}
    assert is_clear(submission.problem or submission.problems[FIRST])
    whole = (
        "the folder lessons is a link",
        "something in it",
        "no content where it should be",
        "tar: a bomb",
    )
    assert bool(submission.problem) == name.endswith(whole)
    assert peak < 3 * limits.ARCHIVE_BYTES if name == "tar: a bomb" else peak < 25 * MIB


def tar_header(kind, size):
    """Return a header that promises `size` bytes of content. None follow."""
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def listing_one_often(count, extra=b"", packed_size=None):
    """Return a .zip that lists its one answer many times, with an extra field or another packed size."""
    entry = changed(ONE[LISTED:END], 30, struct.pack("<H", len(extra))) + extra
    entry = entry if packed_size is None else changed(entry, 20, struct.pack("<I", packed_size))
    numbers = struct.pack("<HHII", count, count, len(entry) * count, LISTED)
    return ONE[:LISTED] + entry * count + changed(ONE[END:], 8, numbers)


def global_pax_headers(count):
    """Return files in a .tar. Before each of them, there are 39 new headers for all following files."""
    pairs = [b"13 k%06d=v\n" % number for number in range(39 * count)]
    header, file = tar_header(tarfile.XGLTYPE, 39 * 13), tar_header(tarfile.REGTYPE, 0)
    bodies = (b"".join(pairs[start : start + 39]) for start in range(0, len(pairs), 39))
    return b"".join(header + body.ljust(512, b"\0") + file for body in bodies)


def sparse_file(numbers):
    """Return a .tar with a sparse file, whose map has this many pairs of numbers."""
    pax = (
        b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n26 GNU.sparse.name=answer\n25 GNU.sparse.realsize=5\n"
    )
    parts = [(tarfile.XHDTYPE, pax), (tarfile.REGTYPE, b"%d\n" % numbers + b"9\n9\n" * numbers)]
    padded = [tar_header(kind, len(part)) + part + bytes(-len(part) % 512) for kind, part in parts]
    return b"".join(padded) + bytes(1024)


WHOLE = tarred(("x", GOOD))
HOSTILE = {
    "nothing.zip": b"",
    "nothing.tar": b"",
    "nothing.tar.gz": b"",
    "text.zip": b"no archive " * 99,
    "text.tar": b"no archive " * 99,
    "text.tar.gz": b"no archive " * 99,
    "cut.zip": ONE[:-30],
    "cut in a header.tar": WHOLE[:300],
    "cut in its content.tar": WHOLE[:520],
    "cut after its content.tar": WHOLE[:1024],
    "cut.tar.gz": gzip.compress(WHOLE)[:-9],
    "a wrong checksum.tar.gz": gzip.compress(WHOLE)[:-8] + bytes(8),
    "a wrong checksum.tar": changed(WHOLE, 0, b"y"),
    "a file of a TiB.tar": tar_header(tarfile.REGTYPE, 2**40) + WHOLE,
    "a file below zero.tar": tar_header(tarfile.REGTYPE, -512) + WHOLE,
    "a pax header of a GiB.tar": tar_header(tarfile.XHDTYPE, 2**30) + WHOLE,
    "a pax header in a circle.tar": tar_header(tarfile.XHDTYPE, -512) + WHOLE,
    "a slow pax header below zero.tar": tar_header(tarfile.XHDTYPE, -512) + b"1" * 200_000,
    "a long sparse map.tar.gz": gzip.compress(sparse_file(2_500_000)),
    "a name of a GiB.tar": tar_header(tarfile.GNUTYPE_LONGNAME, 2**30) + WHOLE,
    "a bomb.tar.gz": gzip.compress(tar_header(tarfile.REGTYPE, 2**40) + bytes(10 * MIB)) * 11,
    "many global pax headers.tar.gz": gzip.compress(global_pax_headers(6_000)),
    "many small files.tar.gz": gzip.compress(WHOLE[:1024] * 10_000) * 11,
    "too many.zip": listing_one_often(limits.ENTRIES + 1),
    "parts without content.tar.gz": gzip.compress(b"") * 1_000_000,
    "long extra fields.zip": listing_one_often(300, extra=bytes(65_000)),
    "long extra fields that end with a mark.zip": listing_one_often(
        300, extra=bytes(64_900) + struct.pack("<HH", 0, 26) + b"PK\1\2" + bytes(22)
    ),
    "overlapping.zip": listing_one_often(300, packed_size=65_000),
    "half a million.zip": b"PK\1\2" * 500_000 + ONE,
    "a name that is no UTF-8.zip": changed(changed(ONE, LISTED + 9, b"\x08"), LISTED + 46, b"\xff\xfe"),
    "from the future.zip": changed(ONE, LISTED + 6, b"\xff"),
    "a list of names elsewhere.zip": changed(ONE, END + 12, b"\xff\xff\xff\x7f"),
    "anna.tar.bz2": bz2.compress(WHOLE),
    "anna.tbz2": bz2.compress(bytes(10 * MIB)) * 11,
    "anna.tar.xz": b"\xfd7zXZ\0",
    "anna.txz": b"",
    "anna.tar.zst": b"",
    "anna.7z": b"7z",
    "anna.rar": b"Rar!",
    "ANNA.RAR": b"Rar!",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_unreadable_archive_is_a_problem_and_costs_little_time_and_memory(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(HOSTILE[name])
    began = time.process_time()
    tracemalloc.start()
    submission = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert submission == Submission(name, problem=submission.problem)
    assert is_clear(submission.problem)
    assert peak < 3.5 * limits.ARCHIVE_BYTES
    assert time.process_time() - began < 5


def test_an_archive_with_too_many_bytes_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "anna.zip"
    sparse(path)
    tracemalloc.start()
    problem = read(path).problem
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "at most 20,971,520 bytes" in problem
    assert peak < 2.5 * limits.ARCHIVE_BYTES


def test_pax_headers_that_slow_down_tarfile_do_not_slow_down_the_grader(tmp_path):
    """Python 3.11.7's TarFile needs much time for each of these, and an archive can contain many."""
    path = tmp_path / "anna.tar.gz"
    slow = b"".join(tar_header(tarfile.XHDTYPE, 2**16) + part * 2**14 for part in (b"1111", b"3 \n "))
    path.write_bytes(gzip.compress(slow * 100 + tarred((FLAT, GOOD))))
    began = time.process_time()
    assert "at most 2,048 bytes in a header" in read(path).problem
    assert time.process_time() - began < 2


HEADER_BOMBS = {
    "pax headers": tar_header(tarfile.XHDTYPE, 0) * 204_792,
    "pax headers and files": (tar_header(tarfile.XHDTYPE, 0) + tar_header(tarfile.REGTYPE, 0)) * 20_000,
    "global pax headers": (tar_header(tarfile.XGLTYPE, 0) + tar_header(tarfile.REGTYPE, 0)) * 20_000,
    "long names": (tar_header(tarfile.GNUTYPE_LONGNAME, 0) + tar_header(tarfile.REGTYPE, 0)) * 20_000,
    "long pax headers": (tar_header(tarfile.XHDTYPE, 2_048) + b"1" * 2_048 + tar_header(b"0", 0)) * 5_000,
    "files": tar_header(tarfile.REGTYPE, 0) * 20_001,
}


@pytest.mark.parametrize("name", HEADER_BOMBS)
def test_headers_count_as_entries(tmp_path, name):
    path = tmp_path / "anna.tar.gz"
    path.write_bytes(gzip.compress(HEADER_BOMBS[name]))
    began = time.process_time()
    assert is_clear(read(path).problem)
    assert time.process_time() - began < (1 if name == "pax headers" else 2)


def test_a_long_chain_of_pax_headers_is_refused(tmp_path):
    path = tmp_path / "anna.tar"
    path.write_bytes(tar_header(tarfile.XHDTYPE, 0) * 5_000 + tarred((FLAT, GOOD)))
    assert "is damaged" in read(path).problem


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_long_names_need_a_limited_amount_of_memory(tmp_path, ending):
    path = handed_in(
        tmp_path, f"anna{ending}", *((f"{number}🦉" + "x" * 20_000, b"") for number in range(210))
    )
    tracemalloc.start()
    problem = read(path).problem
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    limit = "4,000,000 bytes in names and extra fields" if ending == ".zip" else "2,048 bytes in a header"
    assert f"at most {limit}" in problem
    assert peak < 50 * MIB


@pytest.mark.parametrize(
    "name", ["-1" * 9_000 + "x.py", "0" * 18_000, f"{SECOND}/" * 999, "copy " * 3_000, ".zip" * 4_500]
)
def test_long_and_many_names_cost_little_time(tmp_path, name):
    path = tmp_path / "anna.zip"
    others = [(f"{number}.2.py", b"") for number in range(15_000)]
    path.write_bytes(zipped((FLAT, GOOD), *((f"{number}{name}", b"") for number in range(200)), *others))
    began = time.process_time()
    assert contents(read(path)) == {FIRST: GOOD}
    assert time.process_time() - began < 5


def test_a_deep_folder_costs_few_descriptors(tmp_path):
    path = handed_in(tmp_path, "anna", (FORK, GOOD), (".git/HEAD", COMMIT.encode()))
    deep = path / ".git/refs/heads"
    deep.mkdir(parents=True)
    folder = os.open(deep, os.O_RDONLY)
    for _ in range(500):
        os.mkdir("x", dir_fd=folder)
        above, folder = folder, os.open("x", os.O_RDONLY, dir_fd=folder)
        os.close(above)
    os.close(folder)
    limits_before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits_before[1]))
    try:
        assert contents(read(path)) == {FIRST: GOOD}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits_before)
        subprocess.run(["rm", "-r", deep], check=True)  # shutil.rmtree needs as many calls as folders


def test_a_zip_that_lists_one_content_many_times_is_refused(tmp_path):
    path = tmp_path / "anna.zip"
    path.write_bytes(listing_one_often(1_000))
    assert "more than one file" in read(path).problems[FIRST]


def test_an_archive_in_an_archive_is_not_opened(tmp_path):
    path = handed_in(tmp_path, "anna.tar", ("inner.zip", zipped((f"{SECOND}.py", GOOD))), (FLAT, GOOD))
    assert contents(read(path)) == {FIRST: GOOD}


def test_the_problem_of_a_zip_with_a_password_mentions_the_password(tmp_path):
    path = tmp_path / "anna.zip"
    path.write_bytes(ODD_ANSWERS["zip: a password"][1])
    assert "is protected by a password" in read(path).problems[FIRST]


@pytest.mark.parametrize("error", [RecursionError, OverflowError, struct.error])
def test_a_rare_error_is_a_problem_of_the_submission_too(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    path = handed_in(tmp_path, "anna.zip", (FLAT, GOOD))
    monkeypatch.setattr(limits.zipfile, "ZipFile", fail)
    assert error.__name__ in read(path).problem


def test_reading_writes_no_file(tmp_path):
    path = handed_in(tmp_path, "anna.tar", (FORK, GOOD), ("x/y", b"z"))
    read(path)
    assert list(tmp_path.rglob("*")) == [path]


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz"])
def test_a_damaged_archive_never_raises_and_stays_within_the_limits(tmp_path, ending):
    """The seeds make the same damage in every run."""
    whole = packed(
        ending, (f"w/{FORK}", GOOD * 9), (f"w/lessons/{SECOND}/answer.py", GOOD), ("w/" + "x" * 150, b"x")
    )
    path = tmp_path / f"anna{ending}"
    tracemalloc.start()
    outcomes = set()
    for seed in range(300):
        path.write_bytes(mutated(whole, random.Random(seed)))
        submission = read(path)
        assert all(len(answer.content) <= limits.ANSWER_BYTES for answer in submission.answers.values())
        assert all(map(is_clear, submission.problems.values()))
        assert submission.problem == "" or is_clear(submission.problem)
        assert submission.error == ""
        outcomes.add((bool(submission.answers), bool(submission.problem)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * limits.ARCHIVE_BYTES + 5 * MIB
    assert {(True, False), (False, True)} <= outcomes


def mutated(content, rng):
    """Return an archive after some of its bits or bytes were changed, removed or doubled."""
    content = bytearray(content.rstrip(b"\0") + bytes(1024))
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(content))
        length = rng.choice([1, 2, 4, 64])
        match rng.randrange(5):
            case 0:
                content[place] ^= 1 << rng.randrange(8)
            case 1:
                content[place : place + length] = rng.choice([b"\xff", b"\0", b"9"]) * length
            case 2:
                content[place : place + length] = rng.randbytes(length)
            case 3:
                del content[place : place + length]
            case 4:
                content[place:place] = content[place : place + length * 9]
    return bytes(content)


# --- finding ---------------------------------------------------------------------------------------------


def test_submissions_are_found_by_student_and_sorted_by_name(tmp_path):
    for name in ("zoë", "bob smith.v2", ".git", "__MACOSX", "Анна"):
        (tmp_path / name).mkdir()
    for name in ("carl.ZIP", "dora.tar.gz", "e.v1.tbz2", "notes.txt", ".zip", "fred.rar", "tar", "x.py"):
        (tmp_path / name).touch()
    (tmp_path / "gone").symlink_to("nowhere")
    files = {
        "bob smith.v2": "bob smith.v2",
        "carl": "carl.ZIP",
        "dora": "dora.tar.gz",
        "e.v1": "e.v1.tbz2",
        "fred": "fred.rar",
        "gone": "gone",
        "zoë": "zoë",
        "Анна": "Анна",
    }
    sources = find_submissions(tmp_path)
    assert sources == {
        name: Source(name, (tmp_path / file,), frozenset({name})) for name, file in files.items()
    }
    assert list(sources) == sorted(sources)
    assert ignored(tmp_path) == ['"notes.txt"', '"tar"', '"x.py"']


def test_a_student_who_handed_in_twice_has_a_problem(tmp_path):
    handed_in(tmp_path, "anna", (FLAT, GOOD))
    handed_in(tmp_path, "anna.zip", (FLAT, GOOD))
    [source] = find_submissions(tmp_path).values()
    submission = read_submission(source, EXERCISES)
    assert (submission.answers, submission.source) == ({}, "anna, anna.zip")
    assert "several submissions" in submission.problem


def test_names_that_differ_by_case_or_normalisation_are_two_students(tmp_path):
    names = {"anna", "Anna", "zo\u00eb", "zoe\u0308"}
    for name in names:
        (tmp_path / name).mkdir(exist_ok=True)
    found = {path.name for path in tmp_path.iterdir()}  # some file systems treat two of them as one
    assert set(find_submissions(tmp_path)) == found
    assert len({safe_name(name) for name in names}) == len(names)


def test_a_name_that_is_not_utf_8_is_found_and_read_and_gets_a_safe_name(tmp_path):
    raw = os.fsencode(tmp_path) + b"/J\xf6rg"
    try:
        os.mkdir(raw)
    except OSError:
        pytest.skip("this file system accepts only UTF-8")
    with open(raw + b"/" + FLAT.encode(), "wb") as file:
        file.write(GOOD)
    [source] = find_submissions(tmp_path).values()
    submission = read_submission(source, EXERCISES)
    assert contents(pickle.loads(pickle.dumps(submission))) == {FIRST: GOOD}
    assert safe_name(source.name).startswith("jrg-")


@pytest.mark.parametrize(
    "name", ["missing", "empty", "file", "loose", "one/lessons", f"one/{FLAT}", "one/answer.py"]
)
def test_a_wrong_folder_is_reported_in_one_line(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose" / "notes.txt").touch()
    (tmp_path / "one" / "solutions").mkdir(parents=True)
    if name.startswith("one"):
        (tmp_path / name).mkdir()
    with pytest.raises(NoSubmissions, match="should contain a folder or archive for each") as raised:
        find_submissions(tmp_path / name.split("/")[0])
    assert str(raised.value).isprintable()
    assert ("looks like the submission of one student" in str(raised.value)) == name.startswith("one")


def test_folders_that_look_a_little_like_files_from_canvas_are_students(tmp_path):
    for name in ("ada", "ben"):
        handed_in(tmp_path, f"hw_01_2026_{name}", (FLAT, GOOD))
    assert list(find_submissions(tmp_path)) == ["hw_01_2026_ada", "hw_01_2026_ben"]


def test_a_damaged_archive_beside_an_answer_does_no_harm(tmp_path):
    handed_in(tmp_path, "anna", (FLAT, GOOD), ("notes.rar", b"damaged"))
    assert contents(read(tmp_path / "anna")) == {FIRST: GOOD}


@pytest.mark.parametrize(("files", "unit"), [(11, "folders and archives"), (2, "entries")])
def test_the_archives_of_one_student_have_a_common_limit(tmp_path, files, unit):
    for number in range(files):
        archive = listing_one_often(limits.ENTRIES // files + 1, packed_size=0)
        (tmp_path / f"ada_12345_{1000 + number}_more.zip").write_bytes(archive)
    [source] = find_submissions(tmp_path).values()
    assert f"{unit}. Hand in only your answers." in read_submission(source, [FIRST]).problem


@pytest.mark.parametrize(
    "names",
    [
        ["lovelaceada_12345_678901_01_auth_url.py", "turingalan_12346_678902_01_auth_url.py"],
        [f"{name}_assignsubmission_file/01_auth_url.py" for name in ("Ada Lovelace_12345", "Alan Turing_6")],
    ],
)
def test_a_download_in_a_folder_of_its_own_is_recognized(tmp_path, names):
    handed_in(tmp_path, "homework 1", *((name, GOOD) for name in names))
    [source] = find_submissions(tmp_path).values()
    problem = read_submission(source, [FIRST, SECOND]).problem
    assert problem.endswith("If this is a download of several students, move its files one folder up.")


# --- safe names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["anna", "bob_2", "0", "a.b-c", "x" * 61, "console", "deadbeef"])
def test_a_safe_name_stays(name):
    assert safe_name(name) == name


def test_every_other_name_gets_a_safe_name_of_its_own():
    names = [
        "",
        ".",
        "..",
        "-",
        ".hidden",
        "Anna",
        "ANNA",
        "anna ",
        "a/b",
        "a\\b",
        "a\0b",
        "con",
        "nul.txt",
        "com1",
    ]
    names += [
        "x" * 62,
        "Анна",
        "李娜",
        "🦉",
        "\u202eanna",
        "zo\u00eb",
        "zoe\u0308",
        "anna\n",
        "\udcff",
        "\udcfe",
    ]
    names += ["con.", "dot.", "~", "$(reboot)", "x" * 9999, "lpt9.tar.gz", safe_name("Anna"), safe_name(".")]
    safe = {safe_name(name) for name in names}
    assert len(safe) == len(names)
    assert all(limits.re.fullmatch("[a-z0-9][a-z0-9-]{0,50}-[0-9a-f]{32}", name) for name in safe)
    assert safe_name("Zoë Müller").startswith("zoe-muller-d6e575a6")


@pytest.mark.parametrize(
    ("name", "as_quoted"),
    [
        ("Анна Ⅳ 李娜 🦉", '"Анна Ⅳ 李娜 🦉"'),
        ("क्\u200dष", '"क्\u200dष"'),
        ("a\nb\x1b[31m", r'"a\nb\x1b[31m"'),
        ("\u202etxt.exe", r'"\u202etxt.exe"'),
        ("\udcff\0", r'"\udcff\x00"'),
        ("x" * 81, f'"{"x" * 79}…"'),
    ],
)
def test_a_hostile_name_is_quoted_short_and_in_its_script(name, as_quoted):
    assert quote(name) == as_quoted

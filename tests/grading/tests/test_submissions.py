"""Test that the grader finds and reads what students hand in, and that no submission can do harm."""

import bz2
import gzip
import io
import os
import pickle
import random
import shutil
import socket
import stat
import struct
import tarfile
import time
import tracemalloc
import warnings
import zipfile

import pytest

from grading import entries as limits
from grading import submissions
from grading.entries import shown
from grading.submissions import (
    HandedIn,
    NoSubmissions,
    Submission,
    find_submissions,
    read_submission,
    safe_name,
)

FIRST, SECOND = "01_auth_url", "02_token_expiry"
EXERCISES = [FIRST, SECOND]
FORK, FLAT = f"lessons/{FIRST}/answer.py", f"{FIRST}.py"
ARCHIVES = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2"]
GOOD = b"app = 'an answer'\n"
MIB = 2**20


def read(path):
    """Read the submission at a path. This never raises an error."""
    return read_submission("anna", [path], EXERCISES)


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
    pack = {"z2": bz2.compress, "gz": gzip.compress}.get(ending.replace("tgz", "gz")[-2:], bytes)
    return pack(tarred(*entries))


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
    """Tell if a problem is one short printable line with what the grader expects."""
    return "expected" in problem and problem.isprintable() and len(problem) < 400


EVERY_KIND = ["anna", *(f"anna{ending}" for ending in ARCHIVES)]


@pytest.mark.parametrize("name", EVERY_KIND)
@pytest.mark.parametrize("top", ["", "repo-main/", "Анна Ⅳ 🦉/"])
@pytest.mark.parametrize("answer", [FORK, FLAT])
def test_an_answer_is_read_from_each_format_and_each_layout(tmp_path, name, top, answer):
    rest = (f"{top}solutions/{SECOND}.py", b"no"), (f"{top}README.md", b"no")
    path = handed_in(tmp_path, name, (top + answer, GOOD), *rest, ("__MACOSX/._x", b"no"), (".git/x", b"no"))
    assert read(path) == Submission("anna", name, {FIRST: HandedIn(top + answer, GOOD)})


@pytest.mark.parametrize("name", EVERY_KIND)
@pytest.mark.parametrize("top", ["", "repo-main/"])
@pytest.mark.parametrize("answer", ["exercises/03b_pin_login/answer.py", "03b_pin_login.py"])
def test_an_answer_to_an_additional_exercise_is_read(tmp_path, name, top, answer):
    path = handed_in(tmp_path, name, (top + answer, GOOD), (f"{top}README.md", b"no"))
    submission = read_submission("anna", [path], [*EXERCISES, "03b_pin_login"])
    assert contents(submission) == {"03b_pin_login": GOOD}


def test_a_fork_has_answers_of_both_kinds(tmp_path):
    path = handed_in(tmp_path, "anna", (FORK, GOOD), ("exercises/03b_pin_login/answer.py", b"another"))
    submission = read_submission("anna", [path], [*EXERCISES, "03b_pin_login"])
    assert contents(submission) == {FIRST: GOOD, "03b_pin_login": b"another"}


def test_a_folder_exercises_with_files_is_read_if_there_are_no_additional_exercises(tmp_path):
    path = handed_in(tmp_path, "anna.zip", (f"exercises/{FLAT}", GOOD))
    assert contents(read(path)) == {FIRST: GOOD}


def test_a_fork_is_read_by_its_lessons_even_if_answers_lie_beside_them(tmp_path):
    path = handed_in(tmp_path, "anna", (f"lessons/{SECOND}/answer.py", GOOD), (FLAT, b"an old one"))
    assert contents(read(path)) == {SECOND: GOOD}


@pytest.mark.parametrize("name", EVERY_KIND)
def test_an_answer_may_have_any_bytes_up_to_the_limit_and_a_name_in_capitals(tmp_path, name):
    content = random.Random(1).randbytes(limits.ANSWER_BYTES)
    path = handed_in(tmp_path, name, (FLAT.upper(), content), (f"{SECOND}.py", content + b"!"))
    submission = read(path)
    assert contents(submission) == {FIRST: content}
    assert "at most 65,536 bytes" in submission.problems[SECOND]


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
        assert read(path).answers == {FIRST: HandedIn(f"./{top}/{FLAT}", GOOD)}


def test_links_that_honest_students_have_in_a_fork_do_no_harm(tmp_path):
    path = handed_in(tmp_path, "anna", (FORK, GOOD), (f"lessons/{FIRST}/app.py", b"x"), (".venv/x", b"x"))
    (path / ".venv" / "bin").symlink_to("/usr/bin")
    (path / f"lessons/{FIRST}/data.db").symlink_to("/dev/zero")
    packed = shutil.make_archive(str(tmp_path / "bob"), "gztar", tmp_path, "anna")
    assert contents(read(path)) == contents(read(tmp_path / packed)) == {FIRST: GOOD}


def test_only_folders_that_lead_to_an_answer_are_listed(tmp_path, monkeypatch):
    others = [(name, b"") for name in (".venv/lib/x", "solutions/x", "lessons/x/y")]
    path = handed_in(tmp_path, "anna", (FORK, GOOD), *others)
    listed = []
    listing = limits.listing

    def look(path, *steps):
        listed.append("/".join(steps))
        return listing(path, *steps)

    monkeypatch.setattr(limits, "listing", look)
    read(path)
    assert listed == ["", "lessons", f"lessons/{FIRST}"]


@pytest.mark.parametrize("name", EVERY_KIND)
def test_an_empty_submission_has_neither_answers_nor_a_problem(tmp_path, name):
    assert read(handed_in(tmp_path, name)) == Submission("anna", name)


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_fork_without_answers_has_neither_answers_nor_a_problem(tmp_path, name):
    assert read(handed_in(tmp_path, name, (f"lessons/{FIRST}/app.py", b""))) == Submission("anna", name)


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_submission_without_a_known_name_gets_the_expected_names(tmp_path, name):
    submission = read(handed_in(tmp_path, name, ("answers.zip", zipped((FLAT, GOOD))), ("x.py", b"")))
    assert "it holds no answer: expected lessons/01_auth_url/answer.py" in submission.problem


def test_a_submission_can_be_pickled(tmp_path):
    submission = read(handed_in(tmp_path, "anna.zip", (FORK, GOOD)))
    assert pickle.loads(pickle.dumps(submission)) == submission


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
def test_anything_but_a_folder_on_the_way_to_an_answer_is_a_problem(tmp_path, step, make):
    path = handed_in(tmp_path, "anna", (FLAT, GOOD), (f"elsewhere/{FIRST}/answer.py", GOOD))
    (path / step).parent.mkdir(exist_ok=True)
    make(path / step)
    submission = read(path)
    assert is_clear(submission.problems[FIRST])
    assert submission.answers == {}


def test_links_within_a_submission_are_not_followed_either(tmp_path):
    path = handed_in(tmp_path, "anna", (f"mine/{FIRST}/answer.py", GOOD))
    (path / "lessons").symlink_to("mine")
    assert '"lessons" is a link' in read(path).problems[FIRST]


@pytest.mark.parametrize("folder", ["", "lessons", f"lessons/{FIRST}", FORK])
def test_a_file_or_folder_without_permission_is_a_problem(tmp_path, monkeypatch, folder):
    """Root may open everything, so this test replaces os.open."""
    path = handed_in(tmp_path, "anna", (FORK, GOOD))
    system = os.open

    def refuse(name, *more, **options):
        if os.path.basename(name) == os.path.basename(folder or path):
            raise PermissionError(13, "Permission denied", name)
        return system(name, *more, **options)

    monkeypatch.setattr(os, "open", refuse)
    submission = read(path)
    problem = submission.problems[FIRST] if folder else submission.problem
    assert is_clear(problem)
    assert "Permission denied" in problem


@pytest.mark.parametrize("swapped", ["", "lessons", f"lessons/{FIRST}", FORK])
def test_a_link_that_replaces_a_file_after_the_listing_is_not_followed(tmp_path, monkeypatch, swapped):
    secrets = handed_in(tmp_path, "secrets", (FORK, b"secret"))
    path = handed_in(tmp_path, "anna", (FORK, GOOD))
    choose = submissions.choose

    def swap(*arguments):
        (path / swapped).rename(tmp_path / "aside")
        (path / swapped).symlink_to(secrets / swapped)
        return choose(*arguments)

    monkeypatch.setattr(submissions, "choose", swap)
    submission = read(path)
    assert submission.answers == {}
    assert is_clear(submission.problems[FIRST])


def test_a_pipe_that_replaces_a_file_after_the_listing_does_not_hang_the_grader(tmp_path, monkeypatch):
    path = handed_in(tmp_path, "anna", (FLAT, GOOD))
    choose = submissions.choose

    def swap(*arguments):
        (path / FLAT).unlink()
        os.mkfifo(path / FLAT)
        return choose(*arguments)

    monkeypatch.setattr(submissions, "choose", swap)
    assert "is a pipe" in read(path).problems[FIRST]


def test_a_missing_folder_is_a_problem(tmp_path):
    assert is_clear(read(tmp_path / "gone").problem)


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
    assert "is a pipe" in read(tmp_path / "anna.zip").problem


@pytest.mark.parametrize("twice", [("lessons", "Lessons"), (FLAT, FLAT.upper())])
def test_names_in_a_folder_that_differ_only_by_case_are_ambiguous(tmp_path, twice):
    files = [name if name.endswith((".py", ".PY")) else f"{name}/{FIRST}/answer.py" for name in twice]
    path = handed_in(tmp_path, "anna", *((file, GOOD) for file in files))
    if len(list(path.iterdir())) < 2:
        pytest.skip("this file system ignores case")
    assert "more than once" in read(path).problems[FIRST]


@pytest.mark.parametrize("name", ["anna", "anna.zip", "anna.tar"])
@pytest.mark.parametrize("folder", ["", "lessons/", "anna/"])
def test_too_many_names_are_a_problem(tmp_path, monkeypatch, name, folder):
    monkeypatch.setattr(limits, "ENTRIES", 50)
    path = handed_in(tmp_path, name, *((f"{folder}{number}", b"") for number in range(51)))
    assert "at most 50 entries" in read(path).problem


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
    "zip: the folder is a link": (".zip", zipped((zip_info("lessons", stat.S_IFLNK), b"/"), (FORK, GOOD))),
    "zip: the folder is a file": (".zip", zipped((f"lessons/{FIRST}", b""), (FORK, GOOD))),
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
    "tar: a folder is a link": (
        ".tar",
        tarred((f"lessons/{FIRST}", b"", in_tar(tarfile.SYMTYPE, linkname="/")), (FORK, GOOD)),
    ),
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


@pytest.mark.parametrize(("ending", "content"), ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_anything_but_a_plain_file_in_an_archive_is_a_problem_of_that_answer(tmp_path, ending, content):
    path = tmp_path / f"anna{ending}"
    path.write_bytes(content)
    tracemalloc.start()
    submission = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert submission.answers == {}
    assert submission.problem == ""
    assert is_clear(submission.problems[FIRST])
    assert peak < 100 * MIB + limits.ARCHIVE_BYTES if ending == ".tar.gz" else peak < 25 * MIB


def tar_header(kind, size):
    """Return a header that promises `size` bytes of content. None follow."""
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def listing_one_often(count):
    """Return a .zip that lists its one answer many times."""
    numbers = struct.pack("<HHII", count, count, (END - LISTED) * count, LISTED)
    return ONE[:LISTED] + ONE[LISTED:END] * count + changed(ONE[END:], 8, numbers)


WHOLE = tarred(("x", GOOD))
HOSTILE = {
    "nothing.zip": b"",
    "nothing.tar": b"",
    "nothing.tar.gz": b"",
    "nothing.tar.bz2": b"",
    "text.zip": b"no archive " * 99,
    "text.tar": b"no archive " * 99,
    "text.tar.gz": b"no archive " * 99,
    "text.tar.bz2": b"no archive " * 99,
    "a tar.zip": WHOLE,
    "a zip.tar": ONE,
    "a zip.tgz": ONE,
    "cut.zip": ONE[:-30],
    "cut in a header.tar": WHOLE[:300],
    "cut in its content.tar": WHOLE[:520],
    "cut after its content.tar": WHOLE[:1024],
    "cut.tar.gz": gzip.compress(WHOLE)[:-9],
    "cut.tar.bz2": bz2.compress(WHOLE)[:-9],
    "a wrong checksum.tar.gz": gzip.compress(WHOLE)[:-8] + bytes(8),
    "a wrong checksum.tar": changed(WHOLE, 0, b"y"),
    "a file of a TiB.tar": tar_header(tarfile.REGTYPE, 2**40) + WHOLE,
    "a file below zero.tar": tar_header(tarfile.REGTYPE, -512) + WHOLE,
    "a pax header of a GiB.tar": tar_header(tarfile.XHDTYPE, 2**30) + WHOLE,
    "a pax header in a circle.tar": tar_header(tarfile.XHDTYPE, -512) + WHOLE,
    "a name of a GiB.tar": tar_header(tarfile.GNUTYPE_LONGNAME, 2**30) + WHOLE,
    "a bomb.tar.gz": gzip.compress(tar_header(tarfile.REGTYPE, 2**40) + bytes(10 * MIB)) * 11,
    "a bomb.tar.bz2": bz2.compress(bytes(10 * MIB)) * 11,
    "many small files.tar.gz": gzip.compress(WHOLE[:1024] * 10_000) * 11,
    "too many.zip": listing_one_often(limits.ENTRIES + 1),
    "half a million.zip": b"PK\1\2" * 500_000 + ONE,
    "a name that is no UTF-8.zip": changed(changed(ONE, LISTED + 9, b"\x08"), LISTED + 46, b"\xff\xfe"),
    "from the future.zip": changed(ONE, LISTED + 6, b"\xff"),
    "a list of names elsewhere.zip": changed(ONE, END + 12, b"\xff\xff\xff\x7f"),
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
    assert submission == Submission("anna", name, problem=submission.problem)
    assert is_clear(submission.problem)
    assert peak < limits.UNPACKED_BYTES * 5 / 4
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
    path.write_bytes(gzip.compress(slow * 200 + tarred((FLAT, GOOD))))
    began = time.process_time()
    assert contents(read(path)) == {FIRST: GOOD}
    assert time.process_time() - began < 2


def test_a_long_chain_of_pax_headers_causes_no_recursion(tmp_path):
    path = tmp_path / "anna.tar"
    path.write_bytes(tar_header(tarfile.XHDTYPE, 0) * 5_000 + tarred((FLAT, GOOD)))
    assert contents(read(path)) == {FIRST: GOOD}


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_long_names_need_a_limited_amount_of_memory(tmp_path, ending):
    path = handed_in(
        tmp_path, f"anna{ending}", *((f"{number}🦉" + "x" * 20_000, b"") for number in range(210))
    )
    tracemalloc.start()
    problem = read(path).problem
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "at most 4,000,000 characters in names" in problem
    assert peak < 50 * MIB


def test_a_zip_that_lists_one_content_many_times_is_refused(tmp_path):
    path = tmp_path / "anna.zip"
    path.write_bytes(listing_one_often(1_000))
    assert "more than once" in read(path).problems[FIRST]


def test_an_archive_in_an_archive_is_not_opened(tmp_path):
    inner = zipped((FLAT, GOOD))
    path = handed_in(tmp_path, "anna.tar", ("inner.zip", inner), (FLAT, inner))
    assert contents(read(path)) == {FIRST: inner}


def test_the_problem_of_a_zip_with_a_password_mentions_the_password(tmp_path):
    path = tmp_path / "anna.zip"
    path.write_bytes(ODD_ANSWERS["zip: a password"][1])
    assert "it has a password or a rare compression" in read(path).problems[FIRST]


@pytest.mark.parametrize("error", [MemoryError, RecursionError, OverflowError, struct.error])
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
@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".tar.bz2"])
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
        outcomes.add((bool(submission.answers), bool(submission.problem)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < limits.ARCHIVE_BYTES + 5 * MIB
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
    assert find_submissions(tmp_path) == {
        "bob smith.v2": [tmp_path / "bob smith.v2"],
        "carl": [tmp_path / "carl.ZIP"],
        "dora": [tmp_path / "dora.tar.gz"],
        "e.v1": [tmp_path / "e.v1.tbz2"],
        "fred": [tmp_path / "fred.rar"],
        "gone": [tmp_path / "gone"],
        "zoë": [tmp_path / "zoë"],
        "Анна": [tmp_path / "Анна"],
    }
    assert list(find_submissions(tmp_path)) == sorted(find_submissions(tmp_path))


def test_a_student_who_handed_in_twice_has_a_problem_that_names_both(tmp_path):
    handed_in(tmp_path, "anna", (FLAT, GOOD))
    handed_in(tmp_path, "anna.zip", (FLAT, GOOD))
    [(student, paths)] = find_submissions(tmp_path).items()
    submission = read_submission(student, paths, EXERCISES)
    assert (submission.answers, submission.source) == ({}, "anna, anna.zip")
    assert 'more than once, as "anna" and "anna.zip"' in submission.problem


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
    [(student, paths)] = find_submissions(tmp_path).items()
    submission = read_submission(student, paths, EXERCISES)
    assert contents(pickle.loads(pickle.dumps(submission))) == {FIRST: GOOD}
    assert safe_name(student).startswith("jrg-")


@pytest.mark.parametrize("name", ["missing", "empty", "file", "loose", "one/lessons", f"one/{FLAT}"])
def test_a_wrong_folder_is_reported_in_one_line(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose" / "notes.txt").touch()
    (tmp_path / "one" / "solutions").mkdir(parents=True)
    if name.startswith("one"):
        (tmp_path / name).mkdir()
    with pytest.raises(NoSubmissions, match="expected a folder that holds, for each student") as raised:
        find_submissions(tmp_path / name.split("/")[0])
    assert str(raised.value).isprintable()
    assert ("looks like what one student handed in" in str(raised.value)) == name.startswith("one")


# --- names -----------------------------------------------------------------------------------------------


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
    assert all(limits.re.fullmatch("[a-z0-9][a-z0-9-]{0,50}-[0-9a-f]{8}", name) for name in safe)
    assert safe_name("Zoë Müller") == "zoe-muller-d6e575a6"


@pytest.mark.parametrize(
    ("name", "as_shown"),
    [
        ("Анна Ⅳ 李娜 🦉", '"Анна Ⅳ 李娜 🦉"'),
        ("क्\u200dष", '"क्\u200dष"'),
        ("a\nb\x1b[31m", r'"a\nb\x1b[31m"'),
        ("\u202etxt.exe", r'"\u202etxt.exe"'),
        ("\udcff\0", r'"\udcff\x00"'),
        ("x" * 81, f'"{"x" * 79}…"'),
    ],
)
def test_a_hostile_name_is_shown_short_and_in_its_script(name, as_shown):
    assert shown(name) == as_shown

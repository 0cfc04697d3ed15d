"""Test the tables of a class: the roster, and the points and comments of the instructor."""

import unicodedata
from pathlib import Path

import pytest

from grading.record import CheckResult, ExerciseResult, Outcome, Person, StudentResult
from grading.roster import BadTable, Override, assign, read_overrides, read_roster, with_class
from grading.submissions import Source

ROSTER = """id,name,email,alias,due,extension,exercises
1042,Ada Lovelace,ada@example.org,ada-l;countess,2026-03-31,,1 3
1043,"Turing, Alan",alan@example.org,,2026-03-31,2026-04-02T12:00+02:00,
1044,Jürgen Müller,,,,,
"""
EXERCISES = {"01_auth_url": 10, "03_auth_key": 2.5}  # with their maximum points


@pytest.fixture
def table(tmp_path):
    """Write a table and return its path."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def hand_in(*names):
    """Return a source for each name, as find_submissions does. A name can be a tuple of names."""
    sources = [(name,) if isinstance(name, str) else name for name in names]
    return {name: Source(name, (Path(name),), frozenset(others)) for name, *others in sources}


def match(table, roster, *names):
    """Assign submissions, and return the matches by name: the ids of the students, and "" for the others."""
    assigned, unmatched = assign(read_roster(table(roster)), hand_in(*names))
    found = {source.name: id for id, source in assigned.items() if source}
    return found | {source.name: "" for source in unmatched}


# the roster


def test_a_roster_has_the_students_in_its_order(table):
    members = read_roster(table(ROSTER))
    assert [member.person for member in members] == [
        Person("1042", "Ada Lovelace", "ada@example.org", "2026-03-31"),
        Person("1043", "Turing, Alan", "alan@example.org", "2026-04-02T12:00+02:00"),
        Person("1044", "Jürgen Müller"),
    ]
    assert [member.labels for member in members] == [("1", "3"), (), ()]


def test_a_roster_can_come_from_any_spreadsheet_in_any_order_of_columns(table):
    expected = read_roster(table("id,name,email\n7,Ada Lovelace,ada@example.org\n"))
    for separator in ",;\t":
        rows = [
            ["Group", "E-Mail", " Name", "ID "],
            ["A", "ada@example.org", "Ada Lovelace", " 7 "],
            [""] * 4,
        ]
        text = "\r\n".join(map(separator.join, rows)) + "\r\n"
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            assert read_roster(table(text, encoding)) == expected


def test_a_roster_needs_only_ids(table):
    for encoding in ("utf-8", "utf-8-sig"):
        members = read_roster(table("id\nada\nben\n", encoding))
        assert [member.person for member in members] == [Person("ada"), Person("ben")]


@pytest.mark.parametrize(
    ("roster", "line", "words"),
    [
        ("", 1, "needs one column 'id'"),
        ("student,name\n7,Ada\n", 1, "needs one column 'id'. It has 'student, name'"),
        ("id,name,ID\n7,Ada,8\n", 1, "needs one column 'id'"),
        ("id,name\n7,Ada\n,Ben\n", 3, "Every student needs a different id"),
        ("id,name\nada,Ada\n\nADA,Ada\n", 4, "Every student needs a different id"),
        ("id,name\n7,Lovelace, Ada\n", 2, "has 3 cells, but line 1 has 2. Write double quotes around a cell"),
        ('id,name\n7,"Ada\n8,Ben\n', 3, "is not CSV: unexpected end of data"),
        ("id,due\n7,31.3.2026\n", 2, "has the date '31.3.2026'. Write 2026-03-31 or 2026-03-31T23:59. In"),
        ("id,due,extension\n7,2026-03-31,later\n", 2, "has the date 'later'"),
        ("id,exercises\n7,1 99\n", 2, "has the exercise '99'. The exercises are 1, 2,"),
    ],
)
def test_a_mistake_in_a_roster_is_named_with_its_file_and_line(table, roster, line, words):
    path = table(roster)
    with pytest.raises(BadTable) as problem:
        read_roster(path)
    assert f"{path}, line {line} " in str(problem.value)
    assert words in str(problem.value)


def test_a_roster_without_students_or_text_is_a_mistake(table, tmp_path):
    with pytest.raises(BadTable, match=r"table\.csv has no students"):
        read_roster(table("id,name\n"))
    with pytest.raises(BadTable, match=r"table\.csv is not UTF-8 text. In Excel, save it as \"CSV UTF-8\""):
        read_roster(table("id,name\n7,Jürgen\n", "latin-1"))
    with pytest.raises(BadTable, match=r"people\.csv cannot be read: No such file"):
        read_roster(tmp_path / "people.csv")


# the submissions of the students


@pytest.mark.parametrize(
    "name",
    [
        *("1042", "ada-l", "Countess", "ADA@example.org", "Ada  Lovelace", "ada lovelace", "Lovelace, Ada"),
        *("lovelaceada", "Lovelace Ada", "Ada_Lovelace"),
        *(("Ada Lovelace_77", "Ada Lovelace", "77"), ("lovelaceada_3", "lovelaceada", "3")),
    ],
)
def test_a_submission_is_found_by_id_alias_address_and_name(table, name):
    found = match(table, ROSTER, name)
    assert list(found.values()) == ["1042"]


def test_accents_and_their_encoding_do_not_matter(table):
    for name in (
        "Jürgen Müller",
        unicodedata.normalize("NFD", "Jürgen Müller"),
        "müllerjürgen",
        "mullerjurgen",
    ):
        assert match(table, ROSTER, name) == {name: "1044"}


@pytest.mark.parametrize(
    "name", ["ada", "homework-ada-l", "Ada", "Lovelace", "104", "example.org", "ada@", "-"]
)
def test_a_part_of_a_name_is_not_enough(table, name):
    assert match(table, ROSTER, name) == {name: ""}


@pytest.mark.parametrize("name", ["-", " ", "\u00a0", "___"])
def test_a_name_without_letters_belongs_to_nobody_with_empty_cells(table, name):
    assert match(table, "id,name,email,alias\n7,-,,;\n", name) == {name: ""}


def test_a_name_of_several_words_is_found_in_the_order_of_canvas(table):
    roster = 'id,name\n1,Ana de la Cruz\n2,"van Rossum, Guido"\n'
    assert match(table, roster, "delacruzana", "vanrossumguido") == {
        "delacruzana": "1",
        "vanrossumguido": "2",
    }


def test_students_without_a_submission_and_submissions_of_others_are_both_returned(table):
    assigned, unmatched = assign(read_roster(table(ROSTER)), hand_in("1043", "guest", "another guest"))
    assert [(id, source and source.name) for id, source in assigned.items()] == [
        ("1042", None),
        ("1043", "1043"),
        ("1044", None),
    ]
    assert [source.name for source in unmatched] == ["guest", "another guest"]


def test_two_students_of_one_name_need_an_alias(table):
    roster = "id,name,alias\n1,Ada Lovelace,\n2,Ada Lovelace,\n"
    with pytest.raises(
        BadTable,
        match=r"'Ada Lovelace' fits several students: .*table\.csv, line 2 and .*table\.csv, line 3\. "
        r"Write 'Ada Lovelace' in the column alias",
    ):
        match(table, roster, "Ada Lovelace")
    roster = "id,name,alias\n1,Ada Lovelace,77\n2,Ada Lovelace,88\n"
    sources = ("Ada Lovelace_77", "Ada Lovelace", "77"), ("Ada Lovelace_88", "Ada Lovelace", "88")
    assert match(table, roster, *sources) == {"Ada Lovelace_77": "1", "Ada Lovelace_88": "2"}


def test_two_submissions_of_one_student_are_a_mistake(table):
    with pytest.raises(BadTable, match=r"table\.csv, line 2 fits 'ada-l' and 'lovelaceada'"):
        match(table, ROSTER, "ada-l", "lovelaceada")


def test_a_number_that_is_the_id_of_another_student_needs_an_alias(table):
    roster = "id,name,alias\n1042,Ada Lovelace,\n1043,Alan Turing,{}\n"
    source = "Alan Turing_1042", "Alan Turing", "1042"
    with pytest.raises(BadTable, match=r"'Alan Turing_1042' fits several students: .* line 2 and .* line 3"):
        match(table, roster.format(""), source)
    assert match(table, roster.format("Alan Turing_1042"), source) == {"Alan Turing_1042": "1043"}


def test_several_submissions_in_the_column_alias_become_one(table):
    roster = table("id,alias,email\nada,one;two,ada@example.org\n")
    assigned, _ = assign(read_roster(roster), hand_in("two", "other", "one"))
    assert (assigned["ada"].name, assigned["ada"].paths) == ("two", tuple(map(Path, ("two", "one"))))
    for names in (("ada", "one"), ("one", "ada@example.org"), ("one", "two", "ada")):
        with pytest.raises(BadTable, match="If both are from this student, write both in the column alias"):
            assign(read_roster(roster), hand_in(*names))


# points and comments of the instructor


def test_overrides_have_points_or_comments_or_both(table):
    path = table(
        "id;exercise;points;comment\nada;1;8,5;Oral exam\nada;03_auth_key;;Nice\nben;1;2.0;\nben;3;0;\n"
    )
    assert read_overrides(path, {"ada": EXERCISES, "ben": EXERCISES}) == {
        ("ada", "01_auth_url"): Override(8.5, "Oral exam"),
        ("ada", "03_auth_key"): Override(None, "Nice"),
        ("ben", "01_auth_url"): Override(2, ""),
        ("ben", "03_auth_key"): Override(0, ""),
    }


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("bob,1,1,", "has the id 'bob'. There is no student with this id"),
        ("ada,2,1,", "has the exercise '2'. For 'ada', write 1 or 3."),
        ("ben,3,1,", "has the exercise '3'. For 'ben', write 1."),
        ("ben,03_auth_key,,Nice", "has the exercise '03_auth_key'. For 'ben', write 1."),
        ("ada,,1,", "has the exercise ''"),
        ("ada,3,2.6,", "has the points '2.6'. Write a number from 0 to 2.5"),
        ("ada,1,-1,", "has the points '-1'"),
        ("ada,1,nan,", "has the points 'nan'"),
        ("ada,1,inf,", "has the points 'inf'"),
        ("ada,1,ten,", "has the points 'ten'"),
        ('ada,1,"1,000.5",', "has the points '1,000.5'"),
        ("ada,1,5,\nada,01_auth_url,6,", "has exercise 01_auth_url of 'ada' again"),
    ],
)
def test_a_mistake_in_overrides_is_named_with_its_file_and_line(table, row, words):
    path = table(f"id,exercise,points,comment\n{row}\n")
    with pytest.raises(BadTable) as problem:
        read_overrides(path, {"ada": EXERCISES, "ben": {"01_auth_url": 10}})
    assert f"{path}, line {2 + row.count(chr(10))} " in str(problem.value)
    assert words in str(problem.value)


def test_a_result_follows_the_tables(table):
    failed = CheckResult("test_it", "It holds.", 10, Outcome.GRADER_ERROR)
    result = StudentResult(
        Person("ada"), exercises=[ExerciseResult(name, 10, [failed]) for name in EXERCISES]
    )
    ada = Person("ada", "Ada Lovelace")
    changed = with_class(result, ada, {("ada", "01_auth_url"): Override(8, "Oral exam")}, "student-1")
    assert (changed.person, changed.pseudonym) == (ada, "student-1")
    assert [exercise.points for exercise in changed.exercises] == [8, None]
    assert changed.exercises[0].comment == "Oral exam"
    assert with_class(changed, Person("ada"), {}, "") == result
    assert result.exercises[0].manual_points is None

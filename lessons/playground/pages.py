"""Turn the lessons' READMEs and the glossary into the pages of the playground.

The path of a page is relative to a root, such as `glossary.html` or `02_token_expiry/`. A page can be below
any root, because the caller of `render` names the URL of the root.
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import mistune
from markupsafe import Markup
from mistune.util import escape, striptags

from lesson_loader import LESSONS, find_lessons, read_about

PLAYGROUND = Path(__file__).parent
GUIDE = LESSONS / "README.md"  # the glossary is a section of this file
GLOSSARY_TAB = {"target": "glossary"}  # the page of a lesson stays open, with the student's token
NEW_TAB = {"target": "_blank", "rel": "noopener noreferrer"}
DIFF_CLASSES = {"+": "add", "-": "remove", "@": "hunk", "+++": "hunk", "---": "hunk"}


class Page(NamedTuple):
    """The heading of a page, the Markdown below the heading, and the file that contains both."""

    title: str
    text: str
    file: Path


def find_pages() -> dict[str, Page]:
    """Return all pages by path: the list of lessons, the glossary, lessons, and the texts that they link."""
    guide = GUIDE.read_text(encoding="utf-8")
    glossary = guide.partition("\n## Glossary\n")[2].partition("\n## ")[0]
    lessons = {folder: read_about(folder) for folder in find_lessons().values()}
    items = (f"- [{about.title}]({folder.name}/): {about.idea}\n" for folder, about in lessons.items())
    pages = {
        "index.html": Page("The lessons", "".join(items), LESSONS / "index.md"),
        "glossary.html": Page("Glossary", glossary, GUIDE),
    }
    for folder in lessons:
        for file in [folder / "README.md", *find_linked(folder, "md")]:
            title, _, text = file.read_text(encoding="utf-8").partition("\n")
            name = "" if file.name == "README.md" else f"{file.stem}.html"
            pages[f"{folder.name}/{name}"] = Page(title.removeprefix("# "), text, file)
    return pages


def find_pictures() -> dict[str, Path]:
    """Return the pictures in the lessons' texts by path."""
    pictures = (file for folder in find_lessons().values() for file in find_linked(folder, "svg"))
    return {file.relative_to(LESSONS).as_posix(): file for file in pictures}


def find_linked(folder: Path, suffix: str) -> list[Path]:
    """Return the files in a lesson's folder that its README links. Others, such as notes, are private."""
    readme = (folder / "README.md").read_text(encoding="utf-8")
    names = dict.fromkeys(re.findall(rf"\]\((\w+\.{suffix})[)#]", readme))
    return [folder / name for name in names if (folder / name).is_file()]


def render(path: str, root: str, task: str | None = None, **variables: object) -> str:
    """Return a page as HTML. `root` is the URL of the top folder, and page.html lists the variables.

    `task` is the comment of an exercise that begins with TODO.
    """
    pages = find_pages()
    page = pages[path]
    renderer = Renderer(page, pages, root)
    to_html = mistune.create_markdown(renderer=renderer, plugins=["table", "footnotes"])
    previous, following = find_neighbours(path, list(pages))
    known = {
        "title": page.title,
        "html": Markup(to_html(page.text)),
        "root": root,
        "task": join_lines(re.sub(r"^# ?(TODO: )?", "", task or "", flags=re.MULTILINE)),
        "folder": path.rpartition("/")[0],
        "previous": previous and (root + previous, pages[previous].title),
        "next": following and (root + following, pages[following].title),
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PLAYGROUND), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html").render(known | variables)


def join_lines(text: str) -> str:
    """Join the lines of each paragraph, so that it fills any screen. An indented line stays on its own."""
    return re.sub(r"^(\S.*)\n(?=\S)", r"\1 ", text, flags=re.MULTILINE)


def find_neighbours(path: str, paths: list[str]) -> tuple[str | None, str | None]:
    """Return the paths of the pages before and after a page. A lesson's other pages come after its text."""
    lessons = [other for other in paths if other.endswith("/")]
    folder = path.rpartition("/")[0] + "/"
    if folder not in lessons:
        return None, None
    before = [None, *lessons, None]
    number = lessons.index(folder)
    return before[number] if path == folder else folder, before[number + 2]


class Renderer(mistune.HTMLRenderer):
    """Turn the Markdown of a page into HTML. The footnotes are for contributors, so leave them out."""

    def __init__(self, page: Page, pages: dict[str, Page], root: str) -> None:
        super().__init__()
        self.page = page
        self.root = root
        self.paths = {other.file: path for path, other in pages.items()}
        self.entries = set(re.findall(r'<a id="(.+?)">', pages["glossary.html"].text))
        self.slugs: Counter[str] = Counter()

    def footnote_ref(self, key: str, index: int) -> str:
        return ""

    def footnotes(self, text: str) -> str:
        return ""

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        """Give a heading the id that GitHub gives it."""
        words = re.sub(r"[^\w\- ]", "", unescape(striptags(text)).lower())
        slug = words.replace(" ", "-")
        number = self.slugs[slug]
        self.slugs[slug] += 1
        return super().heading(text, level, id=f"{slug}-{number}" if number else slug)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return the text alone if there is no page for the link."""
        if url.startswith("https://"):
            return f"<a{self.render_attrs({'href': url, **NEW_TAB})}>{text}</a>"
        href = self.find_page(url)
        if not href:
            return text
        tab = GLOSSARY_TAB if "glossary.html" in href else {}
        return f"<a{self.render_attrs({'href': href, **tab})}>{text}</a>"

    def find_page(self, url: str) -> str | None:
        """Return the URL of the page that a link between texts means, or None if no page has this text."""
        link, _, anchor = url.partition("#")
        file = (self.page.file.parent / link).resolve() if link else self.page.file
        file = file / "README.md" if file.is_dir() else file
        if file not in self.paths or (file == GUIDE and anchor not in self.entries):
            return None
        return (self.root + self.paths[file] if link else "") + (f"#{anchor}" if anchor else "")

    def image(self, text: str, url: str, title: str | None = None) -> str:
        path = (self.page.file.parent / url).relative_to(LESSONS).as_posix()
        return super().image(text, self.root + path, title)

    def inline_html(self, html: str) -> str:
        """Escape HTML, except line breaks and the anchors of the glossary."""
        return html if re.fullmatch(r'<a id="[\w-]+">|</a>|<br>', html) else super().inline_html(html)

    def block_code(self, code: str, info: str | None = None) -> str:
        """Mark the lines of a diff. The keyboard can scroll what is wider than the page."""
        text = escape(code)
        if info == "diff":
            text = "\n".join(map(mark_line, text.splitlines())) + "\n"
        return f'<pre tabindex="0"><code>{text}</code></pre>\n'

    def table(self, text: str) -> str:
        """Let a wide table scroll sideways."""
        return f'<div class="table" tabindex="0"><table>\n{text}</table></div>\n'


def mark_line(line: str) -> str:
    """Return a line of a diff with its class for page.css."""
    kind = DIFF_CLASSES.get(line[:3]) or DIFF_CLASSES.get(line[:1])
    return f'<span class="{kind}">{line}</span>' if kind else line

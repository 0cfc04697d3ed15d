"""The pictures in the READMEs of the lessons: `make pictures` draws them from the lessons' apps."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

import pictures
from helpers import load_lesson
from lesson_loader import LESSONS, find_lessons


@pytest.fixture(scope="module")
def drawn():
    return pictures.draw_all()


def test_the_pictures_are_what_the_command_draws(drawn):
    committed = {path: path.read_text(encoding="utf-8") for path in LESSONS.glob("[0-9]*/*.svg")}
    assert committed == drawn, "run `make pictures` and look at the result"


def test_a_picture_is_svg_with_a_title_and_loads_nothing(drawn):
    for file, content in drawn.items():
        root = ET.fromstring(content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root[0].text.endswith("."), file
        assert "href" not in content
        assert "url(" not in content


def test_every_picture_is_shown_in_the_readme_beside_it(drawn):
    for file in drawn:
        assert f"]({file.name})" in file.with_name("README.md").read_text(encoding="utf-8")


def test_the_picture_of_a_lifetime_shows_what_the_app_does(tmp_path):
    app = load_lesson(find_lessons()[2], tmp_path / "data.db")
    app.config["JWT_LEEWAY"] = timedelta(seconds=4)
    picture = pictures.draw_lifetime(app)
    assert "JWT_LEEWAY: 4 seconds" in picture
    app.config["JWT_LEEWAY"] = 0
    assert "in the leeway" not in pictures.draw_lifetime(app)

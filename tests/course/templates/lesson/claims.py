"""Test what the README of lesson NUMBER says."""

from helpers import load_lesson
from lesson_loader import find_lessons


# TODO(author): Write a test for each statement with a footnote in the README, and name it in the footnote.
def test_the_response_contains_the_number(tmp_path):
    app = load_lesson(find_lessons()[NUMBER], tmp_path / "data.db")
    assert app.test_client().get("/lesson-NUMBER").json == {"lesson": NUMBER}

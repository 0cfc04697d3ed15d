"""Lesson NUMBER: TITLE."""


# TODO(author): Write a test for each thing that your lesson adds. Each must fail on lesson PREVIOUS.
def test_lesson_NUMBER_responds(client):
    """TODO(author): Say in one sentence, for your students, what the app of this lesson does."""
    response = client.get("/lesson-NUMBER")
    assert response.status_code == 200

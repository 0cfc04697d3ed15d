"""Exercise LABEL: NAME."""

import pytest

from exercises.client import expect


# TODO(author): Let this check ask for the most important thing. The starter must fail it.
# To log a user in: client.post("/login", {"email": user.email, "password": user.password})
@pytest.mark.points(5)
def test_the_app_is_ready(client):
    """GET /exercise-LABEL gets a 200 with {"ready": true}."""
    response = client.get("/exercise-LABEL")
    expect(
        response,
        response.status == 200 and response.json == {"ready": True},
        '200 and {"ready": true}, because nobody needs a token',
        "Which function handles GET /exercise-LABEL?",
    )


# TODO(author): Write more checks like this one. Give each check a sentence, and points such as 2 or 2.5.
@pytest.mark.points(5)
@pytest.mark.needs("test_the_app_is_ready")
def test_a_post_is_refused(client):
    """TODO(author): Say in one sentence what the app should do."""
    response = client.post("/exercise-LABEL")
    expect(
        response,
        response.status == 405,
        "405, because only GET is allowed",
        "Which methods does your route accept?",
    )

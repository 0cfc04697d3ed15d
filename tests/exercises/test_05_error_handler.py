"""Exercise 5: answer errors as problem details (RFC 9457)."""

import pytest

from exercises.client import expect
from tokens import mint


@pytest.fixture
def missing(client):
    """The answer to a request without a token."""
    return client.get("/users")


@pytest.mark.points(2)
def test_the_content_type_is_problem_json(missing):
    """An error's content type is application/problem+json."""
    said = missing.headers.get("content-type", "")
    expect(
        missing,
        missing.status == 401 and said.partition(";")[0] == "application/problem+json",
        f"401 and Content-Type: application/problem+json, where it is {said or 'missing'}",
        "What sets the content type of the response that jsonify makes?",
    )


@pytest.mark.points(2)
def test_a_problem_has_four_members(missing):
    """An error's body has a type, a title, a status and a detail."""
    texts = [missing.get(name) for name in ("type", "title", "detail")]
    expect(
        missing,
        all(isinstance(text, str) and text for text in texts) and missing.get("status") is not None,
        "a body with type, title, status and detail",
        "Which fields does the error have, and which of them is which?",
    )


@pytest.mark.points(2)
def test_the_client_still_learns_how_to_authenticate(missing):
    """WWW-Authenticate survives."""
    expect(
        missing,
        missing.headers.get("www-authenticate", "").startswith("JWT "),
        'the header WWW-Authenticate: JWT realm="Login Required"',
        "What is the third value that a view may return, beside body and status?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_problem_has_four_members")
def test_the_status_is_that_of_the_response(client, user):
    """status is a number, that of the response, also where that is not 401."""
    wrong = client.post("/login", {"email": user.email, "password": "wrong"})
    malformed = client.post("/login", ["email", "password"])
    for answer, status in ((wrong, 401), (malformed, 400)):
        expect(
            answer,
            answer.status == status and answer.get("status") == status,
            f"{status}, and the same number as status",
            "Do you give every error the status that it has?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_problem_has_four_members")
def test_the_detail_says_what_happened(client, user, secret_key):
    """detail tells one error from another."""
    expired = client.get("/users", mint(secret_key, user.id, age=1000))
    nonsense = client.get("/users", "nonsense")
    wrong = client.post("/login", {"email": user.email, "password": "wrong"})
    for answer, word in ((expired, "expired"), (nonsense, "segments"), (wrong, "credentials")):
        expect(
            answer,
            answer.status == 401 and word in str(answer.get("detail")),
            f"401 and a detail that mentions {word}",
            "Which field of the error says what happened this time?",
        )

"""Exercise 5: return errors as problem details (RFC 9457)."""

import pytest

from exercises.client import expect
from tokens import mint


@pytest.fixture
def without_token(client):
    """The response to a request without a token."""
    return client.get("/users")


@pytest.mark.points(2)
def test_the_content_type_is_problem_json(without_token):
    """The content type of an error is application/problem+json."""
    value = without_token.headers.get("content-type", "")
    problem = f"its value is {value}" if value else "the response has no such header"
    expect(
        without_token,
        without_token.status == 401 and value.partition(";")[0] == "application/problem+json",
        f"401 and the header Content-Type: application/problem+json, but {problem}",
        "How do you set the content type of the response that jsonify returns?",
    )


@pytest.mark.points(2)
def test_a_problem_has_four_members(without_token):
    """The body of an error has the members type, title, status and detail."""
    texts = [without_token.get(name) for name in ("type", "title", "detail")]
    expect(
        without_token,
        all(isinstance(text, str) and text for text in texts) and without_token.get("status") is not None,
        "a body with type, title, status and detail",
        "Which fields does the error have? Which member does each of them become?",
    )


@pytest.mark.points(2)
def test_www_authenticate_is_kept(without_token):
    """An error keeps its header WWW-Authenticate."""
    expect(
        without_token,
        without_token.headers.get("www-authenticate", "").startswith("JWT "),
        'the header WWW-Authenticate: JWT realm="Login Required"',
        "A view can return the body, the status and a third value. What is the third value?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_problem_has_four_members")
def test_status_is_the_status_of_the_response(client, user):
    """In every error, status is the status of the response, as a number."""
    wrong = client.post("/login", {"email": user.email, "password": "wrong"})
    malformed = client.post("/login", ["email", "password"])
    for response, status in ((wrong, 401), (malformed, 400)):
        expect(
            response,
            response.status == status and response.get("status") == status,
            f"{status}, and the number {status} as status in the body",
            "Does every error keep its own status?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_problem_has_four_members")
def test_detail_describes_what_happened(client, user, secret_key):
    """detail describes what went wrong, so two different errors have different details."""
    expired = client.get("/users", mint(secret_key, user.id, age=1000))
    nonsense = client.get("/users", "nonsense")
    wrong = client.post("/login", {"email": user.email, "password": "wrong"})
    for response, word in ((expired, "expired"), (nonsense, "segments"), (wrong, "credentials")):
        expect(
            response,
            response.status == 401 and word in str(response.get("detail")),
            f"401 and a detail with the word {word}",
            "Which field of the error describes what happened this time?",
        )

"""Exercise 5: return errors as problem details (RFC 9457)."""

import pytest

from exercises.client import expect, expect_only_good_tokens
from tokens import mint, read_claims


@pytest.fixture
def without_token(client):
    """The response to a request without a token."""
    return client.get("/users")


@pytest.fixture
def wrong_password(client, user):
    """The response to a login with a wrong password."""
    return client.post("/login", {"email": user.email, "password": "wrong"})


@pytest.fixture
def malformed(client):
    """The response to a login whose body is a list."""
    return client.post("/login", ["email", "password"])


def describe(value):
    """Return what is wrong with a header that has this value."""
    return f"its value is {value}" if value else "the response has no such header"


@pytest.mark.points(2)
def test_an_error_is_a_problem_with_four_fields(without_token):
    """The body of an error is JSON with the fields type, title, status and detail."""
    expect(
        without_token,
        without_token.status == 401,
        "401, because the request has no token",
        "Does your handler return the status of the error, as the second value?",
    )
    is_handled = without_token.get("status_code") is None  # Flask-JWT's own errors have a status_code
    for name in ("type", "title", "status", "detail"):
        expect(
            without_token,
            without_token.get(name) is not None,
            f"a JSON body with {name}",
            "Which fields does the error have? Which field of the body does each of them become?"
            if is_handled
            else "Does Flask-JWT call your handler? Which decorator does your handler need?",
        )
    for name in ("type", "title", "detail"):
        value = without_token.get(name)
        expect(
            without_token,
            isinstance(value, str) and value,
            f"{name} as text",
            f"What does the TODO show as {name}?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_an_error_is_a_problem_with_four_fields")
def test_the_content_type_is_problem_json(without_token, wrong_password, malformed):
    """The content type of every error is application/problem+json."""
    for response in (without_token, wrong_password, malformed):
        expect(
            response,
            response.status < 500,
            "an error with the header Content-Type: application/problem+json",
            "Does your handler work for this error too? What are the headers of this error?",
        )
        value = response.headers.get("content-type", "")
        expect(
            response,
            value.partition(";")[0].strip().lower() == "application/problem+json",
            f"the header Content-Type: application/problem+json, but {describe(value)}",
            "How do you set the content type of a response? Does your handler do so for every error?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_an_error_is_a_problem_with_four_fields")
def test_www_authenticate_is_kept(without_token):
    """The 401 for a missing token keeps its header WWW-Authenticate."""
    value = without_token.headers.get("www-authenticate", "")
    expect(
        without_token,
        value.lower().startswith("jwt "),
        f'the header WWW-Authenticate: JWT realm="Login Required", but {describe(value)}',
        "A handler can return the body, the status and a third value. What is the third value?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_an_error_is_a_problem_with_four_fields")
def test_status_is_the_status_of_the_response(without_token, wrong_password, malformed):
    """In every error, status is the status of the response, as a number."""
    for response, status, reason in (
        (without_token, 401, "the request has no token"),
        (wrong_password, 401, "the password is wrong"),
        (malformed, 400, "the body is not a JSON object"),
    ):
        expect(
            response,
            response.status == status,
            f"{status}, because {reason}",
            "Does your handler return the status of this error, or the same status for every error?",
        )
        expect(
            response,
            not isinstance(response.get("status"), str),
            f"the number {status} as status, not text in quotes",
            "Where does your code turn the status into text?",
        )
        expect(
            response,
            response.get("status") == status,
            f"the number {status} as status, because this is the status of the response",
            "Which field of the error contains its status?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_an_error_is_a_problem_with_four_fields")
def test_detail_describes_what_happened(client, user, secret_key, wrong_password):
    """detail describes what went wrong, so different errors have different details."""
    details = []
    for response, reason in (
        (client.get("/users", mint(secret_key, user.id, age=10**8)), "this token has expired"),
        (client.get("/users", "nonsense"), "this is not a token at all"),
        (wrong_password, "the password is wrong"),
    ):
        expect(
            response,
            response.status == 401,
            f"401, because {reason}",
            "Does your handler work for this error too? What are the headers of this error?",
        )
        detail = response.get("detail")
        expect(
            response,
            isinstance(detail, str) and detail and detail not in details,
            f"a detail that no other error has, because {reason}",
            "Which field of the error describes what happened this time?",
        )
        details.append(detail)


@pytest.mark.points(2)
@pytest.mark.needs("test_an_error_is_a_problem_with_four_fields")
def test_only_good_tokens_are_accepted(client, user, secret_key):
    """The app still accepts its own tokens and refuses forged, changed and expired tokens."""
    login = client.post("/login", {"email": user.email, "password": user.password})
    claims = read_claims(login.get("access_token"))
    expect(
        login,
        login.status == 200 and claims,
        "200 and an access_token",
        "Can users still log in with POST /login?",
    )
    response = client.get("/users", login.get("access_token"))
    expect(
        response,
        response.status == 200,
        "200, because the app has just issued this token",
        "Which line of your answer refuses this token?",
    )
    expect_only_good_tokens(client, "/users", login, secret_key, user)

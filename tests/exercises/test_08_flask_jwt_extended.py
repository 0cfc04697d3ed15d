"""Exercise 8: log out."""

import pytest

from exercises.client import expect


@pytest.fixture(scope="module")
def log_in(client):
    """A function that logs a person in and returns a new token."""
    return lambda person: client.post("/login", {"email": person.email, "password": person.password}).get(
        "access_token"
    )


@pytest.fixture(scope="module")
def tokens(log_in, user, other):
    """Two tokens of one user and one of another user, all issued before anyone logs out."""
    return log_in(user), log_in(user), log_in(other)


@pytest.fixture(scope="module")
def second_process(start, tokens):
    """Another process of the app. It starts, and gets a request, before anyone logs out."""
    second_process = start()
    second_process.get("/me", tokens[0], prefix="Bearer")
    return second_process


@pytest.fixture(scope="module")
def process_apart(start, tokens):
    """A process of the app with its own copy of the database, made before anyone logs out."""
    return start(apart=True)


@pytest.fixture(scope="module")
def logged_out(client, tokens, second_process, process_apart):
    """The response to the logout of the first user, with the first of their tokens."""
    return client.post("/logout", token=tokens[0], prefix="Bearer")


@pytest.fixture
def get_me(client):
    """A function that requests /me with a token."""
    return lambda token, client=client: client.get("/me", token, prefix="Bearer")


@pytest.mark.points(3)
def test_a_token_is_refused_after_logout(get_me, tokens, logged_out):
    """After you log out with a token, you get a 401 with this token."""
    expect(
        logged_out,
        logged_out.status in (200, 204),
        "200, because the token is valid until the logout",
        "Does the view store the jti of the token? Does the table exist?",
    )
    for _ in range(2):
        response = get_me(tokens[0])
        expect(
            response,
            response.status == 401,
            "401, because the user has logged out with this token",
            "Which function does Flask-JWT-Extended call to learn whether a token was revoked?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_is_refused_after_logout")
def test_the_message_is_in_the_format_of_this_api(get_me, tokens):
    """The body says that the token has been revoked, in the format of this API."""
    response = get_me(tokens[0])
    expect(
        response,
        response.json == {"message": "Token has been revoked", "code": 401},
        '401 {"message": "Token has been revoked", "code": 401}',
        "Which loader makes this response, and what does it return?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_is_refused_after_logout")
def test_other_tokens_still_work(get_me, tokens, user, other):
    """Every other token still works, even if it belongs to the same user."""
    for token, person in ((tokens[1], user), (tokens[2], other)):
        response = get_me(token)
        expect(
            response,
            response.status == 200 and response.get("username") == person.username,
            f"200 and {person.username}, because nobody has logged out with this token",
            "Which claim is different in every token?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_is_refused_after_logout")
def test_every_process_refuses_the_token(get_me, start, tokens, second_process, process_apart):
    """All processes of the app that use the same database refuse the token."""
    for process, time in ((second_process, "before"), (start(), "after")):
        response = get_me(tokens[0], process)
        expect(
            response,
            response.status == 401,
            f"401 from a second process with the same database, started {time} the logout",
            "Where can every process look up the token at each request, even after a restart?",
        )
        response = get_me(tokens[1], process)
        expect(
            response,
            response.status == 200,
            "200, because nobody has logged out with this token",
            "Does the second process find only the tokens that were revoked?",
        )
    response = get_me(tokens[0], process_apart)
    expect(
        response,
        response.status == 200,
        "200 from a process with another database, because nobody has logged out there",
        "Do you store revoked tokens in the app's database?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_is_refused_after_logout")
def test_users_can_log_in_and_out_again(client, get_me, log_in, tokens, user):
    """After a logout you can log in and out again, and revoked tokens stay revoked."""
    token = log_in(user)
    response = get_me(token)
    expect(
        response,
        response.status == 200,
        "200, because this token comes from a new login",
        "Did you revoke the token or its user?",
    )
    client.post("/logout", token=token, prefix="Bearer")
    for revoked in (token, tokens[0]):
        response = get_me(revoked)
        expect(
            response,
            response.status == 401,
            "401, because the user has logged out with this token, just now or earlier",
            "Does a new login or logout bring back a token that was revoked earlier?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_is_refused_after_logout")
def test_a_token_logs_out_once(client, tokens):
    """If you log out without a token or with a revoked one, you get a 401."""
    for token, reason in ((None, "the request has no token"), (tokens[0], "this token has been revoked")):
        response = client.post("/logout", token=token, prefix="Bearer")
        expect(
            response,
            response.status == 401,
            f"401, because {reason}",
            "Does the app look up revoked tokens in one view, or wherever a token is required?",
        )

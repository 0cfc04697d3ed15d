"""Exercise 8: log out."""

import pytest

from exercises.client import expect


@pytest.fixture(scope="module")
def log_in(client):
    """Give the token of a person's new login."""
    return lambda person: client.post("/login", {"email": person.email, "password": person.password}).get(
        "access_token"
    )


@pytest.fixture(scope="module")
def tokens(log_in, user, other):
    """Two tokens of one user and one of another, all of them issued before anyone logs out."""
    return log_in(user), log_in(user), log_in(other)


@pytest.fixture(scope="module")
def neighbour(start, tokens):
    """Another process of the app, which has been there and in use since before anyone logs out."""
    neighbour = start()
    neighbour.get("/me", tokens[0], prefix="Bearer")
    return neighbour


@pytest.fixture(scope="module")
def stranger(start, tokens):
    """A process of the app with a database of its own, made before anyone logs out."""
    return start(apart=True)


@pytest.fixture(scope="module")
def logged_out(client, tokens, neighbour, stranger):
    """The answer to the first user's logging out, with the first of their tokens."""
    return client.post("/logout", token=tokens[0], prefix="Bearer")


@pytest.fixture
def me(client):
    """Ask who one is, with a token."""
    return lambda token, client=client: client.get("/me", token, prefix="Bearer")


@pytest.mark.points(3)
def test_a_token_that_has_logged_out_is_refused(me, tokens, logged_out):
    """A token that has logged out is refused with 401."""
    expect(
        logged_out,
        logged_out.status in (200, 204),
        "200, since the token is good until then",
        "Does the view write its jti down, in a table that is there?",
    )
    for _ in range(2):
        answer = me(tokens[0])
        expect(
            answer,
            answer.status == 401,
            "401, since this token has logged out",
            "Which function does Flask-JWT-Extended ask whether a token has been revoked?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_that_has_logged_out_is_refused")
def test_the_refusal_says_why(me, tokens):
    """The refusal says that the token has been revoked, in this API's words."""
    answer = me(tokens[0])
    expect(
        answer,
        answer.json == {"message": "Token has been revoked", "code": 401},
        '401 {"message": "Token has been revoked", "code": 401}',
        "Which loader writes this refusal, and what does it return?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_that_has_logged_out_is_refused")
def test_other_tokens_stay_good(me, tokens, user, other):
    """Every other token stays good, of this user and of others."""
    for token, person in ((tokens[1], user), (tokens[2], other)):
        answer = me(token)
        expect(
            answer,
            answer.status == 200 and answer.get("username") == person.username,
            f"200 and {person.username}, whose token this is and who has not logged out with it",
            "Which claim does one token have and no other?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_that_has_logged_out_is_refused")
def test_every_process_refuses_it(me, start, tokens, neighbour, stranger):
    """Every other process of the app refuses the token too, if it has the same database."""
    for process, kind in ((neighbour, "that was there already"), (start(), "that was started afterwards")):
        answer = me(tokens[0], process)
        expect(
            answer,
            answer.status == 401,
            f"401 from a second process with the same database, {kind}",
            "Where can two processes, or one that is started again, both look it up, each time?",
        )
        answer = me(tokens[1], process)
        expect(answer, answer.status == 200, "200 for a token that is good", "What does it find there?")
    answer = me(tokens[0], stranger)
    expect(
        answer,
        answer.status == 200,
        "200 from a process with another database, to which nobody has logged out",
        "Is it in the app's database that you write it down?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_that_has_logged_out_is_refused")
def test_one_can_log_in_and_out_again(client, me, log_in, tokens, user):
    """Whoever has logged out can log in again and out again, and what has been revoked stays so."""
    token = log_in(user)
    answer = me(token)
    expect(answer, answer.status == 200, "200 for a new login", "Is the token revoked, or its user?")
    client.post("/logout", token=token, prefix="Bearer")
    for revoked in (token, tokens[0]):
        answer = me(revoked)
        expect(
            answer,
            answer.status == 401,
            "401 for every token that has logged out, the latest and the first",
            "Does one log-out, or a login, forget another?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_that_has_logged_out_is_refused")
def test_a_token_logs_out_once(client, tokens):
    """Without a token, or with one that has been revoked, there is nobody to log out: 401."""
    for token, kind in ((None, "without a token"), (tokens[0], "as this token has been revoked")):
        answer = client.post("/logout", token=token, prefix="Bearer")
        expect(
            answer,
            answer.status == 401,
            f"401, {kind}",
            "Where is a token looked up: in each view, or wherever one is required?",
        )

"""Exercise 7: a role in the token."""

import time

import pytest

from exercises.client import expect
from tokens import mint, read_claims


@pytest.fixture(scope="module")
def log_in(client):
    """Give the answer to a person's login."""
    return lambda person: client.post("/login", {"email": person.email, "password": person.password})


@pytest.fixture
def report(client):
    """Ask for the report with a token."""
    return lambda token: client.get("/report", token, prefix="Bearer")


@pytest.mark.points(2)
def test_a_token_says_its_users_role(log_in, user, other, admin):
    """A token says its user's role: admin or user."""
    for person, role in ((user, "user"), (admin, "admin"), (other, "user")):
        login = log_in(person)
        said = read_claims(login.get("access_token")).get("role", "nothing")
        expect(
            login,
            said == role,
            f'200 and a token whose role is "{role}", where it says {said!r}',
            "Which hook decides what a token says, and is it given the user?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_says_its_users_role")
def test_it_says_what_it_said_before(log_in, user):
    """It still says whose it is, when it was issued, and that it ends after 5 minutes."""
    login = log_in(user)
    claims = read_claims(login.get("access_token"))
    times = [claims.get(name) for name in ("iat", "nbf", "exp")]
    are_times = all(isinstance(when, (int, float)) for when in times)
    expect(
        login,
        claims.get("identity") == user.id and are_times and abs(times[0] - time.time()) < 5,
        f"a token of user {user.id} that was issued now, {int(time.time())}, where it says {claims}",
        "Which claims did the default make? And is your time that of UTC?",
    )
    expect(
        login,
        abs(times[1] - times[0]) < 2 and abs(times[2] - times[0] - 300) < 2,
        f"a token that is good at once and for 300 seconds, where it says {claims}",
        "Your hook makes all the claims. How did the default find the end?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_says_its_users_role")
def test_the_report_is_for_admins(log_in, report, user, admin):
    """The report opens to an admin, and is a 403 for anyone else."""
    answer = report(log_in(admin).get("access_token"))
    expect(
        answer,
        answer.status == 200 and answer.get("for") == admin.username,
        f"200 and the report for {admin.username}",
        "Is the admin's own token good, and does the view still know whose it is?",
    )
    answer = report(log_in(user).get("access_token"))
    expect(answer, answer.status == 403, "403, as the role is user", "Where does the view look at the role?")


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_says_its_users_role")
def test_a_token_without_a_role_is_refused(report, secret_key, user, admin):
    """A token without a role is refused with 401, whoever's it is, and so is one without an end or a user."""
    for person in (admin, user):
        answer = report(mint(secret_key, person.id))
        expect(
            answer,
            answer.status == 401,
            "401 for a token that was issued before there were roles",
            "Which option says what every token must have?",
        )
    answer = report(mint(secret_key, admin.id, role="admin", exp=None))
    expect(
        answer,
        answer.status == 401,
        "401 for a token without exp, as ever",
        "Is what every token had to have until now still in the list?",
    )
    answer = report(mint(secret_key, 99, role="admin"))
    expect(
        answer,
        answer.status == 401,
        "401 for a token whose user is gone, as ever",
        "What is a user's role where there is no user?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_the_report_is_for_admins")
def test_the_tokens_role_decides(report, secret_key, user, admin):
    """The role in the token decides, and no role but admin opens the report."""
    for person, kind, role, status in (
        (admin, "an admin", "user", 403),
        (user, "a user", "admin", 200),
        (user, "a user", "administrator", 403),
        (user, "a user", "not an admin", 403),
    ):
        answer = report(mint(secret_key, person.id, role=role))
        expect(
            answer,
            answer.status == status,
            f'{status} for a token that was issued to {kind} with the role "{role}"',
            "Does the view look at the token's role, or at the user's? And which roles does it let in?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_the_report_is_for_admins")
def test_a_role_that_was_changed_is_refused(report, log_in, user):
    """A token whose holder has changed its role is refused with 401."""
    issued = log_in(user).get("access_token")
    header, _, signature = str(issued).split(".")
    _, wanted, _ = mint("x" * 64, user.id, role="admin").split(".")
    for forged in (
        f"{header}.{wanted}.{signature}",
        mint("x" * 64, user.id, role="admin"),
        f"eyJhbGciOiJub25lIn0.{wanted}.",
    ):
        answer = report(forged)
        expect(
            answer,
            answer.status == 401,
            "401 for a token that says admin and that this app did not sign",
            "Has the token been verified before you read its role?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_the_report_is_for_admins")
def test_nothing_else_in_a_request_is_a_role(client, log_in, user):
    """A role that the request names itself counts for nothing."""
    token = log_in(user).get("access_token")
    claimed = {"role": "admin"}
    for path, more in (
        ("/report?role=admin", {}),
        ("/report", {"headers": {"X-Role": "admin", "Role": "admin"}}),
        ("/report", {"headers": {"Cookie": "role=admin"}}),
        ("/report", {"body": claimed}),
    ):
        answer = client.get(path, token, prefix="Bearer", **more)
        expect(
            answer,
            answer.status == 403,
            "403, as the token's role is user",
            "Who writes a request, and who writes a token?",
        )

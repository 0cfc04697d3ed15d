"""Exercise 7: a role in the token."""

import pytest

from exercises.client import claims_of, expect, mint


@pytest.fixture(scope="module")
def log_in(client):
    """Give the answer to a person's login."""
    return lambda person: client.post("/login", {"email": person.email, "password": person.password})


@pytest.fixture
def report(client):
    """Ask for the report with a token."""
    return lambda token, query="": client.get("/report" + query, token, prefix="Bearer")


@pytest.mark.points(2)
def test_a_token_says_its_users_role(log_in, user, other, admin):
    """A token says its user's role: admin or user."""
    for person, role in ((user, "user"), (admin, "admin"), (other, "user")):
        login = log_in(person)
        said = claims_of(login.get("access_token")).get("role", "nothing")
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
    claims = claims_of(login.get("access_token"))
    times = [claims.get(name) for name in ("iat", "nbf", "exp")]
    right = claims.get("identity") == user.id and all(isinstance(time, int) for time in times)
    expect(
        login,
        right and times[0] == times[1] == times[2] - 300,
        f"a token of user {user.id}, good for 300 seconds from when it was issued, where it says {claims}",
        "Your hook makes all the claims. Which ones did the default make, and how did it find the end?",
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
    """A token without a role is refused with 401, whoever's it is."""
    for person in (admin, user):
        answer = report(mint(secret_key, person))
        expect(
            answer,
            answer.status == 401,
            "401 for a token that was issued before there were roles",
            "Which option says what every token must have?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_the_report_is_for_admins")
def test_the_tokens_role_decides(report, secret_key, user, admin):
    """The role in the token decides, and no role but admin opens the report."""
    answer = report(mint(secret_key, admin, role="user"))
    expect(
        answer,
        answer.status == 403,
        'a 403 for an admin whose token was issued with the role "user"',
        "Does the view look at the token's role, or at the user's?",
    )
    for role in ("Admin", "not an admin"):
        answer = report(mint(secret_key, user, role=role))
        expect(answer, answer.status in (401, 403), f'403 for the role "{role}"', "Which roles are let in?")


@pytest.mark.points(1)
@pytest.mark.needs("test_the_report_is_for_admins")
def test_a_role_that_was_changed_is_refused(report, log_in, user):
    """A token whose holder has changed its role is refused with 401."""
    issued = log_in(user).get("access_token")
    header, _, signature = str(issued).split(".")
    _, wanted, _ = mint("x" * 64, user, role="admin").split(".")
    for forged in (
        f"{header}.{wanted}.{signature}",
        mint("x" * 64, user, role="admin"),
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
def test_nothing_else_in_a_request_is_a_role(report, log_in, user):
    """A role that the request names itself counts for nothing."""
    answer = report(log_in(user).get("access_token"), "?role=admin")
    expect(
        answer,
        answer.status == 403,
        "403, as the token's role is user",
        "Who writes a query string, and who writes a token?",
    )

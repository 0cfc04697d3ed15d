"""Exercise 7: a role in the token."""

import time

import pytest

from exercises.client import expect
from tokens import mint, read_claims


@pytest.fixture(scope="module")
def log_in(client):
    """A function that logs a person in and returns the response."""
    return lambda person: client.post("/login", {"email": person.email, "password": person.password})


@pytest.fixture
def get_report(client):
    """A function that requests the report with a token."""
    return lambda token: client.get("/report", token, prefix="Bearer")


@pytest.mark.points(2)
def test_a_token_carries_the_role_of_its_user(log_in, user, other, admin):
    """A token carries the role of its user, which is admin or user."""
    for person, role in ((user, "user"), (admin, "admin"), (other, "user")):
        login = log_in(person)
        received = read_claims(login.get("access_token")).get("role")
        expect(
            login,
            received == role,
            f'200 and a token with the role "{role}", but its role is {received!r}',
            "Which hook makes the claims of a token? Does the hook get the user?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_carries_the_role_of_its_user")
def test_a_token_keeps_its_other_claims(log_in, user):
    """A token still says who its user is and when it was issued, and it expires after 5 minutes."""
    login = log_in(user)
    claims = read_claims(login.get("access_token"))
    times = [claims.get(name) for name in ("iat", "nbf", "exp")]
    are_times = all(isinstance(when, (int, float)) for when in times)
    expect(
        login,
        claims.get("identity") == user.id and are_times and abs(times[0] - time.time()) < 5,
        f"a token for user {user.id} that was issued now, at {int(time.time())}, but its claims are {claims}",
        "Which claims did the default handler make? Are your times in UTC?",
    )
    expect(
        login,
        abs(times[1] - times[0]) < 2 and abs(times[2] - times[0] - 300) < 2,
        f"a token that is valid at once and expires after 300 seconds, but its claims are {claims}",
        "Your hook makes all the claims. Which option did the default handler add to the time of issue?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_carries_the_role_of_its_user")
def test_the_report_is_for_admins(log_in, get_report, user, admin):
    """An admin gets the report, and anyone else gets a 403."""
    response = get_report(log_in(admin).get("access_token"))
    expect(
        response,
        response.status == 200 and response.get("for") == admin.username,
        f"200 and the report for {admin.username}",
        "Does the app accept the token of the admin? Does the view still know the user?",
    )
    response = get_report(log_in(user).get("access_token"))
    expect(
        response,
        response.status == 403,
        "403, because the role in this token is user",
        "Where does the view check the role?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_carries_the_role_of_its_user")
def test_a_token_without_a_role_is_refused(get_report, secret_key, user, admin):
    """You get a 401 if the token has no role or no exp, or if its user does not exist."""
    for person in (admin, user):
        response = get_report(mint(secret_key, person.id))
        expect(
            response,
            response.status == 401,
            "401, because this token was issued before there were roles",
            "Which option lists the claims that every token must have?",
        )
    response = get_report(mint(secret_key, admin.id, role="admin", exp=None))
    expect(
        response,
        response.status == 401,
        "401, because this token has no exp",
        "Are the claims that were required before still in the list?",
    )
    response = get_report(mint(secret_key, 99, role="admin"))
    expect(
        response,
        response.status == 401,
        "401, because the user of this token does not exist",
        "What does your identity handler return if the user does not exist?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_the_report_is_for_admins")
def test_the_role_in_the_token_decides(get_report, secret_key, user, admin):
    """The role in the token decides, and only the role admin opens the report."""
    for person, kind, role, status in (
        (admin, "an admin", "user", 403),
        (user, "a user", "admin", 200),
        (user, "a user", "administrator", 403),
        (user, "a user", "not an admin", 403),
    ):
        response = get_report(mint(secret_key, person.id, role=role))
        expect(
            response,
            response.status == status,
            f'{status} for {kind} whose token has the role "{role}"',
            "Does the view check the role of the token or of the user? Which roles does it accept?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_the_report_is_for_admins")
def test_a_changed_role_is_refused(get_report, log_in, user):
    """If somebody changes the role in a token, they get a 401."""
    issued = log_in(user).get("access_token")
    header, _, signature = str(issued).split(".")
    _, wanted, _ = mint("x" * 64, user.id, role="admin").split(".")
    for forged in (
        f"{header}.{wanted}.{signature}",
        mint("x" * 64, user.id, role="admin"),
        f"eyJhbGciOiJub25lIn0.{wanted}.",
    ):
        response = get_report(forged)
        expect(
            response,
            response.status == 401,
            "401, because this app did not issue this token",
            "Has your app verified the token before you read its role?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_the_report_is_for_admins")
def test_a_role_outside_the_token_changes_nothing(client, log_in, user):
    """A role that is in the request but not in the token changes nothing."""
    token = log_in(user).get("access_token")
    claimed = {"role": "admin"}
    for path, more in (
        ("/report?role=admin", {}),
        ("/report", {"headers": {"X-Role": "admin", "Role": "admin"}}),
        ("/report", {"headers": {"Cookie": "role=admin"}}),
        ("/report", {"body": claimed}),
    ):
        response = client.get(path, token, prefix="Bearer", **more)
        expect(
            response,
            response.status == 403,
            "403, because the role in this token is user",
            "Who writes a request, and who writes a token?",
        )

"""Exercise 8: a role in the token."""

import time

import jwt
import pytest

from exercises.client import expect
from tokens import make_copies, read_algorithm, read_claims


@pytest.fixture(scope="module")
def log_in(client):
    """A function that logs a person in and returns the response. The response contains a signed token."""

    def log_in(person):
        login = client.post("/login", {"email": person.email, "password": person.password})
        expect(
            login,
            login.status == 200 and login.get("access_token"),
            "200 and an access_token",
            "Can users still log in with POST /login? Which claims must your handler return?",
        )
        token = login.get("access_token")
        expect(
            login,
            read_claims(token) and read_algorithm(token) in ("HS256", "HS384", "HS512"),
            "a JWT as access_token, signed with HS256, HS384 or HS512",
            "What does your app return as the token? Which key signs it?",
        )
        return login

    return log_in


@pytest.fixture(scope="module")
def token_of(log_in):
    """A function that logs a person in and returns the token."""
    return lambda person: log_in(person).get("access_token")


@pytest.fixture
def get_report(client):
    """A function that asks for the report with a token."""
    return lambda token, **more: client.get("/report", token, prefix="Bearer", **more)


def change(token, key, **changes):
    """Return a copy of a token, signed with this key, with some claims changed.

    Leave out each claim that is changed to None.
    """
    claims = {name: value for name, value in (read_claims(token) | changes).items() if value is not None}
    return jwt.encode(claims, key, read_algorithm(token))


def expect_report(response, person, reason, question):
    """Fail the check unless the response is the report for this person."""
    expect(
        response,
        response.status == 200 and response.get("for") == person.username,
        f"200 and the report for {person.username}, because {reason}",
        question,
    )


@pytest.mark.points(1)
def test_a_token_contains_the_role_of_its_user(log_in, user, other, admin):
    """A token contains the role of its user: admin or user."""
    for person, role in ((user, "user"), (admin, "admin"), (other, "user")):
        login = log_in(person)
        found = read_claims(login.get("access_token")).get("role")
        who = "an admin" if person is admin else "not an admin"
        expect(
            login,
            found == role,
            f'a token with the role "{role}", because the user is {who}, but this token has '
            + ("no role" if found is None else f"the role {found!r}"),
            "Which hook makes the claims of a token? How does your handler know who is an admin?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_contains_the_role_of_its_user")
def test_a_token_keeps_its_other_claims(log_in, user, admin):
    """A token still has its other four claims, and still expires after 5 minutes."""
    for person in (user, admin):
        login = log_in(person)
        claims = read_claims(login.get("access_token"))
        expect(
            login,
            claims.get("identity") == person.id,
            f"a token whose claim identity is {person.id}, but this claim is {claims.get('identity')!r}",
            "How does the app find the user that a token belongs to?",
        )
        issued, begin, end = (claims.get(name) for name in ("iat", "nbf", "exp"))
        expect(
            login,
            all(isinstance(moment, int | float) for moment in (issued, begin, end)),
            f"a token with the times iat, nbf and exp, but its claims are {claims}",
            "Which claims does Flask-JWT write by itself? Does your handler return all of them?",
        )
        expect(
            login,
            abs(issued - time.time()) < 60,
            f"a token whose iat is the time of the login, {int(time.time())}, but the iat is {issued}",
            "In which time zone are the times in a token?",
        )
        expect(
            login,
            abs(begin - issued) < 2 and abs(end - issued - 300) < 2,
            f"a token that is valid from now on and expires after 300 seconds, but its claims are {claims}",
            "Which option contains the lifetime of a token? Does your handler use it?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_token_contains_the_role_of_its_user")
def test_only_admins_get_the_report(token_of, get_report, user, other, admin):
    """An admin gets the report, and everyone else gets a 403."""
    expect_report(
        get_report(token_of(admin)),
        admin,
        "the role in this token is admin",
        "Does your app accept its own tokens? Does the view still find the user?",
    )
    for person in (user, other):
        response = get_report(token_of(person))
        expect(
            response,
            response.status == 403,
            "403, because the role in this token is user",
            "Your app knows this user. Which status says that the user is not allowed to read the report?"
            if response.status == 401
            else "Where does your app compare the role with admin?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_contains_the_role_of_its_user")
def test_a_token_without_a_role_gets_a_401(token_of, get_report, secret_key, user, admin):
    """A token gets a 401 if it has no role, exp, iat or nbf, or if its user does not exist."""
    token = token_of(admin)
    expect_report(
        get_report(change(token, secret_key)),
        admin,
        "this token has the claims of a real one and is signed with the app's SECRET_KEY",
        'Does your app accept its own tokens? Does the key come from app.config["SECRET_KEY"]?',
    )
    for name, question in {
        "role": "Which option lists the claims that every token must have?",
        "exp": "Which claims were required before your change? Are they still in your list?",
        "iat": "Which claims were required before your change? Are they still in your list?",
        "nbf": "Which claims were required before your change? Are they still in your list?",
    }.items():
        for person in (admin, user):
            response = get_report(change(token_of(person), secret_key, **{name: None}))
            expect(response, response.status == 401, f"401, because this token has no {name}", question)
    response = get_report(change(token, secret_key, identity=99))
    expect(
        response,
        response.status == 401,
        "401, because the user of this token does not exist",
        "What does your identity handler return if there is no such user?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_token_contains_the_role_of_its_user")
def test_nobody_can_write_a_role_without_the_key(client, token_of, get_report, secret_key, user, admin):
    """Nobody gets the report without a token, or with a token that is changed, forged or expired."""
    response = client.get("/report")
    expect(
        response,
        response.status == 401,
        "401, because the request has no token",
        "Does the view still have @jwt_required()?",
    )
    wrong = client.post("/login", {"email": admin.email, "password": "wrong"})
    expect(
        wrong,
        wrong.status == 401,
        "401, because the password is wrong",
        "Does your login still check the password?",
    )
    token = token_of(user)
    header, _, signature = token.split(".")
    forged = change(token, "another key " * 8, role="admin")
    bad = {
        "its role was changed after it was signed": f"{header}.{forged.split('.')[1]}.{signature}",
        "its role was changed, and it is signed with another key": forged,
    }
    good, copies = make_copies(token_of(admin), secret_key, admin.id)
    expect_report(
        get_report(good),
        admin,
        "this token has the claims of a real one and is signed with the app's SECRET_KEY",
        'Which key signs the tokens of your app? Does it come from app.config["SECRET_KEY"]?',
    )
    for flaw, token in (bad | copies).items():
        response = get_report(token)
        expect(
            response,
            response.status == 401,
            f"401, because this token is bad ({flaw})",
            "Does your app verify a token before it reads the role? Which lines of your answer do that?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_only_admins_get_the_report")
@pytest.mark.needs("test_nobody_can_write_a_role_without_the_key")
def test_the_role_in_the_token_counts(token_of, get_report, secret_key, user, admin):
    """Only the role in the token counts, even if the user's role has changed since the login."""
    expect_report(
        get_report(change(token_of(user), secret_key, role="admin")),
        user,
        "the role in this token is admin, although the user is not an admin any more",
        "Does your app read the role from the token or from the database?",
    )
    response = get_report(change(token_of(admin), secret_key, role="user"))
    expect(
        response,
        response.status == 403,
        "403, because the role in this token is user, although the user is an admin now",
        "Does your app read the role from the token or from the database?",
    )
    for role in ("administrator", "not an admin", "superuser", "min", "Admin"):
        response = get_report(change(token_of(admin), secret_key, role=role))
        expect(
            response,
            response.status == 403,
            f'403, because the role in this token is "{role}"',
            "Which roles does your code let in? Which single role should open the report?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_only_admins_get_the_report")
@pytest.mark.needs("test_nobody_can_write_a_role_without_the_key")
def test_a_role_outside_the_token_changes_nothing(client, token_of, get_report, user):
    """A client cannot choose its role, in a login or in any other request."""
    token = token_of(user)
    for response in (
        client.get("/report?role=admin", token, prefix="Bearer"),
        get_report(token, headers={"X-Role": "admin", "Role": "admin"}),
        get_report(token, headers={"Cookie": "role=admin"}),
        get_report(token, body={"role": "admin"}),
    ):
        expect(
            response,
            response.status == 403,
            "403, because the role in this token is user",
            "Who can write this role into a request? Who can write a role into a token?",
        )
    credentials = {"email": user.email, "password": user.password}
    for login in (
        client.post("/login", credentials | {"role": "admin"}),
        client.post("/login?role=admin", credentials),
        client.request("POST", "/login", credentials, headers={"X-Role": "admin", "Role": "admin"}),
    ):
        claims = read_claims(login.get("access_token"))
        expect(
            login,
            claims.get("role", "user") == "user",
            'a token with the role "user", or no token',
            "Who decides which role a user has: the client or the database?",
        )

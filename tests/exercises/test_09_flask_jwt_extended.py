"""Exercise 9: roles and old tokens survive the move to Flask-JWT-Extended."""

import time

import pytest

from exercises.client import expect
from tokens import make_copies, mint, read_algorithm, read_claims, sign

DEMO_KEY = "for-the-lessons-only-so-set-your-own"


@pytest.fixture(scope="module")
def log_in(client):
    """A function that logs a person in and returns the response."""
    return lambda person: client.post("/login", {"email": person.email, "password": person.password})


@pytest.fixture
def get_report(client):
    """A function that requests the report with a token."""
    return lambda token: client.get("/report", token, prefix="Bearer")


@pytest.fixture
def mint_both(log_in, secret_key):
    """A function that returns a dict with an old token and a new token of a person, with some claims changed.

    The new token is a copy of the token from a login. Claims that are changed to None are left out.
    """

    def mint_both(person, **changes):
        login = log_in(person)
        claims = read_claims(login.get("access_token"))
        expect(
            login,
            login.status == 200 and claims and read_algorithm(login.get("access_token")) == "HS256",
            "200 and a JWT as access_token, signed with HS256",
            "Can a user log in more than once? Does your app sign every token?",
        )
        changes = {"role": "admin" if person.is_admin else "user"} | changes
        old = {"identity": person.id} | changes
        return {"old": mint(secret_key, **old), "new": sign(claims | changes, secret_key)}

    return mint_both


def expect_both_kinds_to_be_good(get_report, tokens):
    """Fail the check unless an admin's old token and new token open the report."""
    for kind, token in tokens.items():
        response = get_report(token)
        expect(
            response,
            response.status == 200,
            f"200, because this {kind} token is good: the role is admin, and it is signed with the app's key",
            "Which claims does your app need in this token? Which key verifies it?",
        )


@pytest.mark.points(1)
def test_a_new_token_carries_the_role_of_its_user(log_in, user, other, admin):
    """A new token carries the role of its user: admin or user."""
    for person, role in ((user, "user"), (admin, "admin"), (other, "user")):
        login = log_in(person)
        received = read_claims(login.get("access_token")).get("role")
        expect(
            login,
            received == role,
            f'200 and a token with the role "{role}", but its role is {received!r}',
            "Which loader adds a claim to each new token? The library calls only the last such loader.",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_new_token_carries_the_role_of_its_user")
def test_a_new_token_keeps_its_other_claims(log_in, user):
    """A new token still has the claims of Flask-JWT-Extended, and it expires after 5 minutes."""
    login = log_in(user)
    claims = read_claims(login.get("access_token"))
    expect(
        login,
        claims.get("sub") == str(user.id),
        f'a token with the sub "{user.id}", as text, but its claims are {claims}',
        "When the last old token has expired, which claim will say who the user is?",
    )
    expect(
        login,
        claims.get("type") == "access" and isinstance(claims.get("jti"), str),
        f'a token with the type "access" and a jti, but its claims are {claims}',
        "Which function makes a token with all the claims of Flask-JWT-Extended?",
    )
    times = [claims.get(name) for name in ("iat", "nbf", "exp")]
    are_times = all(isinstance(when, (int, float)) for when in times)
    expect(
        login,
        are_times and abs(times[0] - time.time()) < 5 and abs(times[1] - times[0]) < 2,
        f"a token that is valid from now on (now is {int(time.time())}), but its claims are {claims}",
        "Who sets the times in a token of your app? Are they in UTC?",
    )
    expect(
        login,
        abs(times[2] - times[0] - 300) < 2,
        f"a token that expires after 300 seconds, but its claims are {claims}",
        "Which option of the starter sets the lifetime of a token? Does your app still use it?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_new_token_carries_the_role_of_its_user")
def test_a_new_token_opens_the_report_to_admins(log_in, get_report, user, admin):
    """With a new token, an admin gets the report, anyone else gets a 403, and a forged token gets a 401."""
    response = get_report(log_in(admin).get("access_token"))
    expect(
        response,
        response.status == 200 and response.get("for") == admin.username,
        f"200 and the report for {admin.username}, because the role in this new token is admin",
        "Does your app accept its own tokens? Which claims does it require? "
        "Which claim does it read to find the user?",
    )
    response = get_report(log_in(user).get("access_token"))
    expect(
        response,
        response.status == 403,
        "403, because the role in this new token is user",
        "Your app knows this user. Which status says that the user is not allowed to read the report?"
        if response.status == 401
        else "Where does the view check the role?",
    )
    claims = {"identity": None} | read_claims(log_in(admin).get("access_token"))
    response = get_report(mint("x" * 64, **claims))
    expect(
        response,
        response.status == 401,
        "401, because this token looks like a new one but is signed with another key",
        "Does your app verify a new token before it reads the claims?",
    )


@pytest.mark.points(2)
def test_an_old_token_opens_the_report_to_admins(get_report, secret_key, user, admin):
    """With an old token, an admin gets the report, anyone else gets a 403, and a forged token gets a 401."""
    for age in (0, 240):
        response = get_report(mint(secret_key, admin.id, role="admin", age=age))
        expect(
            response,
            response.status == 200 and response.get("for") == admin.username,
            f"200 and the report for {admin.username}, because exercise 8's app issued this "
            f"token {age} seconds ago with the role admin",
            "Until when does your app accept an old token?"
            if age
            else "How does an old token name its user? "
            "Which option tells the library which claim contains the user's id?",
        )
    response = get_report(mint(secret_key, user.id, role="user"))
    expect(
        response,
        response.status == 403,
        "403, because the role in this old token is user",
        "Does your app check the role in every token?",
    )
    response = get_report(mint("x" * 64, admin.id, role="admin"))
    expect(
        response,
        response.status == 401,
        "401, because this token looks like an old one but is signed with another key",
        "Does your app verify an old token before it reads the claims?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_an_old_token_opens_the_report_to_admins")
def test_the_role_in_the_token_decides(get_report, mint_both, user, admin):
    """In new and old tokens, only the role in the token decides, and only the role admin opens the report."""
    for person, description, role, status in (
        (admin, "an admin", "user", 403),
        (user, "a user", "admin", 200),
        (user, "a user", "administrator", 403),
        (user, "a user", "not an admin", 403),
        (user, "a user", "min", 403),
        (user, "a user", "Admin", 403),
    ):
        for kind, token in mint_both(person, role=role).items():
            response = get_report(token)
            expect(
                response,
                response.status == status and (status == 403 or response.get("for") == person.username),
                f"{status}, because this {kind} token of {description} ({person.username}) "
                f'has the role "{role}"',
                "Does your app check the role of the token or of the user? Which roles does it accept?",
            )


@pytest.mark.points(1)
def test_an_incomplete_token_is_refused(get_report, mint_both, user, admin):
    """You get a 401 if the token lacks its role, exp, iat or nbf, or if its user does not exist."""
    expect_both_kinds_to_be_good(get_report, mint_both(admin))
    for person in (admin, user):
        for kind, token in mint_both(person, role=None).items():
            response = get_report(token)
            expect(
                response,
                response.status == 401,
                f"401, because this {kind} token has no role",
                "Which claims does your app require? Does it require them in new and in old tokens?",
            )
    for name in ("exp", "iat", "nbf"):
        for kind, token in mint_both(admin, **{name: None}).items():
            response = get_report(token)
            expect(
                response,
                response.status == 401,
                f"401, because this {kind} token has no {name}",
                "Does your app still require the claims that the starter requires?",
            )
    absent = {"sub": "99"}
    identity = read_claims(mint_both(admin)["new"]).get("identity")
    if identity is not None:  # a new token may also have the claim of an old one, as text or as a number
        absent["identity"] = 99 if isinstance(identity, int) else "99"
    old, new = mint_both(admin, identity=99)["old"], mint_both(admin, **absent)["new"]
    for kind, token in (("old", old), ("new", new)):
        response = get_report(token)
        expect(
            response,
            response.status == 401,
            f"401, because the user of this {kind} token does not exist",
            "What does your app do if it does not find the user of a token?",
        )


@pytest.mark.points(1)
def test_a_bad_token_is_refused(client, get_report, mint_both, secret_key, user, admin):
    """You get a 401 without a token, or with a forged, expired or refresh token, or one for another app."""
    expect_both_kinds_to_be_good(get_report, mint_both(admin))
    response = client.get("/report")
    expect(
        response,
        response.status == 401,
        "401, because this request has no token",
        "Which line of the starter protects the report?",
    )
    for kind, token in mint_both(admin).items():
        good, bad = make_copies(token, secret_key, admin.id)
        header, _, signature = mint_both(user)[kind].split(".")
        bad["changed to the role admin after it was signed"] = f"{header}.{good.split('.')[1]}.{signature}"
        bad["signed with the demo key"] = sign(read_claims(good), DEMO_KEY)
        bad["its aud says that the token is for another app"] = mint_both(admin, aud="another app")[kind]
        for flaw, token in bad.items():
            response = get_report(token)
            expect(
                response,
                response.status == 401,
                f"401, because this {kind} token is bad ({flaw})",
                "Which lines of your answer decide whether a token is good? Are all these lines necessary?",
            )
    response = get_report(mint_both(admin, type="refresh")["new"])
    expect(
        response,
        response.status == 401,
        '401, because this token has the type "refresh"',
        "Which types of tokens does jwt_required() accept without arguments?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_new_token_carries_the_role_of_its_user")
def test_nobody_chooses_their_own_role(client, log_in, get_report, user, admin):
    """A login needs the right password, and no client can choose a role."""
    wrong = client.post("/login", {"email": admin.email, "password": "wrong"})
    expect(
        wrong,
        wrong.status == 401,
        "401, because the password is wrong",
        "Does your login still check the password?",
    )
    credentials = {"email": user.email, "password": user.password}
    for login in (
        client.post("/login?role=admin", credentials | {"role": "admin"}),
        client.request("POST", "/login", credentials, headers={"X-Role": "admin", "Role": "admin"}),
    ):
        expect(
            login,
            read_claims(login.get("access_token")).get("role", "user") == "user",
            'a token with the role "user", or no token',
            "Who decides which role a user has: the client or the database?",
        )
    token = log_in(user).get("access_token")
    for response in (
        client.get("/report?role=admin", token, prefix="Bearer"),
        client.get("/report", token, prefix="Bearer", headers={"X-Role": "admin", "Role": "admin"}),
        get_report(token),
    ):
        expect(
            response,
            400 <= response.status < 500,
            "403, because the role in this token is user",
            "Who can write a role into a request? Who can write a role into a token?",
        )

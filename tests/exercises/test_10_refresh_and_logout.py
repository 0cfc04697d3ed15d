"""Exercise 10: log out on all devices."""

import time
from types import SimpleNamespace

import jwt
import pytest

from exercises.client import expect, expect_only_good_tokens
from tokens import make_copies, read_claims

SAME_SECOND = (
    "The app refuses an older copy of this token. The claim iat counts whole seconds. "
    "What if a login and the logout happen in the same second?"
)
CLAIMS_OF_THE_LIBRARY = {"csrf", "exp", "fresh", "iat", "jti", "nbf", "sub", "type"}


@pytest.fixture(scope="module")
def log_in(client):
    """A function that logs a person in and returns the response."""

    def log_in(person, client=client):
        return client.post("/login", {"email": person.email, "password": person.password})

    return log_in


@pytest.fixture(scope="module")
def get_me(client):
    """A function that requests /me with the access token of a response."""

    def get_me(response, client=client):
        return client.get("/me", str(response.get("access_token")), prefix="Bearer")

    return get_me


@pytest.fixture(scope="module")
def refresh(client):
    """A function that requests a new access token with the refresh token of a response."""

    def refresh(response, client=client):
        return client.post("/refresh", token=str(response.get("refresh_token")), prefix="Bearer")

    return refresh


@pytest.fixture(scope="module")
def log_out(client):
    """A function that logs a user out on all devices with the access token of a response."""

    def log_out(response, client=client):
        return client.post("/logout-everywhere", token=str(response.get("access_token")), prefix="Bearer")

    return log_out


@pytest.fixture(scope="module")
def story(start, log_in, get_me, refresh, log_out, user, other, admin):
    """The responses until the user has logged out on all devices, by name.

    The user logs in on the laptop and logs out in the same second.
    """
    story = SimpleNamespace(phone=log_in(user), other=log_in(other), admin=log_in(admin))
    story.second_process = start()
    get_me(story.phone, story.second_process)  # now this process may remember something about the user
    story.process_apart = start(apart=True)
    time.sleep(1 - time.time() % 1)  # the phone logged in in an earlier second than the laptop
    story.laptop = log_in(user)
    story.refreshed = refresh(story.laptop)
    story.before = [get_me(response) for response in (story.phone, story.laptop)]
    story.logged_out = log_out(story.laptop)
    story.after = [get_me(response) for response in (story.phone, story.laptop)]
    return story


def wait_for_half_a_second():
    """Return in the first half of a second, because the next requests must fit into one second."""
    if time.time() % 1 > 0.5:
        time.sleep(1 - time.time() % 1)


@pytest.fixture
def expect_to_work(get_me):
    """A function that fails the check unless the access token of a response works for a person."""

    def expect_to_work(login, person, reason, question, client=None):
        expect(login, login.status == 200 and login.get("access_token"), "200 and an access_token", question)
        response = get_me(login, client) if client else get_me(login)
        expect(
            response,
            response.status == 200 and response.get("username") == person.username,
            f"200 and {person.username}, because {reason}",
            question,
        )

    return expect_to_work


def expect_refused(response, reason, question):
    """Fail the check unless the response refuses the token."""
    expect(response, response.status == 401, f"401, because {reason}", question)


def expect_success(response):
    """Fail the check unless the response says that a logout has succeeded."""
    expect(
        response,
        200 <= response.status < 300,
        "200, because the access token is valid until the logout",
        "What does your view return, and with which status? Can a user log out more than once?",
    )


@pytest.fixture
def refuses_older_copy(client, secret_key):
    """A function that returns whether the app refuses a copy of a token whose times are a minute earlier.

    If the app refuses the copy and accepts the token, the app compares times.
    """

    def refuses_older_copy(token, method="GET", path="/me"):
        claims = read_claims(token)
        times = {name: claims[name] - 60 for name in ("iat", "nbf", "exp") if name in claims}
        copy = jwt.encode(claims | times, secret_key, "HS256")
        return client.request(method, path, token=copy, prefix="Bearer").status == 401

    return refuses_older_copy


@pytest.fixture
def ask_why(client, story):
    """A function that returns the question for an old token that the app still accepts."""

    def ask_why(login):
        token = login.get("access_token")
        if 401 in [response.status for response in story.after]:
            return (
                "The app refuses one token of this user and accepts another one. "
                "What do all tokens of a user have in common?"
            )
        if client.post("/refresh", token=str(login.get("refresh_token")), prefix="Bearer").status == 401:
            return "Which kinds of tokens does your app check, and in which views?"
        if read_claims(token).keys() - CLAIMS_OF_THE_LIBRARY:
            return (
                "What does the app compare your claim with, and does your function return the result? "
                "After the logout, is there a row for this user? "
                "Which method of a database connection saves a change?"
            )
        return (
            "At each request, how can the app find out that a token is from before the logout? "
            "Does the next request still find what your view has stored?"
        )

    return ask_why


@pytest.mark.points(1)
def test_old_access_tokens_are_refused(refuses_older_copy, story, ask_why, user):
    """After you log out everywhere, the access tokens of all your devices get a 401."""
    for response in story.before:
        expect(
            response,
            response.status == 200 and response.get("username") == user.username,
            f"200 and {user.username}, because the user has not logged out yet",
            "This user has never logged out. What does the app compare the tokens of this user with?",
        )
    expect_success(story.logged_out)
    for login, response in zip((story.phone, story.laptop), story.after, strict=True):
        # A later check is about tokens from the second of the logout.
        if response.status != 401 and not refuses_older_copy(login.get("access_token")):
            question = ask_why(login) if response.status == 200 else "Which function makes this response?"
            reason = "the user got this token before the request POST /logout-everywhere"
            expect_refused(response, reason, question)


@pytest.mark.points(1)
@pytest.mark.needs("test_old_access_tokens_are_refused")
def test_the_message_says_that_the_token_has_been_revoked(story, refresh):
    """The response to an old token says that the token has been revoked."""
    for response in (*story.after, refresh(story.phone)):
        expect(
            response,
            # Another check is about refresh tokens that still work, so do not complain about them here.
            response.status == 200 or response.json == {"message": "Token has been revoked", "code": 401},
            '401 {"message": "Token has been revoked", "code": 401}',
            "Which loader makes this response? When does the library call revoked_token?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_old_access_tokens_are_refused")
def test_old_refresh_tokens_are_refused(refuses_older_copy, story, get_me, refresh):
    """After you log out everywhere, your refresh tokens get a 401, and so do the tokens made with them."""
    expect(
        story.refreshed,
        story.refreshed.status == 200 and story.refreshed.get("access_token"),
        "200 and an access_token, because the user has not logged out yet",
        "Does a refresh token carry everything that your app looks for in a token?",
    )
    for login in (story.phone, story.laptop):
        expect_refused(
            refresh(login),
            "this refresh token is from before the logout",
            SAME_SECOND
            if refuses_older_copy(login.get("refresh_token"), "POST", "/refresh")
            else "Which kinds of tokens does your app check, and in which views?",
        )
    expect_refused(
        get_me(story.refreshed),
        "POST /refresh made this token before the logout",
        "A login makes tokens. Which other request makes tokens too?",
    )


@pytest.fixture
def expect_bad_requests_to_fail(client, story, secret_key, log_in, user, admin):
    """A function that fails the check unless the app refuses wrong passwords and all kinds of bad tokens."""

    def expect_bad_requests_to_fail():
        wrong = client.post("/login", {"email": user.email, "password": "wrong"})
        expect_refused(wrong, "the password is wrong", "Does your login check the password?")
        login = log_in(user)
        expect(
            login, login.status == 200, "200, because the user still exists", "What does your logout change?"
        )
        expect_only_good_tokens(client, "/me", story.admin, secret_key, admin, prefix="Bearer")
        expect_refused(
            client.get("/me", story.admin.get("refresh_token"), prefix="Bearer"),
            "this token is bad (a refresh token)",
            "Which lines of your answer decide whether a token is good? Does the exercise need them?",
        )
        expect_refused(
            client.post("/refresh", token=story.admin.get("access_token"), prefix="Bearer"),
            "this is an access token",
            "Which kind of token does POST /refresh accept?",
        )
        _, bad = make_copies(story.admin.get("access_token"), secret_key, admin.id)
        for token, reason in (
            (None, "the request has no token"),
            (story.phone.get("access_token"), "this token has been revoked"),
            (bad["signed with another key"], "this token is signed with another key"),
        ):
            expect_refused(
                client.post("/logout-everywhere", token=token, prefix="Bearer"),
                reason,
                "Which line makes sure that POST /logout-everywhere gets a valid token?",
            )
        response = client.get("/me", story.admin.get("access_token"), prefix="Bearer")
        expect(
            response,
            response.status == 200,
            "200, because this user has not logged out",
            "Can somebody log a user out with a token that is signed with another key?",
        )

    return expect_bad_requests_to_fail


@pytest.mark.points(2)
@pytest.mark.needs("test_old_access_tokens_are_refused")
def test_users_can_log_out_only_themselves(
    client, story, expect_to_work, expect_bad_requests_to_fail, log_in, refresh, user, other, admin
):
    """Nothing changes for other users, and the app still refuses wrong passwords and bad tokens."""
    for login, person in ((story.other, other), (story.admin, admin)):
        expect_to_work(
            login,
            person,
            "another user has logged out",
            "Whose tokens does a logout revoke? How does your app tell the users apart?",
        )
        expect_to_work(
            refresh(login),
            person,
            "POST /refresh has made this token, and this user has not logged out",
            "POST /refresh makes tokens too. Which function of yours is called for each new token?",
        )
    for path, body in (
        (f"/logout-everywhere?user_id={admin.id}", None),
        ("/logout-everywhere", {"user_id": admin.id, "id": admin.id, "email": admin.email}),
    ):
        client.post(path, body, str(log_in(user).get("access_token")), prefix="Bearer")
        expect_to_work(
            story.admin,
            admin,
            "another user has logged out",
            "Which user does your app log out: the user of the token, or a user that the request names?",
        )
    expect_bad_requests_to_fail()


@pytest.mark.points(2)
@pytest.mark.needs("test_old_access_tokens_are_refused")
def test_every_process_refuses_old_tokens(client, start, story, expect_to_work, get_me, log_out, user, other):
    """All processes of the app that use the same database refuse old tokens, also after a restart."""
    third_process = start()
    for process, when in ((story.second_process, "before"), (third_process, "after")):
        expect_refused(
            get_me(story.phone, process),
            f"this process uses the same database (it started {when} the logout)",
            "Where does your app store the logout? Can another process find it there at each request?",
        )
    for process in (client, story.second_process, third_process):
        expect_to_work(
            story.other,
            other,
            "a token is valid in all processes that use the same database",
            "Does every process compare a token with the same value?",
            process,
        )
    expect_success(log_out(story.other, story.second_process))
    for process in (client, third_process):
        expect_refused(
            get_me(story.other, process),
            "the user has logged out in another process that uses the same database",
            "Does your app read the database at each request, or does it remember what it has read?",
        )
        expect_refused(
            get_me(story.phone, process),
            "this user logged out before the other user did",
            "Does the database keep the logouts of all users?",
        )
    expect_to_work(
        story.phone,
        user,
        "this process uses another database, where nobody has logged out",
        "In which database does your app store the logout?",
        story.process_apart,
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_old_access_tokens_are_refused")
def test_the_next_login_works_until_the_next_logout(
    refuses_older_copy, story, expect_to_work, log_in, get_me, refresh, log_out, admin
):
    """You can log in again at once and log out everywhere again, and old tokens never come back."""
    wait_for_half_a_second()
    old = [story.admin, log_in(admin)]
    expect_success(log_out(old[1]))
    new = log_in(admin)
    expect_to_work(
        new,
        admin,
        "this token is from the next login",
        "Which tokens should the app refuse? What is different in the new ones, even in the same second?",
    )
    expect_to_work(
        refresh(new),
        admin,
        "POST /refresh has made this token after the next login",
        "POST /refresh makes tokens too. Which function of yours does the library call for every new token?",
    )
    for login in old:
        expect_refused(
            get_me(login),
            "this token is from before the logout",
            SAME_SECOND
            if refuses_older_copy(login.get("access_token"))
            else "What does a new login change? Can it bring old tokens back?",
        )
    question = "What does your app store at the first logout, and what at the second one?"
    for _ in range(2):
        phone, laptop = log_in(admin), log_in(admin)
        tokens = [phone, laptop, refresh(phone)]
        for token in tokens:
            expect_to_work(token, admin, "this token is from after the latest logout", question)
        expect_success(log_out(phone))
        old += [new, *tokens]
        for login in old:
            expect_refused(get_me(login), "this token is from before the latest logout", question)

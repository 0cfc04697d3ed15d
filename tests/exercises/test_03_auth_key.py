"""Exercise 3: log in with a phone number and a PIN."""

import pytest

from exercises.client import expect, expect_only_good_tokens
from tokens import read_claims

PIN_QUESTION = "What does authenticate compare the PIN with?"


def credentials(person):
    return {"phone": person.phone, "pin": person.password}


@pytest.mark.points(1)
def test_users_log_in_with_phone_and_pin(client, user):
    """Users log in with their phone number and their PIN."""
    response = client.post("/login", credentials(user))
    if response.status == 401:
        about = "Does JWT(...) get your authenticate? Does it find the user by phone, and check the PIN?"
    else:
        about = "Does authenticate return a UserModel?"
    expect(
        response,
        response.status == 200 and response.get("access_token"),
        "200 and an access_token",
        f"Do you rename both keys of the login? {about}",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_each_user_gets_their_own_token(client, user, other):
    """Each user gets a different token, and can get the list of users with it."""
    for person in (user, other):
        response = client.post("/login", credentials(person))
        token = response.get("access_token")
        expect(
            response,
            str(read_claims(token).get("identity")) == str(person.id),
            f"200 and a token with the identity {person.id}, because this is the user's id",
            "Which user does authenticate return? Which value of this user becomes the identity?",
        )
        response = client.get("/users", token)
        expect(
            response,
            response.status == 200,
            "200 and the users, because this token comes from the login",
            "Is the list of users still at /users? Which user does the identity function find?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_a_wrong_pin_is_refused(client, user, other):
    """The app refuses a wrong PIN and an unknown phone number."""
    for wrong, reason in (
        ({"pin": other.password}, "this is another user's PIN"),
        ({"pin": f"{user.password}0"}, "this PIN is one digit too long"),
        ({"phone": "555-0000"}, "no user has this phone number"),
    ):
        response = client.post("/login", credentials(user) | wrong)
        expect(
            response,
            response.status == 401,
            f"401, because {reason}",
            PIN_QUESTION if "pin" in wrong else "What does authenticate return if there is no such user?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_sql_is_refused(client, user):
    """The app refuses a phone number or a PIN that contains SQL."""
    of_phone = "How does the phone number get into your SQL? Does your code compare the whole phone number?"
    for quote in ("'", '"'):
        for wrong in (
            {"phone": f"x{quote} OR phone = {quote}{user.phone}"},
            {"phone": f"{user.phone}{quote} --"},
            {"phone": f"{user.phone}{quote}"},
            {"phone": f"x{quote} UNION SELECT * FROM users WHERE phone = {quote}{user.phone}"},
            {"pin": f"x{quote} OR {quote}1{quote} = {quote}1"},
        ):
            response = client.post("/login", credentials(user) | wrong)
            expect(
                response,
                response.status == 401,
                "401, because no user has this phone number and this PIN",
                PIN_QUESTION if "pin" in wrong else of_phone,
            )


@pytest.mark.points(1)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_a_part_or_a_pattern_is_refused(client, user):
    """The app refuses an incomplete phone number, and a pattern such as 555-%."""
    of_phone = "How does your code compare two phone numbers: must they be equal, or only similar?"
    phone, pin = user.phone, user.password
    for wrong in (
        *({"phone": pattern} for pattern in (f"{phone[:-1]}_", f"{phone[:5]}%", "%", f"{phone[:5]}*")),
        *({"phone": part} for part in (phone[:-1], phone[1:])),
        *({"pin": guess} for guess in (f"{pin[:-1]}_", f"{pin[:2]}%", "%", pin[:-1], pin[1:])),
    ):
        response = client.post("/login", credentials(user) | wrong)
        expect(
            response,
            response.status == 401,
            "401, because no user has exactly this phone number and this PIN",
            PIN_QUESTION if "pin" in wrong else of_phone,
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_the_old_ways_to_log_in_are_gone(client, user):
    """Nobody can log in with a username, an e-mail address or the old keys any more."""
    question = "Which keys does your login read? Which column of the table users does it search?"
    for value in (user.username, user.email):
        response = client.post("/login", {"phone": value, "pin": user.password})
        expect(response, response.status == 401, "401, because this is not a phone number", question)
    for name, secret, value in (
        ("phone", "password", user.phone),
        ("username", "password", user.phone),
        ("username", "password", user.username),
        ("username", "password", user.email),
        ("email", "password", user.email),
        ("username", "pin", user.username),
    ):
        response = client.post("/login", {name: value, secret: user.password})
        expect(
            response,
            response.status in (400, 401, 422),
            "401, because the keys are now phone and pin",
            question,
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_a_bad_token_is_refused(client, user, secret_key):
    """Nobody can get the list of users without a token, or with a bad token."""
    response = client.get("/users")
    expect(
        response,
        response.status == 401,
        "401, because this request has no token",
        "Is the list of users still at /users, with @jwt_required()?",
    )
    expect_only_good_tokens(client, "/users", client.post("/login", credentials(user)), secret_key, user)

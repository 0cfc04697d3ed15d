"""Exercise 3: log in with a phone number and a PIN."""

import pytest

from exercises.client import expect
from tokens import read_claims


def credentials(person):
    return {"phone": person.phone, "pin": person.password}


@pytest.mark.points(3)
def test_users_log_in_with_phone_and_pin(client, user):
    """Users log in with their phone number and their PIN."""
    response = client.post("/login", credentials(user))
    expect(
        response,
        response.status == 200 and response.get("access_token"),
        "200 and an access_token",
        "Did you rename both keys? Which function looks up the user by phone number?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_each_user_gets_their_own_token(client, user, other):
    """Each user gets a token of their own, and it opens the list of users."""
    for person in (user, other):
        response = client.post("/login", credentials(person))
        token = response.get("access_token")
        identity = read_claims(token).get("identity")
        expect(
            response,
            identity == person.id,
            f"a token with the identity {person.id}, not {identity}",
            "Which user does your look-up return? Which field of the user becomes the identity?",
        )
        response = client.get("/users", token)
        expect(
            response,
            response.status == 200,
            "200 and the users",
            "Is /users still there, with @jwt_required()?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_a_wrong_pin_is_refused(client, user, other):
    """The PIN of another user is refused, and so is an unknown phone number."""
    for wrong in ({"phone": user.phone, "pin": other.password}, {"phone": "555-0000", "pin": user.password}):
        response = client.post("/login", wrong)
        expect(
            response,
            response.status == 401,
            "401, because no user has this phone number and this PIN",
            "Do you compare the PIN with the stored hash?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_a_username_or_email_is_refused(client, user):
    """Nobody can log in with a username or an e-mail address, under any key."""
    for key, value in (("phone", user.username), ("phone", user.email), ("username", user.username)):
        response = client.post("/login", {key: value, "pin": user.password})
        expect(
            response,
            response.status == 401,
            "401, because users log in only with a phone number",
            "Which column of the users table does your look-up search?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_users_log_in_with_phone_and_pin")
def test_the_old_keys_are_gone(client, user):
    """Nobody can log in with the keys username and password any more."""
    for body in (
        {"username": user.username, "password": user.password},
        {"phone": user.phone, "password": user.password},
    ):
        response = client.post("/login", body)
        expect(
            response,
            response.status == 401,
            "401, because the keys are now phone and pin",
            "Which keys does your login read from the request?",
        )

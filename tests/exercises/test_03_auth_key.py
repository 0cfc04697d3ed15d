"""Exercise 3: log in with a phone and a pin."""

import pytest

from exercises.client import expect
from tokens import read_claims


def credentials(person):
    return {"phone": person.phone, "pin": person.password}


@pytest.mark.points(3)
def test_a_phone_and_a_pin_log_in(client, user):
    """Users log in with their phone and their pin."""
    answer = client.post("/login", credentials(user))
    expect(
        answer,
        answer.status == 200 and answer.get("access_token"),
        "200 and an access_token",
        "There are two keys to rename. And who looks a phone up in the database?",
    )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_phone_and_a_pin_log_in")
def test_the_token_is_that_users(client, user, other):
    """Each user gets a token of their own, which opens the list of users."""
    for person in (user, other):
        answer = client.post("/login", credentials(person))
        token = answer.get("access_token")
        whose = read_claims(token).get("identity")
        expect(
            answer, whose == person.id, f"the token of user {person.id}, not {whose}", "Whom do you look up?"
        )
        answer = client.get("/users", token)
        expect(answer, answer.status == 200, "200 and the users", "Is /users still there?")


@pytest.mark.points(2)
@pytest.mark.needs("test_a_phone_and_a_pin_log_in")
def test_a_wrong_pin_is_refused(client, user, other):
    """Somebody else's pin is refused, and so is an unknown phone."""
    for wrong in ({"phone": user.phone, "pin": other.password}, {"phone": "555-0000", "pin": user.password}):
        answer = client.post("/login", wrong)
        expect(answer, answer.status == 401, "401", "Do you compare the pin with the hash that is stored?")


@pytest.mark.points(2)
@pytest.mark.needs("test_a_phone_and_a_pin_log_in")
def test_a_name_is_no_phone(client, user):
    """A name or an e-mail address does not log in, under whichever key."""
    for key, value in (("phone", user.username), ("phone", user.email), ("username", user.username)):
        answer = client.post("/login", {key: value, "pin": user.password})
        expect(answer, answer.status == 401, "401", "By which of a user's fields does your look-up search?")


@pytest.mark.points(1)
@pytest.mark.needs("test_a_phone_and_a_pin_log_in")
def test_the_old_keys_are_gone(client, user):
    """The keys username and password do not log in any more."""
    for body in (
        {"username": user.username, "password": user.password},
        {"phone": user.phone, "password": user.password},
    ):
        answer = client.post("/login", body)
        expect(answer, answer.status == 401, "401", "Have both keys their new names?")

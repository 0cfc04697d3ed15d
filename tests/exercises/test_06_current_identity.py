"""Exercise 6: notes that belong to the users who wrote them."""

import json
import re

import pytest

from exercises.client import CHEAP_HASH, expect, expect_only_good_tokens
from tokens import read_claims


@pytest.fixture(scope="module")
def log_in(client):
    """A function that logs a person in and returns the token."""

    def log_in(person):
        login = client.post("/login", {"email": person.email, "password": person.password})
        expect(
            login,
            login.status == 200 and login.get("access_token"),
            "200 and an access_token",
            "Can users still log in with POST /login?",
        )
        return login.get("access_token")

    return log_in


@pytest.fixture(scope="module")
def written(client, log_in, people):
    """The responses to two users and an admin who wrote one note each, in this order."""
    return [client.post("/notes", {"text": person.text}, log_in(person)) for person in people]


@pytest.fixture(scope="module")
def absent_id(written):
    """An id that no note has. It is as long as the id of the first note."""
    ids = [str(note.get("id")) for note in written]
    return next(ids[0][:-1] + digit for digit in "987654321" if ids[0][:-1] + digit not in ids)


def ids_in(response):
    """Return the ids of the notes in a list, as sorted text, or None if there is no list of notes."""
    notes = response.get("notes")
    if not isinstance(notes, list):
        return None
    return sorted(str(note.get("id")) for note in notes if isinstance(note, dict))


def expect_text(response, person, question, reason=""):
    """Fail the check unless the response is the note that this person wrote."""
    expect(
        response,
        response.status == 200 and response.get("text") == person.text,
        f"200 and the text that {person.username} wrote{reason}",
        question,
    )


def without_id(response, note_id):
    """Return the body of a response with the word ID instead of the id that the client asked for."""
    text = re.escape(str(note_id)[:100])  # a much longer one would take seconds
    return re.sub(rf"(?<!\w){text}(?!\w)", "ID", response.body.decode("utf-8", "replace"))


@pytest.mark.points(2)
def test_a_note_belongs_to_its_writer(client, log_in, written, people, user, other, admin):
    """A note belongs to the user who wrote it, and other users cannot read it."""
    for number, note in enumerate(written):
        expect(
            note,
            note.status == 201 and note.get("id") is not None,
            "201 and the new note with its id",
            "Does POST /notes still return the note? Can every value in the note become JSON?",
        )
        expect(
            note,
            note.get("id") not in [earlier.get("id") for earlier in written[:number]],
            "an id that no other note has",
            "Where does the id of a new note come from? Can two users get the same id?",
        )
    for person, note in zip(people, written, strict=True):
        response = client.get(f"/notes/{note.get('id')}", log_in(person))
        expect_text(response, person, "When somebody reads a note, how does your app know who wrote it?")
    for person, note in ((user, written[0]), (admin, written[2])):
        response = client.get(f"/notes/{note.get('id')}", log_in(other))
        expect(
            response,
            response.get("text") != person.text,
            "404, because somebody else wrote this note",
            "When a user asks for one note, does your app check who wrote it?",
        )
        expect(
            response,
            400 <= response.status < 500,
            "404, because somebody else wrote this note",
            "How does a view tell the client that there is no such note?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_note_belongs_to_its_writer")
def test_a_note_of_somebody_else_looks_like_a_missing_note(client, log_in, written, absent_id, other):
    """For somebody else's note, a user gets the same 404 as for a note that does not exist."""
    token = log_in(other)
    absent = client.get(f"/notes/{absent_id}", token)
    expect(
        absent,
        absent.status == 404,
        "404, because there is no note with this id",
        "What does your app do with an id that no note has?",
    )
    for note in (written[0], written[2]):
        foreign = client.get(f"/notes/{note.get('id')}", token)
        expect(
            foreign,
            foreign.status == 404,
            "404, because somebody else wrote this note",
            "What does this response tell a stranger that a 404 would not?",
        )
        expect(
            foreign,
            without_id(foreign, note.get("id")) == without_id(absent, absent_id),
            f"the same body as for a note that does not exist: {absent}",
            "Could a stranger see a difference between the two responses?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_note_belongs_to_its_writer")
def test_an_admin_can_read_and_list_every_note(client, log_in, written, absent_id, people, admin):
    """An admin can read every note, and an admin's list contains every note."""
    token = log_in(admin)
    for person, note in zip(people, written, strict=True):
        response = client.get(f"/notes/{note.get('id')}", token)
        expect_text(
            response,
            person,
            "Which field of a user shows that the user is an admin?",
            reason=", because the user is an admin",
        )
    absent = client.get(f"/notes/{absent_id}", token)
    expect(
        absent,
        absent.status == 404,
        "404, because there is no note with this id",
        "What does your app do if an admin asks for a note that does not exist?",
    )
    response = client.get("/notes", token)
    ids = ids_in(response) or []
    expect(
        response,
        response.status == 200 and all(str(note.get("id")) in ids for note in written),
        "200 and a list with every note, because the user is an admin",
        "Does the list treat an admin like any other user?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_note_belongs_to_its_writer")
def test_a_list_contains_only_your_own_notes(client, log_in, written, people, user):
    """A user's list contains the user's own notes and no others."""
    first = str(written[0].get("id"))
    response = client.get("/notes", log_in(user))
    expect(
        response,
        response.status == 200 and ids_in(response) == [first],
        f"200 and a list with one note, because {user.username} wrote only one",
        "Which notes belong in this user's list? Which notes should the list leave out?",
    )
    for person in people[1:]:
        expect(
            response,
            json.dumps(person.text)[1:-1].encode() not in response.body,
            f"a response without the text that {person.username} wrote",
            "Which part of the response contains notes of other users?",
        )
    second = client.post("/notes", {"text": "one more"}, log_in(user))
    response = client.get("/notes", log_in(user))
    expect(
        response,
        second.status == 201 and ids_in(response) == sorted([first, str(second.get("id"))]),
        f"200 and a list with two notes, because {user.username} has just written a second one",
        "Can a user have more than one note?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_note_belongs_to_its_writer")
def test_the_client_does_not_choose_the_owner(client, log_in, written, user, other):
    """A new note belongs to the user who sends it, even if the request names another owner."""
    original = written[1]
    names = ("owner", "user", "user_id", "owner_id", "identity", "author")
    body = dict.fromkeys(names, other.id) | {"username": other.username} | original.json | {"text": "a copy"}
    copy = client.post("/notes", body, log_in(user))
    expect(
        copy,
        400 <= copy.status < 500 or (copy.status == 201 and copy.get("id") is not None),
        f"201 and a new note that belongs to {user.username}",
        "Which parts of a note come from the client? Which parts should your app decide itself?",
    )
    token = log_in(other)
    response = client.get(f"/notes/{original.get('id')}", token)
    expect_text(
        response,
        other,
        "Can a client choose the id of a new note?",
        reason=", because nobody else can change this note",
    )
    if copy.status == 201:
        response = client.get(f"/notes/{copy.get('id')}", token)
        expect(
            response,
            400 <= response.status < 500,
            f"404, because {user.username} wrote this note and {other.username} did not",
            "Who decides who owns a new note: the client or your app?",
        )


@pytest.mark.points(1)
@pytest.mark.needs("test_a_note_belongs_to_its_writer")
def test_notes_need_a_token(client, written):
    """Nobody can read or write a note without a token."""
    for response in (
        client.get("/notes"),
        client.get(f"/notes/{written[0].get('id')}"),
        client.post("/notes", {"text": "mine"}),
    ):
        expect(
            response,
            response.status == 401,
            "401, because the request has no token",
            "Which methods need @jwt_required()?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_a_note_belongs_to_its_writer")
def test_nobody_can_pretend_to_be_an_admin(client, log_in, written, admin, secret_key):
    """Nobody can pretend to be an admin, because the app hides password hashes and refuses bad tokens."""
    for response in (*written, client.get("/notes", log_in(admin))):
        expect(
            response,
            CHEAP_HASH.encode() not in response.body,
            "a response without a password hash",
            "Which fields of current_identity does a note need?",
        )
    login = client.post("/login", {"email": admin.email, "password": admin.password})
    expect(
        login,
        read_claims(login.get("access_token")),
        "a JWT as access_token, because a JWT carries the app's signature",
        "Could somebody who has no password write such a token?",
    )
    wrong = client.post("/login", {"email": admin.email, "password": "wrong"})
    expect(
        wrong,
        wrong.status == 401,
        "401, because the password is wrong",
        "Does your login still check the password?",
    )
    expect_only_good_tokens(client, "/notes", login, secret_key, admin)

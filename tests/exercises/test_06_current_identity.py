"""Exercise 6: notes that belong to someone."""

import pytest

from exercises.client import expect


@pytest.fixture(scope="module")
def log_in(client):
    """A function that logs a person in and returns the token."""
    return lambda person: client.post("/login", {"email": person.email, "password": person.password}).get(
        "access_token"
    )


@pytest.fixture(scope="module")
def write(client, log_in):
    """A function that writes a note as a person and returns the response."""
    return lambda person: client.post("/notes", {"text": f"{person.username}'s own"}, log_in(person))


@pytest.fixture(scope="module")
def written(write, people):
    """The responses to two users and an admin who wrote one note each, in this order."""
    return [write(person) for person in people]


@pytest.mark.points(2)
def test_an_owner_sees_their_note(client, log_in, written, people):
    """Users can read the notes that they write."""
    for person, response in zip(people, written, strict=True):
        expect(
            response,
            response.status == 201,
            "201 and the note",
            "Does @jwt_required() come before every view that uses current_identity?",
        )
        response = client.get(f"/notes/{response.get('id')}", log_in(person))
        expect(
            response,
            response.status == 200 and response.get("text") == f"{person.username}'s own",
            "200 and the text of the note",
            "When somebody reads a note, how does your app know who wrote it?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_an_owner_sees_their_note")
def test_nobody_else_sees_it(client, log_in, written, other, user):
    """Another user gets a 404 for a note, as if the note did not exist."""
    token = log_in(other)
    for note in (written[0], written[2]):
        response = client.get(f"/notes/{note.get('id')}", token)
        expect(
            response,
            response.status == 404,
            "404, because this note belongs to somebody else",
            "What would a 403 tell a stranger about this note?",
        )
        absent = client.get("/notes/999999", token)
        expect(
            response,
            response.json == absent.json,
            f"the same body as for a note that does not exist: {absent}",
            "Could a stranger see a difference between the two responses?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_an_owner_sees_their_note")
def test_an_admin_sees_every_note(client, log_in, written, admin):
    """An admin can read every note."""
    for note in written:
        response = client.get(f"/notes/{note.get('id')}", log_in(admin))
        expect(
            response,
            response.status == 200,
            "200, because the user is an admin",
            "Which field of a user shows that the user is an admin?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_an_owner_sees_their_note")
def test_a_list_holds_only_your_own_notes(client, log_in, written, user):
    """The list holds your own notes and no others."""
    response = client.get("/notes", log_in(user))
    ids = [note.get("id") for note in response.get("notes") or () if isinstance(note, dict)]
    expect(
        response,
        ids == [written[0].get("id")],
        "200 and only the note that this user wrote",
        "Which notes should the list leave out?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_an_owner_sees_their_note")
def test_an_admins_list_holds_every_note(client, log_in, written, admin):
    """The list of an admin holds every note."""
    response = client.get("/notes", log_in(admin))
    ids = {note.get("id") for note in response.get("notes") or () if isinstance(note, dict)}
    expect(
        response,
        ids == {note.get("id") for note in written},
        "200 and every note, because the user is an admin",
        "Does the list treat an admin like any other user?",
    )


@pytest.mark.points(1)
def test_notes_need_a_token(client, written):
    """Nobody can read or write a note without a token."""
    for response in (client.get("/notes"), client.get("/notes/1"), client.post("/notes", {"text": "mine"})):
        expect(
            response,
            response.status == 401,
            "401, because the request has no token",
            "Which methods need @jwt_required()?",
        )

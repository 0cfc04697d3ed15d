"""Exercise 6: notes that belong to someone."""

import pytest

from exercises.client import expect


@pytest.fixture(scope="module")
def log_in(client):
    """Give a person's token."""
    return lambda person: client.post("/login", {"email": person.email, "password": person.password}).get(
        "access_token"
    )


@pytest.fixture(scope="module")
def write(client, log_in, people):
    """Write a note as a person, and give the answer."""
    return lambda person: client.post("/notes", {"text": f"{person.username}'s own"}, log_in(person))


@pytest.fixture(scope="module")
def written(write, people):
    """The notes of two users and an admin, in this order."""
    return [write(person) for person in people]


@pytest.mark.points(2)
def test_an_owner_sees_their_note(client, log_in, written, people):
    """Whoever writes a note can read it."""
    for person, answer in zip(people, written, strict=True):
        expect(answer, answer.status == 201, "201 and the note", "Does @jwt_required() come before the view?")
        answer = client.get(f"/notes/{answer.get('id')}", log_in(person))
        expect(
            answer,
            answer.status == 200 and answer.get("text") == f"{person.username}'s own",
            "200 and the text of the note",
            "How do you know, when a note is read, who wrote it?",
        )


@pytest.mark.points(2)
@pytest.mark.needs("test_an_owner_sees_their_note")
def test_nobody_else_sees_it(client, log_in, written, other, user):
    """For another user a note does not exist: 404, as for a note that really does not."""
    token = log_in(other)
    for note in (written[0], written[2]):
        answer = client.get(f"/notes/{note.get('id')}", token)
        expect(
            answer,
            answer.status == 404,
            "404, as this note is somebody else's",
            "Would a 403 not tell that the note exists?",
        )
        absent = client.get("/notes/999999", token)
        expect(answer, answer.json == absent.json, f"the same body as for no note: {absent}", "Can one tell?")


@pytest.mark.points(2)
@pytest.mark.needs("test_an_owner_sees_their_note")
def test_an_admin_sees_every_note(client, log_in, written, admin):
    """An admin reads anyone's note."""
    for note in written:
        answer = client.get(f"/notes/{note.get('id')}", log_in(admin))
        expect(answer, answer.status == 200, "200, as an admin asks", "Which field of a user says so?")


@pytest.mark.points(2)
@pytest.mark.needs("test_an_owner_sees_their_note")
def test_a_list_holds_ones_own_notes(client, log_in, written, user):
    """The list holds one's own notes and no others."""
    answer = client.get("/notes", log_in(user))
    ids = [note.get("id") for note in answer.get("notes") or () if isinstance(note, dict)]
    expect(
        answer,
        ids == [written[0].get("id")],
        "200 and one's own note alone",
        "Which notes does the list pass over?",
    )


@pytest.mark.points(1)
@pytest.mark.needs("test_an_owner_sees_their_note")
def test_an_admins_list_holds_all(client, log_in, written, admin):
    """An admin's list holds every note."""
    answer = client.get("/notes", log_in(admin))
    ids = {note.get("id") for note in answer.get("notes") or () if isinstance(note, dict)}
    expect(
        answer, ids == {note.get("id") for note in written}, "200 and all notes", "Does the list know admins?"
    )


@pytest.mark.points(1)
def test_without_a_token_there_are_no_notes(client, written):
    """Without a token there is nothing to see or to write."""
    for answer in (client.get("/notes"), client.get("/notes/1"), client.post("/notes", {"text": "mine"})):
        expect(answer, answer.status == 401, "401", "Where does @jwt_required() have to stand?")

"""The checks of exercise 6 without pytest, for the other graders in `make bench`.

They send the same requests as tests/exercises/test_06_current_identity.py and give the same points to a right
answer. They do not skip checks that need another check.
"""

import json
import random
import re
import runpy
import sqlite3
import tempfile
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path

from werkzeug.security import generate_password_hash

from exercises.client import (
    CHEAP_HASH,
    Client,
    InProcess,
    expect,
    expect_only_good_tokens,
    make_people,
    new_seed,
)
from lesson_loader import LESSONS, import_app, isolated_imports
from tokens import read_claims

LESSON = LESSONS / "06_current_identity"
CHECKS = {}  # the points of each check, in the order of the checks


class NotesApp:
    """An app with its own database, which contains two users and an admin, each with one note."""

    def __init__(self, app, file="answer.py", isolated=nullcontext):
        self.folder = tempfile.TemporaryDirectory()
        self.people = self.user, self.other, self.admin = make_people(random.Random(new_seed()))
        self.secret_key = app.config["SECRET_KEY"]
        app.config["DATABASE"] = str(Path(self.folder.name) / "data.db")
        create_users(app.config["DATABASE"], self.people)
        self.client = Client(InProcess(app, Path(file), 5, isolated))
        self.written = [self.write(person) for person in self.people]
        ids = [str(note.get("id")) for note in self.written]
        similar = [ids[0][:-1] + digit for digit in "987654321"]
        self.absent_id = next(note_id for note_id in similar if note_id not in ids)

    def log_in(self, person):
        login = {"email": person.email, "password": person.password}
        return self.client.post("/login", login).get("access_token")

    def get(self, path, person):
        return self.client.get(path, self.log_in(person))

    def write(self, person):
        return self.client.post("/notes", {"text": person.text}, self.log_in(person))


def start(file):
    """Return the notes_app of an answer's app."""
    file = Path(file).resolve()
    isolated = partial(isolated_imports, LESSON, file.stem, modules={})
    with isolated():
        app = import_app(file)
    return NotesApp(app, file, isolated)


def create_users(database, people):
    module = runpy.run_path(str(LESSON / "db.py"))
    module["DEMO_USERS"].clear()
    with closing(sqlite3.connect(database)) as db:
        module["create_tables"](db)
        for person in people:
            row = vars(person) | {"password_hash": generate_password_hash(person.password, CHEAP_HASH)}
            db.execute(
                "INSERT INTO users VALUES (:id, :username, :email, :phone, :password_hash, :is_admin)", row
            )
        db.commit()


def worth(points):
    def register(check):
        CHECKS[check] = points
        return check

    return register


def ids_in(response):
    """Return the ids of the notes in a list, as sorted text, or None if there is no list of notes."""
    notes = response.get("notes")
    if not isinstance(notes, list):
        return None
    return sorted(str(note.get("id")) for note in notes if isinstance(note, dict))


def without_id(response, note_id):
    """Return the body of a response with the word ID instead of the id that the client asked for."""
    return re.sub(rf"(?<!\w){re.escape(str(note_id))}(?!\w)", "ID", response.body.decode("utf-8", "replace"))


@worth(2)
def a_note_belongs_to_its_writer(notes_app):
    """A note belongs to the user who wrote it, and other users cannot read it."""
    for person, note in zip(notes_app.people, notes_app.written, strict=True):
        right = note.status == 201 and note.get("id") is not None
        expect(note, right, "201 and the new note with its id", "Does POST /notes still return the note?")
        response = notes_app.get(f"/notes/{note.get('id')}", person)
        right = response.status == 200 and response.get("text") == person.text
        expect(response, right, "200 and the text of the note", "How do you know who wrote it?")
    first, second, third = notes_app.written
    different = len({str(note.get("id")) for note in notes_app.written}) == 3
    expect(second, different, "an id that no other note has", "Can two users get the same id?")
    for person, note in ((notes_app.user, first), (notes_app.admin, third)):
        response = notes_app.get(f"/notes/{note.get('id')}", notes_app.other)
        right = 400 <= response.status < 500 and response.get("text") != person.text
        expect(response, right, "404, because somebody else wrote it", "Do you check who wrote it?")


@worth(2)
def a_note_of_somebody_else_looks_like_a_missing_note(notes_app):
    """For somebody else's note, a user gets the same 404 as for a note that does not exist."""
    token = notes_app.log_in(notes_app.other)
    absent = notes_app.client.get(f"/notes/{notes_app.absent_id}", token)
    expect(absent, absent.status == 404, "404, because there is no such note", "What happens to other ids?")
    for note in (notes_app.written[0], notes_app.written[2]):
        foreign = notes_app.client.get(f"/notes/{note.get('id')}", token)
        expect(
            foreign, foreign.status == 404, "404, because somebody else wrote it", "What would a 403 tell?"
        )
        expect(
            foreign,
            without_id(foreign, note.get("id")) == without_id(absent, notes_app.absent_id),
            f"the same body as for a note that does not exist: {absent}",
            "Could a stranger see a difference?",
        )


@worth(1)
def an_admin_can_read_and_list_every_note(notes_app):
    """An admin can read every note, and an admin's list contains every note."""
    for person, note in zip(notes_app.people, notes_app.written, strict=True):
        response = notes_app.get(f"/notes/{note.get('id')}", notes_app.admin)
        right = response.status == 200 and response.get("text") == person.text
        expect(response, right, "200, because the user is an admin", "Which field shows an admin?")
    absent = notes_app.get(f"/notes/{notes_app.absent_id}", notes_app.admin)
    expect(absent, absent.status == 404, "404, because there is no such note", "Which ids does notes have?")
    response = notes_app.get("/notes", notes_app.admin)
    ids = ids_in(response) or []
    right = response.status == 200 and all(str(note.get("id")) in ids for note in notes_app.written)
    expect(response, right, "200 and every note", "Does the list treat an admin like any other user?")


@worth(1)
def a_list_contains_only_your_own_notes(notes_app):
    """A user's list contains the user's own notes and no others."""
    first = str(notes_app.written[0].get("id"))
    response = notes_app.get("/notes", notes_app.user)
    right = response.status == 200 and ids_in(response) == [first]
    expect(response, right, "200 and only the user's own note", "Which notes should the list leave out?")
    for person in notes_app.people[1:]:
        right = json.dumps(person.text)[1:-1].encode() not in response.body
        expect(response, right, "no text by another user", "Which part contains notes of other users?")
    second = notes_app.client.post("/notes", {"text": "one more"}, notes_app.log_in(notes_app.user))
    response = notes_app.get("/notes", notes_app.user)
    right = second.status == 201 and ids_in(response) == sorted([first, str(second.get("id"))])
    expect(response, right, "200 and both notes of the user", "Can a user have more than one note?")


@worth(1)
def the_client_does_not_choose_the_owner(notes_app):
    """A new note belongs to the user who sends it, even if the request names another owner."""
    original, owner = notes_app.written[1], notes_app.other
    names = ("owner", "user", "user_id", "owner_id", "identity", "author")
    body = dict.fromkeys(names, owner.id) | {"username": owner.username}
    body |= (original.json or {}) | {"text": "a copy"}
    copy = notes_app.client.post("/notes", body, notes_app.log_in(notes_app.user))
    right = 400 <= copy.status < 500 or (copy.status == 201 and copy.get("id") is not None)
    expect(copy, right, "201 and a new note", "Which parts of a note come from the client?")
    response = notes_app.get(f"/notes/{original.get('id')}", owner)
    right = response.status == 200 and response.get("text") == owner.text
    expect(response, right, "200 and the old text", "Can a client choose the id of a new note?")
    if copy.status == 201:
        response = notes_app.get(f"/notes/{copy.get('id')}", owner)
        expect(response, 400 <= response.status < 500, "404", "Who decides who owns a new note?")


@worth(1)
def without_a_token_there_are_no_notes(notes_app):
    """Nobody can read or write a note without a token."""
    client, path = notes_app.client, f"/notes/{notes_app.written[0].get('id')}"
    for response in (client.get("/notes"), client.get(path), client.post("/notes", {"text": "mine"})):
        expect(response, response.status == 401, "401", "Which methods need @jwt_required()?")


@worth(2)
def nobody_can_pretend_to_be_an_admin(notes_app):
    """Nobody can pretend to be an admin, because the app hides password hashes and refuses bad tokens."""
    client, admin = notes_app.client, notes_app.admin
    for response in (*notes_app.written, notes_app.get("/notes", admin)):
        right = CHEAP_HASH.encode() not in response.body
        expect(response, right, "no password hash", "Which fields of current_identity does a note need?")
    login = client.post("/login", {"email": admin.email, "password": admin.password})
    claims = read_claims(login.get("access_token"))
    expect(login, claims, "a JWT as access_token", "Could somebody without a password write such a token?")
    wrong = client.post("/login", {"email": admin.email, "password": "wrong"})
    expect(wrong, wrong.status == 401, "401", "Does your login still check the password?")
    expect_only_good_tokens(client, "/notes", login, notes_app.secret_key, admin)

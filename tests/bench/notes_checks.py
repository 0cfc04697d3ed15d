"""The checks of exercise 6 without pytest, for the other graders in `make bench`.

They send the same requests as tests/exercises/test_06_current_identity.py and give the same points.
"""

import random
import runpy
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from werkzeug.security import generate_password_hash

from exercises.client import CHEAP_HASH, Client, InProcess, expect, make_people, new_seed
from lesson_loader import LESSONS, load_app

LESSON = LESSONS / "06_current_identity"
CHECKS = {}  # the points of each check, in the order of the checks


class NotesApp:
    """An app with its own database, which contains two users and an admin, each with one note."""

    def __init__(self, app, file="answer.py"):
        self.folder = tempfile.TemporaryDirectory()
        self.people = self.user, self.other, self.admin = make_people(random.Random(new_seed()))
        app.config["DATABASE"] = str(Path(self.folder.name) / "data.db")
        create_users(app.config["DATABASE"], self.people)
        self.client = Client(InProcess(app, Path(file), seconds=5))
        self.written = [self.write(person) for person in self.people]

    def log_in(self, person):
        login = {"email": person.email, "password": person.password}
        return self.client.post("/login", login).get("access_token")

    def get(self, path, person):
        return self.client.get(path, self.log_in(person))

    def write(self, person):
        return self.client.post("/notes", {"text": f"{person.username}'s own"}, self.log_in(person))


def start(file):
    """Return the notes_app of an answer's app."""
    return NotesApp(load_app(LESSON, Path(file).resolve()), file)


def create_users(database, people):
    models = runpy.run_path(str(LESSON / "models/user.py"))
    models["DEMO_USERS"].clear()
    with closing(sqlite3.connect(database)) as db:
        models["create_tables"](db)
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


@worth(2)
def an_owner_sees_their_note(notes_app):
    """The owner of a note can read it."""
    for person, response in zip(notes_app.people, notes_app.written, strict=True):
        expect(
            response, response.status == 201, "201 and the note", "Does @jwt_required() come before the view?"
        )
        response = notes_app.get(f"/notes/{response.get('id')}", person)
        right = response.status == 200 and response.get("text") == f"{person.username}'s own"
        expect(response, right, "200 and the text of the note", "How do you know who wrote it?")


@worth(2)
def nobody_else_sees_it(notes_app):
    """Another user gets the same 404 as for a note that does not exist."""
    token = notes_app.log_in(notes_app.other)
    for note in (notes_app.written[0], notes_app.written[2]):
        response = notes_app.client.get(f"/notes/{note.get('id')}", token)
        expect(
            response,
            response.status == 404,
            "404, because this note belongs to somebody else",
            "What would a 403 reveal?",
        )
        absent = notes_app.client.get("/notes/999999", token)
        expect(
            response,
            response.json == absent.json,
            f"the same body as for a missing note: {absent}",
            "Could a stranger see a difference?",
        )


@worth(2)
def an_admin_sees_every_note(notes_app):
    """An admin can read every note."""
    for note in notes_app.written:
        response = notes_app.get(f"/notes/{note.get('id')}", notes_app.admin)
        expect(response, response.status == 200, "200, because an admin asks", "Which field marks an admin?")


@worth(2)
def a_list_holds_ones_own_notes(notes_app):
    """The list contains only the user's own notes."""
    response = notes_app.get("/notes", notes_app.user)
    ids = [note.get("id") for note in response.get("notes") or ()]
    expect(
        response,
        ids == [notes_app.written[0].get("id")],
        "200 and only the user's own note",
        "Which notes must be left out?",
    )


@worth(1)
def an_admins_list_holds_all(notes_app):
    """An admin's list contains every note."""
    response = notes_app.get("/notes", notes_app.admin)
    ids = {note.get("id") for note in response.get("notes") or ()}
    written = {note.get("id") for note in notes_app.written}
    expect(response, ids == written, "200 and all notes", "Does the list treat admins differently?")


@worth(1)
def without_a_token_there_are_no_notes(notes_app):
    """Without a token nobody can read or write notes."""
    client = notes_app.client
    for response in (client.get("/notes"), client.get("/notes/1"), client.post("/notes", {"text": "mine"})):
        expect(response, response.status == 401, "401", "Does every method have @jwt_required()?")

"""The checks of exercise 6 without pytest, for the tools that make bench compares with.

They send what tests/exercises/test_06_current_identity.py sends, and give the same points.
"""

import random
import runpy
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from werkzeug.security import generate_password_hash

from exercises.client import Client, InProcess, expect, make_people, new_seed
from lesson_loader import LESSONS, load_app

LESSON = LESSONS / "06_current_identity"
CHECKS = {}  # from a check to its points, in the order in which they run


class Room:
    """An app with a database of its own, two users and an admin in it, and a note of each."""

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
    """Return the room of an answer's app."""
    return Room(load_app(LESSON, Path(file).resolve()), file)


def create_users(database, people):
    models = runpy.run_path(str(LESSON / "models/user.py"))
    models["DEMO_USERS"].clear()
    with closing(sqlite3.connect(database)) as db:
        models["create_tables"](db)
        for person in people:
            row = vars(person) | {"password_hash": generate_password_hash(person.password, "scrypt:256:8:1")}
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
def an_owner_sees_their_note(room):
    """Whoever writes a note can read it."""
    for person, answer in zip(room.people, room.written, strict=True):
        expect(answer, answer.status == 201, "201 and the note", "Does @jwt_required() come before the view?")
        answer = room.get(f"/notes/{answer.get('id')}", person)
        right = answer.status == 200 and answer.get("text") == f"{person.username}'s own"
        expect(answer, right, "200 and the text of the note", "How do you know who wrote it?")


@worth(2)
def nobody_else_sees_it(room):
    """For another user a note does not exist: 404, as for a note that really does not."""
    token = room.log_in(room.other)
    for note in (room.written[0], room.written[2]):
        answer = room.client.get(f"/notes/{note.get('id')}", token)
        expect(answer, answer.status == 404, "404, as this note is somebody else's", "Would a 403 not tell?")
        absent = room.client.get("/notes/999999", token)
        expect(answer, answer.json == absent.json, f"the same body as for no note: {absent}", "Can one tell?")


@worth(2)
def an_admin_sees_every_note(room):
    """An admin reads anyone's note."""
    for note in room.written:
        answer = room.get(f"/notes/{note.get('id')}", room.admin)
        expect(answer, answer.status == 200, "200, as an admin asks", "Which field of a user says so?")


@worth(2)
def a_list_holds_ones_own_notes(room):
    """The list holds one's own notes and no others."""
    answer = room.get("/notes", room.user)
    ids = [note.get("id") for note in answer.get("notes") or ()]
    expect(
        answer, ids == [room.written[0].get("id")], "200 and one's own note alone", "Which are passed over?"
    )


@worth(1)
def an_admins_list_holds_all(room):
    """An admin's list holds every note."""
    answer = room.get("/notes", room.admin)
    ids = {note.get("id") for note in answer.get("notes") or ()}
    written = {note.get("id") for note in room.written}
    expect(answer, ids == written, "200 and all notes", "Does the list know admins?")


@worth(1)
def without_a_token_there_are_no_notes(room):
    """Without a token there is nothing to see or to write."""
    client = room.client
    for answer in (client.get("/notes"), client.get("/notes/1"), client.post("/notes", {"text": "mine"})):
        expect(answer, answer.status == 401, "401", "Where does @jwt_required() have to stand?")

"""The list of an admin holds only their own notes.

fails: test_an_admins_list_holds_every_note
shows: treat an admin like any other user
points: 9
"""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
from flask_jwt import JWT, current_identity, jwt_required
from flask_restful import Api, Resource, abort

from models.user import close_db
from security import authenticate, identity

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or "for-the-lessons-only-so-set-your-own"
app.config["DATABASE"] = os.environ.get("DATABASE") or os.path.join(app.root_path, "data.db")
app.config["PROPAGATE_EXCEPTIONS"] = True
app.teardown_appcontext(close_db)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
jwt = JWT(app, authenticate, identity)
notes = {}  # from a note's id to the note


def is_visible(note):
    return current_identity.is_admin or note["owner"] == current_identity.id


class NoteList(Resource):
    @jwt_required()
    def post(self):
        note = {"id": len(notes) + 1, "text": request.get_json()["text"], "owner": current_identity.id}
        notes[note["id"]] = note
        return note, 201

    @jwt_required()
    def get(self):
        return {"notes": [note for note in notes.values() if note["owner"] == current_identity.id]}


class Note(Resource):
    @jwt_required()
    def get(self, id):
        return notes[id] if id in notes and is_visible(notes[id]) else abort(404)


api = Api(app)
api.add_resource(NoteList, "/notes")
api.add_resource(Note, "/notes/<int:id>")

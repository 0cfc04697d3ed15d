import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
from flask_jwt import JWT, jwt_required
from flask_restful import Resource, abort

import db
from api import Api
from security import DEMO_KEY, authenticate, check_secret_key, identity

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)

app.config["JWT_AUTH_URL_RULE"] = "/login"
app.config["JWT_AUTH_USERNAME_KEY"] = "email"
jwt = JWT(app, authenticate, identity)
notes = {}  # the notes by id


def read_text():
    """Return the text of the note in the request. If there is no text, the client gets a 400."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # the client sent thousands of nested lists, such as [[[[…]]]]
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        abort(400, message='Send JSON such as {"text": "Buy milk"}, with Content-Type: application/json.')
    return body["text"]


# TODO: Make each note belong to its owner: the user who wrote it. The owner and every admin can read the
# note, and their lists contain it. For all other users, the note does not exist. Their lists do not contain
# it, and if they ask for it, they get the same 404 as for a missing note. You may add fields to a note.
class NoteList(Resource):
    @jwt_required()
    def post(self):
        note = {"id": len(notes) + 1, "text": read_text()}
        notes[note["id"]] = note
        return note, 201

    @jwt_required()
    def get(self):
        return {"notes": list(notes.values())}


class Note(Resource):
    @jwt_required()
    def get(self, id):
        note = notes.get(id)
        if note is None:
            abort(404)
        return note


api = Api(app)
api.add_resource(NoteList, "/notes")
api.add_resource(Note, "/notes/<int:id>")

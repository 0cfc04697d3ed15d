"""The app refuses a body with any field except text, and ids are random numbers."""

import os
import secrets

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
from flask_jwt import JWT, current_identity, jwt_required
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


def is_visible(note):
    return current_identity.is_admin or note["owner"] == current_identity.id


class NoteList(Resource):
    @jwt_required()
    def post(self):
        text = read_text()
        if request.get_json().keys() != {"text"}:
            abort(400, message="Send only a text.")
        note = {"id": secrets.randbelow(10**12), "text": text, "owner": current_identity.id}
        notes[note["id"]] = note
        return note, 201

    @jwt_required()
    def get(self):
        return {"notes": [note for note in notes.values() if is_visible(note)]}


class Note(Resource):
    @jwt_required()
    def get(self, id):
        note = notes.get(id)
        if note is None or not is_visible(note):
            abort(404)
        return note


api = Api(app)
api.add_resource(NoteList, "/notes")
api.add_resource(Note, "/notes/<int:id>")

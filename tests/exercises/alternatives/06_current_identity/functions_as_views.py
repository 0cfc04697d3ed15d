"""The views are Flask functions instead of Flask-RESTful resources."""

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, abort, request
from flask_jwt import JWT, current_identity, jwt_required
from werkzeug.exceptions import NotFound

import db
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
        abort(400)
    return body["text"]


def is_visible(note):
    return current_identity.is_admin or note["owner"] == current_identity.id


@app.post("/notes")
@jwt_required()
def write_note():
    note = {"id": len(notes) + 1, "text": read_text(), "owner": current_identity.id}
    notes[note["id"]] = note
    return note, 201


@app.get("/notes")
@jwt_required()
def list_notes():
    return {"notes": list(filter(is_visible, notes.values()))}


@app.get("/notes/<int:id>")
@jwt_required()
def read_note(id):
    if id not in notes or not is_visible(notes[id]):
        raise NotFound
    return notes[id]

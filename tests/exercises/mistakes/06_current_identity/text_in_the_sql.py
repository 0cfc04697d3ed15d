"""An f-string puts the text into the SQL, so a quote in a note breaks the command.

fails: test_a_note_belongs_to_its_writer
shows: got       500
points: 0
"""

import os

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


def read_text():
    """Return the text of the note in the request. If there is no text, the client gets a 400."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # the client sent thousands of nested lists, such as [[[[…]]]]
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        abort(400, message='Send JSON such as {"text": "Buy milk"}, with Content-Type: application/json.')
    return body["text"]


def find_notes():
    connection = db.get_db()
    connection.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT, owner INTEGER)")
    rows = connection.execute("SELECT id, text, owner FROM notes").fetchall()
    return [dict(row) for row in rows if current_identity.is_admin or row["owner"] == current_identity.id]


class NoteList(Resource):
    @jwt_required()
    def post(self):
        text = read_text()
        find_notes()
        connection = db.get_db()
        with connection:
            sql = f"INSERT INTO notes (text, owner) VALUES ('{text}', {current_identity.id})"
            note_id = connection.execute(sql).lastrowid
        return {"id": note_id, "text": text, "owner": current_identity.id}, 201

    @jwt_required()
    def get(self):
        return {"notes": find_notes()}


class Note(Resource):
    @jwt_required()
    def get(self, id):
        for note in find_notes():
            if note["id"] == id:
                return note
        abort(404)


api = Api(app)
api.add_resource(NoteList, "/notes")
api.add_resource(Note, "/notes/<int:id>")

import os

import flask_jwt_compat  # noqa: F401  must come before flask_jwt
from flask import Flask, request
from flask_jwt import JWT, jwt_required
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


# TODO: a note belongs to whoever wrote it. Its owner sees it, in the list and alone, and so does an admin.
# For anyone else it is a 404, just as a note that does not exist, and not in the list.
class NoteList(Resource):
    @jwt_required()
    def post(self):
        note = {"id": len(notes) + 1, "text": request.get_json()["text"]}
        notes[note["id"]] = note
        return note, 201

    @jwt_required()
    def get(self):
        return {"notes": list(notes.values())}


class Note(Resource):
    @jwt_required()
    def get(self, id):
        return notes[id] if id in notes else abort(404)


api = Api(app)
api.add_resource(NoteList, "/notes")
api.add_resource(Note, "/notes/<int:id>")

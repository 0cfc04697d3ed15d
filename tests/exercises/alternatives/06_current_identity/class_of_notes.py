"""Notes are objects of a class, which knows who may read them and what they look like as JSON."""

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
notes = {}  # the Post objects by id


def read_text():
    """Return the text of the note in the request. If there is no text, the client gets a 400."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # the client sent thousands of nested lists, such as [[[[…]]]]
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        abort(400, message='Send JSON such as {"text": "Buy milk"}, with Content-Type: application/json.')
    return body["text"]


class Post:
    def __init__(self, id, text, owner):
        self.id, self.text, self.owner = id, text, owner

    def is_visible_to(self, user):
        return user.is_admin or user.id == self.owner.id

    def json(self):
        return {"id": self.id, "text": self.text}


class NoteList(Resource):
    @jwt_required()
    def post(self):
        user = current_identity._get_current_object()
        post = notes[len(notes) + 1] = Post(len(notes) + 1, read_text(), user)
        return post.json(), 201

    @jwt_required()
    def get(self):
        return {"notes": [post.json() for post in notes.values() if post.is_visible_to(current_identity)]}


class Note(Resource):
    @jwt_required()
    def get(self, id):
        post = notes.get(id)
        if post and post.is_visible_to(current_identity):
            return post.json()
        return abort(404)


api = Api(app)
api.add_resource(NoteList, "/notes")
api.add_resource(Note, "/notes/<int:id>")

import sqlite3

from flask import current_app, g
from werkzeug.security import generate_password_hash

DEMO_USERS = [  # name, e-mail address, phone, password, is an admin
    ("bob", "bob@example.com", "555-0101", "builder", False),
    ("alice", "alice@example.com", "555-0102", "wonderland", True),
]


class UserModel:
    def __init__(self, id, username, email, phone, password_hash, is_admin):
        self.id = id
        self.username = username
        self.email = email
        self.phone = phone
        self.password_hash = password_hash
        self.is_admin = bool(is_admin)

    @classmethod
    def find_by_id(cls, id):
        return cls.find("SELECT * FROM users WHERE id = ?", id)

    @classmethod
    def find_by_username(cls, username):
        return cls.find("SELECT * FROM users WHERE username = ?", username)

    @classmethod
    def find_by_email(cls, email):
        return cls.find("SELECT * FROM users WHERE email = ?", email)

    @classmethod
    def find(cls, query, value):
        row = get_db().execute(query, (value,)).fetchone()
        return cls(*row) if row else None

    @classmethod
    def find_all(cls):
        return [cls(*row) for row in get_db().execute("SELECT * FROM users ORDER BY id")]

    def json(self):
        return {"id": self.id, "username": self.username}


def get_db():
    """Return this request's connection to the database, which is made if it is not there."""
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"])
        if not has_tables(g.db):
            create_tables(g.db)
    return g.db


def close_db(error=None):
    """Close this request's connection, if it opened one."""
    if "db" in g:
        g.pop("db").close()


def has_tables(db):
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'users'").fetchone() is not None


def create_tables(db):
    """Create the table of users, and bob and alice in it."""
    with db:
        db.execute("BEGIN IMMEDIATE")  # of many first requests at once, all but one wait here
        if has_tables(db):
            return
        db.execute(
            "CREATE TABLE users ("
            "id INTEGER PRIMARY KEY AUTOINCREMENT, "  # never reused: a deleted user's token fits nobody
            "username TEXT UNIQUE, email TEXT UNIQUE, phone TEXT UNIQUE, "
            "password_hash TEXT, is_admin INTEGER)"
        )
        for username, email, phone, password, is_admin in DEMO_USERS:
            db.execute(
                "INSERT INTO users (username, email, phone, password_hash, is_admin) VALUES (?, ?, ?, ?, ?)",
                (username, email, phone, generate_password_hash(password), is_admin),
            )

"""The database: one SQLite file, and one connection for each request that needs it."""

import sqlite3
from pathlib import Path

from flask import current_app, g
from werkzeug.security import generate_password_hash

SCHEMA = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
DEMO_USERS = [  # username, e-mail address, phone, password, is an admin
    ("bob", "bob@example.com", "555-0101", "builder", False),
    ("alice", "alice@example.com", "555-0102", "wonderland", True),
]


def init_app(app):
    """Make an app close its connection at the end of each request."""
    app.teardown_appcontext(close_db)


def get_db():
    """Return this request's connection to the database. If there are no tables yet, create them."""
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"])
        g.db.row_factory = sqlite3.Row  # so that we can write row["username"]
        table = g.db.execute("SELECT sql FROM sqlite_master WHERE name = 'users'").fetchone()
        if table is None:
            create_tables(g.db)
        elif table["sql"].removeprefix("CREATE TABLE ") not in SCHEMA:
            raise RuntimeError(
                f"{current_app.config['DATABASE']} does not match schema.sql: one is older than the other. "
                "Delete this database, and the next request makes a new one."
            )
    return g.db


def close_db(error=None):
    """Close this request's connection, if there is one."""
    db = g.pop("db", None)
    if db is not None:
        db.close()


def create_tables(db):
    """Create the tables, with bob and alice as users."""
    # BEGIN IMMEDIATE locks the database. If the first two requests arrive at once, one waits for the other.
    db.executescript("BEGIN IMMEDIATE;" + SCHEMA)
    if db.execute("SELECT * FROM users").fetchone() is None:
        for *fields, password, is_admin in DEMO_USERS:
            db.execute(
                "INSERT INTO users (username, email, phone, password_hash, is_admin) VALUES (?, ?, ?, ?, ?)",
                (*fields, generate_password_hash(password), is_admin),
            )
    db.commit()

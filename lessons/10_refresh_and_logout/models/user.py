from db import get_db


class UserModel:
    """A user: one row of the table `users`."""

    def __init__(self, row):
        self.id = row["id"]
        self.username = row["username"]
        self.email = row["email"]
        self.phone = row["phone"]
        self.password_hash = row["password_hash"]
        self.is_admin = bool(row["is_admin"])

    @classmethod
    def find_by_id(cls, user_id):
        """Return the user with this id, or None."""
        row = get_db().execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
        return cls(row) if row else None

    @classmethod
    def find_by_username(cls, username):
        """Return the user with this username, or None."""
        row = get_db().execute("SELECT * FROM users WHERE username = ?", (username,)).fetchone()
        return cls(row) if row else None

    @classmethod
    def find_by_email(cls, email):
        """Return the user with this e-mail address, or None."""
        row = get_db().execute("SELECT * FROM users WHERE email = ?", (email,)).fetchone()
        return cls(row) if row else None

    @classmethod
    def find_all(cls):
        """Return all users in the order of their ids."""
        return [cls(row) for row in get_db().execute("SELECT * FROM users ORDER BY id")]

    def json(self):
        """Return the fields that the API may show. The password hash must stay secret."""
        return {"id": self.id, "username": self.username}

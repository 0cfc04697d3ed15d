from db import get_db


def revoke(jti):
    """Revoke the token with this id. Return False if somebody has already revoked it."""
    db = get_db()
    cursor = db.execute("INSERT OR IGNORE INTO revoked_tokens (jti) VALUES (?)", (jti,))
    db.commit()
    return cursor.rowcount == 1


def is_revoked(jti):
    """Return whether somebody has revoked the token with this id."""
    row = get_db().execute("SELECT jti FROM revoked_tokens WHERE jti = ?", (jti,)).fetchone()
    return row is not None

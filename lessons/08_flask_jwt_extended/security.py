from flask import current_app, request
from werkzeug.security import check_password_hash, generate_password_hash

from models.user import UserModel


def authenticate(email, password):
    """Return the user who has this e-mail address and this password, or None."""
    user = UserModel.find_by_email(email)
    if user is None:
        generate_password_hash(password)  # as slow as a check: time must not tell who has an account
        return None
    return user if check_password_hash(user.password_hash, password) else None


def identity(header, payload):
    """Return the user whom a token was issued to, or None if there is no such user any more."""
    user_id = str(payload[current_app.config["JWT_IDENTITY_CLAIM"]])
    if user_id.isascii() and user_id.isdigit() and len(user_id) < 19:  # what SQLite can hold
        return UserModel.find_by_id(int(user_id))
    return None


def read_authorization():
    """Read the header as Flask-JWT did, before Flask-JWT-Extended does.

    Bearer may be in any case (RFC 9110, section 11.1), and a comma neither ends a header nor begins another.
    """
    scheme, *rest = request.headers.get("Authorization", "").replace(",", ";").split() or [""]
    if scheme.lower() == "bearer":
        scheme = "Bearer"
    request.environ["HTTP_AUTHORIZATION"] = " ".join([scheme, *rest])

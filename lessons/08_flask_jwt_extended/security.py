from flask import current_app, request
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.serving import is_running_from_reloader

from models.user import UserModel

DEMO_KEY = "for-the-lessons-only-so-set-your-own"


def authenticate(email, password):
    """Return the user with this e-mail address and this password, or None."""
    user = UserModel.find_by_email(email)
    if user is None:
        # Hash the password anyway. A faster response would show that there is no such user.
        generate_password_hash(password)
        return None
    return user if check_password_hash(user.password_hash, password) else None


def identity(header, payload):
    """Return the user whom a token was issued to, or None if there is no such user any more."""
    user_id = str(payload[current_app.config["JWT_IDENTITY_CLAIM"]])
    if user_id.isascii() and user_id.isdigit() and len(user_id) < 19:  # what SQLite can hold
        return UserModel.find_by_id(int(user_id))
    return None


def check_secret_key(app):
    """Make sure that the key is text, and warn if it is the demo key."""
    app.secret_key = str(app.secret_key)  # from_prefixed_env() reads a key of digits as a number
    if app.secret_key == DEMO_KEY and not is_running_from_reloader():
        app.logger.warning("The demo key is for the lessons only. Before you deploy, set FLASK_SECRET_KEY.")


def read_authorization():
    """Read the header as Flask-JWT did, before Flask-JWT-Extended does.

    Bearer may be in any case (RFC 9110, section 11.1), and a comma neither ends a header nor begins another.
    """
    scheme, *rest = request.headers.get("Authorization", "").replace(",", ";").split() or [""]
    if scheme.lower() == "bearer":
        scheme = "Bearer"
    request.environ["HTTP_AUTHORIZATION"] = " ".join([scheme, *rest])

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


def identity(payload):
    """Return the user a token belongs to, or None if this user no longer exists."""
    return UserModel.find_by_id(payload.get("identity"))


def check_secret_key(app):
    """Make sure that there is a key and that it is text, and warn if it is the demo key."""
    if not app.secret_key:
        raise RuntimeError("The app needs a secret key. Set FLASK_SECRET_KEY to a long random text.")
    app.secret_key = str(app.secret_key)  # from_prefixed_env() reads a key of digits as a number
    if app.secret_key == DEMO_KEY and not is_running_from_reloader():
        app.logger.warning("The demo key is for the lessons only. Before you deploy, set FLASK_SECRET_KEY.")

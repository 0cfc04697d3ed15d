"""Test what the README of lesson 5 says about Flask-JWT and the tutorial."""

import flask_jwt
import pytest
from flask import jsonify
from flask_jwt import JWT, JWTError

from helpers import BOB, BOB_BY_EMAIL, load_lesson
from lesson_loader import find_lessons
from tokens import authorization, make_copies, mint_for

MISSING_TOKEN = {"WWW-Authenticate": 'JWT realm="Login Required"'}


def handle(error):
    return jsonify(message=error.description, code=error.status_code), error.status_code, error.headers


def fail(*arguments):
    raise LookupError


@pytest.fixture
def lesson_5(tmp_path):
    return load_lesson(find_lessons()[5], tmp_path / "data.db")


def refusals(app):
    """Send one request for each reason why Flask-JWT refuses requests. Return the responses by reason."""
    client = app.test_client()
    good, bad = make_copies(mint_for(app), app.config["SECRET_KEY"], identity=1)
    headers = {
        "a missing token": {},
        "another scheme": authorization(good, prefix="Bearer"),
        "a scheme without a token": {"Authorization": "JWT"},
        "a token with spaces": authorization(f"{good} {good}"),
        "nonsense": authorization("nonsense"),
        "an unknown user": authorization(mint_for(app, None)),
        **{name: authorization(token) for name, token in bad.items()},
    }
    logins = {
        "a wrong password": {"json": BOB | {"password": "wrong"}},
        "a missing key": {"json": {"username": "bob"}},
        "a login that is not JSON": {"data": "bob:builder"},
    }
    responses = {name: client.get("/view", headers=value) for name, value in headers.items()}
    return responses | {name: client.post("/auth", **login) for name, login in logins.items()}


def test_an_error_has_four_fields(make_app):
    """Each refusal has the same fields, and only a missing token has headers."""
    app, errors = make_app(identity=lambda payload: payload.get("identity")), []
    app.jwt.jwt_error_handler(lambda error: errors.append(error) or handle(error))
    reasons = list(refusals(app))
    assert len(errors) == len(reasons) == 14
    for reason, error in zip(reasons, errors, strict=True):
        assert vars(error).keys() == {"error", "description", "status_code", "headers"}, reason
        assert error.headers == (MISSING_TOKEN if reason == "a missing token" else None), reason
        assert error.status_code == (400 if reason == "a login that is not JSON" else 401), reason
        assert {type(error.error), type(error.description)} == {str}, reason
    described = {
        reason: (error.error, error.description) for reason, error in zip(reasons, errors, strict=True)
    }
    assert described["a missing token"] == (
        "Authorization Required",
        "Request does not contain an access token",
    )
    assert described["a wrong password"] == ("Bad Request", "Invalid credentials")


def test_your_handler_makes_the_response_to_each_refusal(make_app):
    """Every response has the format of the handler."""
    app = make_app(identity=lambda payload: payload.get("identity"))
    assert all(
        response.json.keys() == {"status_code", "error", "description"} for response in refusals(app).values()
    )
    app.jwt.jwt_error_handler(handle)
    for reason, response in refusals(app).items():
        assert response.json.keys() == {"message", "code"}, reason
        assert response.json["code"] == response.status_code, reason


def test_a_jwt_error_that_you_raise_reaches_the_handler(make_app):
    """Your handler gets the error with the values that you raised."""

    def locked(username, password):
        raise JWTError("Locked", "Try again tomorrow", 423)

    app = make_app(authenticate=locked)
    app.jwt.jwt_error_handler(handle)
    response = app.test_client().post("/auth", json=BOB)
    assert (response.status_code, response.json) == (423, {"message": "Try again tomorrow", "code": 423})


def test_a_bug_in_a_handler_is_no_jwt_error(make_app, log_in):
    """An exception in authenticate, identity or the response handler gets a 500."""
    app, errors = make_app(), []
    app.jwt.jwt_error_handler(lambda error: errors.append(error) or handle(error))
    token = log_in(app)
    app.jwt.identity_handler(fail)
    assert app.test_client().get("/view", headers=token).status_code == 500
    app.jwt.auth_response_handler(fail)
    assert app.test_client().post("/auth", json=BOB).status_code == 500
    app.jwt.authentication_handler(fail)
    assert app.test_client().post("/auth", json=BOB).status_code == 500
    assert not errors


def test_a_bug_in_a_view_reaches_the_apps_own_page(edited):
    """Flask calls the app's errorhandler(500)."""
    app = edited(5, {"UserModel.find_all()": "UserModel.find_nobody()"}, file="resources/user.py")
    app.register_error_handler(500, lambda error: ("our own page", 500))
    response = app.test_client().get("/users", headers=authorization(mint_for(app)))
    assert (response.status_code, response.text) == (500, "our own page")


def test_an_unknown_url_or_method_gets_flasks_page(lesson_5):
    """A 404, a 405 and a 413 are not errors of Flask-JWT."""
    for response, status in (
        (lesson_5.test_client().get("/nothing"), 404),
        (lesson_5.test_client().get("/login"), 405),
        (lesson_5.test_client().post("/login", json={"email": "b" * 2**20, "password": "p"}), 413),
    ):
        assert (response.status_code, response.mimetype) == (status, "text/html")


def test_flask_restful_alone_does_not_call_the_handler(make_app):
    """Without our api.py, a missing token gets a 500, unless PROPAGATE_EXCEPTIONS is True."""
    app = make_app()
    app.jwt.jwt_error_handler(handle)
    assert app.test_client().get("/resource").status_code == 500
    app.config["PROPAGATE_EXCEPTIONS"] = True
    response = app.test_client().get("/resource")
    assert (response.status_code, response.json.keys()) == (401, {"message", "code"})


def test_the_tutorials_hook_does_not_exist(make_app):
    """Flask-JWT 0.3.2 has the old name only in a docstring."""
    with pytest.raises(AttributeError, match="error_handler"):
        make_app().jwt.error_handler(handle)
    assert "@jwt.error_handler" in JWT.jwt_error_handler.__doc__


def test_the_tutorials_handler_loses_the_headers(make_app):
    """A handler that returns no headers removes WWW-Authenticate from the 401 for a missing token."""
    app = make_app()
    for handler, header in ((lambda error: handle(error)[:2], None), (handle, 'JWT realm="Login Required"')):
        app.jwt.jwt_error_handler(handler)
        response = app.test_client().get("/view")
        assert (response.status_code, response.headers.get("WWW-Authenticate")) == (401, header)


def test_the_400_comes_from_our_module(make_app):
    """With Flask-JWT alone, a login that is not JSON gets a 415 and Flask's own page."""
    app = make_app()
    app.jwt.jwt_error_handler(handle)
    response = app.test_client().post("/auth", data="bob:builder")
    assert (response.status_code, response.json["code"]) == (400, 400)
    unchecked_login = flask_jwt._default_auth_request_handler.__wrapped__
    app = make_app(JWT_AUTH_URL_OPTIONS={"methods": ["POST"], "view_func": unchecked_login})
    app.jwt.jwt_error_handler(handle)
    response = app.test_client().post("/auth", data="bob:builder")
    assert (response.status_code, response.mimetype) == (415, "text/html")


def test_an_unknown_address_gets_the_same_response_as_a_wrong_password(lesson_5):
    """The response does not show who has an account."""
    client = lesson_5.test_client()
    wrong_password = client.post("/login", json=BOB_BY_EMAIL | {"password": "wrong"})
    unknown = client.post("/login", json=BOB_BY_EMAIL | {"email": "nobody@example.com"})
    assert wrong_password.status_code == unknown.status_code == 401
    assert wrong_password.data == unknown.data


def test_only_flask_jwts_own_handler_logs_the_error(make_app, caplog):
    """Your handler replaces the one that writes to the log."""
    app = make_app()
    app.test_client().get("/view")
    assert "Request does not contain an access token" in caplog.text
    caplog.clear()
    app.jwt.jwt_error_handler(handle)
    app.test_client().get("/view")
    assert not caplog.records

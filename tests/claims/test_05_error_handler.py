"""What the README of lesson 5 says about Flask-JWT and the tutorial."""

import pytest
from flask import jsonify
from flask_jwt import JWT, JWTError

from helpers import BOB
from tokens import authorization


def handle(error):
    return jsonify(message=error.description, code=error.status_code), error.status_code, error.headers


def fail(*arguments):
    raise LookupError


def test_the_tutorials_hook_does_not_exist(make_app):
    """The tutorial's `@jwt.error_handler` is an AttributeError: the hook is `@jwt.jwt_error_handler`.
    Even its own docstring shows the old name, which went with version 0.3.0."""
    with pytest.raises(AttributeError, match="error_handler"):
        make_app().jwt.error_handler(handle)
    assert "@jwt.error_handler" in JWT.jwt_error_handler.__doc__


def test_flask_restful_does_not_call_it(make_app):
    """Without `PROPAGATE_EXCEPTIONS`, Flask-RESTful does not even call it, and answers 500."""
    app = make_app()
    app.jwt.jwt_error_handler(handle)
    assert app.test_client().get("/resource").status_code == 500
    app.config["PROPAGATE_EXCEPTIONS"] = True
    assert app.test_client().get("/resource").json.keys() == {"message", "code"}


def test_the_tutorials_handler_drops_the_headers(make_app):
    """The tutorial's handler returns no headers and so drops `WWW-Authenticate`, which names the scheme.
    RFC 9110, section 15.5.2, wants it on each 401; Flask-JWT sends it when the token is missing."""
    app = make_app()
    app.jwt.jwt_error_handler(lambda error: handle(error)[:2])
    assert "WWW-Authenticate" not in app.test_client().get("/view").headers
    app.jwt.jwt_error_handler(handle)
    assert "WWW-Authenticate" in app.test_client().get("/view").headers


def test_an_error_of_your_own_is_no_jwt_error(make_app, log_in):
    """The tutorial says that any error in a handler becomes a JWTError. Only Flask-JWT's own refusals
    are: an exception in `authenticate`, `identity` or the response handler is a 500 that passes by."""
    app = make_app()
    app.jwt.jwt_error_handler(handle)
    token = log_in(app)
    app.jwt.identity_handler(fail)
    assert app.test_client().get("/view", headers=token).status_code == 500
    app.jwt.auth_response_handler(fail)
    assert app.test_client().post("/auth", json=BOB).status_code == 500
    app.jwt.authentication_handler(fail)
    assert app.test_client().post("/auth", json=BOB).status_code == 500


def test_a_jwt_error_of_your_own_arrives(make_app):
    """To refuse in your own words, raise one yourself. `JWTError("Locked", "Try tomorrow", 423)`, raised
    in `authenticate`, arrives at the handler."""

    def locked(username, password):
        raise JWTError("Locked", "Try tomorrow", 423)

    app = make_app(authenticate=locked)
    app.jwt.jwt_error_handler(handle)
    response = app.test_client().post("/auth", json=BOB)
    assert (response.status_code, response.json) == (423, {"message": "Try tomorrow", "code": 423})


def test_a_wrong_password_is_an_error_too(make_app):
    """A wrong password comes here too: what the handler writes, people read when they mistype it."""
    app = make_app()
    app.jwt.jwt_error_handler(handle)
    response = app.test_client().post("/auth", json=BOB | {"password": "wrong"})
    assert response.json == {"message": "Invalid credentials", "code": 401}


def test_an_error_has_four_fields(make_app):
    """The error has an `error`, a `description`, a `status_code` and `headers`; `headers` is None unless
    the token is missing."""
    app, errors = make_app(), []
    app.jwt.jwt_error_handler(lambda error: errors.append(error) or handle(error))
    app.test_client().get("/view", headers=authorization("nonsense"))
    app.test_client().get("/view")
    assert vars(errors[0]).keys() == {"error", "description", "status_code", "headers"}
    assert errors[0].headers is None
    assert errors[1].headers == {"WWW-Authenticate": 'JWT realm="Login Required"'}

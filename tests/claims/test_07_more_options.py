"""Test what lesson 7 says: one test for each option and each hook in reference.md, on the lesson's app."""

import ast
import inspect
import re
import subprocess
import sys
import time
import warnings
from datetime import timedelta
from functools import partial
from pathlib import Path

import flask_jwt
import jwt as pyjwt
import pytest
from flask import Flask, request
from flask_jwt_extended import JWTManager
from werkzeug.exceptions import Forbidden, NotFound, Unauthorized

from helpers import ALICE_BY_EMAIL, functions_in, last_error, section
from lesson_loader import find_lessons
from tokens import authorization, mint_for, read_algorithm, read_claims

JWT_LINE = "jwt = JWT(app, authenticate, identity)  # POST /login\n"
TIMES = {"exp": 2**32, "iat": 0, "nbf": 0}
FLAWS = [{"key": "x" * 32}, {"age": 9999}, {"nbf": 2**32}, {"iat": 2**32}]  # each causes a 401
BAD_TOKENS = [*FLAWS, {"exp": None}, {"aud": "another"}, {"identity": 99}]
REFERENCE = find_lessons()[7] / "reference.md"


@pytest.fixture
def lesson_with(edited):
    """A function that loads lesson 7 with options set just before JWT(...), or just after it (late)."""

    def lesson_with(late=False, **options):
        lines = "".join(f"app.config[{name!r}] = {value!r}\n" for name, value in options.items())
        text = JWT_LINE + lines if late else lines + JWT_LINE
        return edited(7, {JWT_LINE: f"import datetime\n{text}"})

    return lesson_with


@pytest.fixture
def lesson_and_jwt(edited):
    """A function that loads lesson 7 and returns its app and its JWT object."""

    def lesson_and_jwt():
        app = edited(7, {})
        return app, app.extensions["jwt"]

    return lesson_and_jwt


def login(app, body=ALICE_BY_EMAIL, url="/login", method="POST"):
    return app.test_client().open(url, method=method, json=body)


def issued(app):
    """Return the claims of a token that a login has just issued."""
    return read_claims(login(app).json["access_token"])


def users(app, token=None, prefix="Bearer"):
    """Return the response to a request for the users, with a token of the admin or with another one."""
    token = mint_for(app, identity=2) if token is None else token
    return app.test_client().get("/users", headers=authorization(token, prefix))


def status(app, token=None, prefix="Bearer"):
    return users(app, token, prefix).status_code


def challenge(app):
    return app.test_client().get("/users").headers["WWW-Authenticate"]


def endpoints(app):
    return {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule == "/login"}


def rows(heading):
    """Return the rows of the table below a heading of reference.md, as lists of cells."""
    _, _, rest = REFERENCE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    return read_rows(rest.partition("\n## ")[0].partition("\n### ")[0])


def read_rows(text):
    """Return the rows of a Markdown table, as lists of cells, without the heading."""
    return [line.strip("| ").split(" | ") for line in re.findall(r"^\| `.+ \|$", text, re.MULTILINE)]


def name_in(cell):
    """Return the name of the option or hook at the beginning of a table's cell."""
    return re.match(r"`@?(?:jwt\.)?(\w+)`", cell)[1]


def column(number):
    """Return a column of the table of options, by the option's name."""
    return {name_in(row[0]): row[number] for row in rows("Options")}


# the tables themselves


def test_every_row_names_a_test_that_contains_its_numbers():
    """The test also contains the names of other options and of algorithms."""
    tests = {test.name: ast.unparse(test) for test in functions_in(Path(__file__))}
    for name, *_, statement, test in rows("Options") + rows("Hooks"):
        proof = f"test_{name_in(name).lower()}"
        assert test == f"[{proof}](../../tests/claims/{Path(__file__).name})"
        text = re.sub(r"\(#.+?\)", "", statement)
        claims = re.findall(r"\b(?:\d+|[A-Z]{2}\d{3}|[A-Z]+_[A-Z_]+)\b", text)
        missing = [claim for claim in claims if not re.search(rf"\b{claim}\b", tests[proof])]
        assert missing == [], statement


def constants(pattern):
    """Return the strings in the source of the installed Flask-JWT that match a pattern."""
    tree = ast.parse(inspect.getsource(flask_jwt))
    found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in found if isinstance(text, str) and re.fullmatch(pattern, text)}


def test_no_option_of_flask_jwt_is_missing():
    listed = [name_in(row[0]) for row in rows("Options")]
    in_source = constants("[A-Z]+(_[A-Z]+)+")
    assert in_source > flask_jwt.CONFIG_DEFAULTS.keys()
    assert sorted(listed) == sorted(in_source | {"JWT_VERIFY", "JWT_VERIFY_EXPIRATION"})


def test_no_hook_of_flask_jwt_is_missing():
    listed = [name_in(row[0]) for row in rows("Hooks")]
    own = [
        name
        for name, value in vars(flask_jwt).items()
        if getattr(value, "__module__", None) == "flask_jwt" and name.lstrip("_") == name
    ]
    methods = [name for name in vars(flask_jwt.JWT) if not name.startswith("_")]
    assert {"jwt_required", "JWTError"} < set(own)
    assert sorted(listed) == sorted([*own, *methods, "current_identity", "_jwt_required"])


def test_every_default_is_the_default_in_the_source():
    """Four defaults are not in CONFIG_DEFAULTS, and two are only in the documentation."""
    given = {name: text.removeprefix("documented: ").strip("`") for name, text in column(1).items()}
    app = Flask("bare")
    app.config["SECRET_KEY"] = "s" * 32
    flask_jwt.JWT(app, lambda username, password: None)
    assert given.pop("JWT_SECRET_KEY") == "SECRET_KEY"
    assert app.config["JWT_SECRET_KEY"] == app.config["SECRET_KEY"]
    shown = {name: eval(text, {"timedelta": timedelta}) for name, text in given.items()}
    assert shown.pop("SECRET_KEY") is Flask("bare").config["SECRET_KEY"] is None
    assert shown.pop("JWT_VERIFY") is shown.pop("JWT_VERIFY_EXPIRATION") is True
    [login_rule] = [rule for rule in app.url_map.iter_rules() if rule.rule == "/auth"]
    assert set(shown.pop("JWT_AUTH_URL_OPTIONS")["methods"]) == login_rule.methods - {"OPTIONS"}
    assert shown == flask_jwt.CONFIG_DEFAULTS


READ = {  # for each option: another value, and a function that measures its effect
    "SECRET_KEY": ("s" * 32, lambda app: status(app, mint_for(app, identity=2, key="s" * 32))),
    "JWT_SECRET_KEY": ("s" * 32, lambda app: status(app, mint_for(app, identity=2, key="s" * 32))),
    "JWT_ALGORITHM": (
        "HS384",
        lambda app: read_algorithm(login(with_long_key(app)).json["access_token"]),
    ),
    "JWT_AUTH_URL_RULE": ("/enter", lambda app: login(app, url="/enter").status_code),
    "JWT_AUTH_URL_OPTIONS": ({"methods": ["PUT"]}, lambda app: login(app, method="PUT").status_code),
    "JWT_AUTH_ENDPOINT": ("login", endpoints),
    "JWT_AUTH_USERNAME_KEY": ("name", lambda app: login(app).status_code),
    "JWT_AUTH_PASSWORD_KEY": ("pin", lambda app: login(app).status_code),
    "JWT_AUTH_HEADER_PREFIX": ("Token", lambda app: status(app, prefix="Token")),
    "JWT_DEFAULT_REALM": ("Zoo", challenge),
    "JWT_EXPIRATION_DELTA": (
        timedelta(hours=1),
        lambda app: (token := issued(app))["exp"] - token["iat"],
    ),
    "JWT_NOT_BEFORE_DELTA": (
        timedelta(hours=1),
        lambda app: (token := issued(app))["nbf"] - token["iat"],
    ),
    "JWT_LEEWAY": (60, lambda app: status(app, mint_for(app, identity=2, age=330))),
    "JWT_VERIFY_CLAIMS": (None, lambda app: status(app)),
    "JWT_REQUIRED_CLAIMS": ([], lambda app: status(app, mint_for(app, identity=2, exp=None))),
    "JWT_VERIFY": (False, lambda app: status(app, mint_for(app, identity=2, key="x" * 32))),
    "JWT_VERIFY_EXPIRATION": (False, lambda app: status(app, mint_for(app, identity=2, age=9999))),
}


def with_long_key(app):
    """Give the app a key that is long enough for each algorithm."""
    app.config["JWT_SECRET_KEY"] = "s" * 64
    return app


@pytest.mark.parametrize("name", READ)
def test_an_option_is_read_when_the_table_says(lesson_with, name):
    """An option that is changed after JWT(...) has an effect only if Flask-JWT reads it with each request."""
    value, look = READ[name]
    default, early, late = (
        look(lesson_with(**options)) for options in ({}, {name: value}, {"late": True, name: value})
    )
    if early == late:
        measured = "never" if early == default else "request"
    else:
        assert late == default
        measured = "once"
    assert measured == column(3)[name]


def test_three_options_are_read_once():
    """All others are read with each request, or never."""
    once = {name for name, read in column(3).items() if read == "once"}
    assert once == {"SECRET_KEY", "JWT_AUTH_URL_RULE", "JWT_AUTH_URL_OPTIONS"}
    assert set(column(3).values()) == {"once", "request", "never"}
    assert column(3).keys() == READ.keys()


def signs_and_verifies(app):
    """Return whether the app signs tokens with its key, and accepts one that was signed with this key."""
    return status(app, login(app).json["access_token"]) == 200 == status(app, mint_for(app, 2, key="s" * 32))


KEYS = {"text": "s" * 32, "bytes": b"s" * 32, "seconds": 10**32, "list": ["s" * 32], "None": None}
HOUR = {
    **{"text": "3600", "bytes": b"3600", "seconds": 3600, "timedelta": timedelta(hours=1)},
    **{"list": [3600], "dict": {"hours": 1}, "None": None},
}
TYPES = {  # for each option: a value of each type, and a function that tells whether the value has its effect
    "SECRET_KEY": (KEYS, signs_and_verifies),
    "JWT_SECRET_KEY": (KEYS, signs_and_verifies),
    "JWT_ALGORITHM": (
        {"text": "HS384", "bytes": b"HS384", "list": ["HS384"], "None": None},
        lambda app: read_algorithm(login(with_long_key(app)).json["access_token"]) == "HS384",
    ),
    "JWT_AUTH_URL_RULE": (
        {"text": "/enter", "bytes": b"/enter", "list": ["/enter"], "dict": {"rule": "/enter"}, "None": None},
        lambda app: (
            login(app).status_code == 404
            and login(app, url="/enter").status_code == (200 if app.config["JWT_AUTH_URL_RULE"] else 404)
        ),
    ),
    "JWT_AUTH_URL_OPTIONS": (
        {"text": "PUT", "list": ["PUT"], "dict": {"methods": ["PUT"]}, "None": None},
        lambda app: login(app, method="PUT").status_code == 200,
    ),
    "JWT_AUTH_USERNAME_KEY": (
        {"text": "1", "bytes": b"1", "seconds": 1, "list": ["1"], "None": None},
        lambda app: login(app, {"1": "alice@example.com", "password": "wonderland"}).status_code == 200,
    ),
    "JWT_AUTH_PASSWORD_KEY": (
        {"text": "1", "bytes": b"1", "seconds": 1, "list": ["1"], "None": None},
        lambda app: login(app, {"email": "alice@example.com", "1": "wonderland"}).status_code == 200,
    ),
    "JWT_AUTH_HEADER_PREFIX": (
        {"text": "Token", "bytes": b"Token", "list": ["Token"], "None": None},
        lambda app: status(app, prefix="Token") == 200,
    ),
    "JWT_DEFAULT_REALM": (
        {"text": "Zoo", "bytes": b"Zoo", "list": ["Zoo"], "None": None},
        lambda app: challenge(app) == 'JWT realm="Zoo"',
    ),
    "JWT_EXPIRATION_DELTA": (HOUR, lambda app: (token := issued(app))["exp"] - token["iat"] == 3600),
    "JWT_NOT_BEFORE_DELTA": (HOUR, lambda app: (token := issued(app))["nbf"] - token["iat"] == 3600),
    "JWT_LEEWAY": (HOUR, lambda app: status(app, mint_for(app, identity=2, age=3000)) == 200),
    "JWT_VERIFY_CLAIMS": (
        {"bytes": b"exp", "seconds": 1, "timedelta": timedelta(1), "list": ["exp"], "None": None},
        lambda app: status(app) == 200,
    ),
    "JWT_REQUIRED_CLAIMS": (
        {"text": "exp", "bytes": b"exp", "seconds": 1, "list": ["exp"], "None": None},
        lambda app: status(app, login(app).json["access_token"]) == 200,
    ),
}


@pytest.mark.parametrize("name", TYPES)
def test_an_option_accepts_the_types_in_the_table(lesson_with, name):
    """A value of another type has no effect, gets a 500, or stops the app from starting."""
    values, works = TYPES[name]

    def has_its_effect(value):
        try:
            return works(lesson_with(**{name: value}))
        except (AttributeError, KeyError, TypeError, ValueError):
            return False

    accepted = {kind for kind, value in values.items() if has_its_effect(value)}
    words = set(re.findall(r"\w+", column(2)[name]))
    assert accepted == words & {"text", "bytes", "seconds", "timedelta", "list", "dict", "None"}
    assert words <= accepted | {"or", "only", "of", "names"}


def test_only_an_option_that_is_never_read_has_no_type():
    assert {name for name, type in column(2).items() if type == "-"} == {
        name for name, read in column(3).items() if read == "never"
    }
    assert TYPES.keys() == {name for name, type in column(2).items() if type != "-"}


def test_a_hook_has_the_arguments_of_the_table(lesson_and_jwt):
    """Flask-JWT calls each handler with as many arguments as the table says."""
    table = {name_in(row[0]): row[1].strip("`") for row in rows("Hooks")}
    app, jwt = lesson_and_jwt()
    called = {}

    def record(name, handler):
        def recorder(*arguments):
            called[name] = len(arguments)
            return handler(*arguments)

        getattr(jwt, name)(recorder)

    for name in table:
        if name.endswith("_handler") and name != "auth_request_handler":
            record(name, getattr(jwt, name.replace("_handler", "_callback")))
    assert status(app, login(app).json["access_token"]) == 200
    assert app.test_client().get("/users").status_code == 401
    jwt = flask_jwt.JWT(None)
    with pytest.warns(DeprecationWarning, match="deprecated"):
        record("auth_request_handler", lambda: "welcome")
    app = Flask("bare")
    app.config["SECRET_KEY"] = "s" * 32
    jwt.init_app(app)
    assert login(app, url="/auth").text == "welcome"
    called["JWT"] = len(inspect.signature(flask_jwt.JWT).parameters)
    for name in ("_jwt_required", "jwt_required", "JWTError", "encode_token"):
        called[name] = len(inspect.signature(getattr(flask_jwt, name)).parameters)
        assert str(inspect.signature(getattr(flask_jwt, name))) == table[name]
    called["init_app"] = len(inspect.signature(jwt.init_app).parameters)
    assert table.pop("current_identity") == "-"
    assert called == {name: len(re.findall(r"\w+(?:=\w+)?", text)) for name, text in table.items()}


def test_the_readme_shows_a_row_of_the_reference():
    """The example in the README has the same cells, except for the link."""
    [shown] = read_rows(section(find_lessons()[7], "How it works"))
    [row] = [row for row in rows("Options") if row[0] == shown[0]]
    assert [cell.replace("(reference.md#", "(#") for cell in shown] == row[:-1]


# the options


def test_secret_key(lesson_with, edited, caplog):
    changed = lesson_with(late=True, SECRET_KEY="s" * 32)
    assert status(changed, mint_for(changed, identity=2, key="s" * 32)) == 401
    assert status(changed, login(changed).json["access_token"]) == 200
    assert changed.config["JWT_SECRET_KEY"] != changed.config["SECRET_KEY"]
    unset = "app.config['SECRET_KEY'] = None\n"
    late = edited(7, {JWT_LINE: unset + JWT_LINE + "app.config['SECRET_KEY'] = 's' * 32\n"})
    assert login(late).status_code == 500
    assert "string or bytes" in last_error(caplog)


def test_jwt_secret_key(lesson_with):
    assert lesson_with().config["JWT_SECRET_KEY"] == lesson_with().config["SECRET_KEY"]
    for key in ("s" * 32, b"s" * 32):
        app = lesson_with(JWT_SECRET_KEY=key)
        assert status(app, mint_for(app, identity=2, key="s" * 32)) == 200
        assert status(app) == 401


@pytest.mark.parametrize(("algorithm", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_short_key_causes_a_warning(lesson_with, algorithm, least):
    """Each algorithm needs a longer key, but a shorter one works too."""
    app = lesson_with(JWT_ALGORITHM=algorithm, JWT_SECRET_KEY="s" * least)
    assert status(app, login(app).json["access_token"]) == 200  # a warning would be an error here
    app = lesson_with(JWT_ALGORITHM=algorithm, JWT_SECRET_KEY="s" * (least - 1))
    with warnings.catch_warnings(record=True, action="always") as caught:
        assert status(app, login(app).json["access_token"]) == 200
    messages = [str(each.message) for each in caught if each.category is pyjwt.InsecureKeyLengthWarning]
    assert messages
    assert all(str(least) in message for message in messages)


def test_jwt_algorithm(lesson_with):
    for algorithm in ("HS256", "HS384", "HS512"):
        app = lesson_with(JWT_ALGORITHM=algorithm, JWT_SECRET_KEY="s" * 64)
        token = login(app).json["access_token"]
        assert read_algorithm(token) == algorithm
        assert status(app, token) == 200
        assert status(app, mint_for(app, identity=2, key="s" * 64, algorithm=algorithm)) == 200
        others = {"HS256", "HS384", "HS512"} - {algorithm}
        assert {
            status(app, mint_for(app, identity=2, key="s" * 64, algorithm=other)) for other in others
        } == {401}


def test_other_algorithms_need_a_package():
    """Without cryptography, each correct login gets a 500. The log says why."""
    code = """
import sys
sys.modules["cryptography"] = None  # an import of it fails
import flask_jwt_compat, flask, flask_jwt
app = flask.Flask("a")
app.config.update(SECRET_KEY="k" * 64, JWT_ALGORITHM=sys.argv[1])
flask_jwt.JWT(app, lambda username, password: type("User", (), {"id": 1}))
print(app.test_client().post("/auth", json={"username": "bob", "password": "builder"}).status_code)
"""
    for algorithm in ("ES256", "EdDSA", "RS256", "PS256"):
        run = subprocess.run([sys.executable, "-c", code, algorithm], capture_output=True, text=True)
        assert run.stdout == "500\n"
        assert "Do you have cryptography installed?" in run.stderr


def test_es256_works_with_one_key_and_rs256_does_not(lesson_with, caplog):
    """PyJWT gets the public key of ES256 and EdDSA from the private key, but not that of RS256 and PS256."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    rsa_key = rsa.generate_private_key(65537, 2048)
    for algorithm, key, expected in (
        ("ES256", ec.generate_private_key(ec.SECP256R1()), 200),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate(), 200),
        ("RS256", rsa_key, 500),
        ("PS256", rsa_key, 500),
    ):
        text = key.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode()
        app = lesson_with(JWT_ALGORITHM=algorithm, JWT_SECRET_KEY=text)
        token = login(app).json["access_token"]
        assert read_algorithm(token) == algorithm
        assert status(app, token) == expected
        if expected == 500:
            assert "no attribute 'verify'" in last_error(caplog)
            verify = partial(pyjwt.decode, key=key.public_key(), algorithms=[algorithm])
            app.extensions["jwt"].jwt_decode_handler(verify)
            assert status(app, token) == 200
        assert status(app, token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:]) == 401


def test_jwt_auth_url_rule(lesson_with):
    assert login(lesson_with(JWT_AUTH_URL_RULE="/enter"), url="/enter").status_code == 200
    with pytest.raises(ValueError, match="slash"):
        lesson_with(JWT_AUTH_URL_RULE="enter")
    assert login(lesson_with(JWT_AUTH_URL_RULE="/enter/"), url="/enter").status_code == 308
    for nothing in (None, ""):
        assert login(lesson_with(JWT_AUTH_URL_RULE=nothing)).status_code == 404


def test_jwt_auth_url_options(lesson_with):
    assert login(lesson_with(JWT_AUTH_URL_OPTIONS={"methods": ["PUT"]}), method="PUT").status_code == 200
    forgot = lesson_with(JWT_AUTH_URL_OPTIONS={"endpoint": "login"})
    assert endpoints(forgot) == {"login"}
    assert login(forgot).status_code == 405
    assert login(forgot, method="GET").status_code == 200
    assert forgot.config["JWT_AUTH_URL_OPTIONS"].keys() == {"endpoint", "view_func"}
    app = Flask("bare")
    app.config.update(SECRET_KEY="s" * 32, JWT_AUTH_URL_OPTIONS={"view_func": lambda: "my own"})
    flask_jwt.JWT(app, lambda username, password: None)
    assert app.test_client().get("/auth").text == "my own"
    assert {
        frozenset(rule.methods) for rule in lesson_with().url_map.iter_rules() if rule.rule == "/login"
    } == {frozenset({"POST", "OPTIONS"})}


def test_jwt_auth_endpoint(lesson_with):
    assert endpoints(lesson_with()) == {"_default_auth_request_handler"}
    assert endpoints(lesson_with(JWT_AUTH_ENDPOINT="login")) == {"_default_auth_request_handler"}
    named = lesson_with(JWT_AUTH_URL_OPTIONS={"methods": ["POST"], "endpoint": "login"})
    assert endpoints(named) == {"login"}


def test_jwt_auth_username_key(lesson_with):
    app = lesson_with(JWT_AUTH_USERNAME_KEY="name")
    given = []
    app.extensions["jwt"].authentication_handler(lambda *arguments: given.append(arguments))
    assert login(app, {"name": "alice@example.com", "password": "wonderland"}).status_code == 401
    assert given == [("alice@example.com", "wonderland")]
    assert login(app).status_code == 401
    assert len(given) == 1


def test_jwt_auth_password_key(lesson_with):
    app = lesson_with(JWT_AUTH_PASSWORD_KEY="pin")
    right = {"email": "alice@example.com", "pin": "wonderland"}
    assert login(app, right).status_code == 200
    assert login(app, right | {"password": "wonderland"}).status_code == 401
    assert login(app, {"pin": "wonderland"}).status_code == 401
    assert login(app).status_code == 401


def test_jwt_auth_header_prefix(lesson_with):
    assert [status(lesson_with(), prefix=prefix) for prefix in ("Bearer", "JWT")] == [200, 401]
    app = lesson_with(JWT_AUTH_HEADER_PREFIX="Token")
    assert [status(app, prefix=prefix) for prefix in ("Token", "token", "TOKEN", "Bearer")] == [200] * 3 + [
        401
    ]
    assert challenge(app).startswith("JWT ")
    none = lesson_with(JWT_AUTH_HEADER_PREFIX="")
    for value in ("{}", " {}", "JWT {}", "Bearer {}"):
        header = {"Authorization": value.format(mint_for(none, identity=2))}
        assert none.test_client().get("/users", headers=header).status_code == 401


def test_jwt_default_realm(lesson_with):
    app = lesson_with(JWT_DEFAULT_REALM="Zoo")
    app.add_url_rule("/cage", view_func=flask_jwt.jwt_required(realm="Cage")(lambda: "in"))
    assert challenge(app) == 'JWT realm="Zoo"'
    assert app.test_client().get("/cage").headers["WWW-Authenticate"] == 'JWT realm="Cage"'
    headers = [f"Bearer {mint_for(app, **changes)}" for changes in BAD_TOKENS]
    headers += [
        "Bearer",
        "Bearer a b",
        "Bearer token",
        "Bearer not.a.token",
        f"JWT {mint_for(app, identity=2)}",
        "Basic Ym9iOmI=",
    ]
    others = [app.test_client().get("/users", headers={"Authorization": header}) for header in headers]
    others.append(login(app, {"email": "alice@example.com", "password": "wrong"}))
    assert [response.status_code for response in others] == [401] * len(others)
    assert not any("WWW-Authenticate" in response.headers for response in others)


def test_jwt_expiration_delta(lesson_with, caplog):
    token = issued(lesson_with(JWT_EXPIRATION_DELTA=timedelta(minutes=1)))
    assert token["exp"] - token["iat"] == 60
    for number in (60, 60.5):
        assert login(lesson_with(JWT_EXPIRATION_DELTA=number)).status_code == 500
    assert "'float'" in last_error(caplog)


def test_jwt_not_before_delta(lesson_with):
    late = lesson_with(JWT_NOT_BEFORE_DELTA=timedelta(minutes=1))
    soon = lesson_with(JWT_NOT_BEFORE_DELTA=timedelta(seconds=9))
    assert status(late, login(late).json["access_token"]) == 401
    assert status(soon, login(soon).json["access_token"]) == 200
    patient = lesson_with(JWT_NOT_BEFORE_DELTA=timedelta(minutes=1), JWT_LEEWAY=timedelta(minutes=2))
    assert status(patient, login(patient).json["access_token"]) == 200
    strict = lesson_with(JWT_NOT_BEFORE_DELTA=timedelta(seconds=9), JWT_LEEWAY=0)
    assert status(strict, login(strict).json["access_token"]) == 401


def test_jwt_leeway(lesson_with):
    for leeway in (60, 60.5, timedelta(minutes=1)):
        app, now = lesson_with(JWT_LEEWAY=leeway), int(time.time())
        for off, expected in ((50, 200), (70, 401)):
            assert status(app, mint_for(app, identity=2, exp=now - off)) == expected
            assert status(app, mint_for(app, identity=2, nbf=now + off)) == expected
            assert status(app, mint_for(app, identity=2, iat=now + off)) == expected


def test_jwt_verify_claims(lesson_with):
    for claims in ([], ["signature"], ["exp"], ["nbf", "iat"], ["exp", "nbf", "iat", "signature", "aud"]):
        app = lesson_with(JWT_VERIFY_CLAIMS=claims)
        assert {status(app, mint_for(app, identity=2, **changes)) for changes in FLAWS} == {401}
        assert status(app) == 200


def test_jwt_required_claims(lesson_with, caplog):
    app = lesson_with(JWT_REQUIRED_CLAIMS=["exp", "iat", "nbf", "role"])
    assert status(app) == 401
    assert status(app, mint_for(app, identity=2, role="admin")) == 200
    assert login(app).status_code == 500
    assert "missing required claims: role" in last_error(caplog)
    assert status(lesson_with(), mint_for(app, identity=2, exp=None)) == 401
    assert status(lesson_with(JWT_REQUIRED_CLAIMS=[]), mint_for(app, identity=2, exp=None)) == 200


def test_jwt_verify(lesson_with):
    app = lesson_with(JWT_VERIFY=False)
    assert status(app, mint_for(app, identity=2, key="x" * 32)) == 401
    assert status(app) == 200
    assert "JWT_VERIFY" not in constants("JWT_.+")


def test_jwt_verify_expiration(lesson_with):
    app = lesson_with(JWT_VERIFY_EXPIRATION=False)
    assert status(app, mint_for(app, identity=2, age=9999)) == 401
    assert status(app) == 200
    assert "JWT_VERIFY_EXPIRATION" not in constants("JWT_.+")


# the hooks


def test_jwt(lesson_with, edited, caplog):
    assert isinstance(lesson_with().extensions["jwt"], flask_jwt.JWT)
    with pytest.raises(AssertionError, match="authentication_handler"):
        edited(7, {"JWT(app, authenticate, identity)": "JWT(app)"})
    app = edited(7, {JWT_LINE: "app.config['JWT_AUTH_URL_RULE'] = None\njwt = JWT(app, None, identity)\n"})
    assert status(app) == 200
    app = edited(7, {"JWT(app, authenticate, identity)": "JWT(app, authenticate)"})
    assert status(app) == 500
    assert last_error(caplog) == "'NoneType' object is not callable"
    own = "jwt = JWT(None)\njwt.auth_request_handler(lambda: 'my own')\njwt.init_app(app)\n"
    ignore = "import warnings\nwarnings.simplefilter('ignore')\n"  # the hook is deprecated
    assert login(edited(7, {JWT_LINE: ignore + own})).text == "my own"
    code = "import flask_jwt_compat, flask, flask_jwt; flask_jwt.JWT(flask.Flask('a'))"
    for option, returncode in (("-B", 1), ("-O", 0)):
        run = subprocess.run([sys.executable, option, "-c", code], capture_output=True, text=True)
        assert run.returncode == returncode
        assert ("AssertionError" in run.stderr) == (returncode == 1)


def test_init_app(edited):
    app = edited(
        7,
        {JWT_LINE: "jwt = JWT(None, authenticate, identity)\nassert not app.extensions\njwt.init_app(app)\n"},
    )
    assert status(app, login(app).json["access_token"]) == 200


def test_authentication_handler(lesson_and_jwt):

    class Club(list):
        id = 2

    app, jwt = lesson_and_jwt()
    clubs, given = [Club("x"), Club(), None], []
    jwt.authentication_handler(lambda *arguments: (given.append(arguments), clubs.pop(0))[1])
    assert [login(app).status_code for _ in range(3)] == [200, 401, 401]
    assert given == [tuple(ALICE_BY_EMAIL.values())] * 3


def test_identity_handler(lesson_and_jwt):
    app, jwt = lesson_and_jwt()
    somebody = type("User", (), {"username": "somebody", "is_admin": True})
    jwt.identity_handler(lambda payload: somebody)
    assert users(app).json["asked_by"] == "somebody"
    given = []
    jwt.identity_handler(lambda *arguments: given.append(arguments))
    token = mint_for(app, identity=2, role="admin")
    assert status(app, token) == 401
    assert status(app, mint_for(app, identity=2, key="x" * 32)) == 401
    assert given == [(read_claims(token),)]


def test_auth_response_handler(lesson_and_jwt):
    app, jwt = lesson_and_jwt()
    given = []
    jwt.auth_response_handler(lambda *arguments: (given.append(arguments), "welcome")[1])
    assert login(app).text == "welcome"
    assert login(app, ALICE_BY_EMAIL | {"password": "wrong"}).status_code == 401
    [(access_token, user)] = given
    assert (type(access_token), user.username) == (bytes, "alice")


def test_jwt_error_handler(lesson_and_jwt):
    app, jwt = lesson_and_jwt()
    jwt.jwt_error_handler(lambda error: (error.error, 418))
    refused = [login(app, {}), users(app, "not.a.token"), app.test_client().get("/users")]
    refused += [users(app, prefix="JWT"), users(app, mint_for(app, identity=99))]
    assert [response.status_code for response in refused] == [418] * 5
    assert "@jwt.error_handler" in inspect.getdoc(flask_jwt.JWT.jwt_error_handler)
    assert not hasattr(jwt, "error_handler")


def test_auth_request_handler(edited):
    late = edited(7, {})
    with pytest.warns(DeprecationWarning, match="This handler is deprecated"):
        late.extensions["jwt"].auth_request_handler(lambda: "replaced")
    assert "access_token" in login(late).json
    early = (
        "import warnings\nwarnings.simplefilter('ignore')\njwt = JWT(None, authenticate, identity)\n"
        "jwt.auth_request_handler(lambda: 'replaced')\njwt.init_app(app)\n"
    )
    assert login(edited(7, {JWT_LINE: early})).text == "replaced"
    instead = (
        "from models.user import UserModel\n"
        "app.config['JWT_AUTH_URL_RULE'] = None\njwt = JWT(app, None, identity)\n"
        "@app.post('/enter')\ndef enter():\n"
        "    return jwt.jwt_encode_callback(UserModel.find_by_id(2))\n"
    )
    app = edited(7, {JWT_LINE: instead})
    assert status(app, login(app, url="/enter").text) == 200


def test_request_handler(lesson_and_jwt):
    app, jwt = lesson_and_jwt()
    jwt.request_handler(lambda: request.cookies.get("token"))
    client = app.test_client()
    assert client.get("/users").json["message"] == "Request does not contain an access token"
    client.set_cookie("token", mint_for(app, identity=2))
    assert client.get("/users").status_code == 200
    assert status(app) == 401


def test_jwt_payload_handler(lesson_and_jwt, caplog):
    app, jwt = lesson_and_jwt()
    given = []
    jwt.jwt_payload_handler(lambda *arguments: (given.append(arguments), TIMES | {"role": "admin"})[1])
    assert issued(app) == TIMES | {"role": "admin"}
    [(user,)] = given
    assert user.username == "alice"
    assert "@jwt.payload_handler" in inspect.getdoc(flask_jwt.JWT.jwt_payload_handler)
    assert not hasattr(jwt, "payload_handler")
    jwt.jwt_payload_handler(lambda identity: {"user_id": identity.id})
    assert login(app).status_code == 500
    assert "missing required claims" in last_error(caplog)


def test_jwt_headers_handler(lesson_and_jwt):
    app, jwt = lesson_and_jwt()
    jwt.jwt_headers_handler(lambda identity: {"kid": identity.username})
    header = pyjwt.get_unverified_header(login(app).json["access_token"])
    assert header == {"alg": "HS256", "typ": "JWT", "kid": "alice"}
    jwt.jwt_headers_handler(lambda identity: None)
    assert "kid" not in pyjwt.get_unverified_header(login(app).json["access_token"])
    assert "make_payload" in inspect.getdoc(flask_jwt.JWT.jwt_headers_handler)


def test_jwt_encode_handler(lesson_and_jwt):
    app, jwt = lesson_and_jwt()
    for make in (str, str.encode):
        jwt.jwt_encode_handler(lambda identity, make=make: make(f"a token of {identity.username}"))
        assert login(app).json["access_token"] == "a token of alice"
    assert "receives a payload and signs it" in inspect.getsource(flask_jwt)


def test_jwt_decode_handler(lesson_and_jwt):
    app, jwt = lesson_and_jwt()
    jwt.jwt_decode_handler(lambda token: {"identity": int(token)})
    assert status(app, "2") == 200
    forged = mint_for(app, identity=2, key="x" * 32)
    assert status(lesson_and_jwt()[0], forged) == 401
    jwt.jwt_decode_handler(lambda token: pyjwt.decode(token, options={"verify_signature": False}))
    assert status(app, forged) == 200


def test_a_decode_handler_must_name_its_algorithms(lesson_and_jwt):
    """Without algorithms, PyJWT 2 refuses every token."""
    app, jwt = lesson_and_jwt()
    key = app.config["SECRET_KEY"]
    jwt.jwt_decode_handler(lambda token: pyjwt.decode(token, key, algorithms=["HS256"]))
    assert status(app) == 200
    jwt.jwt_decode_handler(lambda token: pyjwt.decode(token, key))
    response = users(app)
    assert response.status_code == 401
    assert "algorithms" in response.json["message"]


def test_a_decode_handler_replaces_the_other_checks(lesson_and_jwt):
    """Instead of JWT_REQUIRED_CLAIMS and JWT_LEEWAY, PyJWT has the arguments options and leeway."""
    app, jwt = lesson_and_jwt()
    decode = partial(pyjwt.decode, key=app.config["SECRET_KEY"], algorithms=["HS256"])
    careful = partial(decode, options={"require": ["exp", "iat", "nbf"]}, leeway=10)
    endless, late = mint_for(app, identity=2, exp=None), mint_for(app, identity=2, age=305)
    for handler, expected in ((decode, [200, 401]), (careful, [401, 200])):
        jwt.jwt_decode_handler(lambda token, handler=handler: handler(token))
        assert [status(app, token) for token in (endless, late)] == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (pyjwt.InvalidTokenError("no"), 401),
        (pyjwt.ExpiredSignatureError("no"), 401),
        (flask_jwt.JWTError("Refused", "no"), 401),
        (flask_jwt.JWTError("Refused", "no", status_code=423), 423),
        (Unauthorized(), 401),
        (Forbidden(), 403),
        (NotFound(), 404),
        (KeyError("identity"), 500),
        (ValueError("no"), 500),
        (pyjwt.PyJWTError("no"), 500),
    ],
)
def test_what_a_decode_handler_raises_decides_the_status(lesson_and_jwt, error, expected):
    app, jwt = lesson_and_jwt()

    @jwt.jwt_decode_handler
    def refuse(token):
        raise error

    assert status(app) == expected


def test_jwt_required(lesson_and_jwt):
    app, _ = lesson_and_jwt()
    app.add_url_rule("/right", view_func=flask_jwt.jwt_required()(lambda: "in"), endpoint="right")
    app.add_url_rule("/bare", view_func=flask_jwt.jwt_required(lambda: "in"), endpoint="bare")

    @flask_jwt.jwt_required()
    @app.get("/above")
    def above():
        return "in"

    urls = ("/right", "/bare", "/above")
    assert [app.test_client().get(url).status_code for url in urls] == [401, 500, 200]


def test__jwt_required(lesson_and_jwt, monkeypatch):
    app, _ = lesson_and_jwt()

    @app.get("/hello")
    def hello():
        try:
            flask_jwt._jwt_required("Login Required")
        except flask_jwt.JWTError:
            return "hello, stranger"
        return f"hello, {flask_jwt.current_identity.username}"

    client = app.test_client()
    assert client.get("/hello").text == "hello, stranger"
    header = authorization(mint_for(app, identity=2), "Bearer")
    assert client.get("/hello", headers=header).text == "hello, alice"
    called = []
    monkeypatch.setattr(flask_jwt, "_jwt_required", called.append)
    flask_jwt.jwt_required(realm="Zoo")(lambda: "in")()
    assert called == ["Zoo"]


def test_current_identity(lesson_and_jwt):
    app, _ = lesson_and_jwt()
    app.add_url_rule("/open", view_func=lambda: str(bool(flask_jwt.current_identity)))
    header = authorization(mint_for(app, identity=2), "Bearer")
    assert users(app).json["asked_by"] == "alice"
    assert app.test_client().get("/open", headers=header).text == "False"
    assert not flask_jwt.current_identity


def test_jwterror(lesson_and_jwt):
    app, jwt = lesson_and_jwt()

    def locked(username, password):
        raise flask_jwt.JWTError("Locked", "Try tomorrow", status_code=423, headers={"Retry-After": "86400"})

    jwt.authentication_handler(locked)
    response = login(app)
    assert (response.status_code, response.json) == (423, {"message": "Try tomorrow", "code": 423})
    assert response.headers["Retry-After"] == "86400"
    assert issubclass(flask_jwt.JWTError, Exception)
    fields = {"error": "Locked", "description": "Try tomorrow", "status_code": 401, "headers": None}
    assert vars(flask_jwt.JWTError("Locked", "Try tomorrow")) == fields


def test_encode_token(lesson_and_jwt):
    app, jwt = lesson_and_jwt()
    assert app.extensions["jwt"] is jwt
    bob = type("User", (), {"id": 1})
    for context in (app.app_context, app.test_request_context):
        with context():
            with pytest.raises(AttributeError):
                flask_jwt.encode_token()
            assert read_claims(jwt.jwt_encode_callback(bob))["identity"] == 1


# the other statements


def test_bearer_is_the_standards_word():
    """Flask-JWT-Extended expects Bearer, and Flask-JWT expects JWT."""
    app = Flask("bare")
    JWTManager(app)
    assert app.config["JWT_HEADER_TYPE"] == "Bearer"
    assert flask_jwt.CONFIG_DEFAULTS["JWT_AUTH_HEADER_PREFIX"] == "JWT"


def test_the_challenge_keeps_saying_jwt(edited):
    """The option does not change the header WWW-Authenticate, but an error handler can."""
    app = edited(7, {})
    assert app.config["JWT_AUTH_HEADER_PREFIX"] == "Bearer"
    assert challenge(app) == 'JWT realm="Login Required"'
    mended = edited(7, {"error.headers\n": """{"WWW-Authenticate": 'Bearer realm="Login Required"'}\n"""})
    assert challenge(mended) == 'Bearer realm="Login Required"'


def test_a_short_life_is_mostly_leeway(lesson_with):
    """With the leeway, a token with a lifetime of 5 seconds works for 15 seconds."""
    app, now = lesson_with(JWT_EXPIRATION_DELTA=timedelta(seconds=5)), int(time.time())
    token = issued(app)
    life = token["exp"] - token["iat"]
    assert life == 5
    assert life + app.config["JWT_LEEWAY"].total_seconds() == 15
    for leeway, age, expected in ((None, 13, 200), (None, 16, 401), (0, 3, 200), (0, 6, 401)):
        if leeway is not None:
            app.config["JWT_LEEWAY"] = leeway
        assert status(app, mint_for(app, identity=2, iat=now - age, exp=now - age + life)) == expected


def test_without_required_claims_a_token_can_be_valid_for_ever(lesson_with):
    """Without required claims, the app accepts a token without exp."""
    for claims in ([], ["iat", "nbf"]):
        app = lesson_with(JWT_REQUIRED_CLAIMS=claims)
        assert status(app, mint_for(app, identity=2, exp=None, iat=0, nbf=0)) == 200
    assert status(lesson_with(), mint_for(app, identity=2, exp=None, iat=0, nbf=0)) == 401


def test_a_key_that_is_set_too_late_does_not_count(edited, caplog):
    """If SECRET_KEY is set after JWT(...), each login gets a 500. Only the log says why."""
    app = edited(7, {"check_secret_key(app)\n": "app.config['SECRET_KEY'] = None\n"})
    app.config["SECRET_KEY"] = "s" * 32
    response = login(app)
    assert response.status_code == 500
    assert "string or bytes" not in response.text
    assert "string or bytes" in last_error(caplog)


def test_a_second_jwt_takes_over(edited):
    """With a second JWT(...), the handlers of the first one are not called any more."""
    second = "app.config['JWT_AUTH_URL_RULE'] = '/enter'\njwt = JWT(app, authenticate, identity)\n"
    app = edited(7, {"api = Api(app)": second + "api = Api(app)"})
    assert [login(app, url=url).status_code for url in ("/login", "/enter")] == [200, 200]
    assert "user_id" in login(edited(7, {})).json
    assert "user_id" not in login(app).json
    assert login(app, {}).json.keys() == {"status_code", "error", "description"}


def test_the_lessons_have_used_four_options():
    """Lesson 6 sets four options of Flask and Flask-JWT. DATABASE is an option of the app itself."""
    lessons = {
        number: (folder / "app.py").read_text(encoding="utf-8") for number, folder in find_lessons().items()
    }
    first = {"SECRET_KEY": 0, "JWT_AUTH_URL_RULE": 1, "JWT_EXPIRATION_DELTA": 2, "JWT_AUTH_USERNAME_KEY": 3}
    assert set(re.findall(r"\b(?:JWT_[A-Z_]+|SECRET_KEY)\b", lessons[6])) == first.keys()
    assert len(first) == 4
    for name, number in first.items():
        assert name in lessons[number]
        assert name not in lessons.get(number - 1, "")


def test_a_misspelt_option_is_ignored(edited, caplog):
    """Nothing warns you about JWT_HEADER_PREFIX, and the app still expects the word JWT."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        app = edited(7, {"JWT_AUTH_HEADER_PREFIX": "JWT_HEADER_PREFIX"})
        assert [status(app, prefix=prefix) for prefix in ("Bearer", "JWT")] == [401, 200]
    assert not [str(warning.message) for warning in caught if "utcnow" not in str(warning.message)]
    assert "PREFIX" not in caplog.text

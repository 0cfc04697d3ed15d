"""One table of hostile requests, sent through sockets, each with the status that it must get.

Without the secret key, nobody can cause a 5xx, and no app accepts a token that it did not issue or that is no
longer valid. The apps of most lessons are almost the same, so we send the requests only to the first lesson,
the last one with Flask-JWT, those with Flask-JWT-Extended, and every solution.
"""

import base64
import hashlib
import json
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass

import jwt
import pytest
from flask import Flask

from helpers import ROOT, load_lesson, serving
from lesson_loader import find_lessons
from tokens import mint_for

LESSONS = find_lessons()
EXTENDED = [
    number
    for number, folder in LESSONS.items()
    if "flask_jwt_extended" in (folder / "app.py").read_text(encoding="utf-8")
]
LAST_FLASK_JWT = max(LESSONS.keys() - EXTENDED)
TARGETS = [min(LESSONS), LAST_FLASK_JWT, *EXTENDED]


@dataclass
class Target:
    """An app under attack, and what a stranger can know about it."""

    app: Flask
    port: int

    def option(self, name, default):
        """Return an option of Flask-JWT, or the default for Flask-JWT-Extended, which has no such option."""
        return self.app.config.get(name, default)

    @property
    def login_url(self):
        return self.option("JWT_AUTH_URL_RULE", "/login")

    @property
    def prefix(self):
        return self.option("JWT_AUTH_HEADER_PREFIX", "Bearer")

    def credentials(self, name="bob", password="builder", **more):
        """Return the body of a login, with the user's name or e-mail address under this lesson's key."""
        key = self.option("JWT_AUTH_USERNAME_KEY", "email")
        if key == "email" and name in ("bob", "alice"):
            name += "@example.com"
        return {key: name, "password": password} | more

    def send(self, request):
        """Send bytes and return the status and the body of the response, at most 64 KiB."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            response = b""
            while len(response) < 65536 and (part := connection.recv(65536)):
                response += part
        head, _, body = response.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body


@pytest.fixture(scope="session")
def targets(tmp_path_factory):
    """A function that returns the Target for a lesson's number. The first call also serves the lesson."""
    served = {}
    with ExitStack() as stack:

        def target(number):
            if number not in served:
                app = load_lesson(LESSONS[number], tmp_path_factory.mktemp("lesson") / "data.db")
                url = stack.enter_context(serving(app))
                served[number] = Target(app, int(url.rpartition(":")[2]))
            return served[number]

        yield target


def http(method, path, *headers, body=b""):
    """Return the bytes of a request. Headers are encoded as Latin-1."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body and not any(str(header).lower().startswith(("content-length", "transfer")) for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def login(body, *headers, content_type="application/json", method="POST", query=""):
    """Return a function that builds a login. The body is bytes, a JSON value, or a function of the target."""

    def request(target):
        value = body(target) if callable(body) else body
        value = value if isinstance(value, bytes) else json.dumps(value).encode()
        kind = [f"Content-Type: {content_type}"] if content_type else []
        return http(method, target.login_url + query, *kind, *headers, body=value)

    return request


def credentials(**changes):
    return login(lambda target: target.credentials(**changes))


def users(*headers, method="GET", path="/users"):
    return lambda target: http(method, path, *headers)


def with_token(token, prefix=lambda prefix: prefix):
    """Return a function that builds a GET /users with a token: a string, or a function of the app."""

    def request(target):
        value = token(target.app) if callable(token) else token
        return http("GET", "/users", f"Authorization: {prefix(target.prefix)} {value}")

    return request


def admin_token(app):
    """Return a valid token of the app's admin."""
    return mint_for(app, identity=2)


def valid_authorization(target):
    """Return the value of a valid Authorization header."""
    return f"{target.prefix} {admin_token(target.app)}"


def with_minted_token(**changes):
    """Return a function that builds a GET /users with an admin's token, signed with the app's key."""
    return with_token(lambda app: mint_for(app, **{"identity": 2} | changes))


def b64(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def with_changed_parts(header=None, payload=None, signature=None, cut=slice(None)):
    """Return a function that builds a GET /users with a valid token, some parts of which are replaced."""

    def token(app):
        parts = mint_for(app, identity=2).split(".")
        for index, part in enumerate((header, payload, signature)):
            if part is not None:
                parts[index] = part(parts[index]) if callable(part) else b64(part)
        return ".".join(parts[cut])

    return with_token(token)


def with_new_header(header, algorithm="HS256", key=None):
    """Return a function that builds a GET /users with a token that has this header and a valid signature."""

    def token(app):
        parts = [b64(header), mint_for(app, identity=2).split(".")[1]]
        secret = app.config["SECRET_KEY"].encode() if key is None else key
        return ".".join(
            [*parts, b64(jwt.get_algorithm_by_name(algorithm).sign(".".join(parts).encode(), secret))]
        )

    return with_token(token)


def other_character(character):
    """Return a different character of base64url."""
    return "A" if character != "A" else "B"


def tampered(part):
    middle = len(part) // 2
    return part[:middle] + other_character(part[middle]) + part[middle + 1 :]


ATTACKS = {
    # logins with a wrong format
    "a login without a body": (400, login(b"")),
    "a login without a content type": (400, login(lambda target: target.credentials(), content_type="")),
    "a login as plain text": (400, login(lambda target: target.credentials(), content_type="text/plain")),
    "a login as a form": (
        400,
        login(
            b"username=bob&email=bob@example.com&password=builder",
            content_type="application/x-www-form-urlencoded",
        ),
    ),
    "a login as a file": (
        400,
        login(
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
            content_type="multipart/form-data; boundary=x",
        ),
    ),
    "a login in the query string": (400, login(b"", query="?username=bob&password=builder")),
    "a login with a wrong Content-Encoding": (
        400,
        login(b"\x1f\x8b\x08\0\0\0\0\0", "Content-Encoding: gzip"),
    ),
    "a login that is not JSON": (400, login(b"{'username': 'bob'}")),
    "a login that ends early": (400, login(b'{"username": "bob", "pass')),
    "a login that is null": (400, login(b"null")),
    "a login that is true": (400, login(b"true")),
    "a login that is a number": (400, login(b"1")),
    "a login that is a very long number": (400, login(b"1" * 5000)),
    "a login that is NaN": (400, login(b"NaN")),
    "a login that is a string": (400, login(b'"username"')),
    "a login that is a list": (400, login(["username", "password"])),
    "a login that is a list of pairs": (400, login([["username", "bob"], ["password", "builder"]])),
    "a login of nested lists": (400, login(b"[" * 100_000)),
    "a login of nested objects": (400, login(b'{"username":' * 80_000)),
    "a login that is not UTF-8": (400, login(b'{"username": "\xff", "password": "builder"}')),
    "a login that is shorter than its Content-Length": (400, login(b"{}", "Content-Length: 1000")),
    "a login of negative length": (400, login(b"{}", "Content-Length: -1")),
    "a login whose length is not a number": (400, login(b"{}", "Content-Length: many")),
    "a login in broken chunks": (400, login(b"zz\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked")),
    "a login in chunks that end early": (400, login(b"ff\r\n{}", "Transfer-Encoding: chunked")),
    "a login in a chunk that claims to be enormous": (
        400,
        # The body is long enough to be read in full: Werkzeug's server would fill a gap with other memory.
        login(b"ffffffffffff\r\n" + b"x" * (2**20 + 1), "Transfer-Encoding: chunked"),
    ),
    # logins with wrong credentials
    "a login without a user": (401, login(b"{}")),
    "a login without a password": (
        401,
        login(lambda target: {"username": "bob", "email": "bob@example.com"}),
    ),
    "a login with a third key": (401, credentials(admin=True)),
    "a login with empty strings": (401, credentials(name="", password="")),
    "a login with nulls": (401, credentials(name=None, password=None)),
    "a wrong password": (401, credentials(password="wrong")),
    "somebody else's password": (401, credentials(name="alice")),
    "an unknown user": (401, credentials(name="nobody")),
    "a number for a user": (401, credentials(name=1)),
    "a list for a user": (401, credentials(name=["bob"])),
    "an object for a user": (401, credentials(name={"$ne": ""})),
    "a number for a known user's password": (401, credentials(password=1)),
    "true for a known user's password": (401, credentials(password=True)),
    "a list for a known user's password": (401, credentials(password=["builder"])),
    "an object for a known user's password": (401, credentials(password={"$ne": ""})),
    "a list for an unknown user's password": (401, credentials(name="nobody", password=["builder"])),
    "infinity for a password": (401, credentials(password=float("inf"))),
    "half a surrogate pair for a user": (401, credentials(name="\ud800")),
    "half a surrogate pair for a password": (401, credentials(password="\udfff")),
    "a user with a NUL": (401, credentials(name="bob\0")),
    "a user in capitals": (401, credentials(name="BOB@EXAMPLE.COM")),
    "a user who only looks like bob": (401, credentials(name="b\u043eb")),
    "SQL for a user": (401, credentials(name="' OR 1=1 --")),
    "SQL for a password": (401, credentials(password="' OR '1'='1")),
    "a megabyte for a user": (413, credentials(name="b" * 2**20)),
    "a megabyte for a password": (413, credentials(password="b" * 2**20)),
    "the stored hash for a password": (401, credentials(password="scrypt:32768:8:1$salt$0")),
    "the password twice, first right, then wrong": (
        401,
        login(lambda target: json.dumps(target.credentials()).encode()[:-1] + b', "password": "wrong"}'),
    ),
    # other methods, paths and headers
    "a GET of the login": (405, login(b"", method="GET")),
    "a PUT to the login": (405, login(b"", method="PUT")),
    "an unknown method": (405, users(method="FROB")),
    "a POST to the users": (405, users(method="POST")),
    "a TRACE": (405, users(method="TRACE")),
    "the database": (404, users(path="/data.db")),
    "the source": (404, users(path="/static/../app.py")),
    "a path out of the folder": (404, users(path="/static/..%2f..%2f..%2fetc/passwd")),
    "a path with a NUL": (404, users(path="/users%00")),
    "a path in capitals": (404, users(path="/USERS")),
    "a path that is too long": (414, users(path="/" + "a" * 70_000)),
    "a header that is too long": (431, users("X-Long: " + "a" * 70_000)),
    "too many headers": (431, users(*(f"X-{number}: 1" for number in range(200)))),
    "a host that does not exist": (401, users("Host: \xff<>")),
    # Authorization headers
    "no header": (401, users()),
    "an empty header": (401, users("Authorization:")),
    "a header of spaces": (401, users("Authorization:    ")),
    "a header of a no-break space": (401, users("Authorization: \xa0")),
    "a header of a vertical tab": (401, users("Authorization: \x0b")),
    "a prefix alone": (401, with_token("")),
    "a prefix and a no-break space": (401, with_token("\xa0")),
    "no prefix": (401, lambda target: users(f"Authorization: {admin_token(target.app)}")(target)),
    "another prefix": (401, with_token(admin_token, {"JWT": "Bearer", "Bearer": "JWT"}.get)),
    "a name and a password": (401, users("Authorization: Basic Ym9iOmJ1aWxkZXI=")),
    "a token in two words": (401, with_token("a b")),
    "two headers": (
        401,
        lambda target: users(*[f"Authorization: {valid_authorization(target)}"] * 2)(target),
    ),
    "a header of commas": (401, users("Authorization: , ,")),
    "a header of commas and a no-break space": (401, users("Authorization: ,\xa0,")),
    "a token after commas": (
        401,
        lambda target: users(f"Authorization: , ,{valid_authorization(target)}")(target),
    ),
    "a token before a comma": (
        401,
        lambda target: users(f"Authorization: {valid_authorization(target)},")(target),
    ),
    "a token after another header": (
        401,
        lambda target: users(f"Authorization: Basic Ym9i, {valid_authorization(target)}")(target),
    ),
    "a token before another header": (
        401,
        lambda target: users(f"Authorization: {valid_authorization(target)}, Basic Ym9i")(target),
    ),
    "a token in the query string": (
        401,
        lambda target: users(path="/users?token={0}&jwt={0}".format(admin_token(target.app)))(target),
    ),
    "a token in a cookie": (
        401,
        lambda target: users(
            "Cookie: access_token={0}; access_token_cookie={0}".format(admin_token(target.app))
        )(target),
    ),
    "a token of dots": (401, with_token("..")),
    "a token that is Latin-1": (401, with_token("\xe9.\xe9.\xe9")),
    "a token of 60,000 letters": (401, with_token("a" * 60_000)),
    "a token of one part": (401, with_changed_parts(cut=slice(0, 1))),
    "a token of two parts": (401, with_changed_parts(cut=slice(0, 2))),
    "a token of four parts": (401, with_changed_parts(signature=lambda part: part + "." + part)),
    "a token with nested lists for a header": (401, with_changed_parts(header=b"[" * 20_000)),
    "a token with nested lists for claims": (401, with_changed_parts(payload=b"[" * 20_000)),
    "a token with nested objects for a header": (401, with_changed_parts(header=b'{"a":' * 8_000)),
    "a token with a list for a header": (401, with_changed_parts(header=[])),
    "a token with a list for claims": (401, with_changed_parts(payload=[])),
    "a token with no JSON for claims": (401, with_changed_parts(payload=b"\xff\xfe")),
    # tokens with a wrong signature
    "a token signed with another key": (401, with_minted_token(key="x" * 64)),
    "a token signed with an empty key": (401, with_new_header({"alg": "HS256"}, key=b"")),
    "a token with other claims": (
        401,
        with_changed_parts(payload={"identity": 2, "exp": 2**32, "iat": 0, "nbf": 0}),
    ),
    "a token with a character changed in its claims": (401, with_changed_parts(payload=tampered)),
    "a token with a character changed in its signature": (401, with_changed_parts(signature=tampered)),
    "a token with a character changed in its header": (401, with_changed_parts(header=tampered)),
    "a token without a signature": (401, with_changed_parts(signature=lambda part: "")),
    "a token with half a signature": (401, with_changed_parts(signature=lambda part: part[:20])),
    "alg none, unsigned": (401, with_changed_parts(header={"alg": "none"}, signature=lambda part: "")),
    "alg none, signed": (401, with_new_header({"alg": "none"})),
    "alg NoNe": (401, with_changed_parts(header={"alg": "NoNe"}, signature=lambda part: "")),
    "alg HS512": (401, with_new_header({"alg": "HS512"}, "HS512")),
    "alg HS384": (401, with_new_header({"alg": "HS384"}, "HS384")),
    "alg RS256, signed with HS256": (401, with_new_header({"alg": "RS256"})),
    "alg unknown": (401, with_new_header({"alg": "XX999"})),
    "alg missing": (401, with_new_header({"typ": "JWT"})),
    "alg null": (401, with_new_header({"alg": None})),
    "alg a list": (401, with_new_header({"alg": ["HS256"]})),
    "alg an object": (401, with_new_header({"alg": {"HS256": 1}})),
    "a key that the header names": (401, with_minted_token(key="x" * 64, headers={"kid": "../../dev/null"})),
    "a key that the header contains": (
        401,
        with_minted_token(key="x" * 64, headers={"jwk": {"kty": "oct", "k": b64(b"x" * 64)}}),
    ),
    "a key that the header links to": (
        401,
        with_minted_token(key="x" * 64, headers={"jku": "http://127.0.0.1/jwks.json"}),
    ),
    "a critical header": (401, with_new_header({"alg": "HS256", "crit": ["x"]})),
    # tokens with a valid signature and wrong claims
    "an expired token": (401, with_minted_token(age=4000, lifetime=300)),
    "a token that is one second older than its leeway": (401, with_minted_token(age=311, lifetime=300)),
    "a token from the future": (401, with_minted_token(age=-60)),
    "a token that becomes valid in an hour": (401, with_minted_token(nbf=int(time.time()) + 3600)),
    "a token without exp": (401, with_minted_token(exp=None)),
    "a token without nbf": (401, with_minted_token(nbf=None)),
    "a token without iat": (401, with_minted_token(iat=None)),
    "a token that expires at infinity": (401, with_minted_token(exp=float("inf"))),
    "a token whose exp is a list": (401, with_minted_token(exp=[2**32])),
    "a token for somebody else's app": (401, with_minted_token(aud="another")),
    "a token without an identity": (401, with_minted_token(identity=None)),
    "a token of a deleted user": (401, with_minted_token(identity=99)),
    "a token of user 0": (401, with_minted_token(identity=0)),
    "a token of user -1": (401, with_minted_token(identity=-1)),
    "a token of user 2**63": (401, with_minted_token(identity=2**63)),
    "a token of user -2**63 - 1": (401, with_minted_token(identity=-(2**63) - 1)),
    "a token of user 10**400": (401, with_minted_token(identity=10**400)),
    "a token of user 2 in superscript": (401, with_minted_token(identity="\u00b2")),
    "a token of user 2 in full width": (401, with_minted_token(identity="\uff12")),
    "a token of a user that is SQL": (401, with_minted_token(identity="2 OR 1=1")),
    "a token of a user that is an object": (401, with_minted_token(identity={"id": 2})),
    "a token of a user that is a list": (401, with_minted_token(identity=[2])),
}

VALID_REQUESTS = {  # without these, an app that refuses everything would pass
    "a login": (200, credentials()),
    "the admin's login": (200, credentials(name="alice", password="wonderland")),
    "a token": (200, with_minted_token()),
    "a token after a lower-case prefix": (200, with_token(admin_token, str.lower)),
    "a token after a tab": (
        200,
        lambda target: users(f"Authorization: {target.prefix}\t{admin_token(target.app)}")(target),
    ),
    "a token within its leeway": (200, with_minted_token(age=305, lifetime=300)),
    "a token whose header has more fields": (
        200,
        with_new_header({"alg": "HS256", "typ": "JWT", "kid": "1"}),
    ),
}


@pytest.mark.parametrize("number", TARGETS)
@pytest.mark.parametrize("name", ATTACKS | VALID_REQUESTS)
def test_a_hostile_request_gets_the_right_status(targets, number, name):
    expected, request = (ATTACKS | VALID_REQUESTS)[name]
    target = targets(number)
    status, body = target.send(request(target))
    assert status == expected, body[:500]
    assert b"Traceback" not in body


@pytest.mark.parametrize("number", EXTENDED)
def test_flask_jwt_extended_uses_the_messages_of_flask_jwt_except_for_these(targets, number):
    def refusal(number, request):
        _, body = targets(number).send(request(targets(number)))
        return json.loads(body) if body.startswith(b"{") else None  # Flask's own errors are HTML pages

    refusals = {
        name: (refusal(LAST_FLASK_JWT, request), refusal(number, request))
        for name, (_, request) in ATTACKS.items()
    }
    different_messages = {name for name, (old, new) in refusals.items() if old and old != new}
    assert different_messages == {
        "a header of commas",
        "a header of commas and a no-break space",
        "a token after commas",
        "a token after another header",
        "a token before another header",
        "a prefix alone",
        "a prefix and a no-break space",
        "no prefix",
        "another prefix",
        "a name and a password",
        "a token in two words",
        "two headers",
        "a token with nested lists for claims",
        "a token with a list for claims",
        "a token with no JSON for claims",
        "a token with a character changed in its claims",
        "a token without an identity",
        "a token of a user that is an object",
        "a token of a user that is a list",
    }


@pytest.mark.parametrize("solution", sorted((ROOT / "solutions").glob("*.py")), ids=lambda path: path.stem)
def test_no_hostile_request_gets_a_5xx_from_a_solution(solution, tmp_path):
    app = load_lesson(ROOT / "lessons" / solution.stem, tmp_path / "data.db", solution)
    with serving(app) as url:
        target = Target(app, int(url.rpartition(":")[2]))
        statuses = {name: target.send(request(target))[0] for name, (_, request) in ATTACKS.items()}
        assert target.send(http("GET", "/nowhere"))[0] == 404  # the app still responds
    assert {name: status for name, status in statuses.items() if status >= 500} == {}
    assert set(statuses.values()) >= {400, 401, 404, 405}


@pytest.mark.parametrize("number", LESSONS)
def test_no_lesson_reveals_who_has_an_account(targets, number, monkeypatch):
    target, hashed, scrypt = targets(number), [], hashlib.scrypt
    target.send(credentials()(target))  # makes the database

    def counting_scrypt(*arguments, **parameters):
        hashed.append((parameters["n"], parameters["r"], parameters["p"]))
        return scrypt(*arguments, **parameters)

    monkeypatch.setattr(hashlib, "scrypt", counting_scrypt)
    wrong = target.send(credentials(password="wrong")(target))
    unknown = target.send(credentials(name="nobody")(target))
    assert wrong == unknown
    assert len(hashed) == 2
    assert hashed[0] == hashed[1]

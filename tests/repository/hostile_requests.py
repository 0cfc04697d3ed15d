"""Hostile requests for the lessons' apps, as bytes: what a stranger or a logged-in user could send.

ATTACKS names the status that each attack must get. ODD_REQUESTS may get any status below 500.
VALID_REQUESTS are harmless: without them, an app that refuses everything would pass.
STATUS_WITH_FLASK_JWT_EXTENDED names the requests that get another status from Flask-JWT-Extended.
"""

import base64
import gzip
import json
import re
import socket
import time
import zlib
from dataclasses import dataclass

import jwt
from flask import Flask

from tokens import mint_for

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass
class Target:
    """An app under attack, and what a stranger can know about it."""

    app: Flask
    port: int

    def option(self, name, default):
        """Return an option of Flask-JWT, or this default, because Flask-JWT-Extended has no such option."""
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
        """Send bytes and return the status and the body of the response, at most 64 KiB.

        A response without a status line gets status 0, and the whole response is its body.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            response = b""
            while len(response) < 65536 and (part := connection.recv(65536)):
                response += part
        while response.startswith(CONTINUE):
            response = response.removeprefix(CONTINUE)
        if not response.startswith(b"HTTP/"):
            return 0, response
        head, _, body = response.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body


def http(method, path, *headers, body=b"", host="127.0.0.1"):
    """Return the bytes of a request. Headers are encoded as Latin-1."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
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


def users(*headers, method="GET", path="/users", host="127.0.0.1"):
    return lambda target: http(method, path, *headers, host=host)


def logged_in(*headers, **options):
    """Return a function that builds a request like users(), with the token of the admin."""
    return lambda target: users(f"Authorization: {valid_authorization(target)}", *headers, **options)(target)


def first_line(start):
    """Return a function that builds a request with this first line."""
    return lambda target: start.encode("latin-1") + b"\r\nHost: 127.0.0.1\r\n\r\n"


def upgrade(method, path):
    """Return a function that builds a request for a websocket."""
    headers = ["Connection: Upgrade", "Upgrade: websocket"]
    return lambda target: http(method, path or target.login_url, *headers)


def raw_login(change, *headers, content_type="application/json"):
    """Return a function that builds a login with the right credentials, after a change to its bytes."""
    return login(
        lambda target: change(json.dumps(target.credentials()).encode()), *headers, content_type=content_type
    )


def unsigned(header, payload=None, signature="AAAA"):
    """Return a function that builds a GET /users with a token that nobody signed, so it needs no key."""
    claims = {"identity": 2, "sub": "2", "exp": 2**32, "iat": 0, "nbf": 0, "jti": "1", "type": "access"}
    return with_token(f"{b64(header)}.{b64(claims if payload is None else payload)}.{signature}")


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
    """Return a function that builds a GET /users with a valid token after a change to its parts."""

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
        {400, 413},
        # More than 1 MiB, because Werkzeug's server would fill a shorter body with other memory.
        login(b"ffffffffffff\r\n" + b"x" * (2**20 + 1), "Transfer-Encoding: chunked"),
    ),
    "a login with a key that is not quoted": (400, login(b"{username: 'bob', password: 'builder'}")),
    "a login with a comment": (400, raw_login(lambda body: body + b" // bob")),
    "a login with a comma at the end": (400, raw_login(lambda body: body[:-1] + b",}")),
    "two logins in one body": (400, raw_login(lambda body: body + body)),
    "a login that ends with a NUL": (400, raw_login(lambda body: body + b"\0")),
    "a login that contains a NUL": (400, raw_login(lambda body: body.replace(b"builder", b"build\0er"))),
    "a login that contains a line break": (
        400,
        raw_login(lambda body: body.replace(b"builder", b"build\ner")),
    ),
    "a login with an unknown escape": (400, raw_login(lambda body: body.replace(b"builder", b"\\x62uilder"))),
    "a login with half an escape": (400, raw_login(lambda body: body.replace(b"builder", b"\\u00"))),
    "a login in Latin-1": (400, raw_login(lambda body: body.replace(b"builder", b"b\xfcilder"))),
    "a login in overlong UTF-8": (400, raw_login(lambda body: body.replace(b"bob", b"\xc1\xa2ob"))),
    "a login in UTF-7": (400, raw_login(lambda body: body.replace(b"{", b"+AHs-"))),
    "a login in UTF-16 that ends early": (400, raw_login(lambda body: body.decode().encode("utf-16")[:-1])),
    "a login that is gzipped": (400, raw_login(gzip.compress, "Content-Encoding: gzip")),
    "a login that is deflated": (400, raw_login(zlib.compress, "Content-Encoding: deflate")),
    "a login with a number of 5,000 digits for a user": (
        400,
        raw_login(lambda body: body.replace(b'"builder"', b"9" * 5000)),
    ),
    "a login with a list of 90,000 lists for a password": (
        {400, 401},
        raw_login(lambda body: body.replace(b'"builder"', b"[" * 90_000 + b"]" * 90_000)),
    ),
    "a login as XML": (400, login(b"<login user='bob'/>", content_type="application/xml")),
    "a login as JSON for another content type": (400, raw_login(bytes, content_type="application/jsonp")),
    "a login with two content types": (400, raw_login(bytes, content_type="text/plain, application/json")),
    "a login with half a content type": (400, raw_login(bytes, content_type="application")),
    "a login with a content type of slashes": (400, raw_login(bytes, content_type="////;;;;====")),
    "a login with a content type that is Latin-1": (
        400,
        raw_login(bytes, content_type="\xe4pplication/json"),
    ),
    "a form without a boundary": (400, login(b"--\r\n\r\n--", content_type="multipart/form-data")),
    "a form with an empty boundary": (
        400,
        login(b"--\r\n\r\n", content_type="multipart/form-data; boundary="),
    ),
    "a form of 5,000 parts": (
        400,
        login(
            b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 5_000 + b"--x--",
            content_type="multipart/form-data; boundary=x",
        ),
    ),
    "a form of 100,000 ampersands": (
        400,
        login(b"&" * 100_000, content_type="application/x-www-form-urlencoded"),
    ),
    "a form of percent signs": (400, login(b"%" * 999, content_type="application/x-www-form-urlencoded")),
    "a login of length 1e3": (400, login(b"{}", "Content-Length: 1e3")),
    "a login of length 0x10": (400, login(b"{}", "Content-Length: 0x10")),
    "a login of length 2 in superscript": (400, login(b"{}", "Content-Length: \xb2")),
    "a login of length 1_0": (400, login(b"{}", "Content-Length: 1_0")),
    "a login of an empty length": (400, login(b"{}", "Content-Length:")),
    "a login in a chunk of negative length": (400, login(b"-1\r\n{}\r\n", "Transfer-Encoding: chunked")),
    "a login in a chunk without a length": (400, login(b"\r\n\r\n\r\n", "Transfer-Encoding: chunked")),
    "a login with both a length and chunks": (
        400,
        login(b"2\r\n[]\r\n0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"),
    ),
    "a login with an unknown transfer encoding": (400, login(b"{}", "Transfer-Encoding: gzip, chunked")),
    "a login of 100 GB": (413, login(b"{}", f"Content-Length: {10**11}")),
    "a login whose length has 5,000 digits": ({400, 413}, login(b"{}", f"Content-Length: {'9' * 5000}")),
    # logins with wrong credentials
    "a password of NaN": (401, raw_login(lambda body: body.replace(b'"builder"', b"NaN"))),
    "a password of 1e999": (401, raw_login(lambda body: body.replace(b'"builder"', b"1e999"))),
    "a password of 4,000 digits": (401, raw_login(lambda body: body.replace(b'"builder"', b"9" * 4000))),
    "a password that begins with a NUL": (401, credentials(password="\0builder")),
    "a password with a space": (401, credentials(password=" builder")),
    "a password of 900,000 letters": (401, credentials(password="b" * 900_000)),
    "a password of 80,000 emoji": (401, credentials(password="\U0001f511" * 80_000)),
    "a password that is escaped twice": (401, credentials(password="\\u0062uilder")),
    "a user of 900,000 letters, who is unknown": (401, credentials(name="b" * 900_000)),
    "a user with a percent sign": (401, credentials(name="%")),
    "a user in another normal form": (401, credentials(name="bo\u0062\u0301@example.com")),
    "a user from right to left": (401, credentials(name="\u202ebob@example.com")),
    "a user in full width": (401, credentials(name="\uff42\uff4f\uff42")),
    "a user that is a byte order mark": (401, credentials(name="\ufeff")),
    "a user that is a noncharacter": (401, credentials(name="\uffff\U0010ffff")),
    "a user that breaks the log": (401, credentials(name="bob\r\n\x1b[31m")),
    "a user that is a template": (401, credentials(name="{{config}} %s {0.__class__} ${jndi:ldap://x}")),
    "a user twice, first bob, then nobody": (
        401,
        login(
            lambda target: json.dumps(target.credentials()).encode()[:-1] + b', "username": "", "email": ""}'
        ),
    ),
    "a login with a surrogate in UTF-8": (
        401,
        raw_login(lambda body: body.replace(b"builder", b"\xed\xa0\x80")),
    ),
    "a login with a third key that is empty": (401, raw_login(lambda body: body[:-1] + b', "": 0}')),
    "a login with 10,000 keys": (401, login({str(number): number for number in range(10_000)})),
    "a login with __proto__": (401, login({"__proto__": {"password": "x"}, "constructor": None})),
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
    # requests that Flask-RESTful's own error handling turns into a 500
    "a host with two dots": (400, users(host="a..b")),
    "a host with two dots at the login": (400, lambda target: http("POST", target.login_url, host="a..b")),
    "a host with two dots at an unknown URL": (400, users(path="/nowhere", host="a..b")),
    "a host with two dots, and a token": (400, logged_in(host="a..b")),
    "a host that is a dot": (400, users(host=".")),
    "a host with a label of 64 letters": (400, users(host="a" * 64)),
    "an absolute URL with two dots": (400, first_line("GET http://a..b/users HTTP/1.1")),
    "a websocket with a method that the users lack": (405, upgrade("POST", "/users")),
    "a websocket with DELETE": (405, upgrade("DELETE", "/users")),
    "a websocket to the login with GET": (405, upgrade("GET", None)),
    "a POST to a static file with two slashes": (405, users(method="POST", path="//static//x")),
    "a PUT to a static file with many slashes": (
        405,
        users(method="PUT", path="/static" + "/" * 3_000 + "x"),
    ),
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
    "a token of unpadded dots and spaces": (401, with_token(". . .")),
    "a token of 60,000 dots": (401, with_token("." * 60_000)),
    "a token of five parts, like an encrypted one": (401, with_token("eyJhbGciOiJkaXIifQ..AAAA.BBBB.CCCC")),
    "a token in quotation marks": (401, with_token(lambda app: f'"{admin_token(app)}"')),
    "a token in angle brackets": (401, with_token(lambda app: f"<{admin_token(app)}>")),
    "a token that is percent-encoded": (401, with_token(lambda app: admin_token(app).replace(".", "%2e"))),
    "a token with a NUL": (401, with_token(lambda app: admin_token(app) + "\0")),
    "a token with a form feed inside": (
        401,
        with_token(lambda app: admin_token(app).replace(".", ".\x0c", 1)),
    ),
    "a token with a no-break space inside": (
        401,
        with_token(lambda app: admin_token(app).replace(".", "\xa0.", 1)),
    ),
    "a token with a soft hyphen": (401, with_token(lambda app: admin_token(app).replace(".", "\xad.", 1))),
    "a token with padding": (401, with_changed_parts(signature=lambda part: part + "====")),
    "a token in the alphabet of plain base64": (401, with_token("+/+/.+/+/.+/+/")),
    "a token with an empty header": (401, with_changed_parts(header=lambda part: "")),
    "a token with empty claims": (401, with_changed_parts(payload=lambda part: "")),
    "a token with a header of one letter": (401, with_changed_parts(header=lambda part: "A")),
    "a token with claims of one letter": (401, with_changed_parts(payload=lambda part: "A")),
    "a token with a signature of one letter": (401, with_changed_parts(signature=lambda part: "A")),
    "a token whose parts are swapped": (
        401,
        with_token(lambda app: ".".join(reversed(admin_token(app).split(".")))),
    ),
    "a token with a signature that is too long": (
        401,
        with_changed_parts(signature=lambda part: part + "AAAAA"),
    ),
    "a token with a signature of 40,000 letters": (
        401,
        with_changed_parts(signature=lambda part: "A" * 40_000),
    ),
    "a token in capitals": (401, with_token(lambda app: admin_token(app).upper())),
    "a token of the word null": (401, with_token("null")),
    "a token of the word undefined": (401, with_token("undefined")),
    "a token as a parameter": (401, with_token(lambda app: f'token="{admin_token(app)}"')),
    "a token as JSON": (401, with_token(lambda app: json.dumps({"access_token": admin_token(app)}))),
    "a token after a prefix with a colon": (401, with_token(admin_token, lambda prefix: prefix + ":")),
    "a token after a prefix twice": (401, with_token(admin_token, lambda prefix: f"{prefix} {prefix}")),
    "a token after a prefix that is Latin-1": (401, with_token(admin_token, lambda prefix: prefix + "\xdf")),
    "a token in another header": (
        401,
        lambda target: users(f"Proxy-Authorization: {valid_authorization(target)}")(target),
    ),
    "a token in a header with an underscore": (
        401,
        lambda target: users(f"HTTP_Authorization: {valid_authorization(target)}")(target),
    ),
    "a digest": (401, users('Authorization: Digest username="bob", qop=auth, nc=1, response="')),
    "a negotiation": (401, users("Authorization: Negotiate " + "YII" * 9_000)),
    "a Basic header that is not base64": (401, users("Authorization: Basic \xff\xfe:")),
    "no scheme, only an equals sign": (401, users("Authorization: =")),
    "a header of quotation marks": (401, users('Authorization: """')),
    # unsigned tokens: what an app reads before it verifies a signature
    "a header that is null": (401, unsigned(b"null")),
    "a header that is a number": (401, unsigned(b"1e999")),
    "a header that is a string": (401, unsigned("HS256")),
    "a header that is not JSON": (401, unsigned(b"{'alg': 'HS256'}")),
    "a header that ends early": (401, unsigned(b'{"alg": "HS256"')),
    "a header that is not UTF-8": (401, unsigned(b'{"alg": "HS256\xff"}')),
    "a header in UTF-16": (401, unsigned('{"alg": "HS256"}'.encode("utf-16"))),
    "a header in UTF-32": (401, unsigned('{"alg": "HS256"}'.encode("utf-32"))),
    "a header with a byte order mark": (401, unsigned(b'\xef\xbb\xbf{"alg": "HS256"}')),
    "a header with a NUL": (401, unsigned(b'{"alg": "HS256\0"}')),
    "a header with half a surrogate pair": (401, unsigned({"alg": "\ud800"})),
    "a header with alg twice": (401, unsigned(b'{"alg": "HS256", "alg": "none"}')),
    "a header with a number of 5,000 digits": (401, unsigned(b'{"alg": ' + b"9" * 5_000 + b"}")),
    "a header with 3,000 fields": (401, unsigned({str(number): number for number in range(3_000)})),
    "alg a number": (401, unsigned({"alg": 256})),
    "alg true": (401, unsigned({"alg": True})),
    "alg NaN": (401, unsigned(b'{"alg": NaN}')),
    "alg empty": (401, unsigned({"alg": ""})),
    "alg in lower case": (401, unsigned({"alg": "hs256"})),
    "alg with a space": (401, unsigned({"alg": "HS256 "})),
    "alg ES256": (401, unsigned({"alg": "ES256"})),
    "alg EdDSA": (401, unsigned({"alg": "EdDSA"})),
    "alg PS512": (401, unsigned({"alg": "PS512"})),
    "alg RSA-OAEP, with enc": (401, unsigned({"alg": "RSA-OAEP", "enc": "A256GCM"})),
    "alg of 20,000 letters": (401, unsigned({"alg": "H" * 20_000})),
    "typ a list": (401, unsigned({"alg": "HS256", "typ": ["JWT"]})),
    "cty JWT": (401, unsigned({"alg": "HS256", "cty": "JWT"})),
    "kid a number": (401, unsigned({"alg": "HS256", "kid": 1})),
    "kid a list": (401, unsigned({"alg": "HS256", "kid": ["1"]})),
    "kid null": (401, unsigned({"alg": "HS256", "kid": None})),
    "kid that is SQL": (401, unsigned({"alg": "HS256", "kid": "' UNION SELECT 'key' --"})),
    "kid with half a surrogate pair": (401, unsigned({"alg": "HS256", "kid": "\udfff"})),
    "crit an empty list": (401, unsigned({"alg": "HS256", "crit": []})),
    "crit a string": (401, unsigned({"alg": "HS256", "crit": "exp"})),
    "crit a list of lists": (401, unsigned({"alg": "HS256", "crit": [["exp"]]})),
    "crit an object": (401, unsigned({"alg": "HS256", "crit": {"b64": 1}})),
    "crit null": (401, unsigned({"alg": "HS256", "crit": None})),
    "crit b64, with no b64": (401, unsigned({"alg": "HS256", "crit": ["b64"]})),
    "b64 false": (401, unsigned({"alg": "HS256", "b64": False, "crit": ["b64"]})),
    "b64 false without crit": (401, unsigned({"alg": "HS256", "b64": False})),
    "b64 a list": (401, unsigned({"alg": "HS256", "b64": [], "crit": ["b64"]})),
    "claims that are null": (401, unsigned({"alg": "HS256"}, b"null")),
    "claims that are a number of 5,000 digits": (401, unsigned({"alg": "HS256"}, b"9" * 5_000)),
    "claims in UTF-16": (401, unsigned({"alg": "HS256"}, '{"sub": "2"}'.encode("utf-16"))),
    "claims that end early": (401, unsigned({"alg": "HS256"}, b'{"sub": "2')),
    "claims with times that are lists": (
        401,
        unsigned({"alg": "HS256"}, {"exp": [], "iat": {}, "nbf": True}),
    ),
    "claims with times that are text": (
        401,
        unsigned({"alg": "HS256"}, {"exp": "x", "iat": "\u0663", "nbf": ""}),
    ),
    "claims with an enormous exp": (401, unsigned({"alg": "HS256"}, {"exp": 10**400, "sub": "2"})),
    "claims with NaN for exp": (401, unsigned({"alg": "HS256"}, {"exp": float("nan"), "sub": "2"})),
    "claims with a sub that is a list": (401, unsigned({"alg": "HS256"}, {"sub": ["2"]})),
    "claims with half a surrogate pair": (
        401,
        unsigned({"alg": "HS256"}, {"sub": "\ud800", "jti": "\ud800"}),
    ),
    "claims with an aud that is an object": (
        401,
        unsigned({"alg": "HS256"}, {"aud": {}, "iss": [], "sub": "2"}),
    ),
    "claims with a type that is a list": (
        401,
        unsigned({"alg": "HS256"}, {"sub": "2", "type": [], "fresh": "x"}),
    ),
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
}

# The web server responds to some of these before the app sees them, and it closes a few connections without
# a response. Servers and their versions differ, so we only require that nothing gets a 5xx. We leave out the
# first line GET /users HTTP/2.0, because Python's own server refuses that version with a 505.
ODD_REQUESTS = {
    # the host
    "a host with two dots and a port": users(host="a..b:80"),
    "a host that is many dots": users(host="." * 300),
    "a host that begins with a dot": users(host=".example.com"),
    "a host with a label of 5,000 letters": users(host="a" * 5_000 + ".com"),
    "a host of 3,000 labels": users(host="a." * 3_000),
    "an empty host": users(host=""),
    "a host of spaces": users(host="   "),
    "a host with a space": users(host="a b"),
    "a host with a tab": users(host="a\tb"),
    "a host with a NUL": users(host="a\0b"),
    "a host with a slash": users(host="a/b"),
    "a host with a question mark": users(host="a?b#c"),
    "a host with a user": users(host="bob:builder@example.com"),
    "a host with a percent sign": users(host="%00%2e%zz"),
    "a host with a wildcard": users(host="*"),
    "a host with an underscore": users(host="_dmarc.example.com"),
    "a host that ends with a hyphen": users(host="a-.-b"),
    "a host in Latin-1": users(host="b\xfccher.example"),
    "a host in UTF-8": users(host="b\xc3\xbccher.example"),
    "a host with a dot of another alphabet": users(host="a\xe3\x80\x82\xe3\x80\x82b"),
    "a host with a soft hyphen": users(host="\xc2\xad"),
    "a host in broken punycode": users(host="xn--\xff.xn--a.xn--99999999999"),
    "a host with port 99999": users(host="127.0.0.1:99999"),
    "a host with a port of letters": users(host="127.0.0.1:http"),
    "a host with an empty port": users(host="127.0.0.1:"),
    "a host with many colons": users(host="::::::"),
    "a host that begins an IPv6 address": users(host="[::1"),
    "a host that ends an IPv6 address": users(host="::1]:80"),
    "a host that is no IPv6 address": users(host="[g::1]:x"),
    "a host that is an IPv6 address with a zone": users(host="[fe80::1%25eth0]:80"),
    "a host that is SQL": users(host="' OR 1=1 --"),
    "two hosts": users("Host: a..b", host="b..a"),
    "two hosts in one header": users(host="a..b, 127.0.0.1"),
    "no host": lambda target: b"GET /users HTTP/1.1\r\n\r\n",
    "a forwarded host with two dots": users("X-Forwarded-Host: a..b", "Forwarded: host=a..b;for=::1;proto=x"),
    "a host with two dots and another method": users(method="DELETE", host="a..b"),
    # the request line
    "an absolute URL": first_line("GET http://127.0.0.1/users HTTP/1.1"),
    "an absolute URL of a login with two dots": first_line("POST http://a..b/login HTTP/1.1"),
    "an absolute URL without a host": first_line("GET http:///users HTTP/1.1"),
    "an absolute URL with a user": first_line("GET http://bob:builder@127.0.0.1:x/users HTTP/1.1"),
    "an absolute URL with a broken IPv6 address": first_line("GET http://[::1/users HTTP/1.1"),
    "an absolute URL of another scheme": first_line("GET gopher://127.0.0.1/users HTTP/1.1"),
    "an absolute URL with broken punycode": first_line("GET http://xn--\xff/users HTTP/1.1"),
    "a file URL": first_line("GET file:///etc/passwd HTTP/1.1"),
    "a javascript URL": first_line("GET javascript:alert(1) HTTP/1.1"),
    "a path without a slash": first_line("GET users HTTP/1.1"),
    "an asterisk": first_line("OPTIONS * HTTP/1.1"),
    "an asterisk for GET": first_line("GET * HTTP/1.1"),
    "a tunnel": first_line("CONNECT 127.0.0.1:22 HTTP/1.1"),
    "a query string alone": first_line("GET ? HTTP/1.1"),
    "a fragment": first_line("GET /users#top HTTP/1.1"),
    "no path": first_line("GET HTTP/1.1"),
    "four words": first_line("GET /users /users HTTP/1.1"),
    "two spaces": first_line("GET  /users  HTTP/1.1"),
    "tabs for spaces": first_line("GET\t/users\tHTTP/1.1"),
    "no version": first_line("GET /users"),
    "version 1.0": first_line("GET /users HTTP/1.0"),
    "version 0.9": first_line("GET /users HTTP/0.9"),
    "version 1.9": first_line("GET /users HTTP/1.9"),
    "version one": first_line("GET /users HTTP/one.1"),
    "version 1": first_line("GET /users HTTP/1"),
    "version -1.1": first_line("GET /users HTTP/-1.1"),
    "another protocol": first_line("GET /users SIP/2.0"),
    "an empty request": lambda target: b"\r\n\r\n",
    "a request of NULs": lambda target: b"\0" * 100 + b"\r\n\r\n",
    "the beginning of TLS": lambda target: (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500 + b"\r\n"
    ),
    "a request that ends with its first line": lambda target: b"GET /users HTTP/1.1\r\n",
    "line feeds alone": lambda target: b"GET /users HTTP/1.1\nHost: a..b\n\n",
    "carriage returns alone": lambda target: b"GET /users HTTP/1.1\rHost: a\r\r",
    # methods
    "a method in lower case": users(method="get"),
    "a method that is a number": users(method="200"),
    "a method with a slash": users(method="GET/HEAD"),
    "a method that is Latin-1": users(method="G\xcbT"),
    "a method of 30,000 letters": users(method="G" * 30_000),
    "a method with underscores": users(method="__class__"),
    "a method override": users("X-HTTP-Method-Override: DELETE", "X-Method: \xff", method="POST"),
    "the method PROPFIND": users(method="PROPFIND"),
    "a HEAD": users(method="HEAD"),
    "a HEAD of the login": lambda target: http("HEAD", target.login_url),
    "OPTIONS": users(method="OPTIONS"),
    "a preflight request": users("Origin: null", "Access-Control-Request-Method: \xff", method="OPTIONS"),
    "a DELETE with a token": logged_in(method="DELETE"),
    # websockets
    "a websocket to the users": upgrade("GET", "/users"),
    "a websocket to the login": upgrade("POST", None),
    "a websocket to an unknown URL": upgrade("GET", "/nowhere"),
    "a websocket to a static file": upgrade("POST", "/static/x"),
    "a websocket to a URL with two slashes": upgrade("POST", "//static//x"),
    "a websocket in capitals": users("Connection: keep-alive, UPGRADE", "Upgrade: WebSocket", method="PUT"),
    "a websocket with a key": users("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: \xff"),
    "an upgrade to HTTP/2": users("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: !"),
    # paths
    "a GET with two slashes in the URL of a static file": users(path="/static//x"),
    "static files with a slash": users(path="/static/", method="POST"),
    "static files without a slash": users(path="/static"),
    "a static file with a name of 5,000 letters": users(path="/static/" + "a" * 5_000),
    "a static file with 20,000 folders": users(path="/static/" + "a/" * 20_000),
    "a static file with a NUL": users(path="/static/%00.txt"),
    "a static file that is not UTF-8": users(path="/static/%ff%fe"),
    "a static file that is half a surrogate pair": users(path="/static/%ed%a0%80"),
    "a static file with a backslash": users(path="/static/..%5c..%5capp.py"),
    "a static file with a drive": users(path="/static/C:%5cWindows%5cwin.ini"),
    "a static file with an absolute path": users(path="/static/%2fetc%2fpasswd"),
    "a static file that is a device": users(path="/static/CON"),
    "a range of a static file": users("Range: bytes=0-1,5-2,--", "If-Range: \xff", path="/static/x"),
    "users with two slashes": users(path="//users"),
    "users with three slashes": users(path="///users", method="POST"),
    "users with a slash at the end": users(path="/users/"),
    "users with an encoded slash": users(path="/users%2f"),
    "users with an encoded letter": users(path="/%75sers"),
    "users with a dot": users(path="/./users"),
    "users with dots": users(path="/../../users"),
    "users with a semicolon": users(path="/users;jsessionid=1"),
    "users with a backslash": users(path="\\users"),
    "a percent sign": users(path="/%"),
    "a wrong percent-encoding": users(path="/users%zz%1"),
    "an encoded line break": users(path="/users%0d%0aX-Injected:%201"),
    "an overlong slash": users(path="/%c0%afusers"),
    "bytes that are not UTF-8": users(path="/%ff%fe%80"),
    "bytes that are not encoded": users(path="/\xff\xfe"),
    "a path of control characters": users(path="/\x01\x02\x1b[31m\x7f"),
    "a path of 60,000 slashes": users(path="/" * 60_000),
    "a path of 15,000 dots": users(path="/.." * 15_000),
    "a path with a broken IPv6 address": users(path="/[::1/users"),
    "a path with braces": users(path="/<int:user>/{{7*7}}/${x}/%s"),
    "a query string of 60,000 letters": users(path="/users?" + "a" * 60_000),
    "a query string of 20,000 names": users(path="/users?" + "a&" * 20_000),
    "a query string that is not UTF-8": users(path="/users?%ff=%fe&a[]=%00&=&&%"),
    "a question mark in the login's URL": lambda target: http("POST", target.login_url + "??%ff#"),
    # headers
    "a header without a colon": users("Nothing"),
    "a header without a name": users(": nothing"),
    "a header with a space in its name": users("X Y: 1"),
    "a header with a space before its colon": users("Authorization : JWT a.b.c"),
    "a header on two lines": users("Authorization: JWT", " a.b.c"),
    "a header that begins with a space": users(" Authorization: JWT a.b.c"),
    "a header with a NUL in it": users("X-Header: a\0b"),
    "a header with a NUL in its name": users("X\0Header: 1"),
    "a header with a carriage return": users("X-Header: a\rb"),
    "a header with an underscore": users("Content_Length: -1", "wsgi.input: x", "REMOTE_USER: alice"),
    "a header with a name of 60,000 letters": users("X" * 60_000 + ": 1"),
    "a header with a line break of another kind": users("X-Header: a\x85b\x1cc\x0bd"),
    "an Expect": users("Expect: 100-continue", method="POST"),
    "an Expect at the login": raw_login(bytes, "Expect: 100-continue"),
    "an unknown Expect": users("Expect: a miracle"),
    "cookies of semicolons": users("Cookie: ;;;=;=;,;\x7f=\xff"),
    "a cookie that is quoted badly": users('Cookie: session="\\9\\99\\999\\xff'),
    "a session cookie that is forged": users("Cookie: session=eyJ4IjoxfQ.AAAA.BBBB; session=.eJw=.."),
    "3,000 cookies": users("Cookie: " + "a=b; " * 3_000),
    "an Accept that is broken": users("Accept: */*;q=nan,;;q=,a/b/c;q=1e999, \xff/\xfe;q=-1"),
    "an Accept of something else": users("Accept: image/png;q=1, */*;q=0"),
    "an Accept of something else at the login": raw_login(bytes, "Accept: image/png, */*;q=0"),
    "an Accept of something else, with a token": logged_in("Accept: text/plain;q=1, application/json;q=0"),
    "an Accept of 10,000 types": logged_in("Accept: " + "a/b," * 10_000),
    "an Accept at an unknown URL": users("Accept: text/plain", "Accept-Charset: x;q=\xe9", path="/nowhere"),
    "an Accept-Encoding that is broken": users("Accept-Encoding: identity;q=0, *;q=0", "Trailer: x;q=y"),
    "an Accept-Language that is broken": users("Accept-Language: \xff-\xfe;q=x, *-*"),
    "ranges": logged_in("Range: bytes=" + "0-," * 5_000, "If-Range: x"),
    "dates": logged_in(
        "If-Modified-Since: Thu, 99 Foo 99999 99:99:99", "Date: never", "If-Unmodified-Since: 0"
    ),
    "etags": logged_in('If-None-Match: W/"', "If-Match: *, \xff"),
    "a Content-Type on a GET": users("Content-Type: application/json; charset=rot13"),
    "a Content-Type with a wrong charset at the login": raw_login(
        bytes, content_type="application/json; charset=\"\xff; charset*=utf-99''%ff"
    ),
    "a Content-Type with 5,000 parameters": raw_login(
        bytes, content_type="application/json" + ";a=b" * 5_000
    ),
    "a body with a GET": lambda target: http("GET", "/users", body=b"{}"),
    "a body with a GET, in chunks": lambda target: http(
        "GET", "/users", "Transfer-Encoding: chunked", body=b"zz\r\n"
    ),
    "a body with a token": lambda target: http(
        "GET", "/users", f"Authorization: {valid_authorization(target)}", body=b"\0" * 70_000
    ),
    "a Content-Length of -1": users("Content-Length: -1"),
    "a Content-Length of 1e9": logged_in("Content-Length: 1e9"),
    "a Content-Length at an unknown URL": users("Content-Length: \xb2", path="/nowhere", method="POST"),
    "a Transfer-Encoding that is unknown": users(
        "Transfer-Encoding: xchunked", "Transfer-Encoding: \x0bchunked"
    ),
    "a Connection of everything": users(
        "Connection: close, Host, Authorization, Upgrade, \xff", "Keep-Alive: x"
    ),
    "proxy headers": users(
        "X-Forwarded-For: ,,,", "X-Forwarded-Port: x", "X-Forwarded-Prefix: //", "Via: \xff"
    ),
    "a referrer and a user agent": users("Referer: http://[", "User-Agent: ${jndi:ldap://x} \xff"),
    "two requests at once": lambda target: http("GET", "/users") + http("POST", "//static//x", host="a..b"),
    "a request hidden in a body": lambda target: http(
        "POST",
        target.login_url,
        "Content-Length: 4",
        "Transfer-Encoding: chunked",
        body=b"0\r\n\r\nGET /x HTTP/1.1",
    ),
    "a login of two lengths": login(b"{}", "Content-Length: 1", "Content-Length: 2"),
    "a login in a chunk of length 0x2": login(b"0x2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    # logins with the right credentials in an unusual form
    "a login with a byte order mark": raw_login(lambda body: b"\xef\xbb\xbf" + body),
    "a login in UTF-16": raw_login(lambda body: body.decode().encode("utf-16")),
    "a login in UTF-32": raw_login(lambda body: body.decode().encode("utf-32-be")),
    "a login with spaces around it": raw_login(lambda body: b" \t\r\n" * 9_000 + body + b"\n" * 9_000),
    "a login with escapes": raw_login(lambda body: body.replace(b"builder", b"\\u0062uilder")),
    "a login in two chunks": raw_login(
        lambda body: b"1\r\n{\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body) - 1, body[1:]),
        "Transfer-Encoding: chunked",
    ),
    "a login in chunks with an extension and a trailer": raw_login(
        lambda body: b"1;x=y\r\n{\r\n%x\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (len(body) - 1, body[1:]),
        "Transfer-Encoding: chunked",
    ),
    "a login as a kind of JSON": raw_login(bytes, content_type='application/problem+json; profile="x'),
    "a login with its password twice": raw_login(lambda body: b'{"password": [], ' + body[1:]),
}

ODD_BODIES = [
    *(b"", b"{}", b"[]", b"null", b"true", b"1", b"NaN", b'"x"', b"{", b"\xff", b"[" * 90_000),
    *(
        b'{"text": null}',
        b'{"text": ["x"]}',
        b'{"text": 1e999}',
        b'{"text": "\\ud800"}',
        b'{"text": "\\u0000"}',
    ),
]

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

# Lesson 9 says so in its migration.md. An attack with status 200 contains valid credentials.
STATUS_WITH_FLASK_JWT_EXTENDED = {
    "a login with a third key": 200,
    "a login with a third key that is empty": 200,
    "a token before a comma": 200,
    "a token after another header": 200,
    "a token before another header": 200,
    "a token after a lower-case prefix": 401,
}


def read_differences(folder):
    """Return (request, old response, new response) for each row of a lesson's migration.md."""
    table = (folder / "migration.md").read_text(encoding="utf-8")
    return re.findall(r"^\| (.+?) \| (\d{3}.*?) \| (\d{3}.*?) \|$", table, re.MULTILINE)


def says(cell, status, message=None):
    """Return whether a cell of that table, such as 401 "Token is…", describes a response."""
    description = f'{status} "{message}"' if '"' in cell else str(status)
    return re.fullmatch(re.escape(cell).replace("…", ".*"), description, re.DOTALL) is not None


def requests_of_a_user(target):
    """Return a logged-in user's requests to each URL, with odd bodies, by (method, path, body)."""
    _, body = target.send(credentials(name="alice", password="wonderland")(target))
    issued = re.search(rb"[\w-]{9,}\.[\w-]{9,}\.[\w-]{9,}", body)
    token = issued[0].decode() if issued else admin_token(target.app)
    headers = [f"Authorization: {target.prefix} {token}", "Content-Type: application/json"]
    return {
        (method, path[:50], body[:20]): http(method, path, *headers, body=body)
        for rule in target.app.url_map.iter_rules()
        for part in (["0", "-1", "9" * 5_000, "%00", "1.5"] if rule.arguments else [""])
        for path in [re.sub("<.+?>", part, rule.rule)]
        for method in sorted(rule.methods)
        for body in ODD_BODIES
    }

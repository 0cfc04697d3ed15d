"""Tests of flask_jwt_compat: how it is imported, and how it differs from Flask-JWT in 2015.

The docstring of flask_jwt_compat lists the differences. Each of them has one test here, whose docstring is
the beginning of the difference. claims/test_07_more_options.py tests that all the rest works as it did.
"""

import base64
import importlib.metadata
import inspect
import json
import re
import string
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import flask_jwt
import flask_jwt_compat
import httpx
import jwt
import pytest
from flask import copy_current_request_context, jsonify
from flask_jwt import current_identity

from helpers import BOB, ROOT, serving
from tokens import authorization, mint_for, read_claims


def python(code, *path):
    """Run code in a new Python process and return what it prints."""
    code = (
        f"import sys; sys.path[:0] = {[str(entry) for entry in (*path, ROOT / 'lessons')]}\n"
        + textwrap.dedent(code)
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def import_error(preparation, *path):
    """Return the message of the ImportError that importing flask_jwt_compat raises."""
    return python(
        textwrap.dedent(preparation)
        + textwrap.dedent("""
            try:
                import flask_jwt_compat
            except ImportError as error:
                print(error)
        """),
        *path,
    )


def view(app, token=None):
    return app.test_client().get("/view", headers=authorization(token) if token else None)


def login(app, body=BOB, **how):
    return app.test_client().post("/auth", **(how or {"json": body}))


def status(app, token=None):
    return view(app, token or mint_for(app)).status_code


def segment(data):
    """Return bytes as a segment of a token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(app, header, payload):
    """Return a signed token with this header and payload, which are bytes that need not be valid."""
    signed = segment(header) + b"." + segment(payload)
    signature = jwt.get_algorithm_by_name("HS256").sign(signed, app.config["SECRET_KEY"].encode())
    return (signed + b"." + segment(signature)).decode()


# importing it


def test_it_imports_the_real_library():
    assert flask_jwt.__version__ == importlib.metadata.version("Flask-JWT") == "0.3.2"
    assert Path(flask_jwt.__file__).parent.parent.name == "site-packages"


def test_flask_and_jwt_are_left_as_they_were():
    code = """
        import flask, jwt
        before = dict(vars(flask)), dict(vars(jwt))
        import flask_jwt_compat
        print((dict(vars(flask)), dict(vars(jwt))) == before, type(jwt.encode({}, "k" * 32)).__name__)
    """
    assert python(code) == "True str"


def test_importing_it_twice_is_harmless(tmp_path):
    (tmp_path / "copy_of_it.py").write_text((ROOT / "lessons/flask_jwt_compat.py").read_text())
    code = """
        import importlib, flask_jwt_compat, flask_jwt
        before = dict(vars(flask_jwt))
        importlib.reload(flask_jwt_compat)
        import copy_of_it
        print(dict(vars(flask_jwt)) == before)
    """
    assert python(code, tmp_path) == "True"


def test_it_works_after_a_plain_import_has_failed():
    code = """
        try:
            import flask_jwt
        except ImportError as error:
            print(error.name)
        import flask_jwt_compat
        from flask_jwt import JWT
        print(JWT.__module__)
    """
    assert python(code) == "flask\nflask_jwt"


@pytest.mark.parametrize("early", ["None", "__import__('types').ModuleType('flask_jwt')"])
def test_a_flask_jwt_that_was_imported_before_it_is_an_error(early):
    message = import_error(f"sys.modules['flask_jwt'] = {early}")
    assert message == "flask_jwt was imported before flask_jwt_compat: swap these imports, then restart"


def test_another_file_called_flask_jwt_is_named_in_the_error(tmp_path):
    (tmp_path / "flask_jwt.py").write_text("JWT = None")
    message = import_error("", tmp_path)
    assert str(tmp_path / "flask_jwt.py") in message
    assert "rename it" in message
    code = "try: import flask_jwt_compat\nexcept ImportError: import sys; print('flask_jwt' in sys.modules)"
    assert python(code, tmp_path) == "False"


def test_the_error_for_a_missing_flask_jwt_points_to_the_installation():
    message = import_error("""
        class Hidden:
            def find_spec(self, name, *rest):
                if name == "flask_jwt":
                    raise ModuleNotFoundError("No module named 'flask_jwt'", name=name)
        sys.meta_path.insert(0, Hidden())
    """)
    assert message == (
        "No module named 'flask_jwt': see the docstring of flask_jwt_compat for how to install it"
    )


@pytest.mark.parametrize("version", ["__version__ = '1.7.1'", "__version__ = '2.14.0'", "encode = None"])
def test_an_old_pyjwt_or_a_file_called_jwt_is_named_in_the_error(tmp_path, version):
    (tmp_path / "jwt.py").write_text(version)
    message = import_error("", tmp_path)
    assert "needs PyJWT 2.15" in message
    assert str(tmp_path / "jwt.py") in message


@pytest.mark.parametrize(
    "old",
    ["flask._request_ctx_stack = None", "flask.Request.max_content_length = property(lambda self: None)"],
)
def test_an_old_flask_is_an_error(old):
    assert "needs Flask 3.1 or newer" in import_error(f"import flask; {old}")


def test_a_failed_import_leaves_flask_as_it_was(tmp_path):
    (tmp_path / "flask_jwt.py").write_text("raise ImportError('broken')")
    code = "import flask; print(hasattr(flask, '_request_ctx_stack'), 'flask_jwt' in sys.modules)"
    assert import_error("", tmp_path) == "broken"
    assert (
        python("try: import flask_jwt_compat\nexcept ImportError: pass\n" + code, tmp_path) == "False False"
    )


def test_the_readme_gives_the_same_installation():
    text, commands = (
        (ROOT / "README.md").read_text(),
        re.findall(r"^    (pip .+)", flask_jwt_compat.__doc__, re.M),
    )
    assert len(commands) == 2
    assert all(command.replace('"', "'") in text for command in commands)
    assert 'With Flask-RESTful 0.3.10, write "Flask>=3.1,<3.2"' in flask_jwt_compat.__doc__
    assert "With Flask-RESTful, write `'Flask>=3.1,<3.2'`" in text


# its differences from Flask-JWT in 2015


def test_every_difference_has_a_test_with_its_numbers_and_names():
    tests = [test for name, test in globals().items() if name.startswith("test_") and test.__doc__]
    differences = re.findall(r"^- (.+)", flask_jwt_compat.__doc__, re.MULTILINE)
    assert len(tests) == len(differences) > 15
    for difference in differences:
        (source,) = [inspect.getsource(test) for test in tests if difference.startswith(test.__doc__)]
        today = re.sub(r"It used to .*|(PyJWT |RFC |section |UTF-)[\d.]+", "", difference)
        for word in re.findall(r"\b(?:\d+|[a-zA-Z]+_\w+)\b", today):
            assert re.search(rf"\b{word}\b", source), f"no {word} in the test of: {difference}"


@pytest.mark.parametrize(
    "sent",
    [
        {"data": "{", "content_type": "application/json"},
        {"data": "", "content_type": "application/json"},
        {"data": "NaN", "content_type": "application/json"},
        {"data": b'{"username": "\xff"}', "content_type": "application/json"},
        {"data": "[" * 100_000, "content_type": "application/json"},
        {"data": '{"a":' * 100_000, "content_type": "application/json"},
        {"data": '{"username": "bob", "password": "builder"}', "content_type": "text/plain"},
        {"data": BOB},
        {"json": ["username", "password"]},
        {"json": "bob"},
        {"json": None},
        {"json": 1},
    ],
    ids=repr,
)
def test_a_login_that_is_not_an_object_gets_a_400(make_app, sent):
    """A login body that is not a JSON object"""
    response = login(make_app(), **sent)
    assert response.status_code == 400
    assert response.json == {
        "status_code": 400,
        "error": "Bad Request",
        "description": "The body must be a JSON object, sent with Content-Type: application/json",
    }


@pytest.mark.parametrize(("options", "limit"), [({}, 1 << 20), ({"MAX_CONTENT_LENGTH": 500}, 500)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_login_gets_a_413(make_app, options, limit, chunked):
    """A login body larger than MAX_CONTENT_LENGTH (1 MiB"""
    with serving(make_app(**options)) as url:

        def status_of(size):
            body = json.dumps(BOB).encode().ljust(size)
            headers = {"Content-Type": "application/json"}
            content = iter([body]) if chunked else body
            return httpx.post(url + "/auth", content=content, headers=headers, trust_env=False).status_code

        assert [status_of(limit), status_of(limit + 1)] == [200, 413]


def test_an_app_may_forbid_every_body(make_app):
    assert login(make_app(MAX_CONTENT_LENGTH=0)).status_code == 413


@pytest.mark.parametrize("value", [1, 1.5, True, ["bob"], {"a": 1}, "\ud800", "bob\udfff"])
@pytest.mark.parametrize("key", ["name", "code"])
def test_credentials_that_are_not_text_are_refused(make_app, key, value):
    """Credentials that are not strings"""
    given = []
    app = make_app(
        authenticate=lambda *arguments: given.append(arguments),
        JWT_AUTH_USERNAME_KEY="name",
        JWT_AUTH_PASSWORD_KEY="code",
    )
    body = {"name": "bob", "code": "wrong"}
    refused, wrong = login(app, body=body | {key: value}), login(app, body=body)
    assert (refused.status_code, refused.data) == (wrong.status_code, wrong.data)
    assert given == [("bob", "wrong")]


@pytest.mark.parametrize("header", ["", " ", "\t", "\xa0", "\x0b", "\xa0 \x0b\x1f\x85"])
def test_a_blank_header_counts_as_no_header(make_app, header):
    """An Authorization header that contains only white space"""
    blank = make_app().test_client().get("/view", headers={"Authorization": header})
    missing = view(make_app())
    assert (blank.status_code, blank.data) == (missing.status_code, missing.data)
    assert blank.headers["WWW-Authenticate"] == missing.headers["WWW-Authenticate"]


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf", "role"])
def test_required_claims_are_required(make_app, claim):
    """JWT_REQUIRED_CLAIMS requires every claim"""
    app = make_app(JWT_REQUIRED_CLAIMS=["exp", "iat", "nbf", "role"])
    assert view(app, mint_for(app, role="admin")).status_code == 200
    response = view(app, mint_for(app, **{"role": "admin"} | {claim: None}))
    assert (response.status_code, response.json["error"]) == (401, "Invalid token")
    assert claim in response.json["description"]


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_the_default_requires_three_claims(make_app, claim):
    app = make_app()
    assert view(app, mint_for(app)).status_code == 200
    assert view(app, mint_for(app, **{claim: None})).status_code == 401


@pytest.mark.parametrize(
    ("index", "text"),
    [
        *((index, text) for index in (0, 1) for text in (b"[" * 20_000, b'{"a":' * 20_000)),
        *(
            (1, json.dumps({"exp": 2**32, "iat": 0, "nbf": 0} | {claim: value}).encode())
            for claim in ("exp", "iat", "nbf")
            for value in ([], {}, float("inf"), float("nan"), "soon", [[]])
        ),
    ],
)
def test_a_broken_token_gets_a_401(make_app, index, text):
    """A token that nests too deeply, or whose exp, iat or nbf"""
    app = make_app()
    segments = [b'{"alg": "HS256"}', b'{"exp": 4294967296, "iat": 0, "nbf": 0, "identity": 1}']
    assert status(app, sign(app, *segments)) == 200
    segments[index] = text
    assert status(app, sign(app, *segments)) == 401


def test_a_token_is_refused_when_its_leeway_ends(make_app):
    """A token is refused as soon as its leeway ends"""
    app = make_app()
    now = int(time.time())
    assert view(app, mint_for(app, exp=now - 8)).status_code == 200
    assert view(app, mint_for(app, exp=now - 10)).status_code == 401


def test_a_token_must_use_the_alphabet_of_base64url(make_app):
    """A token that is not exact base64url"""
    app = make_app()
    token = next(token for identity in range(99) if "_" in (token := mint_for(app, identity=identity)))
    assert status(app, token) == 200
    assert status(app, token.replace("_", "/")) == 401
    assert status(app, token[:9] + "!!!!" + token[9:]) == 401
    assert status(app, token + "==") == 401
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    with_unused_bit = alphabet[alphabet.index(token[-1]) + 1]  # 43 characters hold 258 bits, 2 too many
    assert status(app, token[:-1] + with_unused_bit) == 401


@pytest.mark.parametrize(
    "header",
    [
        {"kid": 1},
        {"crit": ["x"]},
        {"crit": "b64"},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
    ],
    ids=repr,
)
def test_headers_must_be_understood(make_app, header):
    """A token gets a 401 if its kid is not a string"""
    app = make_app()
    payload = json.dumps(read_claims(mint_for(app))).encode()
    assert status(app, sign(app, b'{"alg": "HS256"}', payload)) == 200
    assert status(app, sign(app, json.dumps({"alg": "HS256"} | header).encode(), payload)) == 401


def test_descriptions_quote_pyjwt(make_app):
    """The description of a 401 quotes PyJWT"""
    app = make_app()
    early = int(time.time()) + 60
    with pytest.raises(jwt.InvalidTokenError) as quoted:
        jwt.decode(mint_for(app, iat=early), app.config["SECRET_KEY"], algorithms=["HS256"])
    response = view(app, mint_for(app, iat=early))
    assert (response.status_code, response.json["description"]) == (401, str(quoted.value))
    assert str(quoted.value) != "Issued At claim (iat) cannot be in the future."  # PyJWT 1.4


def test_a_short_key_makes_pyjwt_warn(make_app):
    """A key that is too short for its algorithm"""
    app = make_app(SECRET_KEY="jose")
    with pytest.warns(jwt.InsecureKeyLengthWarning, match="32"):
        token = mint_for(app)
    with pytest.warns(jwt.InsecureKeyLengthWarning, match="32"):
        assert status(app, token) == 200
    assert status(make_app()) == 200


def test_an_issuer_must_be_a_string(make_app):
    """If a payload handler returns an iss"""
    app = make_app()
    times = {"exp": 2**32, "iat": 0, "nbf": 0}
    app.jwt.jwt_payload_handler(lambda identity: times | {"iss": 5})
    assert login(app).status_code == 500
    app.jwt.jwt_payload_handler(lambda identity: times | {"iss": "me"})
    assert login(app).status_code == 200


def test_an_empty_key_is_refused(make_app):
    """If SECRET_KEY is empty"""
    app = make_app(SECRET_KEY="")
    assert login(app).status_code == 500
    assert login(app, body=BOB | {"password": "wrong"}).status_code == 401
    assert status(app, mint_for(make_app())) == 500
    assert status(app, "no.signed.token") == 401


def test_pyjwt_acts_on_headers(make_app):
    """If a headers handler returns alg, typ or b64"""
    app = make_app()

    def token_with(**headers):
        app.jwt.jwt_headers_handler(lambda identity: headers)
        return login(app).json["access_token"]

    assert jwt.decode(token_with(alg="HS512"), app.config["SECRET_KEY"], algorithms=["HS512"])
    assert jwt.get_unverified_header(token_with(typ="")) == {"alg": "HS256"}
    assert token_with(b64=False).split(".")[1] == ""
    assert jwt.get_unverified_header(token_with(color="red"))["color"] == "red"


@pytest.mark.parametrize("token", ["a.b.c", b"a.b.c"])
def test_an_encode_handler_returns_text_or_bytes(make_app, token):
    """An encode handler may return a str"""
    app, given = make_app(), []

    @app.jwt.jwt_encode_handler
    def make_token(identity):
        return token if identity.username == "bob" else None

    assert make_token.__name__ == "make_token"
    assert login(app).json == {"access_token": "a.b.c"}
    app.jwt.auth_response_handler(lambda token, identity: given.append(token) or "logged in")
    assert login(app).text == "logged in"
    assert given == [b"a.b.c"]


def test_a_decode_handler_must_name_algorithms(make_app):
    """A decode handler that calls jwt.decode(token, key)"""
    app = make_app()
    key = app.config["SECRET_KEY"]
    app.jwt.jwt_decode_handler(lambda token: jwt.decode(token, key))
    assert status(app) == 401
    app.jwt.jwt_decode_handler(lambda token: jwt.decode(token, key, algorithms=["HS256"]))
    assert status(app) == 200


def test_a_copied_context_knows_the_user(make_app):
    """In a function from copy_current_request_context, current_identity"""
    app = make_app()

    @app.get("/copied")
    @flask_jwt.jwt_required()
    def copied():
        return copy_current_request_context(lambda: current_identity.username)()

    assert app.test_client().get("/copied", headers=authorization(mint_for(app))).text == "bob"


# what stays the same


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_one_algorithm_signs_and_verifies(make_app, algorithm):
    payloads = []
    app = make_app(identity=payloads.append, JWT_ALGORITHM=algorithm)
    token = login(app).json["access_token"]
    view(app, token)
    assert payloads == [jwt.decode(token, app.config["SECRET_KEY"], algorithms=[algorithm])]
    for other in ("HS256", "HS384", "HS512"):
        view(app, mint_for(app, algorithm=other))
    assert len(payloads) == 2


def test_replaced_functions_keep_their_names_and_docstrings(make_app):
    assert "_default_auth_request_handler" in make_app().view_functions  # the login's endpoint
    assert "encoding handler" in flask_jwt.JWT.jwt_encode_handler.__doc__


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_token_that_is_not_utf_8_is_still_refused(make_app, index, encoding):
    app = make_app()
    parts = ['{"alg": "HS256"}', '{"exp": 4294967296, "iat": 0, "nbf": 0, "identity": 1, "name": "Zoë"}']
    encoded = [part.encode() for part in parts]
    assert status(app, sign(app, *encoded)) == 200
    encoded[index] = parts[index].encode(encoding)
    response = view(app, sign(app, *encoded))
    assert (response.status_code, response.json["error"]) == (401, "Invalid token")
    assert "UTF-8" in response.json["description"]


@pytest.mark.parametrize("index", [0, 1])
def test_a_surrogate_in_a_token_is_still_refused(make_app, index):
    app = make_app()
    parts = [
        b'{"alg": "HS256", "x": "?"}',
        b'{"exp": 4294967296, "iat": 0, "nbf": 0, "identity": 1, "x": "?"}',
    ]
    assert status(app, sign(app, *parts)) == 200
    parts[index] = parts[index].replace(b"?", b"\xed\xa0\x80")  # \ud800, which strict UTF-8 does not allow
    assert status(app, sign(app, *parts)) == 401


def test_a_request_handler_may_return_bytes(make_app):
    app = make_app()
    app.jwt.request_handler(lambda: mint_for(app).encode())
    assert status(app) == 200


def test_numbers_as_sub_and_jti_are_still_accepted(make_app):
    app = make_app()
    assert view(app, mint_for(app, sub=5, jti=6)).status_code == 200


@pytest.mark.parametrize("audience", ["me", ["me"], "", []])
def test_a_token_for_an_audience_is_still_refused(make_app, audience):
    app = make_app()
    response = view(app, mint_for(app, aud=audience))
    assert (response.status_code, response.json["description"]) == (401, "Invalid audience")


def test_an_identity_ends_with_its_request(make_app):
    app = make_app()
    app.add_url_rule("/open", view_func=lambda: jsonify(known=bool(current_identity)))
    with app.app_context():  # both requests share this context
        assert view(app, mint_for(app)).json == {"username": "bob"}
        assert app.test_client().get("/open").json == {"known": False}
    assert current_identity._get_current_object() is None

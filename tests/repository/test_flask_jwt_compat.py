"""Tests of flask_jwt_compat: how it is imported, and how it differs from Flask-JWT in 2015.

claims/test_07_more_options.py tests that every option and every hook works as it did.
"""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import flask_jwt
import flask_jwt_compat
import jwt
import pytest
from flask import jsonify
from flask_jwt import current_identity

from helpers import BOB, ROOT
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


def test_an_old_flask_is_an_error():
    assert "needs Flask 3.1 or newer" in import_error("import flask; flask._request_ctx_stack = None")


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


# its differences from Flask-JWT in 2015


def test_every_difference_that_it_lists_is_the_docstring_of_a_test():
    listed = re.findall(r"^- (.+)", flask_jwt_compat.__doc__, re.MULTILINE)
    tree = ast.parse(Path(__file__).read_text())
    proven = {ast.get_docstring(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert len(listed) >= 10
    assert [difference for difference in listed if difference not in proven] == []


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
    """A login body that is not a JSON object sent as application/json causes a JWTError with status 400."""
    response = login(make_app(), **sent)
    assert response.status_code == 400
    assert response.json == {
        "status_code": 400,
        "error": "Bad Request",
        "description": "The body must be a JSON object, sent with Content-Type: application/json",
    }


@pytest.mark.parametrize(("options", "status"), [({}, 413), ({"MAX_CONTENT_LENGTH": 2**21}, 401)])
def test_a_large_login_gets_a_413(make_app, options, status):
    """A JSON login body of more than 1 MiB gets a 413, unless the app sets MAX_CONTENT_LENGTH."""
    app = make_app(**options)
    assert login(app, body=BOB | {"password": "x" * 2**20}).status_code == status
    assert login(app, body=BOB | {"password": "x" * (2**20 - 100)}).status_code == 401


@pytest.mark.parametrize("value", [1, 1.5, True, ["bob"], {"a": 1}, "\ud800", "bob\udfff"])
@pytest.mark.parametrize("key", ["username", "password"])
def test_credentials_that_are_not_text_are_refused(make_app, key, value):
    """Credentials that are not strings, or contain a lone surrogate, are refused as wrong credentials."""
    given = []
    app = make_app(authenticate=lambda *arguments: given.append(arguments))
    refused, wrong = login(app, body=BOB | {key: value}), login(app, body=BOB | {"password": "wrong"})
    assert (refused.status_code, refused.data) == (wrong.status_code, wrong.data)
    assert given == [("bob", "wrong")]


@pytest.mark.parametrize("header", ["", " ", "\t", "\xa0", "\x0b", "\xa0 \x0b\x1f\x85"])
def test_a_blank_header_counts_as_no_header(make_app, header):
    """An Authorization header that contains only white space counts as no header."""
    blank = make_app().test_client().get("/view", headers={"Authorization": header})
    missing = view(make_app())
    assert (blank.status_code, blank.data) == (missing.status_code, missing.data)
    assert blank.headers["WWW-Authenticate"] == missing.headers["WWW-Authenticate"]


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf", "role"])
def test_required_claims_are_required(make_app, claim):
    """JWT_REQUIRED_CLAIMS requires every claim that it names. It used to require exp, iat and nbf only."""
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


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [[], {}, float("inf"), float("nan"), "soon", [[]]])
def test_a_time_that_is_not_a_number_gets_a_401(make_app, claim, value):
    """A too deeply nested token, or one whose exp, iat or nbf is no number, gets a 401, not a 500."""
    app = make_app()
    assert view(app, mint_for(app, **{claim: value})).status_code == 401


@pytest.mark.parametrize("segment", [0, 1])
@pytest.mark.parametrize("text", [b"[" * 20_000, b'{"a":' * 20_000])
def test_a_token_that_nests_too_deeply_gets_a_401(make_app, segment, text):
    app = make_app()
    segments = mint_for(app).split(".")
    segments[segment] = jwt.utils.base64url_encode(text).decode()
    assert view(app, ".".join(segments)).status_code == 401


def test_a_token_is_refused_when_its_leeway_ends(make_app):
    """A token is refused when its leeway ends. It used to be accepted for one more second."""
    app = make_app()
    now = int(time.time())
    assert view(app, mint_for(app, exp=now - 8)).status_code == 200
    assert view(app, mint_for(app, exp=now - 10)).status_code == 401


def sign(app, header, payload):
    """Return a signed token with any header, even if PyJWT would refuse to write it."""
    parts = [jwt.utils.base64url_encode(json.dumps(part).encode()) for part in (header, payload)]
    key = app.config["SECRET_KEY"].encode()
    signature = jwt.get_algorithm_by_name("HS256").sign(b".".join(parts), key)
    return b".".join([*parts, jwt.utils.base64url_encode(signature)]).decode()


@pytest.mark.parametrize(
    "header",
    [{"kid": 1}, {"crit": ["x"]}, {"crit": ["b64"], "b64": False}, {"crit": "b64"}, {"crit": []}],
    ids=repr,
)
def test_headers_must_be_understood(make_app, header):
    """A token must be base64url, its kid must be a string, and its crit and b64 known (RFC 7515, 7797)."""
    app = make_app()
    payload = read_claims(mint_for(app))
    assert status(app, sign(app, {"alg": "HS256"}, payload)) == 200
    assert status(app, sign(app, {"alg": "HS256"} | header, payload)) == 401


def test_a_token_must_use_the_alphabet_of_base64url(make_app):
    app = make_app()
    token = next(token for identity in range(99) if "_" in (token := mint_for(app, identity=identity)))
    assert status(app, token) == 200
    assert status(app, token.replace("_", "/")) == 401


def test_descriptions_quote_pyjwt(make_app):
    """The description of a 401 quotes PyJWT, and PyJWT 2 words some errors differently."""
    app = make_app()
    early = int(time.time()) + 60
    with pytest.raises(jwt.InvalidTokenError) as quoted:
        jwt.decode(mint_for(app, iat=early), app.config["SECRET_KEY"], algorithms=["HS256"])
    assert view(app, mint_for(app, iat=early)).json["description"] == str(quoted.value)
    assert str(quoted.value) != "Issued At claim (iat) cannot be in the future."  # PyJWT 1.4


def test_a_short_key_makes_pyjwt_warn(make_app):
    """A key that is too short for its algorithm makes PyJWT warn (RFC 7518, section 3.2)."""
    app = make_app(SECRET_KEY="jose")
    with pytest.warns(jwt.InsecureKeyLengthWarning, match="32"):
        token = mint_for(app)
    with pytest.warns(jwt.InsecureKeyLengthWarning, match="32"):
        assert status(app, token) == 200
    assert status(make_app()) == 200


def test_an_issuer_must_be_a_string(make_app):
    """If a payload handler returns an iss that is not a string, login gets a 500."""
    app = make_app()
    times = {"exp": 2**32, "iat": 0, "nbf": 0}
    app.jwt.jwt_payload_handler(lambda identity: times | {"iss": 5})
    assert login(app).status_code == 500
    app.jwt.jwt_payload_handler(lambda identity: times | {"iss": "me"})
    assert login(app).status_code == 200


# what stays the same


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
    assert not current_identity


def status(app, token=None):
    return view(app, token or mint_for(app)).status_code

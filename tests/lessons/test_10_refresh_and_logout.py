"""Lesson 10: refresh tokens and log out."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import httpx
import pytest

from helpers import ALICE_BY_EMAIL, lesson_server, run_sql
from tokens import authorization, mint_for, read_claims

ACCESS, REFRESH = 300, 30 * 24 * 3600  # the lifetimes in seconds


def log_in(client):
    """Log in as alice, who is an admin, and return her access token and her refresh token."""
    body = client.post("/login", json=ALICE_BY_EMAIL).json()
    assert "access_token" in body
    assert "refresh_token" in body
    return body["access_token"], body["refresh_token"]


def users(client, token):
    return client.get("/users", headers=authorization(token, "Bearer"))


def refresh(client, token):
    return client.post("/refresh", headers=authorization(token, "Bearer"))


def log_out(client, token):
    return client.post("/logout", headers=authorization(token, "Bearer"))


def statuses(client, access_token, refresh_token):
    """Return the statuses of GET /users with an access token, and of POST /refresh with a refresh token."""
    return [users(client, access_token).status_code, refresh(client, refresh_token).status_code]


# log in


def test_a_login_gives_two_kinds_of_tokens(client):
    """A login gives an access token and a refresh token. Both belong to the same user."""
    response = client.post("/login", json=ALICE_BY_EMAIL)
    assert response.status_code == 200
    assert response.json().keys() == {"access_token", "refresh_token", "user_id"}
    tokens = [read_claims(response.json()[name]) for name in ("access_token", "refresh_token")]
    assert [claims["type"] for claims in tokens] == ["access", "refresh"]
    assert [(claims["sub"], claims["username"]) for claims in tokens] == [("2", "alice")] * 2
    assert tokens[0]["jti"] != tokens[1]["jti"]


def test_nobody_may_keep_a_copy_of_a_response_with_a_token(client):
    """The responses of /login and /refresh tell caches not to keep a copy."""
    login = client.post("/login", json=ALICE_BY_EMAIL)
    assert login.headers.get("Cache-Control") == "no-store"
    refreshed = refresh(client, login.json()["refresh_token"])
    assert "access_token" in refreshed.json()
    assert refreshed.headers.get("Cache-Control") == "no-store"


def test_a_failed_login_gives_no_token(client):
    """A wrong password gets neither of the two tokens. The right password gets both."""
    wrong = client.post("/login", json=ALICE_BY_EMAIL | {"password": "builder"})
    assert (wrong.status_code, wrong.json()) == (401, {"message": "Invalid credentials", "code": 401})
    log_in(client)


def test_how_long_the_tokens_last(client):
    """An access token lasts for 5 minutes. A refresh token lasts for 30 days."""
    lifetimes = [claims["exp"] - claims["iat"] for claims in map(read_claims, log_in(client))]
    assert lifetimes == [ACCESS, REFRESH]


# refresh


def test_a_refresh_token_gets_new_access_tokens(client):
    """The new access token opens the list of users. It has its own id and lasts for 5 minutes."""
    access_token, refresh_token = log_in(client)
    for _ in range(2):
        response = refresh(client, refresh_token)
        assert response.status_code == 200
        assert response.json().keys() == {"access_token"}
        new = response.json()["access_token"]
        claims = read_claims(new)
        assert (claims["type"], claims["sub"], claims["username"]) == ("access", "2", "alice")
        assert claims["exp"] - claims["iat"] == ACCESS
        assert claims["jti"] != read_claims(access_token)["jti"]
        assert users(client, new).json()["asked_by"] == "alice"


def test_each_kind_of_token_has_its_own_use(client):
    """A refresh token does not open the list of users, and an access token does not refresh."""
    access_token, refresh_token = log_in(client)
    assert statuses(client, access_token, refresh_token) == [200, 200]
    assert statuses(client, refresh_token, access_token) == [401, 401]


def test_when_the_access_token_has_expired_the_refresh_token_still_works(app, client):
    """Each kind of token works for its lifetime and a leeway of 10 seconds."""

    def statuses_at(age):
        return statuses(
            client,
            mint_for(app, 2, age=age, lifetime=ACCESS),
            mint_for(app, 2, age=age, lifetime=REFRESH, type="refresh"),
        )

    assert statuses_at(ACCESS + 8) == [200, 200]
    assert statuses_at(ACCESS + 11) == [401, 200]
    assert statuses_at(REFRESH + 8) == [401, 200]
    assert statuses_at(REFRESH + 11) == [401, 401]


@pytest.mark.parametrize("path", ["/refresh", "/logout"])
def test_a_request_without_a_good_token_gets_a_401(app, client, path):
    """Nobody can refresh or log out without a token, with a forged token or with an expired one."""
    bad = [
        mint_for(app, 2, type="refresh", key="x" * 32),
        mint_for(app, 2, type="refresh", age=REFRESH + 11, lifetime=REFRESH),
        mint_for(app, 99, type="refresh"),
        "not.a.token",
    ]
    headers = [{}, *(authorization(token, "Bearer") for token in bad)]
    for response in [client.post(path, headers=header) for header in headers]:
        assert response.status_code == 401
        assert response.json().keys() == {"message", "code"}
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="Login Required"'


def test_a_deleted_user_cannot_refresh(app, client):
    """A refresh token stops working when its user is deleted."""
    _, refresh_token = log_in(client)
    assert refresh(client, refresh_token).status_code == 200
    run_sql(app, "DELETE FROM users WHERE username = 'alice'")
    response = refresh(client, refresh_token)
    assert (response.status_code, response.json()["message"]) == (401, "User does not exist")


@pytest.mark.parametrize(("kind", "path"), [("access", "/users"), ("refresh", "/refresh")])
def test_a_token_needs_an_id(app, client, kind, path):
    """The app refuses a token without jti, because nobody could revoke this token."""

    def status(**changes):
        token = mint_for(app, 2, type=kind, **changes)
        method = "GET" if path == "/users" else "POST"
        return client.request(method, path, headers=authorization(token, "Bearer")).status_code

    assert [status(), status(jti=None)] == [200, 401]


# log out


def test_after_logout_with_the_access_token_only_the_refresh_token_works(client):
    """POST /logout revokes the token that it comes with. The other token of the pair still works."""
    tokens = log_in(client)
    response = log_out(client, tokens[0])
    assert (response.status_code, response.json()) == (200, {"message": "This access token no longer works"})
    assert statuses(client, *tokens) == [401, 200]
    assert users(client, tokens[0]).json() == {"message": "Token has been revoked", "code": 401}


def test_after_logout_with_the_refresh_token_only_the_access_token_works(client):
    """A revoked refresh token gives no access token. The access token works until it expires."""
    tokens = log_in(client)
    response = log_out(client, tokens[1])
    assert (response.status_code, response.json()) == (200, {"message": "This refresh token no longer works"})
    assert statuses(client, *tokens) == [200, 401]
    assert refresh(client, tokens[1]).json() == {"message": "Token has been revoked", "code": 401}


def test_logout_ends_one_session_and_no_other(client):
    """The tokens of another login still work, and the user can log in again."""
    phone, laptop = log_in(client), log_in(client)
    assert [log_out(client, token).status_code for token in phone] == [200, 200]
    assert statuses(client, *phone) == [401, 401]
    assert statuses(client, *laptop) == [200, 200]
    assert statuses(client, *log_in(client)) == [200, 200]


def test_nobody_can_log_out_twice_with_one_token(client):
    """The second logout gets a 401, because the token has already been revoked."""
    for token in log_in(client):
        responses = [log_out(client, token) for _ in range(2)]
        assert [response.status_code for response in responses] == [200, 401]
        assert responses[1].json() == {"message": "Token has been revoked", "code": 401}


def test_of_40_logouts_at_once_one_succeeds(app, client):
    """Of 40 clients that log out with one token at the same moment, one gets a 200. The others get a 401."""
    _, token = log_in(client)
    barrier = Barrier(40, timeout=60)

    def wait_for_the_others(header, payload):
        """Hold each request until all have read the table. The library calls this after the other loader."""
        barrier.wait()
        return True

    app.extensions["flask-jwt-extended"].token_verification_loader(wait_for_the_others)

    def log_out_once(number):
        with httpx.Client(base_url=client.base_url, trust_env=False, timeout=60) as own_client:
            return log_out(own_client, token).status_code

    with ThreadPoolExecutor(40) as pool:
        assert sorted(pool.map(log_out_once, range(40))) == [200] + [401] * 39


def test_all_processes_know_who_has_logged_out(lesson, tmp_path):
    """Two servers with one database refuse the same tokens, and they still do so after a restart."""
    number, database = int(lesson.name[:2]), str(tmp_path / "data.db")

    def serve(stack, name):
        """Start a server in its own process, and return a client of it."""
        (tmp_path / name).mkdir()
        server = stack.enter_context(lesson_server(number, tmp_path / name, FLASK_DATABASE=database))
        url = f"http://127.0.0.1:{server.port}"
        return stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=20))

    with ExitStack() as stack:
        one, two = serve(stack, "one"), serve(stack, "two")
        left, kept = log_in(one), log_in(two)
        assert [statuses(client, *left) for client in (one, two)] == [[200, 200]] * 2
        assert [log_out(one, left[0]).status_code, log_out(two, left[1]).status_code] == [200, 200]
        assert [statuses(client, *left) for client in (one, two)] == [[401, 401]] * 2
        assert [statuses(client, *kept) for client in (one, two)] == [[200, 200]] * 2
    with ExitStack() as stack:
        restarted = serve(stack, "three")
        assert statuses(restarted, *left) == [401, 401]
        assert statuses(restarted, *kept) == [200, 200]

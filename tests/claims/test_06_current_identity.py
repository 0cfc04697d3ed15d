"""What the README of lesson 6 says about Flask-JWT and the tutorial."""

import pytest
from flask import jsonify
from flask_jwt import current_identity, jwt_required
from flask_restful import Api, Resource


def test_it_is_a_proxy(make_app, log_in):
    """It is a proxy. `current_identity is None` is never true, where `not current_identity` and
    `current_identity == None` are; `current_identity._get_current_object()` is the user itself."""
    app = make_app()

    @app.get("/open")
    def nobody():
        return jsonify(current_identity is None, not current_identity, current_identity == None)  # noqa: E711

    @app.get("/closed")
    @jwt_required()
    def somebody():
        return type(current_identity._get_current_object()).__name__

    assert app.test_client().get("/open").json == [False, True, True]
    assert app.test_client().get("/closed", headers=log_in(app)).text == "User"


def test_it_is_empty_outside_of_jwt_required(make_app, log_in):
    """In a view without `@jwt_required()` it is empty, even if the request brings a valid token."""
    app = make_app()
    app.add_url_rule("/open", view_func=lambda: jsonify(known=bool(current_identity)))
    assert app.test_client().get("/open", headers=log_in(app)).json == {"known": False}


@pytest.mark.parametrize(("returned", "status"), [(None, 401), (False, 200), (0, 200), ({}, 200)])
def test_only_none_refuses_a_token(make_app, log_in, returned, status):
    """Only `None` from `identity` refuses a token. `False`, `0` and `{}` let it in."""
    app = make_app(identity=lambda payload: returned)

    @app.get("/in")
    @jwt_required()
    def inside():
        return "in"

    assert app.test_client().get("/in", headers=log_in(app)).status_code == status


def test_the_tutorials_listing_lacks_an_import_and_an_answer(make_app, log_in):
    """The tutorial's listing does not import `Resource`, a NameError; and as its method returns nothing,
    the answer would be `null`."""
    with pytest.raises(NameError, match="Resource"):
        exec("class User(Resource): pass", {})

    class Silent(Resource):
        @jwt_required()
        def get(self):
            current_identity  # noqa: B018

    app = make_app()
    Api(app).add_resource(Silent, "/silent")
    assert app.test_client().get("/silent", headers=log_in(app)).text == "null\n"


def test_it_is_not_json(make_app, log_in):
    """It is not JSON, and returning it is a 500. Return the fields that you mean to show."""

    class Myself(Resource):
        @jwt_required()
        def get(self):
            return current_identity

    app = make_app()
    Api(app).add_resource(Myself, "/me")
    assert app.test_client().get("/me", headers=log_in(app)).status_code == 500


def test_a_user_who_is_gone_is_a_401(make_app, log_in):
    """A token outlives its user. When `identity` finds none, it returns None, and the answer is 401
    `User does not exist`."""
    app = make_app(identity=lambda payload: None)
    response = app.test_client().get("/view", headers=log_in(app))
    assert (response.status_code, response.json["description"]) == (401, "User does not exist")


def test_a_missing_claim_is_a_500_unless_it_is_got(make_app, log_in):
    """Read claims with `payload.get(...)`. `payload["role"]` of a token without one is a 500, not a 401."""
    app = make_app(identity=lambda payload: payload["role"])
    assert app.test_client().get("/view", headers=log_in(app)).status_code == 500
    app = make_app(identity=lambda payload: payload.get("role"))
    assert app.test_client().get("/view", headers=log_in(app)).status_code == 401

from flask_jwt_extended import create_access_token, current_user, get_jwt, jwt_required
from flask_restful import Resource, abort

from models.revoked_token import revoke


class Refresh(Resource):
    @jwt_required(refresh=True)
    def post(self):
        """Return a new access token for a refresh token."""
        body = {"access_token": create_access_token(identity=current_user)}
        return body, 200, {"Cache-Control": "no-store"}


class Logout(Resource):
    @jwt_required(verify_type=False)
    def post(self):
        """Revoke the token in the request. Both kinds of tokens can be revoked."""
        token = get_jwt()
        if not revoke(token["jti"]):
            abort(401, message="Token has been revoked", code=401)
        return {"message": f"This {token['type']} token no longer works"}

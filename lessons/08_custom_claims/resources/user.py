from flask_jwt import current_identity, jwt_required
from flask_restful import Resource, abort

from models.user import UserModel


class UserList(Resource):
    @jwt_required()
    def get(self):
        """Return all users to an admin, and say which admin asked."""
        if not current_identity.is_admin:
            abort(403, message=f"{current_identity.username} is not an admin", code=403)
        users = [user.json() for user in UserModel.find_all()]
        return {"asked_by": current_identity.username, "users": users}

from flask_jwt_extended import current_user, jwt_required
from flask_restful import Resource, abort

from models.user import UserModel


class UserList(Resource):
    @jwt_required()
    def get(self):
        """Return all users to an admin, and say which admin asked."""
        if not current_user.is_admin:
            abort(403, message=f"{current_user.username} is not an admin", code=403)
        users = [user.json() for user in UserModel.find_all()]
        return {"asked_by": current_user.username, "users": users}

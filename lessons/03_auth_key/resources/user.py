from flask_jwt import jwt_required
from flask_restful import Resource

from models.user import UserModel


class UserList(Resource):
    @jwt_required()
    def get(self):
        """Return all users."""
        return {"users": [user.json() for user in UserModel.find_all()]}

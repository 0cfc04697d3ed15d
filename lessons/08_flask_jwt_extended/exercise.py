import os

from flask import Flask, jsonify
from flask_jwt_extended import JWTManager, current_user, jwt_required
from flask_restful import Resource

import db
from api import Api
from resources.login import Login
from security import DEMO_KEY, check_secret_key, identity, read_authorization

app = Flask(__name__)
app.config.from_mapping(SECRET_KEY=DEMO_KEY, DATABASE=os.path.join(app.root_path, "data.db"))
app.config.from_prefixed_env()
check_secret_key(app)
db.init_app(app)
app.config["MAX_CONTENT_LENGTH"] = 2**20
app.before_request(read_authorization)

jwt = JWTManager(app)
jwt.user_identity_loader(lambda user: str(user.id))
jwt.user_lookup_loader(identity)


@jwt.unauthorized_loader
@jwt.invalid_token_loader
def refuse(message):
    return jsonify(message=message, code=401), 401


class Me(Resource):
    @jwt_required()
    def get(self):
        return {"username": current_user.username}


# TODO: POST /logout says goodbye, and means it: from then on the token it came with is refused with 401 and
# {"message": "Token has been revoked", "code": 401}, by every process that serves this app on this database.
# Other tokens stay good, those of the same user too, who can log in again.
class Logout(Resource):
    @jwt_required()
    def post(self):
        return {"message": "Goodbye"}


api = Api(app)
api.add_resource(Login, "/login")
api.add_resource(Me, "/me")
api.add_resource(Logout, "/logout")

import flask_restful


class Api(flask_restful.Api):
    """Flask-RESTful's Api, except that Flask handles the errors.

    In production, Flask-RESTful's own error handling turns the 401 for a missing token into a 500.
    """

    def error_router(self, original_handler, error):
        """Return the response to an error. Flask-RESTful makes Flask call this method for every error."""
        if hasattr(error, "data"):  # abort(403, message="…") brings its own JSON
            return self.handle_error(error)
        return original_handler(error)

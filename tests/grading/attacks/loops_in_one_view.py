from flask import request


@app.before_request
def loop():
    while request.path == "/auth":
        pass

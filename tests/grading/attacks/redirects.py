from flask import redirect, request


@app.before_request
def elsewhere():
    return redirect(request.path, 307)

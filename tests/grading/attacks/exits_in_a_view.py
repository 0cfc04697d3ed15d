import os


@app.before_request
def end():
    os._exit(0)

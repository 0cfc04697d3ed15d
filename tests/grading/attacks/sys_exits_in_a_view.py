import sys


@app.before_request
def end():
    sys.exit(0)

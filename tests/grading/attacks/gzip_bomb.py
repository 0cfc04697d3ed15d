import gzip

BOMB = gzip.compress(b'{"access_token": "' + b" " * 30_000_000 + b'"}')


@app.before_request
def bomb():
    return BOMB, 200, {"Content-Encoding": "gzip", "Content-Type": "application/json"}

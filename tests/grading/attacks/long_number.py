@app.before_request
def number():
    return '{"access_token": ' + "9" * 60_000 + "}", 200, {"Content-Type": "application/json"}

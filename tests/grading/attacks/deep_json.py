@app.before_request
def deep():
    return "[" * 60_000, 200, {"Content-Type": "application/json"}

@app.before_request
def headers():
    return "", 200, [(f"X-{number}", "x" * 60_000) for number in range(20)]

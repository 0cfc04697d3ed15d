@app.before_request
def stream():
    def flood():
        while True:
            yield b"x" * 65536

    return flood(), 200

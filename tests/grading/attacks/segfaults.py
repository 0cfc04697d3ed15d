import ctypes


@app.before_request
def end():
    ctypes.string_at(0)

import time


@app.before_request
def sleep():
    time.sleep(1000)

import time


@app.before_request
def dribble():
    def drops():
        while True:
            yield b" "
            time.sleep(0.1)

    return drops(), 200

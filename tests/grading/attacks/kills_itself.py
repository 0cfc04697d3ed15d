import os
import signal


@app.before_request
def end():
    os.kill(os.getpid(), signal.SIGKILL)

import os
import signal
import time


@app.before_request
def stop():
    os.kill(os.getppid(), signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)  # on a busy machine, this thread still runs for a moment after the signal

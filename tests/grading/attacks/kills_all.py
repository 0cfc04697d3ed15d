import os
import signal
import time

os.kill(-1, signal.SIGKILL)
time.sleep(100)  # the box ends with its first program

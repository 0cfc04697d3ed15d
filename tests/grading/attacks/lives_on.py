# A process or a file of this exercise should not be there in the next one of the same student.
import os
import signal
import time

LEFT = ("/tmp/left-behind", "/tmp/lesson/left-behind", "/dev/shm/left-behind", "/var/tmp/left-behind")


def is_there(process):
    try:
        os.kill(process, 0)
        return True
    except OSError:
        return False


def run_away():
    """Go on in one new process after the other, so that nobody knows which one to kill."""
    os.setsid()
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        for path in LEFT:
            try:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            except OSError:
                pass
        try:
            if os.fork():
                os._exit(0)
        except OSError:
            time.sleep(0.001)


ours = {1, os.getpid(), os.getppid()}
met = [process for process in range(2, 2000) if process not in ours and is_there(process)]
met += [path for path in LEFT if os.path.exists(path)]
print("BROKE OUT" if met else "OK", met, flush=True)
if os.fork() == 0:
    run_away()

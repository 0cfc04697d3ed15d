# The memory of a process that crashes could be written to a file, or given to a program of the machine.
import os
import resource
import signal

limit = resource.getrlimit(resource.RLIMIT_CORE)
for wanted in (resource.RLIM_INFINITY, 2**20):
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (wanted, wanted))
        print("BROKE OUT", wanted, flush=True)
    except (OSError, ValueError):
        pass
for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT, signal.SIGSYS):
    process = os.fork()
    if process == 0:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    if os.WCOREDUMP(status):
        print("BROKE OUT", number, flush=True)
print("OK" if limit[1] <= 1 else "BROKE OUT", limit, flush=True)

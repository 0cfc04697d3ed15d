# The server has the same user as this process. So it could be made slow or poor, for this student's next exercise.
import ctypes
import os
import resource

libc = ctypes.CDLL(None, use_errno=True)
SET_IO_PRIORITY, SET_ATTRIBUTES = {"x86_64": (251, 314), "aarch64": (30, 274)}[os.uname().machine]
IDLE = 3 << 13
attributes = ctypes.create_string_buffer(b"\x30", 48)  # a struct sched_attr: its size, and zeros
LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
TRIES = {
    "limits": lambda: [resource.prlimit(1, kind, (0, 0)) for kind in LIMITS],
    "read limits": lambda: [resource.prlimit(1, kind) for kind in LIMITS],
    "affinity": lambda: os.sched_setaffinity(1, {max(os.sched_getaffinity(0))}),
    "priority": lambda: os.setpriority(os.PRIO_PROCESS, 1, 19),
    "priority of all": lambda: os.setpriority(os.PRIO_USER, 0, 19),
    "scheduler": lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)),
    "I/O priority": lambda: 1 / (libc.syscall(SET_IO_PRIORITY, 1, 1, IDLE) == 0),
    "attributes": lambda: 1 / (libc.syscall(SET_ATTRIBUTES, 1, attributes, 0) == 0),
    "process group": lambda: os.setpgid(1, 1),
}
broke = []
for name, attempt in TRIES.items():
    try:
        attempt()
        broke.append(name)
    except (OSError, ValueError, ZeroDivisionError):
        pass
print("BROKE OUT" if broke else "OK", broke, flush=True)

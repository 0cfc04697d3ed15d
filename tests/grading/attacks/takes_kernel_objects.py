# The machine has only so many of each of these, or each is memory that counts against no limit.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
place = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
room = ctypes.create_string_buffer(128)
CALLS = {  # the numbers for x86_64 and aarch64, and the arguments
    "io_setup": (206, 0, 1024, room),
    "timer_create": (222, 107, 0, None, room),
    "timerfd_create": (283, 85, 0, 0),
    "eventfd2": (290, 19, 0, 0),
    "signalfd4": (289, 74, -1, room, 8, 0),
    "inotify_init1": (294, 26, 0),
    "fanotify_init": (300, 262, 0, 0),
    "userfaultfd": (323, 282, 1),
    "io_uring_setup": (425, 425, 8, room),
    "memfd_secret": (447, 447, 0),
    "mlockall": (151, 230, 2),
    "mq_open": (240, 180, b"queue", os.O_CREAT | os.O_RDWR, 0o600, None),
    "msgget": (68, 186, 0, 0o1600),
    "semget": (64, 190, 0, 100, 0o1600),
    "shmget": (29, 194, 0, 4096, 0o1600),
    "add_key": (248, 217, b"user", b"name", b"value", 5, -2),
    "landlock_create_ruleset": (444, 444, b"\1" + bytes(7), 8, 0),
}
taken = {}
for name, (x86_64, aarch64, *arguments) in CALLS.items():
    for _ in range(100):
        ctypes.memset(room, 0, len(room))
        if libc.syscall((x86_64, aarch64)[place], *arguments) < 0:
            break
        taken[name] = taken.get(name, 0) + 1
print("BROKE OUT" if taken else "OK", taken, flush=True)

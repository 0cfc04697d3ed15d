# The grader reads this file while the answer can still change it.
import fcntl
import mmap
import os

F_ADD_SEALS, EVERY_SEAL = 1033, 31
ROOM = 3 << 30
broke = []
print("x" * 5_000, flush=True)
for name, attempt in {
    "grow": lambda: os.truncate(1, ROOM),
    "write far away": lambda: os.pwrite(1, b"x", ROOM),
    "seal": lambda: fcntl.fcntl(1, F_ADD_SEALS, EVERY_SEAL),
    "other flags": lambda: fcntl.fcntl(1, fcntl.F_SETFL, os.O_DIRECT | os.O_ASYNC),
}.items():
    try:
        attempt()
        broke.append(name)
    except OSError:
        pass
with mmap.mmap(1, 4096) as log:
    log[:] = b"\x1b[2J\0" * 819 + b"\n"
os.truncate(1, 0)
os.lseek(1, 0, os.SEEK_SET)
print("BROKE OUT" if broke else "OK", broke, flush=True)

# A file of the machine is read-only here, but a lock, a lease or a watch on it would hold up others who use it.
import fcntl
import os

F_SETLEASE, F_NOTIFY, F_OFD_SETLK = 1024, 1026, 37
EVERYTHING, AGAIN = 0x3F, 0x80000000
READ_LOCK = bytes(32)  # a struct flock of zeros
file = os.open(os.__file__, os.O_RDONLY)
folder = os.open(os.path.dirname(os.__file__), os.O_RDONLY)
TRIES = {
    "lease": lambda: fcntl.fcntl(file, F_SETLEASE, fcntl.F_RDLCK),
    "lease to write": lambda: fcntl.fcntl(file, F_SETLEASE, fcntl.F_WRLCK),
    "watch": lambda: fcntl.fcntl(folder, F_NOTIFY, EVERYTHING | AGAIN),
    "flock": lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB),
    "shared flock": lambda: fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB),
    "open file lock": lambda: fcntl.fcntl(file, F_OFD_SETLK, READ_LOCK),
    "write lock": lambda: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB),
    "owner of signals": lambda: fcntl.fcntl(1, fcntl.F_SETOWN, 1),
}
broke = []
for name, attempt in TRIES.items():
    try:
        attempt()
        broke.append(name)
    except (OSError, OverflowError):
        pass
print("BROKE OUT" if broke else "OK", broke, flush=True)

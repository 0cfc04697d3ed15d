import os
import socket

left = []
for path in (
    "/dev/pts/ptmx",
    "/dev/pts",
    "/dev/null",
    "/dev/shm",
    "/box",
    "/box/serve.py",
    os.__file__,
    "/proc",
):
    try:
        os.utime(path, ns=(4_000_000, 4_000_000))
        left.append(path)
    except OSError:
        pass
    try:
        os.chmod(path, 0o700)
        left.append(path)
    except OSError:
        pass
for family in (3, 9, 17, 38, 40):
    try:
        socket.socket(family, socket.SOCK_STREAM)
        left.append(family)
    except OSError:
        pass
print("BROKE OUT" if left else "OK", left, flush=True)

import ctypes
import socket

libc = ctypes.CDLL(None, use_errno=True)
taken = [
    name
    for name, arguments in {
        "shmget": (0, 2**28, 0o1600),
        "semget": (0, 32_000, 0o1600),
        "msgget": (0, 0o1600),
    }.items()
    if getattr(libc, name)(*arguments) >= 0
]
for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
    for high in (0, 2**32):
        try:
            one = socket.socket(socket.AF_UNIX)
        except OSError:
            continue
        value = ctypes.c_int(2**26)
        before = one.getsockopt(socket.SOL_SOCKET, option)
        libc.syscall(
            54 if hasattr(libc, "arch_prctl") else 208,
            one.fileno(),
            1,
            ctypes.c_long(high + option),
            ctypes.byref(value),
            4,
        )
        if one.getsockopt(socket.SOL_SOCKET, option) > before:
            taken.append((option, high))
for name in ("inotify_init", "inotify_init1"):
    if getattr(libc, name)(0) >= 0:
        taken.append(name)
print("BROKE OUT" if taken else "OK", taken, flush=True)

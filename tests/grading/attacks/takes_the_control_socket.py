import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
parent = libc.syscall(434, os.getppid(), 0)  # pidfd_open
number = libc.syscall(438, parent, 0, 0)  # pidfd_getfd
taken = [number] if number >= 0 else []
for name in ("fd/0", "mem", "environ"):
    try:
        taken.append(os.open(f"/proc/{os.getppid()}/{name}", os.O_RDWR if name == "mem" else os.O_RDONLY))
    except OSError:
        pass
print("BROKE OUT" if taken else "OK", taken, flush=True)

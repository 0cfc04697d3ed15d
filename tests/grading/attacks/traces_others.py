import ctypes
import os

# what is in the box must be worth no more than this one
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace(16, 1, 0, 0)


def rights(process):
    with open(f"/proc/{process}/status") as file:
        wanted = ("Uid", "Gid", "Groups", "Cap", "NoNewPrivs")
        return [line for line in file if line.startswith(wanted)]


def sees(process):
    try:
        return [
            os.readlink(f"/proc/{process}/ns/{name}") for name in ("mnt", "net", "pid", "user", "ipc", "uts")
        ]
    except PermissionError:
        return sees("self")  # it cannot be traced either


broke = []
for process in filter(str.isdigit, os.listdir("/proc")):
    if rights(process) != rights("self") or sees(process) != sees("self"):
        broke += [process, rights(process), sees(process)]
print("BROKE OUT" if broke else "OK", broke, flush=True)

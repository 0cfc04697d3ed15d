import ctypes
import os

# the first process of the box can be traced, so it must be worth no more than this one
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace(16, 1, 0, 0)


def rights(process):
    with open(f"/proc/{process}/status") as file:
        wanted = ("Uid", "Gid", "Groups", "Cap", "NoNewPrivs")
        return [line for line in file if line.startswith(wanted)]


def sees(process):
    return [os.readlink(f"/proc/{process}/ns/{name}") for name in ("mnt", "net", "pid", "user", "ipc", "uts")]


broke = []
for process in filter(str.isdigit, os.listdir("/proc")):
    if rights(process) != rights("self") or sees(process) != sees("self"):
        broke += [process, rights(process), sees(process)]
print("BROKE OUT" if broke else "OK", broke, flush=True)

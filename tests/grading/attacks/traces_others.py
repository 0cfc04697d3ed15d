import ctypes
import os

# what is in the sandbox must be worth no more than this one
libc = ctypes.CDLL(None, use_errno=True)
broke = [] if os.getppid() == 1 else ["parent"]
for process in (1, os.getppid()):
    if libc.ptrace(16, process, 0, 0) == 0:
        broke.append(process)
if os.path.exists("/proc"):
    broke.append("/proc")
if 0 in (*os.getresuid(), *os.getresgid()) or os.getgroups()[1:]:
    broke += ["rights", os.getresuid(), os.getresgid(), os.getgroups()]
print("BROKE OUT" if broke else "OK", broke, flush=True)

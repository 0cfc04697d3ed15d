import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
held = libc.ptrace(16, os.getppid(), 0, 0) == 0  # PTRACE_ATTACH: it stands still for as long as this lives
print("OK", held, flush=True)

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
ATTACH, SEIZE, TRACE_EXIT = 16, 0x4206, 0x40
held = (
    libc.ptrace(SEIZE, 1, None, ctypes.c_void_p(TRACE_EXIT)) == 0
    or libc.ptrace(ATTACH, os.getppid(), 0, 0) == 0
)
print("BROKE OUT" if held else "OK", flush=True)

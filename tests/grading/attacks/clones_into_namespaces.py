# In a user namespace of its own, a process has all rights over the namespaces that it makes.
import ctypes
import os
import signal
import struct

libc = ctypes.CDLL(None, use_errno=True)
CLONE, CLONE3, SETNS = {"x86_64": (56, 435, 308), "aarch64": (220, 435, 268)}[os.uname().machine]
FLAGS = {
    "user": 0x10000000,
    "mount": 0x20000,
    "group": 0x2000000,
    "names": 0x4000000,
    "ipc": 0x8000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
broke = []


def made(result):
    """Tell if a process was made. End it, and wait for it."""
    if result == 0:
        os._exit(0)
    if result > 0:
        os.waitpid(result, 0)
    return result > 0


for name, flag in FLAGS.items():
    if made(libc.syscall(CLONE, ctypes.c_ulong(flag | signal.SIGCHLD), None, None, None, None)):
        broke.append(name)
    for both in (flag, flag | FLAGS["user"]):
        arguments = struct.pack("8Q", both, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
        if made(libc.syscall(CLONE3, arguments, len(arguments))):
            broke.append((name, "clone3"))
    for number in range(4):
        if libc.syscall(SETNS, number, flag) == 0:
            broke.append((name, "setns"))
print("BROKE OUT" if broke else "OK", broke, flush=True)

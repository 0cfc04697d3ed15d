import ctypes
import os
import socket
import time

libc = ctypes.CDLL(None, use_errno=True)
parent = libc.syscall(434, os.getppid(), 0)  # pidfd_open
number = libc.syscall(438, parent, 0, 0)  # pidfd_getfd
print("OK", number > 0, flush=True)
with socket.socket(fileno=number) as control:
    socket.send_fds(control, [b"!" * 1000], [0, 1, 2])
    control.shutdown(socket.SHUT_RDWR)
time.sleep(100)  # the box ends with its first program

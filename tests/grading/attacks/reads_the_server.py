# What the server knows or holds: its memory, its descriptors, and its socket to the grader.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
place = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
room = ctypes.create_string_buffer(4096)
# A struct iovec. This process is a fork of the server, so the address is one of the server's, too.
here = (ctypes.c_size_t * 2)(ctypes.addressof(room), 8)
CALLS = {  # the numbers for x86_64 and aarch64, and the arguments
    "ptrace, attach": (101, 117, 16, 1, 0, 0),
    "ptrace, seize": (101, 117, 0x4206, 1, 0, 0),
    "process_vm_readv": (310, 270, 1, here, 1, here, 1, 0),
    "process_vm_writev": (311, 271, 1, here, 1, here, 1, 0),
    "pidfd_open": (434, 434, 1, 0),
    "kcmp": (312, 272, 1, os.getpid(), 0, 0, 0),
    "get_robust_list": (274, 100, 1, room, room),
    "move_pages": (279, 239, 1, 0, None, None, None, 0),
    "perf_event_open": (298, 241, room, 1, -1, -1, 0),
}
broke = []
for name, (x86_64, aarch64, *arguments) in CALLS.items():
    if libc.syscall((x86_64, aarch64)[place], *arguments) >= 0:
        broke.append(name)
for process in (1, os.getppid()):
    for name in ("mem", "environ", "maps", "fd", "cwd", "root"):
        path = f"/proc/{process}/{name}"
        try:
            os.listdir(path) if name in ("fd", "cwd", "root") else open(path, "rb").read(1)
            broke.append(path)
        except OSError:
            pass
print("BROKE OUT" if broke else "OK", broke, flush=True)

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
ADD, REQUEST, KEYCTL = {"x86_64": (248, 249, 250), "aarch64": (217, 218, 219)}[os.uname().machine]
SEARCH, RINGS = 10, {"thread": -1, "process": -2, "session": -3, "user": -4, "user session": -5}
NAMES = (b"of-the-grader", b"of-an-answer")
broke = [
    (ring, name)
    for ring, number in RINGS.items()
    for name in NAMES
    if libc.syscall(KEYCTL, SEARCH, number, b"user", name, 0) > 0
]
broke += [name for name in NAMES if libc.syscall(REQUEST, b"user", name, None, 0) > 0]
for number in RINGS.values():
    if libc.syscall(ADD, b"user", b"of-an-answer", b"see you", 7, number) > 0:
        broke.append(number)
print("BROKE OUT" if broke or os.path.exists("/proc/keys") else "OK", broke, flush=True)

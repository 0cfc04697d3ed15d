import ctypes

libc = ctypes.CDLL(None, use_errno=True)
FLAGS = {
    "user": 0x10000000,
    "mount": 0x20000,
    "net": 0x40000000,
    "pid": 0x20000000,
    "ipc": 0x8000000,
    "time": 0x80,
}
broke = []
for name in ("max_user_namespaces", "max_mnt_namespaces"):
    try:
        with open(f"/proc/sys/user/{name}", "w") as file:
            file.write("100")
        broke.append(name)
    except OSError:
        pass
broke += [
    name for name, flag in FLAGS.items() if libc.unshare(flag) == 0 or libc.unshare(flag | 0x10000000) == 0
]
print("BROKE OUT" if broke else "OK", broke, flush=True)

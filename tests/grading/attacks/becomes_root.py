import ctypes
import os
import resource

libc = ctypes.CDLL(None, use_errno=True)
resource_kinds = [
    getattr(resource, name) for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_AS", "RLIMIT_NOFILE")
]
TRIES = {
    "mount": lambda: 1 / (libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0),
    "remount": lambda: 1 / (libc.mount(b"none", b"/", None, 32 | 4096, None) == 0),
    "umount": lambda: 1 / (libc.umount2(b"/proc", 2) == 0),
    "chroot": lambda: os.chroot("/tmp"),
    "setuid": lambda: os.setuid(0),
    "setgroups": lambda: os.setgroups([0]),
    "mknod": lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0)),
    "hostname": lambda: 1 / (libc.sethostname(b"mine", 4) == 0),
    "box": lambda: open("/box/serve.py", "a"),
    "libraries": lambda: open(os.__file__, "a"),
    "sysrq": lambda: open("/proc/sysrq-trigger", "w").write("b"),
    "core": lambda: open("/proc/sys/kernel/core_pattern", "w").write("|/tmp/x"),
    "limits": lambda: [resource.setrlimit(kind, (-1, -1)) for kind in resource_kinds],
    "priority": lambda: os.nice(-5),
}
broke = []
for name, attempt in TRIES.items():
    try:
        attempt()
        broke.append(name)
    except (OSError, ValueError, ZeroDivisionError):
        pass
print("BROKE OUT" if broke else "OK", broke, flush=True)

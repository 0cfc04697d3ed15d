# Calls that only an administrator needs, that change the machine, or that had many errors. None of them gets anywhere.
import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)
place = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
room = ctypes.create_string_buffer(4096)
CALLS = {  # the numbers for x86_64 and aarch64, and the arguments; with these, no call does any harm
    "mount": (165, 40, b"none", b"/tmp", b"tmpfs", 0, None),
    "umount2": (166, 39, b"/tmp", 2),
    "pivot_root": (155, 41, b"/tmp", b"/tmp"),
    "fsopen": (430, 430, b"tmpfs", 0),
    "open_tree": (428, 428, -100, b"/", 1),
    "move_mount": (429, 429, -100, b"/tmp", -100, b"/tmp", 0),
    "mount_setattr": (442, 442, -100, b"/tmp", 0, room, 32),
    "unshare": (272, 97, 0),
    "chroot": (161, 51, b"/tmp"),
    "mknodat": (259, 33, -100, b"/tmp/disk", 0o60600, 0x800),
    "name_to_handle_at": (303, 264, -100, b"/tmp", room, room, 0),
    "open_by_handle_at": (304, 265, -100, room, 0),
    "swapon": (167, 224, b"/tmp/none", 0),
    "reboot": (169, 142, 0, 0, 0, None),
    "kexec_load": (246, 104, 0, 0, None, 0),
    "init_module": (175, 105, room, 0, b""),
    "finit_module": (313, 273, -1, b"", 0),
    "delete_module": (176, 106, b"none", 0),
    "quotactl": (179, 60, 0, None, 0, room),
    "acct": (163, 89, b"/tmp/none"),
    "syslog": (103, 116, 3, room, 4096),
    "perf_event_open": (298, 241, room, 0, -1, -1, 0),
    "bpf": (321, 280, 0, room, 48),
    "keyctl": (250, 219, 0, -3, 1),
    "request_key": (249, 218, b"user", b"of-the-grader", None, 0),
    "personality": (135, 92, 0),
    "clock_adjtime": (305, 266, 0, room),
    "clock_settime": (227, 112, 0, room),
    "adjtimex": (159, 171, room),
    "settimeofday": (164, 170, None, None),
    "sethostname": (170, 161, b"mine", 4),
    "vhangup": (153, 58),
    "vmsplice": (278, 75, 1, None, 0, 0),
    "splice": (275, 76, 0, None, 1, None, 0, 0),
    "sync": (162, 81),
    "syncfs": (306, 267, 1),
    "readahead": (187, 213, 1, 0, 0),
    "seccomp": (317, 277, 2, 0, room),
    "process_madvise": (440, 440, -1, None, 0, 20, 0),
    "set_mempolicy": (238, 237, 0, None, 0),
    "setxattr": (188, 5, b"/tmp", b"user.x", b"x", 1, 0),
    "setuid": (105, 146, 0),
    "setgroups": (116, 159, 0, None),
}
broke = {}
for name, (x86_64, aarch64, *arguments) in CALLS.items():
    ctypes.set_errno(0)
    result = libc.syscall((x86_64, aarch64)[place], *arguments)
    if result >= 0 or ctypes.get_errno() not in (errno.ENOSYS, errno.EPERM):
        broke[name] = result, errno.errorcode.get(ctypes.get_errno())
print("BROKE OUT" if broke else "OK", broke, flush=True)

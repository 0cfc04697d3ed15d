"""The system calls that no answer needs, and that the sandbox refuses, by a filter of libseccomp's.

What they make is shared by all of a user or counts against no limit, or they hold other processes up.
"""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile

REFUSED = (
    *("shmget", "semget", "msgget", "mq_open"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    *("add_key", "request_key", "keyctl"),
    *("splice", "tee", "vmsplice", "fallocate"),
    *("inotify_init", "inotify_init1", "fanotify_init"),
    *("perf_event_open", "bpf", "userfaultfd", "io_uring_setup"),
)
FAMILIES = {1, 2, 10, 16}  # of sockets that there can be: Unix, IPv4, IPv6 and netlink
SOL_SOCKET, SO_SNDBUF, SO_RCVBUF = 1, 7, 8  # buffers count against no limit
SOCKET_IOCTLS = 0x8900  # to 0x89ff; a listener knows the network that it comes from

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM  # from seccomp.h, as are those below
EQUAL, GREATER, MASKED_EQUAL = 4, 6, 7


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp: an argument of a system call, how it is compared, and with what."""

    _fields_ = (
        ("place", ctypes.c_uint),
        ("how", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


class Filter:
    """A filter of system calls. Raises OSError where libseccomp is missing, or cannot make it."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libseccomp.so.2")
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(ALLOW)))

    def refuse(self, name: str, *comparisons: tuple[int, ...]) -> None:
        """Refuse a system call where all the comparisons hold."""
        number = self.library.seccomp_syscall_resolve_name(name.encode())
        rules = (Comparison * len(comparisons))(*(Comparison(*comparison) for comparison in comparisons))
        action = ctypes.c_uint32(REFUSE)
        self.call("seccomp_rule_add_array", action, number, ctypes.c_uint(len(comparisons)), rules)

    def call(self, name: str, *arguments: object) -> None:
        result = getattr(self.library, name)(self.context, *arguments)
        if result < 0:
            raise OSError(-result, f"{name}: {os.strerror(-result)}")

    def export(self) -> int:
        """Return a descriptor of a file with the filter, as bubblewrap wants it."""
        with tempfile.TemporaryFile() as file:
            self.call("seccomp_export_bpf", file.fileno())
            self.library.seccomp_release(self.context)
            file.seek(0)
            return os.dup(file.fileno())


def make_filter() -> int:
    """Return a descriptor of the filter. Raises OSError where libseccomp is missing."""
    made = Filter()
    for name in REFUSED:
        made.refuse(name)
    made.refuse("socket", (0, GREATER, max(FAMILIES)))
    for family in set(range(max(FAMILIES))) - FAMILIES:
        made.refuse("socket", (0, EQUAL, family))
    for option in (SO_SNDBUF, SO_RCVBUF):  # the kernel looks at 32 bits, and so must this
        comparisons = (1, MASKED_EQUAL, 2**32 - 1, SOL_SOCKET), (2, MASKED_EQUAL, 2**32 - 1, option)
        made.refuse("setsockopt", *comparisons)
    made.refuse("ioctl", (1, MASKED_EQUAL, 0xFF00, SOCKET_IOCTLS))
    return made.export()

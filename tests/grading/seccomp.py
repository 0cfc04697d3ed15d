"""The system calls that an answer may make. The sandbox refuses all others, with ENOSYS.

We ran all solutions, mistakes and alternatives, and listed the calls that they made. After ENOSYS, new
versions of Python and of the C library try an older call. libseccomp makes the filter (seccomp(2)).
"""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from typing import IO

ALLOWED = (
    # memory
    "brk mmap munmap mremap mprotect msync "
    # read and write
    "read pread64 readv preadv preadv2 write pwrite64 writev pwritev pwritev2 lseek _llseek sendfile "
    "copy_file_range fsync fdatasync truncate ftruncate "
    # files and folders
    "open openat openat2 creat close close_range dup dup2 dup3 stat lstat fstat newfstatat statx statfs "
    "fstatfs access faccessat faccessat2 getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr "
    "getdents getdents64 getcwd chdir fchdir readlink readlinkat umask mkdir mkdirat rmdir unlink unlinkat "
    "rename renameat renameat2 link linkat symlink symlinkat chmod fchmod fchmodat fchmodat2 utime utimes "
    "utimensat futimesat "
    # processes and threads
    "execve execveat exit exit_group fork vfork wait4 waitid set_tid_address set_robust_list rseq futex "
    "restart_syscall sched_yield sched_getaffinity getpid getppid gettid getpgid getpgrp getsid setsid "
    "setpgid getuid geteuid getgid getegid getgroups getresuid getresgid arch_prctl getrlimit getrusage "
    "times uname sysinfo getcpu getrandom "
    # signals, also to other processes: the server is the first process, and ignores them
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack kill "
    "tkill tgkill pause alarm getitimer setitimer "
    # time
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time "
    # pipes, and waiting for input
    "pipe pipe2 poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait "
    "epoll_pwait2 "
    # connections that the grader made: nothing can bind, listen, connect or pass on descriptors
    "recvfrom recvmsg sendto shutdown getsockname getpeername"
)
# Calls that are allowed for some values of an argument: the call, the place of the argument, and the values.
ALLOWED_VALUES = (
    ("socket", 0, (1,)),  # AF_UNIX: Werkzeug makes a socket before it takes the one that we give it
    ("socketpair", 0, (1,)),  # AF_UNIX: asyncio wakes itself up with it
    ("madvise", 2, (4, 8, 14, 15)),  # MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, the locks that SQLite needs, F_DUPFD_CLOEXEC
    ("fcntl", 1, (0, 1, 2, 3, 4, 5, 6, 7, 1030)),
    # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
    ("ioctl", 1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
    # SO_TYPE, SO_ERROR, SO_SNDBUF, SO_RCVBUF, SO_PROTOCOL, SO_DOMAIN
    ("getsockopt", 2, (3, 4, 7, 8, 38, 39)),
    ("prctl", 0, (15, 16)),  # PR_SET_NAME, PR_GET_NAME
    ("prlimit64", 0, (0,)),  # the limits of the calling process itself
)
NEW_NAMESPACES = 0x7E020080  # the flags CLONE_NEW… of clone(2)

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.ENOSYS  # from seccomp.h, like the next line
MASKED_EQUAL = 7


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp: the place of an argument, how to compare it, and with what."""

    _fields_ = (
        ("place", ctypes.c_uint),
        ("how", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


def make_filter() -> IO[bytes]:
    """Return a file with the filter, as bubblewrap reads it. Raises OSError if libseccomp is missing."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(REFUSE)))
    file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    try:
        for name in ALLOWED.split():
            allow(library, context, name)
        for name, place, values in ALLOWED_VALUES:
            for value in values:
                allow(library, context, name, Comparison(place, MASKED_EQUAL, 2**32 - 1, value))
        allow(library, context, "clone", Comparison(0, MASKED_EQUAL, NEW_NAMESPACES, 0))
        call(library.seccomp_export_bpf(context, file.fileno()), "seccomp_export_bpf")
        file.seek(0)
        return file
    except OSError:
        file.close()
        raise
    finally:
        library.seccomp_release(context)


def allow(library: ctypes.CDLL, context: ctypes.c_void_p, name: str, *comparisons: Comparison) -> None:
    """Allow a system call if all comparisons hold. Skip a name that does not exist on this processor."""
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:
        rules = (Comparison * len(comparisons))(*comparisons)
        count = ctypes.c_uint(len(comparisons))
        result = library.seccomp_rule_add_array(context, ctypes.c_uint32(ALLOW), number, count, rules)
        call(result, f"seccomp_rule_add_array for {name}")


def call(result: int, name: str) -> None:
    if result < 0:
        raise OSError(-result, f"{name}: {os.strerror(-result)}")

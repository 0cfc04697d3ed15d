import os
import socket

found = []
for number in range(64):
    try:
        where = os.readlink(f"/proc/self/fd/{number}")
        if (
            not where.startswith(("socket:", "pipe:", "/proc", "/dev", "anon_inode:"))
            and "/" in where
            and number > 2
        ):
            found.append(where)
    except OSError:
        pass
for name in ("/proc/self/fd/1", "/proc/self/fd/2"):
    try:
        with open(name) as file:
            if "stu" + "dent" in file.read():
                found.append(name)
    except OSError:
        pass
for path in (
    "..",
    "/proc/1/cwd",
    os.path.join("/proc/1/root", "etc"),
    os.path.join("/proc/self/root", "../etc"),
):
    try:
        found += [name for name in os.listdir(path) if name.startswith(("grading-", "pass", "shadow"))]
    except OSError:
        pass
found += [path for path in PLACES if os.path.exists(f"/proc/1/root{path}")]
print("BROKE OUT" if found or socket.gethostname() != "box" else "OK", found, flush=True)

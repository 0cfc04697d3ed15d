import os

NAMES = (
    "/root",
    "/home",
    "/work",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/hostname",
    "/var",
    "/run",
    "/srv",
    "/box/tests",
)
found = [
    name
    for name in NAMES
    if os.path.exists(name) and (not os.path.isdir(name) or not set(os.listdir(name)) <= {".pyenv", "main"})
]
WANTED = (
    "test_01_auth_url.py",
    "01_auth_url.py",
    "bench_grading.py",
    "checker.py",
    "grading-facts.md",
    "id_rsa",
)
for folder in ("/", "/box", "/tmp", "/root", "/home", "/work", *os.sys.path):
    for path, folders, names in os.walk(folder):
        if path in ("/proc", "/sys", "/usr"):
            folders.clear()
        found += [f"{path}/{name}" for name in names if name in WANTED]
        if path.count("/") > 3:
            folders.clear()
for process in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline", "maps"):
        try:
            with open(f"/proc/{process}/{name}") as file:
                if "can" + "ary" in file.read():
                    found.append(f"/proc/{process}/{name}")
        except OSError:
            pass
if len(list(filter(str.isdigit, os.listdir("/proc")))) > 6 or ("can" + "ary") in str(os.environ):
    found.append("/proc")
print("BROKE OUT" if found else "OK", found, flush=True)

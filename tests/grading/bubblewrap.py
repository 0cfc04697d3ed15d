"""The commands that run serve.py: inside bubblewrap, or without it.

Inside bubblewrap, an answer finds a read-only Python, the system's libraries, the packages, three of our
files and a temporary folder. It finds no network, no /proc, and no other file or process of the machine.
It has no privileges.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import stat
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

from lesson_loader import LESSONS

SERVE = Path(__file__).with_name("serve.py")
OURS = [SERVE, LESSONS / "lesson_loader.py", LESSONS / "flask_jwt_compat.py"]
LIBRARIES = Path(sysconfig.get_path("purelib"))
PYTHON = Path(sys.executable).resolve()
INSTALLATION = [PYTHON]  # and its libraries, but not its whole prefix, because this can be a home folder
if sys.base_prefix != "/usr":  # its libraries are in SYSTEM
    INSTALLATION += [path for path in Path(sys.base_prefix).glob("lib*") if path.name in ("lib", "lib64")]
LIBS = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32")
SYSTEM = [Path(name) for name in (*LIBS, "/usr/share/zoneinfo")]
USERS = range(61184, 65520)  # systemd reserves these numbers for temporary users
ENVIRONMENT = {
    "TZ": "JST-9",  # the same in the checks that students run
    "FLASK_RUN_FROM_CLI": "true",  # app.run() does nothing; the same in the checks that students run
    "LANG": "C.UTF-8",
    "HOME": "/tmp",
    "USER": "student",
    "MALLOC_ARENA_MAX": "1",
}
STORAGE = 16 * 2**20  # bytes in the temporary folder
MEMORY = 640 * 2**20  # bytes of everything in the sandbox, where systemd can limit it
PROCESSES = 16  # including threads


def in_bubblewrap(rules: int) -> list[str]:
    """Return the command that runs serve.py in a sandbox. `rules` is the descriptor of the seccomp filter."""
    paths = [path for path in SYSTEM if path.is_dir() and not path.is_symlink()] + INSTALLATION
    visible = [option for path in paths for option in bind(path)]
    for path in SYSTEM:
        if path.is_symlink():
            visible += ["--symlink", os.readlink(path), str(path)]
    visible += bind(LIBRARIES, "/box/libraries")  # The new /tmp would hide packages that are below /tmp.
    for path in OURS:
        visible += bind(path, f"/box/{path.name}")
    as_another = [*reveal([*paths, LIBRARIES, *OURS]), *become(new_user())] if os.geteuid() == 0 else []
    return [
        *(*limit_memory(), *as_another, find_program("bwrap")),
        *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"),
        *("--as-pid-1", "--cap-drop", "ALL", "--hostname", "box", "--seccomp", str(rules)),
        *("--dev", "/dev", "--size", str(STORAGE), "--tmpfs", "/tmp", *visible),
        *("--remount-ro", "/dev/pts", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp", "--"),
        *run_server("/box/serve.py", "/box/libraries", "/tmp", PROCESSES),
    ]


def without_bubblewrap(folder: Path) -> list[str]:
    """Return the command that runs serve.py in this new folder: as another user, if root asks."""
    box, work = folder / "box", folder / "work"
    box.mkdir()
    work.mkdir()
    for path in OURS:
        shutil.copyfile(path, box / path.name)
    if os.geteuid() != 0 or not shutil.which("setpriv") or reveal([*INSTALLATION, LIBRARIES]):
        return run_server(box / "serve.py", LIBRARIES, work, 0)  # a limit would count all of this user's
    user = new_user()
    modes = {folder: 0o711, box: 0o755, work: 0o700} | dict.fromkeys(box.iterdir(), 0o644)
    for path, mode in modes.items():  # whatever the umask is
        path.chmod(mode)
    os.chown(work, user, user)
    return [*become(user), *run_server(box / "serve.py", LIBRARIES, work, PROCESSES)]


def run_server(serve: object, libraries: object, folder: object, processes: int) -> list[str]:
    return [str(PYTHON), "-I", "-S", "-u", "-X", "utf8", *map(str, (serve, libraries, folder, processes))]


@cache
def limit_memory() -> tuple[str, ...]:
    """Return a prefix for a command: systemd limits memory, and env sets ENVIRONMENT. () without systemd."""
    if not shutil.which("systemd-run"):
        return ()
    as_user = () if os.geteuid() == 0 else ("--user",)
    limits = (f"--property=MemoryMax={MEMORY}", "--property=MemorySwapMax=0")
    environment = (f"{name}={value}" for name, value in ENVIRONMENT.items())
    command = ("systemd-run", *as_user, "--scope", "--quiet", "--collect", *limits, "--", "env", "-i")
    try:
        subprocess.run([*command, "true"], capture_output=True, check=True, timeout=10)
    except (subprocess.SubprocessError, OSError):
        return ()
    return (*command, *environment)


def find_program(name: str) -> str:
    """Return the path of a program. The commands here need it, because they run without PATH."""
    return shutil.which(name) or name


def new_user() -> int:
    """Return the number of a user who owns nothing here. Each user has their own limit on processes."""
    known = {user.pw_uid for user in pwd.getpwall()}
    return secrets.choice([number for number in USERS if number not in known])


def become(user: int) -> list[str]:
    """Return a prefix for a command: with it, root runs the command as this user."""
    return [find_program("setpriv"), f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]


def reveal(paths: list[Path]) -> list[str]:
    """Return a prefix for a command of root: with it, other users can read paths in closed folders.

    Root starts each sandbox as another user, who cannot read a Python in root's home. So the prefix replaces
    each closed folder by a folder that contains only these paths.
    """
    closed: dict[Path, list[Path]] = {}
    for path in paths:
        for folder in reversed(path.parents):  # the outermost one first
            if not folder.stat().st_mode & stat.S_IXOTH:
                closed.setdefault(folder, []).append(path)
                break
    command = []
    for folder, hidden in closed.items():
        command += ["--tmpfs", str(folder)]
        for path in hidden:
            for parent in reversed(path.parents):
                if parent.is_relative_to(folder):
                    command += ["--dir", str(parent)]  # everyone may enter it
            command += bind(path)
    return [find_program("bwrap"), "--dev-bind", "/", "/", *command, "--"] if command else []


def bind(path: Path, destination: str = "") -> list[str]:
    return ["--ro-bind", str(path), destination or str(path)]

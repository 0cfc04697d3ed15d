"""The commands that begin serve.py: in bubblewrap's sandbox, or where there is none.

In the sandbox, with every namespace unshared, there are a read-only Python, the packages, three files of ours
and a temporary folder. Nothing else of the machine is in view, no network, no environment and no rights.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

from grading.seccomp import make_filter
from lesson_loader import LESSONS

SERVE = Path(__file__).with_name("serve.py")
OURS = [SERVE, LESSONS / "lesson_loader.py", LESSONS / "flask_jwt_compat.py"]
LIBRARIES = Path(sysconfig.get_path("purelib"))
PYTHON = Path(sys.executable).resolve()
STANDARD_LIBRARY = PYTHON if sys.base_prefix == "/usr" else Path(sys.base_prefix)  # /usr/lib is there anyway
SYSTEM = [Path(name) for name in ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32")]
USERS = range(61184, 65520)  # which systemd keeps for users who come and go, and nobody else has
ENVIRONMENT = {  # of bubblewrap itself as well, whose own could be read in the sandbox
    "TZ": "JST-9",  # as in the checks that students run, like the next line
    "FLASK_RUN_FROM_CLI": "true",  # app.run() does nothing
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
}
TEMPORARY = 16 * 2**20  # the most bytes in a box's temporary folder
PROCESSES = 16  # the most that a box may have, threads included
KEYCTL = {"x86_64": 250, "aarch64": 219}  # the number of this system call
JOIN_SESSION_KEYRING, REVOKE, SESSION_KEYRING = 1, 3, -3  # from linux/keyctl.h


class NoSandbox(Exception):
    """Bubblewrap does not run here; the message says why and what to do."""


def bubblewrap(*options: str, part: bool = False, program: list[str] | None = None) -> list[str]:
    """Return the command that runs serve.py in a sandbox; with part=True, where it may go on to make its own.

    The options are further ones of bubblewrap's; the program is one to run instead.
    """
    if program is None:
        program = python("/box/serve.py", "/box/libraries", "/tmp", PROCESSES) + (["part"] if part else [])
    paths = [path for path in SYSTEM if path.is_dir() and not path.is_symlink()]
    paths.append(STANDARD_LIBRARY)
    inside = [option for path in paths for option in bind(path)]
    for path in SYSTEM:
        if path.is_symlink():
            inside += ["--symlink", os.readlink(path), str(path)]
    inside += bind(LIBRARIES, Path("/box/libraries"))  # below /tmp, where it may be, it would be covered
    for path in OURS:
        inside += bind(path, Path("/box", path.name))
    as_another = []
    if os.geteuid() == 0:
        as_another = [*reveal([*paths, LIBRARIES, *OURS]), *become(new_user())]
    return [
        *as_another,
        *(found("bwrap"), "--unshare-all", "--unshare-user", *(() if part else ("--disable-userns",))),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "box", *options),
        *("--proc", "/proc", "--dev", "/dev", "--size", str(TEMPORARY), "--tmpfs", "/tmp"),
        *inside,
        *(
            "--remount-ro",
            "/dev/pts",
            "--remount-ro",
            "/dev",
            "--remount-ro",
            "/",
            "--chdir",
            "/tmp",
            "--",
            *program,
        ),
    ]


def found(name: str) -> str:
    """Return where a program is, as the environment that it gets says nothing of that."""
    return shutil.which(name) or name


def new_user() -> int:
    """Return the number of a user who has nothing here, and most likely no process: limits are a user's."""
    known = {user.pw_uid for user in pwd.getpwall()}
    return secrets.choice([number for number in USERS if number not in known])


def become(user: int) -> list[str]:
    """Return the command before which root runs another as this user."""
    return [found("setpriv"), f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]


def python(serve: object, libraries: object, folder: object, processes: int) -> list[str]:
    return [str(PYTHON), "-I", "-S", "-X", "utf8", *map(str, (serve, libraries, folder, processes))]


def reveal(paths: list[Path]) -> list[str]:
    """Return a command before which root lets others read paths below a folder that is closed to them.

    A user other than root can make a sandbox, but only of what that user can read. A Python below root's home
    is none, so such folders are covered, for that one command, by empty ones with nothing but the paths.
    """
    closed = {}
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
                    command += ["--dir", str(parent)]  # which anyone may pass
            command += bind(path)
    return [found("bwrap"), "--dev-bind", "/", "/", *command, "--"] if command else []


def bind(path: Path, destination: Path | None = None) -> list[str]:
    return ["--ro-bind", str(path), str(destination or path)]


def bare(folder: str) -> list[str]:
    """Return the command that runs serve.py where there is no sandbox: as another user, if root asks."""
    inside, work = Path(folder, "box"), Path(folder, "work")
    inside.mkdir()
    work.mkdir()
    for path in OURS:
        shutil.copy(path, inside)
    if os.geteuid() != 0 or not shutil.which("setpriv") or reveal([STANDARD_LIBRARY, LIBRARIES]):
        return python(inside / SERVE.name, LIBRARIES, work, 0)  # the user has other processes as well
    os.chmod(folder, 0o711)
    user = new_user()
    os.chown(work, user, user)
    return [*become(user), *python(inside / SERVE.name, LIBRARIES, work, PROCESSES)]


def forget_keys() -> None:
    """Let this process, and all that it starts, be without the keys of whoever started it (keyrings(7)).

    A session's keys are inherited through all namespaces. A keyring of our own, revoked, takes their place.
    """
    number = KEYCTL.get(os.uname().machine)
    if sys.platform == "linux" and number:
        libc = ctypes.CDLL(None)
        if libc.syscall(number, JOIN_SESSION_KEYRING, None) > 0:
            libc.syscall(number, REVOKE, SESSION_KEYRING)


def require_sandbox() -> None:
    """Raise NoSandbox if bubblewrap is missing, or cannot make a sandbox here."""
    if not shutil.which("bwrap"):
        raise NoSandbox(
            "There is no bubblewrap here, which keeps answers away from this machine. It is for Linux; on "
            "Debian and Ubuntu: sudo apt install bubblewrap libseccomp2. --no-sandbox does without, for "
            "answers that you trust or a machine to throw away"
        )
    try:
        refused = make_filter()
    except OSError as problem:
        raise NoSandbox(
            f"The sandbox needs libseccomp ({problem}); on Debian and Ubuntu: sudo apt install libseccomp2"
        ) from None
    command = bubblewrap("--seccomp", str(refused), program=[str(PYTHON), "-I", "-S", "-c", ""])
    tried = subprocess.run(
        command,
        pass_fds=[refused],
        cwd="/",
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    os.close(refused)
    if tried.returncode:
        raise does_not_work(tried.stderr.decode("utf-8", "replace"))


def does_not_work(said: str) -> NoSandbox:
    return NoSandbox(
        f"Bubblewrap does not work here: {said.strip() or 'it just ends'}. Grade where it may make user "
        "namespaces. --no-sandbox does without, for answers that you trust or a machine to throw away"
    )

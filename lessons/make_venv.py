"""Make .venv, the environment that the lessons run in, from the locked requirements.

    python3 lessons/make_venv.py              make .venv anew, with what the lessons need
    python3 lessons/make_venv.py exercises    add what the exercises need
    python3 lessons/make_venv.py wheels       download what students need into wheels/

Uses uv if it is on the PATH, otherwise the standard library's venv and pip. If wheels/ contains the packages,
they are installed from there, without a network. The syntax is old on purpose: a Python 3 that is too old
for the lessons can still read this file and explain what to install.
"""

import filecmp
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

if sys.platform != "win32":
    import fcntl

LESSONS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(LESSONS)
VENV = os.path.join(ROOT, ".venv")
WHEELS = os.path.join(ROOT, "wheels")
OLDEST = (3, 11)
UV = shutil.which("uv")
# For each group of packages: who needs it, and its lock files
GROUPS = {  # type: dict[str, tuple[str, list[str]]]
    "lessons": ("the lessons need", ["lessons/requirements-build.txt", "lessons/requirements.txt"]),
    "exercises": ("the exercises need", ["tests/exercises/requirements.txt"]),
    "notebooks": ("the notebooks need", ["notebooks/requirements.txt"]),
    "tests": ("contributors need", ["tests/requirements.txt"]),
    "cluster": ("grading on a cluster needs", ["tests/grading/requirements-cluster.txt"]),
}


def main(groups: "list[str]") -> None:
    """Make the environment. If groups are given, install them into the existing environment instead.

    If another process installs at the same time, wait for it, and do not repeat what it has installed.
    If the first word is "wheels", download the packages instead.
    """
    only_download = groups[:1] == ["wheels"]
    if only_download:
        groups = groups[1:] or ["lessons", "exercises"]
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        sys.exit("There is no group {!r}. Choose from: {}".format(unknown[0], ", ".join(GROUPS)))
    if groups and not only_download and not os.path.exists(python_in(VENV)):
        sys.exit("There is no .venv yet. Make it first: python3 lessons/make_venv.py")
    problem = None if groups and not only_download else what_to_install()
    if problem:
        sys.exit(problem)
    if only_download:
        download(groups)
        return
    start = time.time() - 1  # file systems round the times of files
    with open(__file__, "a") as this_file:
        waited = lock(this_file.fileno())
        for group in groups or ["lessons"]:
            # make compares the age of this mark with that of the lock files, so write it at the end
            mark = os.path.join(VENV, ".installed-" + group)
            if waited and os.path.exists(mark) and os.path.getmtime(mark) >= start:
                continue
            if not groups:
                make_environment(VENV)
            needs, locks = GROUPS[group]
            print("Installing what {}. This can take a minute.".format(needs), flush=True)
            install(locks, VENV)
            open(mark, "w").close()


def lock(descriptor: int) -> bool:
    """Lock an open file until it is closed. Return whether this had to wait for another process.

    Windows has no such lock, so there nothing is locked.
    """
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another command is installing packages. Waiting...", flush=True)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    except OSError:
        pass  # this file system has no locks
    return False


def what_to_install() -> "str | None":
    """Return a line that says what to install first, or None if nothing is missing."""
    if UV:
        return None
    if sys.version_info < OLDEST:
        return (
            "Python {}.{} is too old for the lessons. Install Python {}.{} or newer. "
            "If you already have a newer Python under another name, use it: make lesson-1 PYTHON=python{}.{}"
        ).format(*(sys.version_info[:2] + OLDEST + OLDEST))
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return "This Python has no venv module. On Debian and Ubuntu, run: sudo apt install python3-venv"
    return None


def python_in(venv: str) -> str:
    """Return the path of an environment's Python."""
    return os.path.join(venv, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))


def uv_python() -> str:
    """Return the Python that uv should use: this one, or any that is new enough for the lessons."""
    return sys.executable if sys.version_info >= OLDEST else ">={}.{}".format(*OLDEST)


def make_environment(venv: str) -> None:
    """Make an empty environment in which every program can import the modules in lessons/."""
    shutil.rmtree(venv, ignore_errors=True)
    if UV:
        run(UV, "venv", "--quiet", "--python", uv_python(), venv)
    else:
        run(sys.executable, "-m", "venv", venv)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site_packages = subprocess.check_output([python_in(venv), "-c", code], universal_newlines=True).strip()
    with open(os.path.join(site_packages, "lessons.pth"), "w") as path_file:
        # a relative path, so that the environment still works if its folder is moved
        path_file.write(os.path.relpath(LESSONS, os.path.realpath(site_packages)) + "\n")


def install(locks: "list[str]", venv: str) -> None:
    """Install exactly what the lock files list, and check each download against its hash.

    --no-deps: the locks are complete, and Flask-JWT's own requirement PyJWT<1.5 must be ignored.
    --no-build-isolation: build Flask-JWT with the setuptools from requirements-build.txt.
    """
    python = python_in(venv)
    if UV:
        pip = [UV, "pip", "install", "--quiet", "--python", python]
    else:  # -qq hides pip's advice and warnings, but not its errors
        pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--use-pep517"]
    pip += ["--no-deps", "--no-build-isolation", "--require-hashes", "-r"]
    for lock in locks:
        if not is_downloaded(lock):
            run(*(pip + [lock]))
        elif subprocess.call(pip + [lock, "--no-index", "--find-links", WHEELS], cwd=ROOT):
            sys.exit(
                "The folder wheels has no packages that fit this Python and this system. Run make wheels "
                "on a computer of the same kind, or delete the folder to install from the internet."
            )


def copy_of(lock: str) -> str:
    """Return the path of a lock file's copy in wheels/. It says which packages are there."""
    return os.path.join(WHEELS, lock.replace("/", "-"))


def is_downloaded(lock: str) -> bool:
    """Return whether wheels/ contains the packages of a lock file as it is now."""
    copy = copy_of(lock)
    return os.path.exists(copy) and filecmp.cmp(os.path.join(ROOT, lock), copy, shallow=False)


def download(groups: "list[str]") -> None:
    """Download the packages of these groups for this system into wheels/, and check their hashes.

    uv cannot only download, so this uses the pip of an environment that it makes and deletes.
    pip also runs the setup.py of Flask-JWT, which needs the locked setuptools.
    """
    print("Downloading the packages for: {}. This can take a minute.".format(", ".join(groups)), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        venv = os.path.join(folder, "venv")
        if UV:
            run(UV, "venv", "--quiet", "--seed", "--python", uv_python(), venv)
        else:
            run(sys.executable, "-m", "venv", venv)
        python = python_in(venv)
        pip = [python, "-m", "pip", "-qq", "--disable-pip-version-check"]
        run(*(pip + ["install", "--require-hashes", "-r", "lessons/requirements-build.txt"]))
        options = ["--no-deps", "--no-build-isolation", "--require-hashes", "--dest", WHEELS]
        for lock in [lock for group in groups for lock in GROUPS[group][1]]:
            run(*(pip + ["download"] + options + ["-r", lock]))
            shutil.copyfile(os.path.join(ROOT, lock), copy_of(lock))
        code = "import sys, sysconfig; print(*(sys.version_info[:2] + (sysconfig.get_platform(),)))"
        kind = subprocess.check_output([python, "-c", code], universal_newlines=True).split()
    print(
        "The folder wheels now has these packages for Python {}.{} on {}.\n"
        "Copy it with the repository to a computer without internet. The same make commands work there.\n"
        "For another system or another version of Python, run this on such a computer too.\n"
        "Then put the files of both folders into one.".format(*kind)
    )


def run(*command: str) -> None:
    """Run a command in the top folder. If it fails, exit: the command has already printed the reason."""
    if subprocess.call(command, cwd=ROOT):
        sys.exit("This command failed: " + " ".join(command))


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if `head` closes the pipe
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nYou stopped the installation. Run the same command again to finish it.")

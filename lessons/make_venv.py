"""Make .venv, the environment that the lessons run in, from the locked requirements.

    python3 lessons/make_venv.py              make .venv, with what the lessons need
    python3 lessons/make_venv.py exercises    add what the exercises need

Uses uv if it is on the PATH, otherwise the standard library's venv and pip. The syntax is old on
purpose: a Python 3 that is too old for the lessons can still read this file and explain what to install.
"""

import os
import shutil
import signal
import subprocess
import sys

LESSONS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(LESSONS)
VENV = os.path.join(ROOT, ".venv")
OLDEST = (3, 11)
UV = shutil.which("uv")
# For each room: who needs its packages, and the files that lock them
ROOMS = {  # type: dict[str, tuple[str, list[str]]]
    "lessons": ("the lessons need", ["lessons/requirements-build.txt", "lessons/requirements.txt"]),
    "exercises": ("the exercises and grading need", ["tests/exercises/requirements.txt"]),
    "notebooks": ("the notebooks need", ["notebooks/requirements.txt"]),
    "tests": ("contributors need", ["tests/requirements.txt"]),
    "cluster": ("grading on a cluster needs", ["tests/grading/requirements-cluster.txt"]),
}


def main(rooms: "list[str]") -> None:
    """Make the environment. If rooms are named, add what they need to the existing environment."""
    unknown = [room for room in rooms if room not in ROOMS]
    if unknown:
        sys.exit("There is no room {!r}. Choose from: {}".format(unknown[0], ", ".join(ROOMS)))
    if rooms and not os.path.exists(python_in(VENV)):
        sys.exit("There is no .venv yet. Make it first: python3 lessons/make_venv.py")
    if not rooms:
        problem = missing_program()
        if problem:
            sys.exit(problem)
        make_environment(VENV)
    for room in rooms or ["lessons"]:
        needs, locks = ROOMS[room]
        print("Installing what {}. This happens once.".format(needs), flush=True)
        install(locks, VENV)
        # make compares the age of this file with the locks. It is written last, after a complete install.
        open(os.path.join(VENV, ".installed-" + room), "w").close()


def missing_program() -> "str | None":
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


def make_environment(venv: str) -> None:
    """Make an empty environment in which every program can import the modules in lessons/."""
    shutil.rmtree(venv, ignore_errors=True)
    if UV:
        python = sys.executable if sys.version_info >= OLDEST else ">={}.{}".format(*OLDEST)
        run(UV, "venv", "--quiet", "--python", python, venv)
    else:
        run(sys.executable, "-m", "venv", venv)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site_packages = subprocess.check_output([python_in(venv), "-c", ask], universal_newlines=True).strip()
    with open(os.path.join(site_packages, "lessons.pth"), "w") as path_file:
        # a relative path, so that the environment still works after its folder was moved
        path_file.write(os.path.relpath(LESSONS, os.path.realpath(site_packages)) + "\n")


def install(locks: "list[str]", venv: str) -> None:
    """Install exactly what the lock files list, and check each download against its hash.

    --no-deps: the locks are complete, and Flask-JWT's own requirement PyJWT<1.5 must be ignored.
    --no-build-isolation: build Flask-JWT with the setuptools from requirements-build.txt.
    """
    python = python_in(venv)
    if UV:
        pip = [UV, "pip", "install", "--quiet", "--python", python]
    else:  # -qq hides pip's advice and warnings, and still shows errors
        pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--use-pep517"]
    for lock in locks:
        run(*(pip + ["--no-deps", "--no-build-isolation", "--require-hashes", "-r", lock]))


def run(*command: str) -> None:
    """Run a command in the top folder. If it fails, stop here: the command has printed the reason."""
    if subprocess.call(command, cwd=ROOT):
        sys.exit("The set-up stopped at: " + " ".join(command))


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if `head` closes the pipe
    main(sys.argv[1:])

"""Make .venv, the environment that the lessons run in, from the locked requirements.

    python3 lessons/make_venv.py          what a lesson needs
    python3 lessons/make_venv.py test     what the tests need on top of it

Uses uv if it is on the PATH, else the standard library's venv and pip. Written so that any
Python 3 can read it: one that is too old then says so, instead of showing a SyntaxError.
"""

import os
import shutil
import subprocess
import sys

LESSONS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(LESSONS)
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))
OLDEST = (3, 11)
UV = shutil.which("uv")


def main(groups):
    """Make the environment or, given names of groups, add their requirements to it."""
    if groups:
        for group in groups:
            install("requirements-{}.txt".format(group))
        return
    complaint = what_is_missing()
    if complaint:
        sys.exit(complaint)
    print("Setting up .venv. This happens once and takes some seconds.", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    if UV:
        new_enough = sys.executable if sys.version_info >= OLDEST else ">={}.{}".format(*OLDEST)
        run(UV, "venv", "--quiet", "--python", new_enough, VENV)
    else:
        run(sys.executable, "-m", "venv", VENV)
    put_lessons_on_the_path()
    install("requirements-build.txt")
    install("requirements.txt")


def what_is_missing():
    """Return a line on what to install first, or None where nothing is missing."""
    if UV:
        return None
    if sys.version_info < OLDEST:
        return (
            "Python {}.{} is too old for the lessons. Install Python {}.{} or newer; "
            "if you have one under another name, add it: make lesson-1 PYTHON=python{}.{}"
        ).format(*(sys.version_info[:2] + OLDEST + OLDEST))
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return "This Python lacks venv. Install it; on Debian and Ubuntu: sudo apt install python3-venv"
    return None


def put_lessons_on_the_path():
    """Let every lesson import flask_jwt_compat from the folder above it."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site_packages = subprocess.check_output([PYTHON, "-c", ask], universal_newlines=True).strip()
    with open(os.path.join(site_packages, "lessons.pth"), "w") as path_file:
        path_file.write(LESSONS + "\n")


def install(lock):
    """Install what a lock file lists, and nothing else, each download checked against its hash.

    --no-deps: the lock is complete, and Flask-JWT's own wish for PyJWT<1.5 must not be granted.
    --no-build-isolation: Flask-JWT is built with the setuptools of requirements-build.txt.
    """
    if not os.path.exists(os.path.join(ROOT, lock)):
        sys.exit("There is no {} in {}.".format(lock, ROOT))
    if not os.path.exists(PYTHON):
        sys.exit("There is no .venv yet. Make it first: python3 lessons/make_venv.py")
    pip = [UV, "pip", "install", "--python", PYTHON] if UV else [PYTHON, "-m", "pip", "install"]
    run(*(pip + ["--quiet", "--no-deps", "--no-build-isolation", "--require-hashes", "-r", lock]))
    # For make, the copy is the sign that this lock is installed. It comes last: half is not installed.
    shutil.copy(os.path.join(ROOT, lock), VENV)


def run(*command):
    """Run a command that explains its own failure, and stop where it fails."""
    if subprocess.call(command, cwd=ROOT):
        sys.exit("The set-up stopped at: " + " ".join(command))


if __name__ == "__main__":
    main(sys.argv[1:])

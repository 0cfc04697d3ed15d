"""Build gradescope.zip, the autograder to upload to Gradescope.

.venv/bin/python tests/grading/package.py          for every exercise
.venv/bin/python tests/grading/package.py 1 3b     for an assignment with exercises 1 and 3b
"""

import argparse
import signal
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lessons"))

from lesson_loader import BadExercises, Exercise, display_path, find_exercises  # noqa: E402  in lessons/

# Students might see the archive. Every pattern names files, so no answer or solution in a folder slips in.
PACKED = [
    "pyproject.toml",
    "lessons/[0-9][0-9]_*/README.md",  # it makes a folder a lesson
    "lessons/requirements.txt",
    "lessons/requirements-build.txt",
    "lessons/flask_jwt_compat.py",
    "lessons/lesson_loader.py",
    "lessons/make_venv.py",
    "lessons/originals.py",
    "tests/tokens.py",
    "tests/exercises/client.py",
    "tests/exercises/conftest.py",
    "tests/exercises/originals/[0-9][0-9]_*.zip",
    "tests/exercises/requirements.txt",
    "tests/exercises/test_[0-9][0-9]_*.py",
    "tests/grading/*.py",
    "tests/grading/templates/*.css",
    "tests/grading/templates/*.html",
]
SCRIPTS = ["tests/grading/gradescope/setup.sh", "tests/grading/gradescope/run_autograder"]


def main() -> None:
    known = find_exercises()
    parser = argparse.ArgumentParser(description="Build gradescope.zip, the autograder for Gradescope.")
    parser.add_argument("exercises", nargs="*", metavar="N", help="default: every exercise")
    parser.add_argument("--out", type=Path, default=ROOT / "gradescope.zip", help="default: gradescope.zip")
    options = parser.parse_args()
    if unknown := set(options.exercises) - set(known):
        parser.error(f"there is no exercise {min(unknown)}: there are {', '.join(known)}")
    labels = [label for label in known if label in (options.exercises or known)]
    exercises = [known[label] for label in labels]
    if missing := [exercise.checks for exercise in exercises if not exercise.checks.is_file()]:
        parser.error(f"{display_path(missing[0])} is missing. This file contains the checks of an exercise.")
    try:
        build(options.out, exercises)
    except OSError as problem:
        parser.error(f"cannot write {options.out}: {problem.strerror}")
    print(
        f"Upload {options.out.name} to Gradescope as the autograder. It grades exercise {', '.join(labels)}."
    )


def build(out: Path, exercises: list[Exercise]) -> None:
    """Write the archive. The same files give the same bytes."""
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted({path for pattern in PACKED for path in ROOT.glob(pattern)}):
            add(archive, path.relative_to(ROOT).as_posix(), path.read_bytes())
        for script in SCRIPTS:  # Gradescope expects them at the top
            add(archive, Path(script).name, (ROOT / script).read_bytes(), 0o755)
        for exercise in exercises:
            if exercise.is_additional:
                name = f"exercises/{exercise.name}/{exercise.checks.name}"
                add(archive, name, exercise.checks.read_bytes())
        labels = " ".join(exercise.label for exercise in exercises)
        add(archive, "exercises.txt", labels.encode() + b"\n")


def add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int = 0o644) -> None:
    """Add a file to the archive with these permissions."""
    info = zipfile.ZipInfo(name)  # its date is always 1980
    info.create_system = 3  # Unix: only there do permissions count
    info.external_attr = (0o100000 | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if `head` closes the pipe
    try:
        main()
    except BadExercises as error:
        sys.exit(str(error))

"""Build gradescope.zip, the autograder to upload to Gradescope.

.venv/bin/python tests/grading/package.py          for every exercise
.venv/bin/python tests/grading/package.py 1 3b     for an assignment with exercises 1 and 3b
"""

import argparse
import sys
import zipfile
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0:0] = [str(ROOT / "lessons"), str(ROOT / "tests")]

from exercises.client import add_points  # noqa: E402  sys.path has these only now
from grading.pool import CheckerLost, CheckerPool  # noqa: E402
from lesson_loader import BadExercises, Exercise, find_exercises  # noqa: E402

# Students might see the archive. These patterns match files, not whole folders, so they match no solution.
PACKED = (
    *("pyproject.toml", "lessons/[0-9][0-9]_*/README.md"),  # the README makes a folder a lesson
    *("lessons/requirements.txt", "lessons/requirements-build.txt", "tests/exercises/requirements.txt"),
    *(f"lessons/{name}.py" for name in ("flask_jwt_compat", "lesson_loader", "make_venv", "originals")),
    *("tests/tokens.py", "tests/exercises/client.py", "tests/exercises/conftest.py"),
    *("tests/exercises/originals/[0-9][0-9]_*.zip", "tests/exercises/test_[0-9][0-9]_*.py"),
    *("tests/grading/*.py", "tests/grading/gradescope/make_roster.py"),
    *(f"tests/grading/templates/*.{kind}" for kind in ("css", "html", "js", "json", "md", "xml")),
)
# Gradescope expects these at the top of the archive.
SCRIPTS = [ROOT / "tests/grading/gradescope" / name for name in ("setup.sh", "run_autograder")]


def main() -> None:
    parser = argparse.ArgumentParser(description="Build gradescope.zip, the autograder for Gradescope.")
    parser.add_argument("exercises", nargs="*", metavar="N", help="default: every exercise")
    parser.add_argument("--out", type=Path, default=ROOT / "gradescope.zip", help="default: gradescope.zip")
    options = parser.parse_args()
    try:
        known = find_exercises()
        if unknown := set(options.exercises) - known.keys():
            parser.error(f"there is no exercise {min(unknown)}: there are {', '.join(known)}")
        exercises = [each for label, each in known.items() if label in (options.exercises or known)]
        with closing(CheckerPool()) as pool:
            checks = pool.list_checks()
        build(options.out, exercises)
    except CheckerLost as problem:
        parser.error(f"the checks cannot be listed: {problem}")
    except (BadExercises, OSError) as problem:
        parser.error(str(problem))
    points = add_points(check["max_points"] for each in exercises for check in checks.get(each.name, ()))
    labels = ", ".join(each.label for each in exercises)
    print(f"Upload {options.out.name} to Gradescope as the autograder of exercise {labels}.")
    print(f"Set {points} points for the assignment.")


def build(out: Path, exercises: list[Exercise]) -> None:
    """Write the archive. The same files give the same bytes."""
    paths = {path for pattern in PACKED for path in ROOT.glob(pattern)}
    files = {path.relative_to(ROOT).as_posix(): path for path in sorted(paths)}
    files |= {script.name: script for script in SCRIPTS}
    for exercise in filter(lambda each: each.is_additional, exercises):
        # The grader needs the starter, to recognize an answer that is still the starter.
        for path in filter(Path.is_file, (exercise.checks, exercise.folder / "exercise.py")):
            files[f"exercises/{exercise.name}/{path.name}"] = path
    contents = {name: path.read_bytes() for name, path in files.items()}
    contents["exercises.txt"] = " ".join(each.label for each in exercises).encode() + b"\n"
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name)  # its date is always 1980
            info.create_system = 3  # Unix: only there do permissions count
            info.external_attr = 0o100755 << 16  # Gradescope runs the scripts
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()

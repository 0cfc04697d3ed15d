"""Build gradescope.zip, the autograder to upload to Gradescope.

    .venv/bin/python tests/grading/package.py          for every exercise
    .venv/bin/python tests/grading/package.py 1 2      for an assignment of these two

It holds what the grader needs, and neither solutions nor answers: a student might get to see it.
"""

import argparse
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "tests/grading/gradescope"  # which Gradescope wants at the top
NEEDED = ["lessons", "tests/exercises", "tests/grading", "pyproject.toml"]
NEEDED += ["requirements.txt", "requirements-build.txt", "requirements-test.txt"]


def main() -> None:
    known = sorted(int(path.parent.name[:2]) for path in ROOT.glob("lessons/*/exercise.py"))
    parser = argparse.ArgumentParser(description="Build gradescope.zip, the autograder for Gradescope.")
    parser.add_argument("exercises", type=int, nargs="*", metavar="N", help="default: every exercise")
    parser.add_argument("--out", type=Path, default=ROOT / "gradescope.zip", help="where to (default: here)")
    options = parser.parse_args()
    if unknown := set(options.exercises) - set(known):
        parser.error(f"there is no exercise {min(unknown)}: there are {known[0]} to {known[-1]}")
    numbers = options.exercises or known
    try:
        build(options.out, numbers)
    except OSError as problem:
        parser.error(f"{options.out} cannot be written to: {problem.strerror}")
    print(f"{options.out.name} is for {10 * len(set(numbers))} points: upload it as autograder.")


def build(out: Path, exercises: list[int]) -> None:
    """Write the archive, byte for byte the same from the same files."""
    with zipfile.ZipFile(out, "w") as archive:
        for path in needed():
            add(archive, path.relative_to(ROOT).as_posix(), path.read_bytes())
        for path in sorted(SCRIPTS.iterdir()):
            add(archive, path.name, path.read_bytes(), 0o755)
        add(archive, "exercises.txt", " ".join(map(str, sorted(set(exercises)))).encode() + b"\n")


def needed() -> list[Path]:
    """Return the files that the grader needs, in order."""
    found = [path for name in NEEDED for path in (ROOT / name, *(ROOT / name).rglob("*")) if path.is_file()]
    return sorted(path for path in found if not (unwanted(path) or path.parent == SCRIPTS))


def unwanted(path: Path) -> bool:
    caches = any(part == "__pycache__" or part.startswith(".") for part in path.relative_to(ROOT).parts)
    return caches or path.name == "data.db" or path.match("answer*.py")


def add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int = 0o644) -> None:
    info = zipfile.ZipInfo(name)  # of 1980, whenever it is made
    info.create_system = 3  # Unix, which has the mode
    info.external_attr = (0o100000 | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)


if __name__ == "__main__":
    main()

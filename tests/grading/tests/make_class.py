"""Make up a class to grade, together with the points that each student should get.

    PYTHONPATH=tests .venv/bin/python -m grading.tests.make_class FOLDER --students 200 --seed 0

Some of the answers are hostile, so grade the class in the sandbox. The same seed makes the same class again.
"""

import argparse
import io
import random
import re
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from mistakes import find_mistakes

ROOT = Path(__file__).resolve().parents[3]
EXERCISES = [path.stem for path in sorted((ROOT / "solutions").glob("*.py"))]
MISTAKES = find_mistakes()

BROKEN = {
    "syntax error": "def broken(:\n",
    "exits": "import sys\nsys.exit('stop')\n",
    "ends": "import os\nos._exit(0)\n",
    "no app": "application = None\n",
    "loops": "while True:\n    pass\n",
    "takes memory": "memory = bytearray(10**9)\n",
    "reads the solution": f"exec(open({str(ROOT / 'solutions/01_auth_url.py')!r}).read())\n",
}
VIEW = "\n\n@app.before_request\ndef spoil():\n    import os, time\n    from flask import request\n\n"
# Only the last check of exercise 1 requests /auth. The check is worth 2 points.
LAST_CHECK = VIEW + '    if request.path == "/auth":\n        '
BOMB = "for _ in range(100):\n            if os.fork() == 0:\n                time.sleep(20)\n"
HOSTILE = {  # code to add to the solution of exercise 1, and the points that it then gets
    "ends in a view": (VIEW + "    os._exit(0)\n", 0),
    "loops in views": (VIEW + "    while True:\n        pass\n", 0),
    "ends in one view": (LAST_CHECK + "os._exit(0)\n", 8),
    "sleeps in one view": (LAST_CHECK + "time.sleep(100)\n", 8),
    "never stops": (LAST_CHECK + "return app.response_class('x' * 1000 for _ in iter(int, 1))\n", 8),
    "forks": (LAST_CHECK + BOMB, 8),
    "prints": (VIEW + "    print('\\x1b[2J' * 10_000, flush=True)\n", 10),
    "looks around": (
        "\nfor name in ('/etc/shadow', '/proc/1/environ', '/proc/1/mem', '/etc/passwd'):\n"
        "    try:\n        print(open(name).read())\n    except OSError as error:\n        print(error)\n",
        10,
    ),
}
UNREADABLE = ("cut", "rar", "leads out", "twice", "a link", "too big", "nothing")
KINDS = [
    "right",
    "half right",
    "wrong",
    *BROKEN,
    *HOSTILE,
    *UNREADABLE,
]  # a class has at least one student of each kind
USUAL = ["right"] * 10 + ["half right"] * 6 + ["wrong"] * 3 + ["nothing", *BROKEN, *HOSTILE, *UNREADABLE][::4]
NAMES = (
    "anna",
    "Anna",
    "Zoë Müller",
    "Nguyễn Văn An",
    "Ольга",
    "李 雷",
    "محمد",
    "O'Brien, Pat",
    "=cmd",
    "-x",
)
LAYOUTS = ("flat", "fork", "flat.zip", "fork.zip", "flat.tar.gz", "fork.tar.gz")
DOWNLOADS = ("canvas", "moodle", "forks")


@dataclass
class Student:
    """A made-up student, what they hand in and the points that they should get."""

    name: str
    kind: str
    layout: str
    answers: dict[str, str] = field(default_factory=dict)  # by exercise
    points: dict[str, int] = field(default_factory=dict)  # by exercise; 0 if the exercise was not handed in


def make_class(seed: int = 0, students: int = 200) -> list[Student]:
    """Return the students of a class. The same seed gives the same class."""
    rng = random.Random(seed)
    kinds = (KINDS + rng.choices(USUAL, k=max(0, students - len(KINDS))))[:students]
    rng.shuffle(kinds)
    return [make_student(rng, number, kind) for number, kind in enumerate(kinds)]


def make_student(rng: random.Random, number: int, kind: str) -> Student:
    name = f"{NAMES[number % len(NAMES)]} {number // len(NAMES)}"  # the number keeps names unique
    student = Student(name, kind, rng.choice(LAYOUTS))
    if kind == "nothing":
        student.layout = "flat"
    elif kind in UNREADABLE:
        student.answers["01_auth_url"] = solution("01_auth_url")
    elif kind in BROKEN or kind in HOSTILE:
        code, points = HOSTILE.get(kind, ("", 0))
        student.answers["01_auth_url"] = BROKEN.get(kind) or solution("01_auth_url") + code
        student.points["01_auth_url"] = points
    else:
        answers = possible_answers(kind)
        for exercise in rng.sample(sorted(answers), rng.choice((1, 1, 2))):
            student.answers[exercise], student.points[exercise] = rng.choice(answers[exercise])
    return student


def possible_answers(kind: str) -> dict[str, list[tuple[str, int]]]:
    """Return what a right, half right or wrong student can hand in: answers and their points, by exercise."""
    if kind == "right":
        return {exercise: [(solution(exercise), 10)] for exercise in EXERCISES}
    answers: dict[str, list[tuple[str, int]]] = {}
    for mistake in MISTAKES:
        if (mistake.points < 5) == (kind == "wrong"):
            answers.setdefault(mistake.exercise, []).append((read(mistake.path), mistake.points))
    return answers


def solution(exercise: str) -> str:
    return read(ROOT / "solutions" / f"{exercise}.py")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def expected_points(seed: int = 0, students: int = 200) -> dict[tuple[str, str], int]:
    """Return the points of a class by student and exercise. A missing answer gives 0 points."""
    return {
        (student.name, exercise): student.points.get(exercise, 0)
        for student in make_class(seed, students)
        for exercise in EXERCISES
    }


def write_class(folder: Path, seed: int = 0, students: int = 200) -> list[Student]:
    """Write everything that a class hands in to a folder, and return the class."""
    folder.mkdir(parents=True, exist_ok=True)
    members = make_class(seed, students)
    for student in members:
        write_student(folder, student)
    return members


def write_student(folder: Path, student: Student) -> None:
    """Write what a student hands in. It replaces what they handed in before."""
    fork = student.layout.startswith("fork")
    files = {
        f"lessons/{name}/answer.py" if fork else f"{name}.py": text.encode()
        for name, text in student.answers.items()
    }
    place = folder / student.name
    match student.kind:
        case "cut":
            place.with_name(f"{student.name}.zip").write_bytes(make_zip(files)[:-40])
        case "rar":
            place.with_name(f"{student.name}.rar").write_bytes(b"Rar!\x1a\x07\x00")
        case "leads out":
            content = make_zip({f"../../{name}": text for name, text in files.items()})
            place.with_name(f"{student.name}.zip").write_bytes(content)
        case "a link":
            place.with_name(f"{student.name}.zip").symlink_to(ROOT / "solutions")
        case "twice":
            place.with_name(f"{student.name}.zip").write_bytes(make_zip(files))
            write_folder(place, files)
        case "too big":
            write_folder(place, {name: text + b"#" * 100_000 for name, text in files.items()})
        case _ if student.layout.endswith(".zip"):
            place.with_name(f"{student.name}.zip").write_bytes(make_zip(files))
        case _ if student.layout.endswith(".tar.gz"):
            place.with_name(f"{student.name}.tar.gz").write_bytes(make_tar(files))
        case _:
            write_folder(place, files)


def write_download(folder: Path, download: str, students: list[Student]) -> dict[str, str]:
    """Write the answers of students as Canvas, Moodle or git would.

    Return the names of the sources by the names of the students. A student without answers hands in nothing.
    """
    names = {}
    for number, student in enumerate(students, 10_000):
        files = {f"{exercise}.py": text.encode() for exercise, text in student.answers.items()}
        match download if files else "":
            case "canvas":
                names[student.name] = f"{re.sub('[^a-z]', '', student.name.lower()) or 'student'}_{number}"
                late = "LATE_" if number % 7 == 0 else ""
                files = {
                    f"{names[student.name].replace('_', f'_{late}')}_{number + 600_000}_{name}": text
                    for name, text in files.items()
                }
                write_folder(folder, files)
            case "moodle":
                names[student.name] = f"{student.name}_{number}"
                write_folder(folder / f"{names[student.name]}_assignsubmission_file_", files)
            case "forks":
                names[student.name] = student.name
                write_folder(
                    folder / student.name,
                    {f"lessons/{name[:-3]}/answer.py": text for name, text in files.items()},
                )
    return names


def write_folder(place: Path, files: dict[str, bytes]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def make_zip(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def make_tar(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a new or an empty folder")
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.folder.exists() and any(arguments.folder.iterdir()):
        parser.error(f"{arguments.folder} is not empty")
    write_class(arguments.folder, arguments.seed, arguments.students)
    print(f"Wrote {arguments.students} students to {arguments.folder}.")


if __name__ == "__main__":
    main()

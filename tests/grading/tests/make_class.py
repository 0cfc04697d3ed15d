"""Make up a class to grade, of which it is known how many points everyone should get.

    .venv/bin/python tests/grading/tests/make_class.py FOLDER --students 200 --seed 0

What is in it is hostile: grade it in the sandbox. The same seed makes the same class again.
"""

import argparse
import io
import random
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
EXERCISES = [path.stem for path in sorted((ROOT / "solutions").glob("*.py"))]

STARTERS = dict(zip(EXERCISES, (2, 4, 0, 1, 2, 6, 0, 0), strict=True))  # the points of each exercise.py
MOVED = 'app.config["JWT_AUTH_URL_RULE"] = "/api/v1/session"\n'
JWT = "jwt = JWT(app, authenticate, identity)\n"
LIFE = 'int(app.config["JWT_EXPIRATION_DELTA"].total_seconds())'
ROLE = "current_identity.role"
HALF_RIGHT = {  # in place of what in a solution, and the points that are left
    "01_auth_url": [
        (MOVED + JWT, JWT + MOVED, 2),
        ("/session", "/session/", 4),
        ('"/users"', '"/people"', 8),
    ],
    "02_token_expiry": [
        ('app.config["JWT_LEEWAY"] = 0\n', "", 7),
        ("timedelta(minutes=15)", "900", 7),
        (JWT, JWT + 'app.config["JWT_REQUIRED_CLAIMS"] = []\n', 9),
    ],
    "03_auth_key": [
        ("return user if check_password_hash(user.password_hash, pin) else None", "return user", 8),
        ("WHERE phone = ?", "WHERE ? IN (phone, username)", 8),
        ("WHERE phone = ?", "WHERE email = ?", 0),
    ],
    "04_auth_response": [
        ('    response.headers["Cache-Control"] = "no-store"\n', "", 9),
        (LIFE, "1800", 8),
        ("identity.json()", '{"id": 1, "username": "bob"}', 6),
    ],
    "05_error_handler": [
        (", error.status_code, error.headers", ", error.status_code", 8),
        ("detail=error.description", 'detail="You are not allowed in."', 8),
        (", detail=error.description", "", 4),
    ],
    "06_current_identity": [
        (" if is_visible(note)]", "]", 8),
        ("current_identity.is_admin or note", "note", 7),
        ('"owner": current_identity.id', '"owner": current_identity', 1),
    ],
    "07_more_options": [
        (f'        if {ROLE} != "admin":\n            abort(403)\n', "", 5),
        (f'{ROLE} != "admin"', "not current_identity.is_admin", 9),
        ('app.config["JWT_REQUIRED_CLAIMS"] = ["exp", "iat", "nbf", "role"]\n', "", 8),
    ],
    "08_flask_jwt_extended": [
        ("@jwt.revoked_token_loader\n", "", 9),
        ("@jwt.token_in_blocklist_loader\n", "", 0),
    ],
}
BROKEN = {
    "syntax error": "def broken(:\n",
    "exits": "import sys\nsys.exit('stop')\n",
    "ends": "import os\nos._exit(0)\n",
    "no app": "application = None\n",
    "loops": "while True:\n    pass\n",
    "greedy": "much = bytearray(10**9)\n",
    "reads the solution": f"exec(open({str(ROOT / 'solutions/01_auth_url.py')!r}).read())\n",
}
VIEW = "\n\n@app.before_request\ndef spoil():\n    import os, time\n    from flask import request\n\n"
AT_LAST = VIEW + '    if request.path == "/auth":\n        '  # the last check of exercise 1, worth 2 points
BOMB = "for _ in range(100):\n            if os.fork() == 0:\n                time.sleep(20)\n"
HOSTILE = {  # what comes after the solution of exercise 1, and the points that are left
    "ends in a view": (VIEW + "    os._exit(0)\n", 0),
    "loops in views": (VIEW + "    while True:\n        pass\n", 0),
    "ends in one view": (AT_LAST + "os._exit(0)\n", 8),
    "sleeps in one view": (AT_LAST + "time.sleep(100)\n", 8),
    "never stops": (AT_LAST + "return app.response_class('x' * 1000 for _ in iter(int, 1))\n", 8),
    "forks": (AT_LAST + BOMB, 8),
    "prints": (VIEW + "    print('\\x1b[2J' * 10_000, flush=True)\n", 10),
    "looks around": (
        "\nfor name in ('/etc/shadow', '/proc/1/environ', '/proc/1/mem', '/etc/passwd'):\n"
        "    try:\n        print(open(name).read())\n    except OSError as error:\n        print(error)\n",
        10,
    ),
}
BAD = ("cut", "rar", "leads out", "twice", "a link", "too big", "nothing")
KINDS = ["right", "half right", "wrong", *BROKEN, *HOSTILE, *BAD]  # of which there is one each, at least
USUAL = ["right"] * 10 + ["half right"] * 6 + ["wrong"] * 3 + ["nothing", *BROKEN, *HOSTILE, *BAD][::4]
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


@dataclass
class Student:
    """Somebody who is made up, what they hand in and how many points that is worth."""

    name: str
    kind: str
    layout: str
    answers: dict[str, str] = field(default_factory=dict)  # by exercise
    points: dict[str, int] = field(default_factory=dict)  # by exercise; there are none for any other


def make_class(seed: int = 0, students: int = 200) -> list[Student]:
    """Return a class, the same for the same seed."""
    chance = random.Random(seed)
    kinds = (KINDS + chance.choices(USUAL, k=max(0, students - len(KINDS))))[:students]
    chance.shuffle(kinds)
    return [make_student(chance, number, kind) for number, kind in enumerate(kinds)]


def make_student(chance: random.Random, number: int, kind: str) -> Student:
    name = f"{NAMES[number % len(NAMES)]} {number // len(NAMES)}"  # so that anna 0 and Anna 0 are two
    student = Student(name, kind, chance.choice(LAYOUTS))
    if kind == "nothing":
        student.layout = "flat"
    elif kind in BAD:
        student.answers["01_auth_url"] = solution("01_auth_url")
    elif kind in BROKEN or kind in HOSTILE:
        after, points = HOSTILE.get(kind, ("", 0))
        student.answers["01_auth_url"] = BROKEN.get(kind) or solution("01_auth_url") + after
        student.points["01_auth_url"] = points
    else:
        for exercise in chance.sample(EXERCISES, chance.choice((1, 1, 2))):
            student.answers[exercise], student.points[exercise] = answer(chance, exercise, kind)
    return student


def answer(chance: random.Random, exercise: str, kind: str) -> tuple[str, int]:
    """Return an answer and its points."""
    if kind == "wrong":
        return read(ROOT / "lessons" / exercise / "exercise.py"), STARTERS[exercise]
    if kind == "right":
        return solution(exercise), 10
    old, new, points = chance.choice(HALF_RIGHT[exercise])
    assert old in solution(exercise), f"{exercise} has no {old}"
    return solution(exercise).replace(old, new), points


def solution(exercise: str) -> str:
    return read(ROOT / "solutions" / f"{exercise}.py")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def expected(seed: int = 0, students: int = 200) -> dict[tuple[str, str], int]:
    """Return the points of each student of a class for each exercise; what is not handed in is worth 0."""
    return {
        (student.name, exercise): student.points.get(exercise, 0)
        for student in make_class(seed, students)
        for exercise in EXERCISES
    }


def write_class(folder: Path, seed: int = 0, students: int = 200) -> list[Student]:
    """Write what a class hands in to a folder; return the class."""
    folder.mkdir(parents=True, exist_ok=True)
    made = make_class(seed, students)
    for student in made:
        write_student(folder, student)
    return made


def write_student(folder: Path, student: Student) -> None:
    """Write what one student hands in, in the place of what they have handed in."""
    fork = student.layout.startswith("fork")
    files = {
        f"lessons/{name}/answer.py" if fork else f"{name}.py": text.encode()
        for name, text in student.answers.items()
    }
    place = folder / student.name
    match student.kind:
        case "cut":
            place.with_name(f"{student.name}.zip").write_bytes(zipped(files)[:-40])
        case "rar":
            place.with_name(f"{student.name}.rar").write_bytes(b"Rar!\x1a\x07\x00")
        case "leads out":
            content = zipped({f"../../{name}": text for name, text in files.items()})
            place.with_name(f"{student.name}.zip").write_bytes(content)
        case "a link":
            place.with_name(f"{student.name}.zip").symlink_to(ROOT / "solutions")
        case "twice":
            place.with_name(f"{student.name}.zip").write_bytes(zipped(files))
            write_folder(place, files)
        case "too big":
            write_folder(place, {name: text + b"#" * 100_000 for name, text in files.items()})
        case _ if student.layout.endswith(".zip"):
            place.with_name(f"{student.name}.zip").write_bytes(zipped(files))
        case _ if student.layout.endswith(".tar.gz"):
            place.with_name(f"{student.name}.tar.gz").write_bytes(tarred(files))
        case _:
            write_folder(place, files)


def write_folder(place: Path, files: dict[str, bytes]) -> None:
    place.mkdir(exist_ok=True)
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a folder that is new or empty")
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.folder.exists() and any(arguments.folder.iterdir()):
        parser.error(f"{arguments.folder} is not empty")
    write_class(arguments.folder, arguments.seed, arguments.students)
    print(f"{arguments.students} students are in {arguments.folder}.")


if __name__ == "__main__":
    main()

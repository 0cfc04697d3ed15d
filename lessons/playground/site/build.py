"""Write the playground as a static site, with Python in the browser.

make site                                                 or, without make:
.venv/bin/python lessons/playground/site/build.py         (--out FOLDER)

The Python packages come from the running environment, where make_venv.py installed the locked versions with
their hashes. What comes from npm is locked in package-lock.json. The same files give the same site.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import mistune

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "lessons"))

from exercise_loop import read_hints, read_todo  # noqa: E402  in lessons/
from lesson_loader import LESSONS, BadExercises, find_exercises, find_lessons  # noqa: E402
from playground import pages  # noqa: E402

LIST = ".nojekyll"  # GitHub Pages needs this file. Ours lists the files of the site.
NODE = ROOT / ".venv/node"
NODE_MODULES = NODE / "node_modules"
LOCKS = ["lessons/requirements.txt", "lessons/requirements-build.txt", "tests/exercises/requirements.txt"]

# Every pattern names files, so no answer, solution or mistake in a folder slips in.
LESSON_FILES = ["api.py", "app.py", "db.py", "models/*.py", "resources/*.py", "schema.sql", "security.py"]
LESSON_MODULES = ["exercise_loop", "flask_jwt_compat", "lesson_loader", "misplaced", "originals"]
FILES = [
    *(f"lessons/[0-9][0-9]_*/{name}" for name in LESSON_FILES),
    "lessons/[0-9][0-9]_*/README.md",  # it makes a folder a lesson
    *(f"lessons/{name}.py" for name in LESSON_MODULES),
    "lessons/playground/settings.py",
    "lessons/playground/site/browser_python.py",
    "pyproject.toml",
    "tests/exercises/client.py",
    "tests/exercises/conftest.py",
    "tests/exercises/originals/[0-9][0-9]_*.zip",
    "tests/exercises/test_[0-9][0-9]_*.py",
    "tests/tokens.py",
]
PACKAGES = [
    "aniso8601", "blinker", "click", "Flask", "Flask-JWT", "Flask-JWT-Extended", "Flask-RESTful",
    "iniconfig", "itsdangerous", "Jinja2", "MarkupSafe", "packaging", "pluggy", "Pygments", "PyJWT", "pytest",
    "pytz", "six", "Werkzeug",
]  # fmt: skip
# pytest imports two of the hundreds of languages in Pygments. No package needs its own tests.
UNUSED = re.compile(
    r"aniso8601/.*tests/|pygments/(formatters|lexers|styles)/(?!__init__|_mapping|diff|python|terminal\.)"
)
LICENSE_FILE = re.compile(r"\.dist-info/(.*/)?(LICENSE|AUTHORS)[^/]*$")
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'"
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the playground as a static site.")
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="default: site/")
    out: Path = parser.parse_args().out.resolve()
    refuse_additions(out)
    find_node()
    install_node_modules()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as temporary:
        site = Path(temporary) / "site"
        build(site, Path(temporary) / "staged")
        write(site / LIST, "")
        write(site / LIST, "\n".join(list_files(site)))
        if out.exists():
            out.rename(Path(temporary) / "old")
        site.rename(out)
    shown = os.path.relpath(out)
    print(f"{shown} is ready. To see it: python3 -m http.server --bind 127.0.0.1 --directory {shown} 8080")


def refuse_additions(out: Path) -> None:
    """Exit if the folder has files that no earlier build wrote, because the build replaces the folder."""
    written = read(out / LIST).splitlines() if (out / LIST).is_file() else []
    additions = [name for name in list_files(out) if name not in written]
    if additions or (out.exists() and not out.is_dir()):
        name = out / additions[0] if additions else out
        sys.exit(
            f"make site did not write {name}, so {out} stays as it is. Choose another folder: --out FOLDER"
        )


def list_files(folder: Path) -> list[str]:
    """Return the paths of everything in a folder except folders."""
    files = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in files)


def find_node() -> None:
    """Exit if Node.js or npm is missing or too old."""
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout if node else ""
    major = re.match(r"v(\d+)\.", version)
    if not major or int(major[1]) < 20 or not shutil.which("npm"):
        sys.exit(
            "make site needs Node.js 20 or newer, and npm, which comes with it. "
            "Install it from https://nodejs.org, open a new terminal, and run make site again."
        )


def install_node_modules() -> None:
    """Install what package-lock.json lists, unless this has been done for the current lock."""
    installed, lock = NODE / "installed.json", HERE / "package-lock.json"
    if not installed.exists() or read(installed) != read(lock):
        print("Installing the site's packages from npm…", flush=True)
        for name in ("package.json", "package-lock.json"):
            copy(HERE / name, NODE / name)
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
        copy(lock, installed)


def run(program: str, *arguments: str | Path) -> None:
    """Run a program where npm has installed packages. Exit if it fails, after it has printed why."""
    environment = os.environ | {"NODE_PATH": str(NODE_MODULES)}  # esbuild searches it
    if subprocess.run([str(shutil.which(program)), *arguments], cwd=NODE, env=environment).returncode:
        sys.exit(f"make site stopped, because {program} failed.")


def build(site: Path, staged: Path) -> None:
    """Write the site to a new folder."""
    pyodide = NODE_MODULES / "pyodide"
    stage(staged / "course")
    shutil.unpack_archive(pyodide / "python_stdlib.zip", staged / "python314")
    run("node", HERE / "compile.mjs", staged, pyodide / "pyodide.mjs")
    copy(staged / "course.zip", site / "course.zip")
    copy(staged / "python314.zip", site / "pyodide/python_stdlib.zip")
    for name in ("pyodide.asm.mjs", "pyodide.asm.wasm"):
        copy(pyodide / name, site / "pyodide" / name)
    # Pyodide asks for the list of packages that it could load. This site loads none of them.
    lock = json.loads(read(pyodide / "pyodide-lock.json"))
    write(site / "pyodide/pyodide-lock.json", json.dumps(lock | {"packages": {}}))
    run(
        "node", "node_modules/esbuild/bin/esbuild", HERE / "site.js", HERE / "worker.js", f"--outdir={site}",
        "--bundle", "--minify", "--format=esm", "--target=es2022", "--external:node:*", "--external:ws",
        "--legal-comments=none", "--log-level=warning",
    )  # fmt: skip
    write_pages(site)
    write(site / "licenses.txt", list_licenses())


def stage(folder: Path) -> None:
    """Copy the Python files of all packages to folder/packages, and the course to folder/course."""
    for package in map(installed, PACKAGES):
        for file in package.files or []:
            if file.suffix == ".py" and not UNUSED.match(file.as_posix()):
                copy(Path(str(file.locate())), folder / "packages" / file)
    for name, path in find_files(ROOT, FILES).items():
        copy(path, folder / "course" / name)


def find_files(folder: Path, patterns: list[str]) -> dict[str, Path]:
    """Return the files that have these patterns, by path. A link can lead out of the course, so skip it."""
    files = (path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.resolve() == path)
    return {path.relative_to(folder).as_posix(): path for path in files}


def installed(name: str) -> Distribution:
    """Return an installed package. Exit unless it has the version in our locks."""
    package = distribution(name)
    line = f"\n{name}=={package.version} ".lower()
    if not any(line in read(ROOT / lock).lower() for lock in LOCKS):
        sys.exit(f"{name} {package.version} is installed, but our locks have another version. Run: make site")
    return package


def write_pages(site: Path) -> None:
    """Write all pages, their style and their pictures, and the files that students can edit."""
    for path in pages.find_pages():
        write(site / path / "index.html" if path.endswith("/") else site / path, render_page(path))
    for path, picture in pages.find_pictures().items():
        copy(picture, site / path)
    for name in ("icon.svg", "page.css"):
        copy(HERE.parent / name, site / name)
    exercises = find_exercises()
    for number, folder in find_lessons().items():
        starter = {"answer.py": folder / "exercise.py"} if str(number) in exercises else {}
        app = find_files(folder, LESSON_FILES)
        files = starter | {"app.py": app["app.py"]} | app
        texts = {name: read(file) for name, file in files.items() if file.stat().st_size}
        write(site / folder.name / "lesson.json", json.dumps(texts, ensure_ascii=False))


def render_page(path: str) -> str:
    """Return a page. Its links are relative, so that the site works below any address."""
    lesson = LESSONS / path if path.endswith("/") else None
    exercise = find_exercises().get(str(int(path[:2]))) if lesson else None
    return pages.render(
        path,
        "../" * path.count("/"),
        policy=POLICY,
        script="site.js" if lesson or path == "index.html" else None,
        editor=bool(lesson),
        task=read_todo(exercise) if exercise else None,
        hints=map(mistune.html, read_hints(exercise.folder / "hints.md")) if exercise else None,
    )


def list_licenses() -> str:
    """Return the licences of this course and of all software in the site."""
    files = {"Flask-JWT companion": [ROOT / "LICENSE"], "Python": [HERE / "python-license.txt"]}
    for path, package in json.loads(read(HERE / "package-lock.json"))["packages"].items():
        if path and not package.get("dev"):
            title = f"{path.removeprefix('node_modules/')} {package['version']}, licence {package['license']}"
            files[title] = sorted((NODE / path).glob("LICENSE*"))
    for name, package in zip(PACKAGES, map(installed, PACKAGES), strict=True):
        paths = [file for file in package.files or [] if LICENSE_FILE.search(file.as_posix())]
        files[f"{name} {package.version}"] = [Path(str(path.locate())) for path in paths]
    return "\n".join(
        f"{title}\n{'=' * len(title)}\n\n{''.join(map(read, files[title]))}\n" for title in files
    )


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    try:
        main()
    except (BadExercises, OSError) as error:
        sys.exit(f"make site stopped: {error}")

// Pack folders for the browser: node compile.mjs FOLDER PYODIDE writes FOLDER/NAME.zip for each folder NAME in it.
// The browser's own Python compiles the packages, because it loads bytecode more than twice as fast as source.
import { pathToFileURL } from "node:url";

const { loadPyodide } = await import(pathToFileURL(process.argv[3]));
const python = await loadPyodide();
python.FS.mkdir("/staged");
python.FS.mount(python.FS.filesystems.NODEFS, { root: process.argv[2] }, "/staged");
python.runPython(`
import py_compile
import zipfile
from pathlib import Path

UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH  # bytecode without the date of its source


def pack(folder):
    # The same files always give the same bytes.
    with zipfile.ZipFile(f"{folder}.zip", "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name, content = file.relative_to(folder).as_posix(), file.read_bytes()
            if file.suffix == ".py" and not name.startswith("course/"):  # students read the course's files
                source = f"/{name}" if name.startswith("packages/") else f"/lib/{name}"
                py_compile.compile(str(file), "/compiled", source, doraise=True, invalidation_mode=UNCHECKED)
                name, content = f"{name}c", Path("/compiled").read_bytes()
            info = zipfile.ZipInfo(name)  # its date is always in 1980
            info.create_system, info.external_attr = 3, 0o100644 << 16  # Unix permissions
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, 9)


for folder in sorted(path for path in Path("/staged").iterdir() if path.is_dir()):
    pack(folder)
`);

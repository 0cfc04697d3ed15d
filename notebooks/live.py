"""Open a lesson's notebook in JupyterLab, until Ctrl-C.

    python notebooks/live.py 2                      opens notebook 2
    python notebooks/live.py 2 --port 8890 --no-browser

Other options go to JupyterLab.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from server import free_port

NOTEBOOKS = Path(__file__).resolve().parent
SETTINGS = NOTEBOOKS / ".jupyter"
PORT = 8888


def main(arguments: list[str]) -> None:
    """Open the notebook that the arguments name. Exit with a message if it does not exist."""
    parser = argparse.ArgumentParser(
        prog="live.py", description="Open a lesson's notebook in JupyterLab. Other options go to JupyterLab."
    )
    parser.add_argument(
        "number", nargs="?", default="0", help="the number of the lesson, 0 if you leave it out"
    )
    parser.add_argument("--port", type=port_number, help=f"the port, {PORT} if you leave it out")
    options, others = parser.parse_known_args(arguments)
    notebook = find_notebook(options.number)
    port = (
        first_free_port()
        if options.port is None
        else free_port(options.port, f"make notebook-{options.number}")
    )
    opens = "Open the address below, which shows" if "--no-browser" in others else "Your browser opens"
    print(f"{opens} {notebook.name} in JupyterLab. Press Ctrl-C here to stop it.", flush=True)
    # These modules take a second to import, so a wrong argument gets its message before.
    from jupyterlab.labapp import LabApp  # type: ignore[import-untyped]
    from jupyterlab_server.workspaces_handler import WORKSPACE_EXTENSION, slugify

    with tempfile.TemporaryDirectory() as folder:
        # JupyterLab saves its open tabs in a workspace. A new one each time begins with closed side bars.
        shutil.copy(SETTINGS / "workspace.json", Path(folder, slugify("default") + WORKSPACE_EXTENSION))
        # Every user of this machine can connect to a TCP port, but not to sockets in a private folder.
        channel = ["--KernelManager.transport=ipc", f"--KernelManager.ip={folder}/kernel"]
        LabApp.launch_instance(
            [
                f"--config={SETTINGS / 'jupyter_lab_config.py'}",
                f"--LabApp.default_url=/lab/tree/notebooks/{notebook.name}",
                f"--LabApp.workspaces_dir={folder}",
                f"--ServerApp.port={port}",
                *(channel if os.name != "nt" else []),
                *others,
            ]
        )


def find_notebooks(folder: Path = NOTEBOOKS) -> dict[int, Path]:
    """Return the notebooks in a folder by the number of their lesson."""
    return {int(path.name[:2]): path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}


def find_notebook(number: str, folder: Path = NOTEBOOKS) -> Path:
    """Return the notebook of a lesson. Exit with a message if it does not exist."""
    notebooks = find_notebooks(folder)
    if not number.isdecimal() or int(number) not in notebooks:
        sys.exit(f"There is no notebook {number!r}. Choose one of these: {', '.join(map(str, notebooks))}")
    return notebooks[int(number)]


def port_number(text: str) -> int:
    """Return a port that the instructor chose."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a port. Choose a number from 1024 to 65535, such as 8890"
        )
    return int(text)


def first_free_port() -> int:
    """Return 8888, or the first free port after it."""
    for port in range(PORT, PORT + 50):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    return PORT


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly if `head` closes the pipe
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        print("\nJupyterLab has stopped.")

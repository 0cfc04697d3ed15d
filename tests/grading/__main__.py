"""Grade what students handed in.

    .venv/bin/python tests/grading SUBMISSIONS --out grades

SUBMISSIONS holds a folder, .zip, .tar, .tar.gz or .tar.bz2 for each student. In it, an answer is either where
the repository has it, lessons/01_auth_url/answer.py, or at the top as 01_auth_url.py. An answer to an
additional exercise is exercises/03b_pin_login/answer.py or 03b_pin_login.py. The environment variable
EXERCISES names the folder of your additional exercises.

Exit status 0: everything is graded. 1: nothing is graded, and a line says why. 2: the command has a mistake.
3: the grader failed for some students. They have no mark yet, and the same command tries them again.
"""

import io
import os
import sys
from pathlib import Path
from typing import Any, TextIO

if os.name == "nt":
    sys.exit("The grader does not run on Windows itself. Run it in WSL.")

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # so that `import grading` finds this package

from grading.command import main  # noqa: E402  must come after the line above


class Output(io.FileIO):
    """An output whose reader may leave early, as in `... | head`. Grading goes on without a reader."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)


def open_output(stream: TextIO) -> TextIO:
    raw = io.BufferedWriter(Output(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(raw, stream.encoding, stream.errors, line_buffering=True)


sys.stdout, sys.stderr = open_output(sys.stdout), open_output(sys.stderr)
sys.exit(main())

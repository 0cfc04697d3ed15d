"""Grade what students handed in.

    .venv/bin/python tests/grading SUBMISSIONS --out grades --exercises 1 3

SUBMISSIONS contains a folder, .zip or .tar.gz for each student, or an unpacked download from Canvas, Moodle
or Gradescope. An answer is lessons/01_auth_url/answer.py in a copy of the course. Otherwise it is
01_auth_url.py, or answer.py if only one exercise counts. For your own exercises, such as 3b, set the
environment variable EXERCISES to their folder. Their answers are exercises/03b_pin_login/answer.py or
03b_pin_login.py.

Say which exercises count: with --exercises, or in the column "exercises" of the roster. Write SUBMISSIONS
before --exercises. tests/grading/README.md explains the tables, the results and the sandbox.

Exit status 0: everyone is graded. 1: nothing is graded, and a line says why. 2: an option has a wrong form.
3: the grader stopped, or some students have no mark. Run the same command again. 130: you pressed Ctrl-C.
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
    # Some terminals cannot show every name.
    return io.TextIOWrapper(raw, stream.encoding, errors="replace", line_buffering=True)


sys.stdout, sys.stderr = open_output(sys.stdout), open_output(sys.stderr)
sys.exit(main())

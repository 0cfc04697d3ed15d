"""Grade what students handed in.

    .venv/bin/python tests/grading SUBMISSIONS --out grades

SUBMISSIONS holds a folder, .zip, .tar, .tar.gz or .tar.bz2 for each student, in which their answers are where
the repository has them, lessons/01_auth_url/answer.py, or at the top, as 01_auth_url.py.

Exit status: 0, everything is graded; 1, nothing was, and a line says why; 2, the command is not understood;
3, the grader failed somewhere: those who have no mark are listed, and the same command tries them again.
"""

import os
import sys
from pathlib import Path

if os.name == "nt":
    sys.exit("Grading needs Linux, and without a sandbox at least a Unix. On Windows, run it in WSL.")

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # so that this is the package grading

from grading.command import main  # noqa: E402  must come after the line above

sys.exit(main())

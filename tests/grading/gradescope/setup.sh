#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image of the autograder.
set -euo pipefail
cd "${AUTOGRADER:-/autograder}/source"

python=python3
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || python=python3.11  # as on Ubuntu 22.04
apt-get update --quiet
apt-get install --quiet --yes bubblewrap libseccomp2 "$python" "$python-venv"
"$python" lessons/make_venv.py
"$python" lessons/make_venv.py exercises

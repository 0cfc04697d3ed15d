#!/usr/bin/env bash
# Gradescope runs this script once, as root, when it builds the image of the autograder.
set -euo pipefail
cd "${AUTOGRADER:-/autograder}/source"

python=python3
# On Ubuntu 22.04, python3 is too old, but there is a package python3.11.
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || python=python3.11
apt-get update --quiet
apt-get install --quiet --yes bubblewrap libseccomp2 "$python" "$python-venv"
"$python" lessons/make_venv.py
"$python" lessons/make_venv.py exercises

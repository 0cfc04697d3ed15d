"""Print a roster for the grader from Gradescope's submission_metadata.json.

make_roster.py submission_metadata.json ALIAS > roster.csv
"""

import csv
import json
import sys
from pathlib import Path


def main(metadata: str, alias: str) -> None:
    submission = json.loads(Path(metadata).read_text(encoding="utf-8"))
    name, email = (" and ".join(user[key] for user in submission["users"]) for key in ("name", "email"))
    table = csv.writer(sys.stdout)
    table.writerow(["id", "name", "email", "alias", "due"])
    table.writerow([email or alias, name, email, alias, submission["assignment"]["due_date"]])


if __name__ == "__main__":
    main(*sys.argv[1:])

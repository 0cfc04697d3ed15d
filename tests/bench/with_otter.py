"""The test file of Otter, which is run in the kernel that has run the answer."""

from otter.test_files import test_case

import checks_of_notes

OK_FORMAT = False
name = "notes"
rooms = []


def ask(check):
    def about(app):  # Otter fills in each parameter with what the answer has under its name
        rooms or rooms.append(checks_of_notes.Room(app))
        check(rooms[0])

    return about


for check, worth in checks_of_notes.CHECKS.items():
    globals()[check.__name__] = test_case(check.__name__, worth)(ask(check))

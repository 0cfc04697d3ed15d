"""The run_tests.py of a Gradescope autograder: with_gradescope.py RESULTS ANSWER ..."""

import sys
import unittest

from gradescope_utils.autograder_utils.decorators import weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

import notes_checks


class Notes(unittest.TestCase):
    """The tests of one answer. A subclass names its file."""

    @classmethod
    def setUpClass(cls):
        cls.notes_app = notes_checks.start(cls.answer)


for check, points in notes_checks.CHECKS.items():
    test = weight(points)(lambda self, check=check: check(self.notes_app))
    test.__doc__ = check.__doc__
    setattr(Notes, f"test_{check.__name__}", test)

tests = unittest.TestSuite()
for answer in sys.argv[2:]:
    of_answer = type("NotesOfAnswer", (Notes,), {"answer": answer})
    tests.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(of_answer))
with open(sys.argv[1], "w", encoding="utf-8") as results:
    JSONTestRunner(stream=results).run(tests)

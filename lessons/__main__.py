"""The commands for students. For example, `make lesson-1` runs `python lessons serve 1`."""

from __future__ import annotations

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

try:
    import click

    if not find_spec("flask_jwt"):
        raise ModuleNotFoundError  # other Pythons often have click and Flask
except ModuleNotFoundError:
    sys.exit("This Python lacks the lessons' packages. Use make, or the Python in .venv (lessons/README.md).")

import exercise_loop
import originals
from lesson_loader import BadExercises, Exercise, diff, display_path, find_exercises, find_lessons, read_about

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


class GroupedCommands(click.CommandCollection):
    """Commands in groups. The help lists each group under its name, in the order of this file."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for group in self.sources:
            with formatter.section(group.name or ""):
                rows = [(name, command.get_short_help_str(70)) for name, command in group.commands.items()]
                formatter.write_dl(rows)


def lesson_number(text: str) -> int:
    """Return the number of an existing lesson, or exit with the list of lessons."""
    if not text.isdecimal() or int(text) not in find_lessons():
        sys.exit(f"There is no lesson {text!r}. These are the lessons:\n\n{list_of_lessons()}")
    return int(text)


def exercise_label(text: str) -> Exercise:
    """Return the exercise with this label, such as 3 or 3b, or exit with a list."""
    exercises = find_exercises()
    if text.isdecimal() and str(int(text)) not in exercises:
        number = lesson_number(text)
        sys.exit(
            f"Lesson {number} has no exercise. Start the first exercise: make start-{next(iter(exercises))}"
        )
    label = text.lower().removeprefix("0")
    if label not in exercises:
        names = "\n".join(f"  {label:4} {exercise.name}" for label, exercise in exercises.items())
        sys.exit(f"There is no exercise {text!r}. These are the exercises:\n\n{names}")
    return exercises[label]


def port_number(text: str) -> int:
    """Return the port number, or exit and show a valid example. Port 0 means any free port."""
    if not text.isdecimal() or int(text) > 65535:
        sys.exit(f"{text!r} is not a port. Choose a number from 1024 to 65535, for example PORT=8001")
    return int(text)


def hint_level(text: str) -> int:
    """Return the hint level, or exit and show a valid example."""
    if not text.isdecimal() or int(text) < 1:
        sys.exit(f"There is no hint {text!r}. Choose a number, for example: make hint-1 LEVEL=2")
    return int(text)


def list_of_lessons() -> str:
    return "\n".join(f"  {read_about(folder).title}" for folder in find_lessons().values())


number_argument = click.argument("number", metavar="N", type=lesson_number)
exercise_argument = click.argument("exercise", metavar="N", type=exercise_label)
port_option = click.option("--port", type=port_number, default="8000", show_default=True)

lessons = click.Group("Lessons")
exercises = click.Group("Exercises")


@lessons.command("list")
def list_lessons() -> None:
    """List the lessons."""
    print(list_of_lessons())


@lessons.command()
@number_argument
@port_option
def serve(number: int, port: int) -> None:
    """Serve lesson N until Ctrl-C."""
    import server

    server.serve_lesson(number, port)


@lessons.command("diff")
@number_argument
def show_diff(number: int) -> None:
    """Show what lesson N changes in the lesson before it."""
    folders = find_lessons()
    if number - 1 not in folders:
        print(f"Lesson {number} is the first one, so there is no lesson before it to compare with.")
        return
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for line in diff(folders[number - 1], folders[number]).splitlines():
        print(click.style(line, fg=COLOURS.get(line[:1])) if coloured else line)


@lessons.command("test")
@number_argument
def run_tests(number: int) -> None:
    """Run the tests of lesson N on its current files."""
    import lesson_tests

    lesson_tests.run(number)


@lessons.command()
@number_argument
def restore(number: int) -> None:
    """Put the files of lesson N back as they came."""
    exercise_loop.restore(number)


@exercises.command()
@exercise_argument
def start(exercise: Exercise) -> None:
    """Start exercise N: copy it to answer.py."""
    exercise_loop.start(exercise)


@exercises.command("try")
@exercise_argument
@port_option
def try_answer(exercise: Exercise, port: int) -> None:
    """Serve your answer to exercise N until Ctrl-C."""
    import server

    server.serve_answer(exercise, port)


@exercises.command()
@exercise_argument
@click.option("--seed", type=int, help="use the users and the key of an earlier check")
def check(exercise: Exercise, seed: int | None) -> None:
    """Check your answer to exercise N."""
    exercise_loop.check(exercise, *([] if seed is None else [f"--seed={seed}"]))


@exercises.command()
@exercise_argument
def watch(exercise: Exercise) -> None:
    """Check your answer to exercise N whenever you save it."""
    exercise_loop.watch(exercise)


@exercises.command()
@exercise_argument
@click.option("--level", type=hint_level, default="1", show_default=True, help="1 is the first hint")
def hint(exercise: Exercise, level: int) -> None:
    """Print a hint for exercise N."""
    exercise_loop.hint(exercise, level)


@exercises.command()
@exercise_argument
@click.option("--peek", is_flag=True, help="print it now, even if your answer does not pass")
def solution(exercise: Exercise, peek: bool) -> None:
    """Print the solution, once your answer passes."""
    exercise_loop.solution(exercise, peek)


@exercises.command()
@exercise_argument
def reset(exercise: Exercise) -> None:
    """Start exercise N again and keep your old answer."""
    exercise_loop.reset(exercise)


@exercises.command()
def progress() -> None:
    """Show your points in every exercise."""
    exercise_loop.progress()


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        # end quietly, like other Unix programs, if `head` or a pager closes the pipe
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        GroupedCommands("lessons", sources=[lessons, exercises], help="The lessons and their exercises.")()
    except ModuleNotFoundError as error:
        if error.name not in ("httpx", "pytest", "watchfiles"):
            raise
        sys.exit("First install what the exercises need: python3 lessons/make_venv.py exercises")
    except (BadExercises, originals.NoOriginals, UnicodeError) as error:
        sys.exit(str(error))
    except OSError as error:
        if not isinstance(error.filename, str):
            raise
        sys.exit(f"Cannot use {display_path(Path(error.filename).absolute())}: {error.strerror}.")

"""Show the results of an exercise's checks, as the page that students get from the grader does."""

from __future__ import annotations

from html import escape
from typing import Any

from show import Display, styled

SYMBOLS = {"passed": "✓", "failed": "✗", "skipped": "↷"}
CLASSES = {"passed": "good", "failed": "bad", "skipped": "calm"}
DETAILS = ("sent", "expected", "got")


class CheckResults(Display):
    """The points of an answer and, for each check, its sentence and what went wrong."""

    def __init__(self, title: str, checks: list[dict[str, Any]]) -> None:
        self.checks = checks
        self.points = round(sum(check["points"] for check in checks if check["outcome"] == "passed"), 2)
        self.possible = round(sum(check["points"] for check in checks), 2)
        total = f"{self.points:g} of {self.possible:g} points"
        shown: set[str] = set()  # an app that does not start gives every check the same message
        html, texts = "", []
        for check in checks:
            if check["message"] in shown:
                again = "(the same reason as above)" if check["outcome"] == "failed" else ""
                check = check | {"message": again, "sent": ""}
            html += check_html(check)
            texts.append(check_text(check))
            shown.add(check["message"])
        self.html = styled(f"<p><b>{escape(title)}: {total}</b></p>{html}")
        self.text = "\n".join([f"{title}: {total}", "", *texts])


def earned(check: dict[str, Any]) -> str:
    points = check["points"]
    return f"{points if check['outcome'] == 'passed' else 0:g} of {points:g}"


def check_html(check: dict[str, Any]) -> str:
    """Return one check as HTML. What an answer sent or printed must be escaped."""
    outcome = check["outcome"]
    verdict = f"{SYMBOLS[outcome]} {outcome}"
    line = f'<b class="{CLASSES[outcome]}">{verdict}</b><b>{earned(check)}</b>{escape(check["sentence"])}'
    if check["sent"]:
        names = [name for name in DETAILS if check[name]]
        details = "".join(f"<dt>{name}</dt><dd><pre>{escape(check[name])}</pre></dd>" for name in names)
        details = f"<dl>{details}</dl>"
    else:
        details = f"<pre>{escape(check['message'])}</pre>" if check["message"] else ""
    question = f'<p class="question">{escape(check["question"])}</p>' if check["question"] else ""
    return f'<div class="check part"><div>{line}</div>{details}{question}</div>'


def check_text(check: dict[str, Any]) -> str:
    """Return one check as text, in the words of `make check-N`."""
    outcome = check["outcome"]
    word = "FAILED" if outcome == "failed" else outcome
    message = check["message"].replace("\n", "\n      ")
    return f"  {word:8}{earned(check)}  {check['sentence']}" + (f"\n      {message}\n" if message else "")

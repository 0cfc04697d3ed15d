"""Draw the lifetime of a token: what the token says and, below it, how the app responds."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from probe import MeasuredLifetime
from show import Display, styled
from token_pictures import format_duration

TOKEN, APP, AXIS, LEGEND = 66, 132, 160, 216  # the y coordinates of the rows


class Panel(NamedTuple):
    """A part of the picture. It shows the ages from `first` to `last` between x = `left` and x = `right`."""

    left: int
    right: int
    first: float
    last: float

    def x(self, age: float) -> float:
        """Return the x coordinate of an age in seconds."""
        return round(self.left + (age - self.first) / (self.last - self.first) * (self.right - self.left), 1)

    def draw(self, life: MeasuredLifetime, title: str, ticks: dict[float, str], leeway: str) -> str:
        """Return the panel as SVG. `ticks` are labels by age, and `leeway` is a label."""
        begins, ends, refused = map(
            self.x, (max(life.begins, self.first), life.ends, life.ends + life.leeway)
        )
        ages = [(age, status) for age, status in life.statuses if self.first <= age <= self.last]
        return "".join(
            [
                draw_text(self.left, 20, title),
                draw_bar("valid", begins, ends, TOKEN),
                draw_bar("leeway", ends, refused, APP),
                draw_text(ends + 5, APP - 22, leeway),
                f'<path class="line" d="M{self.left} {AXIS}H{self.right}"/>',
                *(f'<path class="tick" d="M{self.x(age)} {TOKEN - 24}V{AXIS + 6}"/>' for age in ticks),
                *(draw_text(self.x(age), AXIS + 24, label, "middle") for age, label in ticks.items()),
                *(draw_response(self.x(age), APP, status) for age, status in ages),
            ]
        )


def draw_text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def draw_bar(kind: str, left: float, right: float, y: float) -> str:
    return f'<rect class="{kind}" x="{left}" y="{y - 14}" width="{right - left:.1f}" height="28"/>'


def draw_response(x: float, y: float, status: int) -> str:
    """Return a dot for a token that the app accepts, and a cross for one that it refuses."""
    if status != 401:
        return f'<circle class="accepted" cx="{x}" cy="{y}" r="5"/>'
    return f'<path class="refused" d="M{x - 5} {y - 5}l10 10m0-10l-10 10"/>'


class Lifetime(Display):
    """The picture of a lifetime. It is SVG, so it grows with the page, and its text has the page's colour."""

    def __init__(self, life: MeasuredLifetime) -> None:
        self.life = life
        self.html = styled(self.svg())
        self.text = "\n".join(
            f"exp {age - life.ends:+.1f} s: {status} {'refused' if status == 401 else 'accepted'}"
            for age, status in life.statuses
        )

    def svg(self) -> str:
        """Return the picture: the whole life on the left, and the seconds around exp on the right."""
        life, ends = self.life, self.life.ends
        far = [pair for pair in life.statuses if not life.near[0] <= pair[0] < life.near[1]]
        whole = Panel(140, 400, -0.12 * ends, 1.22 * ends)
        near = Panel(470, 950, life.near[0] - 1, life.near[1])
        # Without leeway, the second label replaces the first one.
        seconds = {ends + life.leeway: f"+{life.leeway:g} s", ends: "exp"}
        minutes = {0.0: "issued", ends: f"exp: {format_duration(ends)}"}
        return "".join(
            [
                f'<svg viewBox="0 0 960 {LEGEND + 8}" role="img" aria-label="The lifetime of a token">',
                draw_text(0, TOKEN + 3, "the token says"),
                draw_text(0, APP + 5, "the app responds"),
                whole.draw(life._replace(statuses=far, leeway=0), "the whole life", minutes, ""),
                near.draw(life, "its end", seconds, f"leeway: {life.leeway:g} s"),
                draw_response(146, LEGEND - 5, 200),
                draw_text(160, LEGEND, "accepted"),
                draw_response(256, LEGEND - 5, 401),
                draw_text(270, LEGEND, "refused"),
                "</svg>",
            ]
        )

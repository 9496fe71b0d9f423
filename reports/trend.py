"""Cost over time, as a picture: a row of bars for a terminal, and a stand-alone SVG.

Hardware, vendor library, emulation and software stand in panels of their own and never share an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from multifd.history.trend import Trend
from multifd.result.counted import counted
from multifd.result.printable import printable
from reports import templating, vocabulary

BARS: Final = "▁▂▃▄▅▆▇█"
LINES: Final = 8
"""In a panel: as many as there are colours that everybody tells apart (Okabe and Ito), and dashes beside them."""
WIDTH: Final = 640
"""Of a panel's axis."""
HEIGHT: Final = 180
_ROLES: Final = {"sender": "encodes", "receiver": "decodes"}


class Line(NamedTuple):
    """One row of a panel."""

    name: str
    points: tuple[tuple[float, float, str], ...]
    """Across, down, and what a reader who asks is told."""
    cost: str


class Panel(NamedTuple):
    """All rows that ran in one way."""

    title: str
    top: str
    """What the upper end of the axis means."""
    lines: tuple[Line, ...]
    left_out: int


def bars(values: Sequence[float]) -> str:
    """From zero to the largest, one character each."""
    largest = max(values, default=0)
    return "".join(
        BARS[min(len(BARS) - 1, int(value / largest * len(BARS)))] if largest else BARS[0] for value in values
    )


def plot(trends: Sequence[Trend]) -> str:
    """An SVG of these rows; raises ValueError where there are none."""
    if not trends:
        raise ValueError("no row has a cost in two runs of the last one's processor")
    instants = sorted({point.started for trend in trends for point in trend.points})
    ways = dict.fromkeys(trend.provenance for trend in trends)
    panels = [_panel([trend for trend in trends if trend.provenance == way], instants) for way in ways]
    return _ENVIRONMENT.get_template("trend.svg.j2").render(
        panels=panels, width=WIDTH, height=HEIGHT, first=instants[0][:10], last=instants[-1][:10], most=LINES
    )


def _panel(trends: Sequence[Trend], instants: Sequence[str]) -> Panel:
    shown = trends[:LINES]
    top = max(point.cost for trend in shown for point in trend.points)
    way = trends[0].provenance
    return Panel(
        title=vocabulary.PROVENANCES[way].word if way is not None else "unknown",
        top=f"{top:.3g}",
        lines=tuple(_line(trend, instants, top) for trend in shown),
        left_out=len(trends) - len(shown),
    )


def _line(trend: Trend, instants: Sequence[str], top: float) -> Line:
    def place(started: str, cost: float) -> tuple[float, float]:
        across = WIDTH * instants.index(started) / max(1, len(instants) - 1)
        return round(across, 1), round(HEIGHT * (1 - cost / top), 1)

    points = tuple(
        (*place(point.started, point.cost), printable(f"{point.started[:19]}, run {point.run}: {point.cost:.3g}"))
        for point in trend.points
    )
    name = printable(f"{trend.peer} {_ROLES[trend.role]} {trend.framing}")
    return Line(name, points, f"{trend.points[-1].cost:.3g}")


_ENVIRONMENT: Final = templating.for_html({"counted": counted})

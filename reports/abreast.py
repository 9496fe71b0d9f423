"""Runs beside each other, a column each: as a terminal, a job's page and a browser show them.

Text of the runs is foreign: a line holds one line of it, Markdown and HTML escape it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from multifd.comparison.abreast import Abreast, Column, Row
from multifd.result.counted import counted
from multifd.result.printable import printable
from reports import templating
from reports.markup import text
from reports.sealed import part, policy
from reports.vocabulary import VERDICTS

SHOWN: Final = 40
"""Rows on a job's page, which is short whatever goes wrong; the others are in the page for browsers."""
LISTED: Final = 2000
"""Rows on the page for browsers; all are in the file for programs."""
_MOST: Final = 160
"""Bytes of a cell's id or of a reason on a job's page."""
UNTOLD: Final = "nothing that these runs say of themselves tells these ways apart"


class Shown(NamedTuple):
    """A row as it is shown: in every column how the cell ended, empty where it was not planned."""

    row: Row
    ended: tuple[str, ...]
    why: str


def lines(found: Abreast) -> Iterator[str]:
    """As a terminal shows it: each run, what differs, the sum."""
    for column in found.columns:
        yield _one_line(f"{column.label}: {state(column)}; {column.directory}")
    for shown in _rows(found)[:SHOWN]:
        if shown.row.differs:
            yield _one_line(f"{shown.row.cell}: {shown.why}")
            for ended in shown.row.ended:
                yield _one_line(f"    {ended.standing}: {found.columns[ended.column].label}")
    yield _one_line(conclusion(found))


def markdown(found: Abreast) -> str:
    """The same for a job's page."""
    runs = [[column.label, state(column), column.run.host] for column in found.columns]
    rows = _rows(found)
    parts = [
        "# multifd conformance, side by side", "",
        f"**{text(conclusion(found))}**", "",
        _table(("run", "", "host"), runs),
    ]  # fmt: skip
    if rows:
        shown = [[f"{each.row.cell}", each.why, *each.ended] for each in rows[:SHOWN]]
        parts += ["", _table(("cell", "", *(column.label for column in found.columns)), shown)]
    if len(rows) > SHOWN:
        parts += ["", f"and {counted(len(rows) - SHOWN, 'more cell')}, in report.html and merged.json"]
    return printable("\n".join(parts) + "\n")


def html(found: Abreast) -> str:
    """The same as one self-contained file without scripts, with links to each run's own report."""
    rows, style = _rows(found), part("report.css")
    return _ENVIRONMENT.get_template("abreast.html.j2").render(
        found=found, rows=rows[:LISTED], more=max(0, len(rows) - LISTED), conclusion=conclusion(found), state=state,
        link=lambda column: f"{quote(column.directory)}/report.html", policy=policy(style), style=Markup(style),
        well="good" if found.exit_code == 0 else "bad" if found.exit_code == 1 else "open", verdict=_verdict,
    )  # fmt: skip


def conclusion(found: Abreast) -> str:
    """The whole in one line."""
    parts = [
        f"{counted(len(found.columns), 'run')}, {counted(found.cells)}, {found.everywhere:,} of them in every run",
        f"{found.differing:,} ended in two ways" if found.differing else "none ended in two ways",
        *(f"{column.label} is not complete{_missing(column)}" for column in found.columns if column.run.lacking),
    ]
    return "; ".join(parts)


def state(column: Column) -> str:
    """A run in a few words."""
    counts = ", ".join(f"{number:,} {verdict}" for verdict, number in column.run.counts.items()) or "no cells"
    lacking = f"; not complete: {column.run.lacking}{_missing(column)}" if column.run.lacking else ""
    return f"exit code {column.exit_code}, {counts}{lacking}"


def _missing(column: Column) -> str:
    return f", without shards {', '.join(map(str, column.missing))}" if column.missing else ""


def _rows(found: Abreast) -> list[Shown]:
    return [Shown(row, _ended(row, len(found.columns)), _why(row)) for row in found.rows]


def _ended(row: Row, columns: int) -> tuple[str, ...]:
    ways = {each.column: each.standing for each in row.ended}
    return tuple(ways.get(number, "") for number in range(columns))


def _why(row: Row) -> str:
    if not row.differs:
        return ""
    return f"differs by {' or '.join(row.by)}" if row.by else f"differs: {UNTOLD}"


def _verdict(ended: str) -> str:
    """Of what a cell ended as, verdict and kind."""
    return ended.partition(" ")[0]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(text(each, _MOST) for each in row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], f"|{' --- |' * len(head)}", *lines[1:]])


def _one_line(line: str) -> str:
    return line[: len(line) - len(line.lstrip())] + " ".join(line.split())


_ENVIRONMENT: Final = templating.for_html(names={"VERDICTS": VERDICTS})

"""The table {zlib, QAT, IAA} x {zlib, QAT, IAA} by framing: what the thread wanted to know.

One half of it is about the vendor libraries as they ran here, the other about our models of the silicon. Each family
has one peer that stands for it; where a framing is read through a library's stream calls it is the one that makes
them. A place is as good as the worst of its cells. Where a library ran on silicon it is held against what silicon is
expected to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

from multifd.result.claims import SILENT, Seen, contradiction, resting
from multifd.result.questions import Families, Line, Query, Thread
from multifd.result.record import Cell, Evidence, Role, Verdict

Half = Literal["libraries", "silicon"]
Mark = Literal["=", "x", "!", "#", "-", "?"]
"""How a place ends."""

ROLES: Final[tuple[Role, Role]] = ("sender", "receiver")
FAMILIES: Final = ("zlib", "QAT", "IAA")
HALVES: Final[tuple[Half, ...]] = ("libraries", "silicon")
WORDS: Final[dict[Mark, str]] = {
    "=": "identical",
    "x": "refused",
    "!": "hazard",
    "#": "not as predicted",
    "-": "cannot",
    "?": "not in this run",
}
_MARKS: Final[dict[Verdict, Mark]] = {"fail": "#", "known": "#", "hazard": "!", "refused": "x", "pass": "="}
"""Worst first."""


class Place(NamedTuple):
    """One sender with one receiver."""

    sender: str
    receiver: str
    mark: Mark
    expected: Mark
    cells: tuple[Cell, ...] = ()

    @property
    def contradicts(self) -> bool:
        """What was seen is not what the table says."""
        return bool(self.cells) and self.mark != self.expected


class Row(NamedTuple):
    """One framing: nine places, sender by sender."""

    line: Line
    places: tuple[Place, ...]

    @property
    def title(self) -> str:
        """The framing, and the sender that stands for zlib where it is not the usual one."""
        return self.line.framing if self.line.zlib is None else f"{self.line.framing}, sent by {self.line.zlib}"

    @property
    def identical(self) -> int:
        """How many of the nine end identical."""
        return sum(place.mark == "=" for place in self.places)

    @property
    def peers(self) -> str:
        """Which peers read, for QAT and for IAA."""
        return ", ".join(dict.fromkeys(place.receiver for place in self.places[1:3]))


def table(thread: Thread, half: Half, seen: Seen) -> tuple[Row, ...]:
    """One half of the table as this run has it."""
    families: Families = getattr(thread, half)
    return tuple(Row(line, tuple(_places(line, half, families, seen))) for line in thread.table)


def expected(thread: Thread, half: Half) -> tuple[Row, ...]:
    """One half of the table as the answer has it, whatever took part."""
    families: Families = getattr(thread, half)
    return tuple(
        Row(line, tuple(Place(*pair, mark, mark) for pair, mark in _pairs(line, getattr(line, half), families)))
        for line in thread.table
    )


def shown(half: Half, row: Row) -> Evidence:
    """What becomes of one row: a claim about its nine places."""
    claim = f"{row.title}, {half}: {getattr(row.line, half).count('=')} of 9 identical"
    wrong = next((place for place in row.places if place.contradicts), None)
    if wrong is not None:
        evidence = contradiction(claim, _worst_first(wrong.cells), WORDS[wrong.expected])
        where = f"{wrong.sender} to {wrong.receiver} is {WORDS[wrong.mark]}; "
        return evidence.model_copy(update={"because": where + evidence.because})
    evidence = resting(claim, [cell for place in row.places for cell in place.cells])
    missing = [place for place in row.places if place.mark != place.expected]
    if missing:
        pairs = ", ".join(f"{place.sender} to {place.receiver}" for place in missing)
        why = f"not in this run: {pairs}; remedy: the whole of it, with --hwprofile auto"
        return evidence.model_copy(update={"state": "not shown", "because": why})
    return evidence.model_copy(update={"because": f"through {row.peers}" if row.line.variant else ""})


def _pairs(line: Line, marks: str, families: Families) -> Iterator[tuple[tuple[str, str], Mark]]:
    qat = f"{families.qat}{line.variant}"
    senders = (line.zlib or families.zlib, qat, families.iaa)
    receivers = (families.zlib, qat, f"{families.iaa}{line.variant}")
    for sender, row in zip(senders, marks.split(), strict=True):
        for receiver, mark in zip(receivers, row, strict=True):
            yield (sender, receiver), _mark(mark)


def _places(line: Line, half: Half, families: Families, seen: Seen) -> Iterator[Place]:
    in_silicon = dict(_pairs(line, line.silicon, families))
    for pair, mark in _pairs(line, getattr(line, half), families):
        query = Query(framing=(line.framing,), sender=pair[:1], receiver=pair[1:])
        decided = tuple(cell for cell in seen.select(query) if cell.verdict not in SILENT)
        on_device = any("hardware" in (cell.provenance.sender, cell.provenance.receiver) for cell in decided)
        wanted = in_silicon[pair] if on_device else mark
        if decided:
            yield Place(*pair, _MARKS[_worst_first(decided)[0].verdict], wanted, decided)
        else:
            cannot = any(
                entry.framing == line.framing and (entry.peer, entry.role) in zip(pair, ROLES, strict=True)
                for entry in seen.unable
            )
            yield Place(*pair, "-" if cannot else "?", wanted)


def _worst_first(cells: Iterable[Cell]) -> list[Cell]:
    order = list(_MARKS)
    return sorted(cells, key=lambda cell: order.index(cell.verdict))


def _mark(text: str) -> Mark:
    return next(mark for mark in WORDS if mark == text)

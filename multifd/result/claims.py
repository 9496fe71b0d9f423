"""What the cells of a run say of one claim: shown, contradicted, or nothing, and then why.

A cell that was skipped, not run, or broke in our own harness says nothing. Any other cell that a claim selects either
agrees or contradicts, also one that failed: then the run is not as the answer has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from multifd.result.counted import counted
from multifd.result.questions import Claim, Inability, Names, Price, Query, takes_part
from multifd.result.record import Cell, Evidence, Peer, Provenance, Role, Unable

K = TypeVar("K")
EXAMPLES: Final = 3
"""Ids of cells that are shown with a claim."""
WHOLE: Final = "python3 bootstrap.py conformance"
SILENT: Final = frozenset({"skip", "error", "not-run"})
"""Verdicts that say nothing of the pairing."""
_REMEDIES: Final = (
    ("qemu-", f"{WHOLE} --qemu found"),
    ("qpl", "multifd vendor fetch, and a profile that uses IAA"),
    ("qatzip", "multifd vendor fetch, and a profile that uses QAT"),
    ("", "--hwprofile auto"),
)
"""By the beginning of a peer's name: how it comes to take part."""


class Seen:
    """What claims are held against: a run's cells, and what is known of its peers."""

    def __init__(self, cells: Iterable[Cell], peers: Sequence[Peer] = (), unable: Sequence[Unable] = ()) -> None:
        self.peers = peers
        self.unable = unable
        self._cells = tuple(cells)
        self._shelves: dict[tuple[str, str], dict[tuple[str, str], list[int]]] = {}
        for number, cell in enumerate(self._cells):
            shelf = self._shelves.setdefault((cell.suite, cell.framing), {})
            shelf.setdefault((cell.sender, cell.receiver), []).append(number)

    def select(self, query: Query) -> list[Cell]:
        """The cells of a query, framing by framing, each in the order of the plan."""
        selected: list[Cell] = []
        for place, pairs in self._shelves.items():
            if query.looks_at(*place):
                near = (numbers for pair, numbers in pairs.items() if query.pairs(*pair))
                selected += filter(query.selects, self._in_order(near))
        return selected

    def denying(self, claim: Inability) -> list[Cell]:
        """The cells in which that is done which is claimed to be impossible, in the order of :meth:`select`."""
        denied: list[Cell] = []
        for (_, framing), pairs in self._shelves.items():
            near = (numbers for pair, numbers in pairs.items() if claim.is_of(framing, *pair))
            denied += (cell for cell in self._in_order(near) if cell.verdict == "pass")
        return denied

    def _in_order(self, shelves: Iterable[list[int]]) -> Iterator[Cell]:
        """Of the plan."""
        return map(self._cells.__getitem__, sorted(number for numbers in shelves for number in numbers))


def judged(claim: Claim, seen: Seen) -> Evidence:
    """What becomes of a claim about cells."""
    selected = seen.select(claim.cells)
    decided = [cell for cell in selected if cell.verdict not in SILENT]
    against = [cell for cell in decided if not claim.agrees(cell)]
    if against:
        return contradiction(claim.shows, against, claim.expected())
    counted = [cell for cell in decided if claim.counts(cell)]
    evidence = resting(claim.shows, counted or decided)
    if len({(cell.framing, cell.sender, cell.receiver) for cell in counted}) >= claim.at_least:
        return evidence.model_copy(update={"because": f"expected and seen: {claim.expected()}"})
    if claim.hardware is not None and decided:
        ran = ", ".join(evidence.provenance)
        why = f"not on hardware in this run: {ran}; remedy: a host whose {claim.hardware} runs on the device"
        return evidence.model_copy(update={"state": "not on hardware", "because": why})
    why = _silence(claim.cells, selected, decided, seen.peers)
    return evidence.model_copy(update={"state": "not shown", "because": why})


def tried(claim: Inability, seen: Seen) -> Evidence:
    """What becomes of a claim that something cannot be done."""
    against = seen.denying(claim)
    if against:
        return contradiction(claim.shows, against, claim.expected())
    entries = [entry for entry in seen.unable if entry.tried and claim.covers(entry)]
    names = {entry.peer for entry in entries}
    ran = ordered(peer.provenance for peer in seen.peers if peer.name in names)
    if entries:
        why = "; ".join(dict.fromkeys(f"{entry.peer}: {entry.reason}" for entry in entries))
        return Evidence(shows=claim.shows, state="shown", because=why, provenance=ran, count=len(entries))
    return Evidence(shows=claim.shows, state="not shown", because=_absent(claim.peers, seen.peers) or _elsewhere())


def priced(price: Price, seen: Seen) -> Evidence:
    """What framings cost in this run, and whether that is in the order which is claimed."""
    query = Query(suite=("wire",), framing=price.framings, sender=price.senders)
    passed = [cell for cell in seen.select(query) if cell.verdict == "pass" and cell.bytes_memory]
    alike = _alike(passed)
    if price.dearer is not None and price.cheaper is not None:
        alike = _of_both(price.dearer, price.cheaper, alike)
        for own in _by(alike, lambda cell: cell.sender).values():
            cost = {name: _ratio(cells) for name, cells in _by(own, lambda cell: cell.framing).items()}
            if cost[price.dearer] <= cost[price.cheaper]:
                expected = f"{price.dearer} to cost {own[0].sender} more bytes than {price.cheaper}"
                found = f"{cost[price.dearer]:.3f} and {cost[price.cheaper]:.3f}"
                return contradiction(price.shows, own, expected, found)
    evidence = resting(price.shows, alike)
    by_framing = _by(alike, lambda cell: cell.framing)
    lacking = [name for name in price.framings if name not in by_framing]
    if lacking:
        why = _silence(query, seen.select(query), passed, seen.peers) if not passed else None
        why = why or f"no {' and no '.join(lacking)} with the content of the others in this run; {_elsewhere()}"
        return evidence.model_copy(update={"state": "not shown", "because": why})
    figures = "; ".join(_figure(name, by_framing[name], price) for name in price.framings)
    return evidence.model_copy(update={"because": f"content {alike[0].corpus}: {figures}"})


def contradiction(shows: str, against: Sequence[Cell], expected: str, seen: str | None = None) -> Evidence:
    """The claim is wrong, or the software in these cells is."""
    first = against[0]
    saw = seen or f"{first.kind or first.verdict}{f', {first.error!r}' if first.error else ''}"
    more = f"; {len(against) - 1} more cells like it" if len(against) > 1 else ""
    return Evidence(
        shows=shows,
        state="contradicted",
        because=f"{first.id}: expected {expected}, seen {saw}{more}",
        provenance=_ran(against),
        cells=tuple(cell.id for cell in against[:EXAMPLES]),
        reproduce=first.reproduce,
    )


def resting(shows: str, cells: Sequence[Cell], because: str = "") -> Evidence:
    """The claim holds, and these cells show it."""
    return Evidence(
        shows=shows,
        state="shown",
        because=because,
        provenance=_ran(cells),
        count=len(cells),
        cells=tuple(cell.id for cell in cells[:EXAMPLES]),
        reproduce=cells[0].reproduce if cells else None,
    )


def ordered(found: Iterable[Provenance | None]) -> tuple[Provenance, ...]:
    """Each once."""
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _ran(cells: Iterable[Cell]) -> tuple[Provenance, ...]:
    return ordered(side for cell in cells for side in (cell.provenance.sender, cell.provenance.receiver))


def _silence(query: Query, selected: Sequence[Cell], decided: Sequence[Cell], peers: Sequence[Peer]) -> str:
    """Why cells do not show a claim that they do not contradict either, and what to do."""
    silent = [cell for cell in selected if cell not in decided]
    if silent:
        return f"{silent[0].id}: {silent[0].reason}"
    absent = _absent(query.sender, peers) or _absent(query.receiver, peers)
    return absent or f"{counted(len(decided))} with {query} in this run; {_elsewhere()}"


def _absent(names: Names, peers: Sequence[Peer]) -> str | None:
    if not names or takes_part(names, (peer.name for peer in peers if peer.roles)):
        return None
    remedy = next(remedy for beginning, remedy in _REMEDIES if names[0].startswith(beginning))
    return f"no {' or '.join(names)} took part; remedy: {remedy}"


def _elsewhere() -> str:
    return f"remedy: the whole of it, {WHOLE}"


def _alike(cells: Sequence[Cell]) -> list[Cell]:
    """Those with one content, sent in one way: that of which there are most framings, and then most encoders."""
    ways = _by(cells, _way)
    return max(
        ways.values(), key=lambda alike: (len({c.framing for c in alike}), len({c.sender for c in alike})), default=[]
    )


def _way(cell: Cell) -> object:
    return cell.corpus, cell.scenario, cell.dialect, cell.page_size, cell.channels, cell.blocks, cell.fill


def _of_both(dearer: str, cheaper: str, cells: Iterable[Cell]) -> list[Cell]:
    """Those of encoders that have both framings."""
    by_sender = _by(cells, lambda cell: cell.sender).values()
    return [cell for own in by_sender if {dearer, cheaper} <= {cell.framing for cell in own} for cell in own]


def _by(cells: Iterable[Cell], key: Callable[[Cell], K]) -> dict[K, list[Cell]]:
    found: dict[K, list[Cell]] = {}
    for cell in cells:
        found.setdefault(key(cell), []).append(cell)
    return found


def _ratio(cells: Sequence[Cell]) -> float:
    """Bytes on the wire for each byte of memory."""
    return sum(cell.bytes_wire for cell in cells) / sum(cell.bytes_memory for cell in cells)


def _figure(framing: str, cells: Sequence[Cell], price: Price) -> str:
    """Ratio of a framing, and CPU time where it is about certain encoders: of them, and of their own decoders."""
    costs = [f"ratio {_ratio(cells):.3f}"]
    if price.senders:
        costs += _cpu("sender", cells) + _cpu("receiver", [cell for cell in cells if cell.receiver == cell.sender])
    return f"{framing}: {', '.join(costs)}"


def _cpu(end: Role, cells: Iterable[Cell]) -> list[str]:
    timed = [(cell, spent) for cell in cells if (spent := getattr(cell.cpu_seconds, end)) is not None]
    if not timed:
        return []
    each = sum(spent for _, spent in timed) / sum(cell.bytes_memory for cell, _ in timed) * 2**30
    return [f"{end} {each:.1f} CPU s/GiB"]

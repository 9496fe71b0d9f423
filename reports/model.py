"""From results to what a report shows: a headline, counts, matrices, and groups of cells.

Every cell has exactly one *place*: an entry of a matrix, or of a listing where it fits no matrix. A place
shows its worst cell, because one wrong page outweighs any number of right ones, and says how many cells stand
behind it. All functions are pure, and keep the order in which the plan has the cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeVar
from urllib.parse import quote

from multifd.result.record import CONFORMING, Cell, Finding, Peer, Provenance, Results, Run, Verdict
from reports.vocabulary import PROVENANCES, VERDICTS, worst_first

K = TypeVar("K")

MAIN_SCENARIO: Final = "live"
"""The scenario of suite "negotiation" that fills its matrix."""
PLAIN_MIGRATIONS: Final = ("migrate", "migrate-legacy")
"""Scenarios of suite "qemu" that fill its matrix of QEMU to QEMU."""


@dataclass(frozen=True)
class Headline:
    """What the run says in two words and one sentence."""

    state: Literal["good", "bad", "open"]
    title: Literal["Conforming", "Not conforming", "Incomplete", "Nothing was checked"]
    sentence: str


@dataclass(frozen=True)
class Label:
    """Name of a row or column; ``marks`` is how the peers of that side ran."""

    name: str
    note: str = ""
    marks: tuple[Provenance, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where cells are shown together, worst first; never empty."""

    cells: tuple[Cell, ...]

    @property
    def worst(self) -> Cell:
        return self.cells[0]

    @property
    def alike(self) -> int:
        """How many of the cells are as bad as the worst."""
        return sum(worst_first(cell) == worst_first(self.worst) for cell in self.cells)

    @property
    def anchor(self) -> str:
        """Fragment of the place: of its only cell, or of the group of its cells."""
        return anchor(self.worst) if len(self.cells) == 1 else f"group-{_fragment(self.worst.id)}"


@dataclass(frozen=True)
class Row:
    """One row of a matrix; None where nothing was planned."""

    label: Label
    places: tuple[Place | None, ...]


@dataclass(frozen=True)
class Matrix:
    """Places by row and column; ``axes`` says what these are."""

    title: str
    axes: tuple[str, str]
    columns: tuple[Label, ...]
    rows: tuple[Row, ...]
    marked: bool = False
    """True if neither axis is a side, so that each place has to say how its peers ran."""

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(place for row in self.rows for place in row.places if place)


@dataclass(frozen=True)
class Listing:
    """Cells that fit no matrix, one place each."""

    title: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Suite:
    """What one suite shows."""

    name: str
    matrices: tuple[Matrix, ...]
    listings: tuple[Listing, ...] = ()

    @property
    def parts(self) -> tuple[Matrix | Listing, ...]:
        return self.matrices + self.listings


@dataclass(frozen=True)
class FindingView:
    """A finding with those of its cells that the results have."""

    finding: Finding
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Axis:
    """How cells are spread along one axis of a matrix, and whose provenance the labels show."""

    name: str
    key: Callable[[Cell], tuple[str, str]]
    side: Literal["sender", "receiver"] | None = None


def grouped(cells: Iterable[Cell], key: Callable[[Cell], K]) -> dict[K, list[Cell]]:
    """Cells by key, in the order in which the keys first appear."""
    groups: dict[K, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return groups


def anchor(cell: Cell) -> str:
    """The fragment of a cell in report.html, stable between runs; the same text serves as id and in links."""
    return f"cell-{_fragment(cell.id)}"


def counts(results: Results) -> dict[Verdict, int]:
    """Cells by verdict, worst first, zeros included."""
    found = Counter(cell.verdict for cell in results.cells)
    return {verdict: found[verdict] for verdict in VERDICTS}


def provenance_counts(results: Results) -> dict[Provenance, int]:
    """Cells that were checked, by how at least one of their sides ran."""
    checked = [provenances([cell]) for cell in results.cells if _checked(cell)]
    return {provenance: sum(provenance in marks for marks in checked) for provenance in PROVENANCES}


def provenances(cells: Iterable[Cell]) -> tuple[Provenance, ...]:
    """How the peers on either side of the cells ran."""
    return _marks(side for cell in cells for side in (cell.provenance.sender, cell.provenance.receiver))


def incomplete(results: Results) -> bool:
    """True if a planned cell was neither run nor skipped for a named reason."""
    return not results.run.complete or counts(results)["not-run"] > 0


def headline(results: Results) -> Headline:
    """The result of the run. A run in which nothing was checked is not green, nor is one that ended early."""
    number = counts(results)
    checked = sum(map(_checked, results.cells))
    parts = ", ".join(
        f"{n:,} {VERDICTS[verdict].word}" for verdict, n in reversed(number.items()) if n and verdict in CONFORMING
    )
    went = f"went as predicted or as a known issue says: {parts}."
    went += f" {_cells(number['skip'])} skipped." if number["skip"] else ""
    rest = f" The run is incomplete: {_cells(number['not-run'])} not run." if incomplete(results) else ""
    if not checked:
        return Headline("open", "Nothing was checked", f"No cell was compared with its prediction.{rest}")
    if number["fail"] or number["error"]:
        corrupt = sum(cell.kind == "corrupt" for cell in results.cells)
        said = [f"{number['fail']:,} of {_cells(checked)} did not go as predicted"]
        said += [f"{corrupt:,} of them with memory silently wrong"] if corrupt else []
        said += [f"{_cells(number['error'])} broke in the suite or its environment"] if number["error"] else []
        return Headline("bad", "Not conforming", f"{', '.join(said)}.{rest}")
    if rest:
        return Headline("open", "Incomplete", f"So far {_cells(checked)} {went}{rest}")
    return Headline("good", "Conforming", f"{_cells(checked)} {went}")


def qemus(peers: Iterable[Peer]) -> tuple[Peer, ...]:
    """The real QEMUs of a line-up."""
    return tuple(peer for peer in peers if peer.kind == "qemu")


def seconds(run: Run) -> float | None:
    """Duration of the run; None where it has no readable end."""
    try:
        return (datetime.fromisoformat(run.finished or "") - datetime.fromisoformat(run.started)).total_seconds()
    except (TypeError, ValueError):
        return None


def broken(results: Results) -> tuple[Cell, ...]:
    """Failures and errors, worst first."""
    return _sorted(cell for cell in results.cells if cell.verdict in ("fail", "error"))


def findings(results: Results) -> tuple[FindingView, ...]:
    """Every finding with its cells, in the order of the results."""
    by_id = {cell.id: cell for cell in results.cells}
    return tuple(
        FindingView(finding, tuple(by_id[name] for name in finding.cells if name in by_id))
        for finding in results.findings
    )


def unattributed(results: Results) -> tuple[Listing, ...]:
    """Hazards and known issues that no finding explains, by reason, worst first."""
    explained = {name for finding in results.findings for name in finding.cells}
    loose = [c for c in results.cells if c.verdict in ("hazard", "known") and c.id not in explained]
    return _listings(_sorted(loose), lambda cell: cell.reason)


def suites(results: Results) -> tuple[Suite, ...]:
    """Every suite that has cells: wire, negotiation, integrity, qemu, then any other in the order of the plan."""
    by_name = grouped(results.cells, lambda cell: cell.suite)
    order = dict.fromkeys(("wire", "negotiation", "integrity", "qemu", *by_name))
    return tuple(_suite(name, by_name[name], results.peers) for name in order if name in by_name)


def wire_matrices(results: Results) -> dict[str, Matrix]:
    """Sender x receiver of suite "wire" by framing; the peers stand in the order of the line-up."""
    cells = [cell for cell in results.cells if cell.suite == "wire"]
    return _wire(cells, results.peers)


def _suite(name: str, cells: list[Cell], peers: Iterable[Peer]) -> Suite:
    match name:
        case "wire":
            return Suite(name, tuple(_wire(cells, peers).values()))
        case "negotiation":
            main = [cell for cell in cells if cell.scenario == MAIN_SCENARIO]
            others = [cell for cell in cells if cell.scenario != MAIN_SCENARIO]
            matrices = (_matrix("method @ dialect", main, *_NEGOTIATION_AXES),) if main else ()
            return Suite(name, matrices, _listings(others, lambda cell: cell.scenario))
        case "qemu":
            return Suite(name, tuple(_between(cells, {peer.name for peer in qemus(peers)})))
        case _:
            return Suite(name, (_matrix("framing by scenario and corpus", cells, *_OTHER_AXES),))


def _between(cells: Iterable[Cell], real: Collection[str]) -> Iterator[Matrix]:
    """Suite "qemu" by which ends are real: both, by method; both, by scenario; the sender; the receiver."""
    ends = grouped(cells, lambda cell: (cell.sender in real, cell.receiver in real))
    by_kind = grouped(ends.pop((True, True), []), lambda cell: cell.scenario in PLAIN_MIGRATIONS)
    for title, group, axes in (
        ("QEMU to QEMU, method by method", by_kind.get(True), _QEMU_AXES),
        ("QEMU to QEMU, other scenarios", by_kind.get(False), _QEMU_SCENARIO_AXES),
        ("QEMU to our decoders", ends.get((True, False)), _QEMU_AXES),
        ("Our encoders to QEMU, all QEMUs together", ends.get((False, True)), _TO_QEMU_AXES),
    ):
        if group:
            yield _matrix(title, group, *axes)


def _wire(cells: Iterable[Cell], peers: Iterable[Peer]) -> dict[str, Matrix]:
    line_up = {peer.name: rank for rank, peer in enumerate(peers)}
    last = len(line_up)

    def rank(key: tuple[str, str]) -> int:
        return line_up.get(key[0], last)

    by_framing = grouped(cells, lambda cell: cell.framing)
    return {framing: _matrix(framing, group, *_WIRE_AXES, rank) for framing, group in by_framing.items()}


def _matrix(
    title: str,
    cells: Iterable[Cell],
    rows: Axis,
    columns: Axis,
    rank: Callable[[tuple[str, str]], int] | None = None,
) -> Matrix:
    by_row = grouped(cells, rows.key)
    by_column = grouped(cells, columns.key)
    row_keys = sorted(by_row, key=rank) if rank else list(by_row)
    column_keys = sorted(by_column, key=rank) if rank else list(by_column)
    places = {key: Place(_sorted(g)) for key, g in grouped(cells, lambda c: (rows.key(c), columns.key(c))).items()}
    return Matrix(
        title,
        (rows.name, columns.name),
        tuple(_label(key, by_column[key], columns) for key in column_keys),
        tuple(
            Row(_label(row, by_row[row], rows), tuple(places.get((row, column)) for column in column_keys))
            for row in row_keys
        ),
        marked=rows.side is None,
    )


def _label(key: tuple[str, str], cells: Iterable[Cell], axis: Axis) -> Label:
    side = axis.side
    return Label(*key, _marks(getattr(cell.provenance, side) for cell in cells) if side else ())


def _listings(cells: Iterable[Cell], key: Callable[[Cell], str]) -> tuple[Listing, ...]:
    return tuple(
        Listing(title, tuple(Place((cell,)) for cell in group)) for title, group in grouped(cells, key).items()
    )


def _sorted(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    return tuple(sorted(cells, key=worst_first))


def _marks(found: Iterable[Provenance | None]) -> tuple[Provenance, ...]:
    seen = set(found)
    return tuple(provenance for provenance in PROVENANCES if provenance in seen)


def _checked(cell: Cell) -> bool:
    return cell.verdict in CONFORMING or cell.verdict == "fail"


def _cells(number: int) -> str:
    return f"{number:,} cell" if number == 1 else f"{number:,} cells"


def _fragment(name: str) -> str:
    return quote(name, safe="/:@[]=,;+*!()$'")


def _sides(text: str) -> tuple[str, str]:
    """Both sides of ``sender>receiver``, or of ``both``."""
    sender, _, receiver = text.partition(">")
    return sender, receiver or sender


_WIRE_AXES: Final = (
    Axis("sender", lambda cell: (cell.sender, ""), "sender"),
    Axis("receiver", lambda cell: (cell.receiver, ""), "receiver"),
)
_NEGOTIATION_AXES: Final = (
    Axis("sender", lambda cell: (_sides(cell.framing)[0], _sides(cell.dialect)[0]), "sender"),
    Axis("receiver", lambda cell: (_sides(cell.framing)[1], _sides(cell.dialect)[1]), "receiver"),
)
_QEMU_AXES: Final = (
    Axis("sender", lambda cell: (cell.sender, _sides(cell.framing)[0]), "sender"),
    Axis("receiver", lambda cell: (cell.receiver, _sides(cell.framing)[1]), "receiver"),
)
_TO_QEMU_AXES: Final = (
    Axis("sender", lambda cell: (cell.sender, ""), "sender"),
    Axis("framing", lambda cell: (_sides(cell.framing)[0], f"to {_sides(cell.framing)[1]}")),
)
_QEMU_SCENARIO_AXES: Final = (
    Axis("scenario", lambda cell: (cell.scenario, "")),
    Axis("pairing", lambda cell: (cell.sender, f"→ {cell.receiver}")),
)
_OTHER_AXES: Final = (
    Axis("framing", lambda cell: (cell.framing, "")),
    Axis("scenario and corpus", lambda cell: (cell.scenario, cell.corpus)),
)

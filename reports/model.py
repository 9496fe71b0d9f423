"""From results to what a report shows: a headline, counts, findings, and what each suite shows.

All functions are pure, and keep the order in which the plan has the cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final, Literal

from multifd.result.answers import answered, contradicting, seen
from multifd.result.conclusion import exit_code, is_complete
from multifd.result.counted import counted
from multifd.result.record import (
    CONFORMING,
    SEVERITY_ORDER,
    Answer,
    Cell,
    Finding,
    Peer,
    Provenance,
    Results,
    Run,
    Unable,
    Verdict,
)
from reports.matrix import Axis, Key, Listing, Matrix, grouped, listings, matrix, worst_first
from reports.vocabulary import DEFAULTS, PROVENANCES, VERDICTS

SMALL_PAGE: Final = 4096
"""Bytes."""
MAIN_SCENARIO: Final = "live"
"""The scenario of suite "negotiation" that fills its matrix."""
_UNTOLD: Final = "defaults"
"""The scenario of suite "qemu" in which nothing is set: its matrix comes first."""
ALONE: Final = ("vendor", "fidelity", "probe")
"""Suites whose cells are no migrations."""
PLAIN_MIGRATIONS: Final = ("migrate", "migrate-legacy")
"""Scenarios of suite "qemu" that fill its matrix of QEMU to QEMU, with zero pages where they are told to be."""


@dataclass(frozen=True)
class Headline:
    """What the run says in two words and one sentence."""

    state: Literal["good", "bad", "open"]
    title: Literal["Conforming", "Not conforming", "Incomplete", "The environment broke", "Nothing was checked"]
    sentence: str


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

    @property
    def in_pairings(self) -> bool:
        """A migration met it, not only a check of a vendor library by itself."""
        return any(cell.suite not in ALONE for cell in self.cells)


def migrates(cells: Iterable[Cell]) -> bool:
    """Guests were migrated, or encoded and decoded: a real QEMU that took no part is missed."""
    return any(cell.suite not in ALONE for cell in cells)


def counts(results: Results) -> dict[Verdict, int]:
    """Cells by verdict, worst first, zeros included."""
    found = Counter(map(attrgetter("verdict"), results.cells))
    return {verdict: found[verdict] for verdict in VERDICTS}


def provenance_counts(results: Results) -> dict[Provenance, int]:
    """Cells that were checked, by how at least one of their sides ran."""
    sides = _ran(results)
    return {provenance: sum(n for ran, n in sides.items() if provenance in ran) for provenance in PROVENANCES}


def nearest_counts(results: Results) -> dict[Provenance | None, int]:
    """Cells that were checked, each once: by the end that is nearest to the silicon, None where nothing was coded."""
    found = Counter[Provenance | None]()
    for ran, number in _ran(results).items():
        found[next((each for each in PROVENANCES if each in ran), None)] += number
    return {each: found[each] for each in (*PROVENANCES, None)}


def _ran(results: Results) -> Counter[tuple[Provenance | None, Provenance | None]]:
    """Cells that were checked, by how their senders and receivers ran."""
    return Counter((c.provenance.sender, c.provenance.receiver) for c in results.cells if _checked(c))


def incomplete(results: Results) -> bool:
    """True if a planned cell was neither run nor skipped for a named reason, or the run did not come to its end."""
    return not is_complete(results.cells, ended=results.run.complete)


def headline(results: Results, answers: Sequence[Answer] | None = None) -> Headline:
    """The result of the run, as its exit code has it; whoever has its answers saves their being found again."""
    answers = answered(seen(results)) if answers is None else answers
    number, code = counts(results), exit_code(results, answers)
    checked = sum(map(_checked, results.cells))
    parts = ", ".join(
        f"{n:,} {VERDICTS[verdict].word}" for verdict, n in reversed(number.items()) if n and verdict in CONFORMING
    )
    went = f"{_cells(checked)} went as predicted or as a known issue says: {parts}."
    went += f" {_cells(number['skip'])} skipped." if number["skip"] else ""
    went = went if checked else "No cell was compared with its prediction."
    broke = f"{_cells(number['error'])} broke in the suite or its environment" if number["error"] else ""
    rest = f" The run is incomplete: {_cells(number['not-run'])} not run." if incomplete(results) else ""
    wrong = len(contradicting(answers))
    if number["fail"] or wrong:
        corrupt = sum(cell.kind == "corrupt" and cell.verdict == "fail" for cell in results.cells)
        said = [f"{number['fail']:,} of {_cells(checked)} did not go as predicted"] if number["fail"] else []
        said += [f"{corrupt:,} of them with memory silently wrong"] if corrupt else []
        claims = f"{counted(wrong, 'claim')}"
        said += [f"what is said of the thread's questions is contradicted by cells in {claims}"] if wrong else []
        said += [broke] if broke else []
        return Headline("bad", "Not conforming", f"{', '.join(said)}.{rest}")
    if code == 0:
        return Headline("good", "Conforming", went)
    if code == 1:
        return Headline("open", "Nothing was checked", went)
    so_far = f"{broke}. {went}" if broke else f"So far: {went}"
    return Headline("open" if rest else "bad", "Incomplete" if rest else "The environment broke", f"{so_far}{rest}")


def qemus(peers: Iterable[Peer]) -> tuple[Peer, ...]:
    """The real QEMUs of a line-up."""
    return tuple(peer for peer in peers if peer.kind == "qemu")


def codecs(results: Results) -> tuple[tuple[str, str, Provenance], ...]:
    """What computed: each codec's version and how it ran, in the order of the line-up.

    A version names the suite beside the library's own; that is left out where it is the suite of this run.
    """
    ours = f" (multifd {results.run.versions.get('multifd')})"
    having = (p for p in results.peers if p.codec not in (None, "none"))
    return tuple(dict.fromkeys((str(p.codec), p.version.removesuffix(ours), p.provenance) for p in having))


def seconds(run: Run) -> float | None:
    """Duration of the run; None where it has no readable end."""
    try:
        return (datetime.fromisoformat(run.finished or "") - datetime.fromisoformat(run.started)).total_seconds()
    except (TypeError, ValueError):
        return None


def coverage(run: Run) -> tuple[str, ...]:
    """How many pairs and triples of values the run had, in words; none where it did not come to its end."""
    found = (("pairs", run.coverage.pairs), ("triples", run.coverage.triples))
    return tuple(
        f"{1000 * reach.had // max(reach.feasible, 1) / 10:.1f}% of the {what} of values that can be combined:"
        f" {reach.had:,} of {reach.feasible:,}"
        for what, reach in found
        if reach is not None
    )


def broken(results: Results) -> tuple[Cell, ...]:
    """Failures and errors, worst first."""
    return worst_first(cell for cell in results.cells if cell.verdict in ("fail", "error"))


def findings(results: Results) -> tuple[FindingView, ...]:
    """Every finding with its cells: those that migrations met first, and of these the worst."""
    by_id = {cell.id: cell for cell in results.cells}
    views = (FindingView(f, tuple(by_id[name] for name in f.cells if name in by_id)) for f in results.findings)
    return tuple(
        sorted(views, key=lambda view: (not view.in_pairings, SEVERITY_ORDER.index(view.finding.severity)))
    )  # fmt: skip


def unattributed(results: Results) -> tuple[Listing, ...]:
    """Hazards and known issues that no finding explains, by reason, worst first."""
    found = {finding.id for finding in results.findings}
    loose = [c for c in results.cells if c.verdict in ("hazard", "known") and found.isdisjoint(c.issues)]
    return listings(worst_first(loose), lambda cell: cell.reason)


def suites(results: Results) -> tuple[Suite, ...]:
    """Every suite that has cells: wire, negotiation, integrity, qemu, then any other in the order of the plan."""
    by_name = grouped(results.cells, lambda cell: cell.suite)
    order = dict.fromkeys(("wire", "negotiation", "integrity", "qemu", *by_name))
    return tuple(_suite(name, by_name[name], results) for name in order if name in by_name)


def wire_matrices(results: Results) -> dict[str, Matrix]:
    """Sender x receiver of suite "wire" by framing; the peers stand in the order of the line-up."""
    cells = [cell for cell in results.cells if cell.suite == "wire"]
    return _wire(cells, results.peers, results.unable)


def _suite(name: str, cells: list[Cell], results: Results) -> Suite:
    match name:
        case "wire":
            return Suite(name, tuple(_wire(cells, results.peers, results.unable).values()))
        case "negotiation":
            main = [cell for cell in cells if cell.scenario == MAIN_SCENARIO]
            others = [cell for cell in cells if cell.scenario != MAIN_SCENARIO]
            matrices = (matrix("method @ dialect", main, *_NEGOTIATION_AXES),) if main else ()
            return Suite(name, matrices, listings(others, lambda cell: cell.scenario))
        case "qemu":
            return Suite(name, tuple(_between(cells, {peer.name for peer in qemus(results.peers)})))
        case _:
            return Suite(name, (matrix("framing by scenario and corpus", cells, *_OTHER_AXES),))


def _between(cells: Iterable[Cell], real: Collection[str]) -> Iterator[Matrix]:
    """Suite "qemu" by which ends are real: both, by method; both, by scenario; the sender; the receiver."""
    ends = grouped(cells, lambda cell: (cell.sender in real, cell.receiver in real))
    by_kind = grouped(ends.pop((True, True), []), _kind)
    for title, group, axes in (
        (DEFAULTS, by_kind.get("untold"), _QEMU_AXES),
        ("QEMU to QEMU, method by method", by_kind.get("plain"), _QEMU_AXES),
        ("QEMU to QEMU, other scenarios", by_kind.get("other"), _QEMU_SCENARIO_AXES),
        ("QEMU to our decoders", ends.get((True, False)), _QEMU_AXES),
        ("Our encoders to QEMU, all QEMUs together", ends.get((False, True)), _TO_QEMU_AXES),
    ):
        if group:
            yield matrix(title, group, *axes)


def _kind(cell: Cell) -> Literal["untold", "plain", "other"]:
    if cell.scenario == _UNTOLD:
        return "untold"
    return "plain" if cell.scenario in PLAIN_MIGRATIONS else "other"


def _wire(cells: Iterable[Cell], peers: Iterable[Peer], unable: Collection[Unable]) -> dict[str, Matrix]:
    line_up = {peer.name: rank for rank, peer in enumerate(peers)}
    last = len(line_up)

    def rank(key: Key) -> int:
        return line_up.get(key[0], last)

    return {
        title: matrix(title, group, *_WIRE_AXES, rank, [entry for entry in unable if entry.framing == title])
        for title, group in grouped(cells, _wire_title).items()
    }


def _wire_title(cell: Cell) -> str:
    """A framing; apart from it what fails for the size of its pages only."""
    if cell.predicted == "rejected" and cell.page_size > SMALL_PAGE:
        return f"{cell.framing}, refused with larger pages"
    return cell.framing


def _checked(cell: Cell) -> bool:
    return cell.verdict in CONFORMING or cell.verdict == "fail"


def _cells(number: int) -> str:
    return counted(number)


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

"""What a run's results say of every ordered pair of fleets in it.

The oracle says which lines there are, the run's cells what came of them: a line that cells speak of rests on the run,
also where they say otherwise than the oracle. A dialect's cells are those of codecs of ours, which show what the wire
does; a defect that releases of QEMU have beside it stays on its line.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from multifd.accelerator import by_method
from multifd.advice.accelerated import library_of
from multifd.advice.cost import costs
from multifd.advice.hosts import Host
from multifd.advice.lines import ANY, CHANNELS, FEWER, UNLIKE, Direction, Line, Standing, ordered
from multifd.advice.of_oracle import direction, fewer_channels
from multifd.advice.parties import Party, codecs_of, matched, parties, stand_for
from multifd.framing.model import METHOD_FRAMINGS
from multifd.plan.scenarios.scenario import Scenario
from multifd.plan.scenarios.table import SCENARIOS
from multifd.result.counted import counted
from multifd.result.record import Cell, Provenance, Results, Role, Verdict

_SHOWN: Final = 20
"""Cells of a line at most."""
_WORST: Final[tuple[Standing, ...]] = ("hazard", "unknown", "refused", "safe")
_PLAIN: Final[Mapping[Verdict, Standing]] = {"pass": "safe", "refused": "refused", "hazard": "hazard"}
_LOST: Final = ("corrupt", "accepted")
"""Kinds of failures in which memory is wrong."""
_ENDED: Final = {"hang": "a hang", "crash": "a crash"}
"""Kinds of known failures in which the guest is lost or waits for ever."""
_SILENT: Final = ": no message"
_UNEQUAL: Final = re.compile(r"/(\d+)~(\d+)ch(/|$)")
_SPLICED: Final = "splice"
_QEMU: Final = "qemu"
_CALLED: Final = ("wire", "integrity", _QEMU)
"""Suites whose cells say what a library could do that no QEMU calls so."""


def directions(results: Results) -> tuple[Direction, ...]:
    """Advice for every ordered pair of fleets of which the run has cells; pure.

    Real QEMUs come first, then dialects, then accelerators. Nobody runs the proposal of 2023, so it is no fleet.
    """
    everybody = tuple(parties(results))
    pairs = [_Pair(*pair) for pair in itertools.product(everybody, everybody) if _meet(*pair)]
    _look(results, pairs)
    cost = costs(results)
    return tuple(pair.shown(cost) for pair in pairs if any(pair.cells))


def judged(sender: Host, receiver: Host, results: Results) -> Direction:
    """Advice for two hosts that somebody asks of, with what a run says of it."""
    pair = _Pair(matched(sender, results), matched(receiver, results))
    _look(results, (pair,))
    return pair.shown(costs(results))


def _look(results: Results, pairs: Sequence[_Pair]) -> None:
    """Give every pair the cells that speak of it."""
    spoken = Spoken(pairs)
    for cell in results.cells:
        if cell.verdict in (*_PLAIN, "known", "fail") and not _met_sooner(cell):
            for pair, at in spoken.of(cell):
                pair.cells[at].append(cell)


def _meet(sender: Party, receiver: Party) -> bool:
    """A real QEMU and a dialect are the same thing twice."""
    return (sender.qemu is None) == (receiver.qemu is None) or any((sender.host.devices, receiver.host.devices))


class _Pair:
    """An ordered pair of fleets, what the oracle says of it, and the cells that speak of each line."""

    def __init__(self, sender: Party, receiver: Party) -> None:
        self.sender = sender
        self.receiver = receiver
        told = direction(sender.host, receiver.host)
        fewer = fewer_channels(sender.host, receiver.host)
        self.said = told.model_copy(update={"lines": (*told.lines, *fewer)})
        self.cells: list[list[Cell]] = [[] for _ in self.said.lines]
        self._qemus = sender.qemu is not None and receiver.qemu is not None

    def ends(self, role: Role, end: End) -> bool:
        """Whether who is at one end of a cell stands for that end of the pair."""
        party = self.sender if role == "sender" else self.receiver
        if self._real(*end.between):
            return end.peer == party.qemu
        if end.real or end.peer not in party.codecs(end.method):
            return False
        return end.dialect in (party.dialects or {party.host.facts.dialect.name})

    def _real(self, *methods: str) -> bool:
        """Real QEMUs of both say it: of methods that neither computes on an accelerator of its own."""
        devices = (*self.sender.host.devices, *self.receiver.host.devices)
        return self._qemus and not any(by_method(method) in devices for method in methods)

    def by_library(self, line: Line) -> Iterator[tuple[str, str]]:
        """Senders and receivers that show what a library could do: the accelerator's codec at one end, through its
        calls for streams, and the other end's own."""
        end, opposite = (self.sender, self.receiver) if line.at == "sender" else (self.receiver, self.sender)
        named = (each for each in end.host.devices if library_of(each) == line.library)
        calling = [f"{codec}[stream=1]" for each in named for codec in codecs_of(each)]
        others = stand_for(line.method) if opposite.qemu is None else (opposite.qemu,)
        for met in itertools.product(calling, others):
            yield met if line.at == "sender" else met[::-1]

    def shown(self, cost: Mapping[str, float]) -> Direction:
        """The direction with what the cells say."""
        lines = (
            with_cost(_resting(line, cells, real=self._real(*line.method.split(">"))), cost)
            for line, cells in zip(self.said.lines, self.cells, strict=True)
            if cells or line.method != FEWER
        )
        return self.said.model_copy(update={"lines": ordered(lines)})


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides of which lines a cell speaks; many cells have the same."""

    suite: str
    sender: str
    receiver: str
    sent: str
    read: str
    spoken: str
    heard: str
    scenario: Scenario
    unequal: str | None
    """:data:`CHANNELS` or :data:`FEWER`."""
    setting: frozenset[tuple[str, str]]


class End(NamedTuple):
    """Who is at one end of a cell, and what it does there."""

    real: bool
    """In suite ``qemu``, where codecs of ours stand for nobody."""
    peer: str
    method: str
    dialect: str
    between: tuple[str, str]
    """The methods of the cell's sender and receiver."""


class Spoken:
    """Of which lines cells speak, found once for all that are alike."""

    def __init__(self, pairs: Sequence[_Pair]) -> None:
        self._pairs = pairs
        self._known: dict[Hashable, tuple[tuple[_Pair, int], ...]] = {}
        self._at: dict[tuple[Role, End], frozenset[int]] = {}
        self._called: dict[tuple[str, str, str], list[tuple[_Pair, int]]] = defaultdict(list)
        for pair in pairs:
            for at, line in enumerate(pair.said.lines):
                for met in pair.by_library(line) if not line.released else ():
                    self._called[line.method, *met].append((pair, at))

    def of(self, cell: Cell) -> tuple[tuple[_Pair, int], ...]:
        """Pairs, and the places of their lines."""
        scenario = _ORDINARY.get(cell.scenario)
        if scenario is None or cell.framing not in _FRAMINGS:
            return ()
        unequal = _unequal(cell)
        alike = (
            cell.suite,
            cell.sender,
            cell.receiver,
            cell.framing,
            cell.dialect,
            cell.scenario,
            unequal,
            cell.setting,
        )
        found = self._known.get(alike)
        if found is None:
            sent, _, read = cell.framing.partition(">")
            spoken, _, heard = cell.dialect.partition(">")
            setting = frozenset((each.name, each.value) for each in cell.setting)
            asked = Asked(
                cell.suite, cell.sender, cell.receiver, sent, read or sent, spoken, heard or spoken, scenario, unequal,
                setting,
            )  # fmt: skip
            found = tuple(self._found(asked))
            self._known[alike] = found
        return found

    def _found(self, asked: Asked) -> Iterator[tuple[_Pair, int]]:
        if asked.sent == asked.read and asked.suite in _CALLED:
            yield from self._called.get((asked.sent, asked.sender, asked.receiver), ())
        real = asked.suite == _QEMU
        between = asked.sent, asked.read
        senders = self._with("sender", End(real, asked.sender, asked.sent, asked.spoken, between))
        receivers = self._with("receiver", End(real, asked.receiver, asked.read, asked.heard, between))
        for number in senders & receivers:
            at = _line_of(asked, self._pairs[number].said.lines)
            if at is not None:
                yield self._pairs[number], at

    def _with(self, role: Role, end: End) -> frozenset[int]:
        """Numbers of the pairs that have this end."""
        found = self._at.get((role, end))
        if found is None:
            found = frozenset(number for number, pair in enumerate(self._pairs) if pair.ends(role, end))
            self._at[role, end] = found
        return found


def _met_sooner(cell: Cell) -> bool:
    """A refusal that came in time, which is luck where a hazard is predicted: it says nothing of the next migration."""
    return cell.predicted == "hazard" and cell.observed == "rejected" and cell.kind not in _ENDED


def _unequal(cell: Cell) -> str | None:
    found = _UNEQUAL.search(cell.id) if cell.suite == _QEMU else None
    if found is None:
        return None
    return CHANNELS if int(found[1]) > int(found[2]) else FEWER


def with_cost(line: Line, cost: Mapping[str, float]) -> Line:
    """The line with what its method cost in a run."""
    if line.verdict != "safe" or not line.released or line.accelerated:
        return line
    return line.model_copy(update={"cost": cost.get(line.method)})


def _ordinary(scenario: Scenario) -> bool:
    """A migration as anybody does it: nothing on or set besides, no accident, nothing but memory looked at."""
    return (
        scenario.mode in ("capture", "live", "qemu", _SPLICED)
        and not any((scenario.link, scenario.tls, scenario.interruption, scenario.life))
        and not (scenario.capabilities or scenario.arguments or scenario.strict)
        and not any(name.startswith("multifd-") for name in scenario.parameters)
    )


_ORDINARY: Final = {name: scenario for name, scenario in SCENARIOS.items() if _ordinary(scenario)}
_FRAMINGS: Final = frozenset(
    (*METHOD_FRAMINGS, *(f"{sent}>{read}" for sent, read in itertools.permutations(METHOD_FRAMINGS, 2)))
)
"""As cells have them, of methods."""


def _line_of(asked: Asked, lines: Sequence[Line]) -> int | None:
    """The place of the one released line that such cells speak of."""
    sent, scenario = asked.sent, asked.scenario
    late = scenario.busy_destination and not scenario.return_path
    refused: Standing = "hazard" if late else "refused"
    if asked.unequal is not None:
        return _place(lines, lambda line: (line.method, line.verdict) == (asked.unequal, refused))
    if sent != asked.read:
        own = _place(lines, lambda line: line.method == f"{sent}>{asked.read}")
        return _place(lines, lambda line: (line.method, line.verdict) == (UNLIKE, refused)) if own is None else own
    wanted: tuple[Callable[[Line], bool], ...] = (
        lambda line: line.method in (ANY, sent) and _needs(line) in asked.setting,
        lambda line: line.method == sent and scenario.legacy_zero_pages and _is_otherwise(line),
        lambda line: line.method == sent and not _is_otherwise(line),
    )
    return next((place for each in wanted if (place := _place(lines, each)) is not None), None)


def _place(lines: Sequence[Line], wanted: Callable[[Line], bool]) -> int | None:
    return next((at for at, line in enumerate(lines) if line.released and wanted(line)), None)


def _is_otherwise(line: Line) -> bool:
    """What is safe because something is set."""
    return line.verdict == "safe" and line.setting is not None


def _needs(line: Line) -> tuple[str, str] | None:
    hazard = line.setting is not None and line.verdict == "hazard"
    return (line.setting.name, line.setting.value) if hazard and line.setting is not None else None


def _resting(line: Line, cells: Sequence[Cell], *, real: bool) -> Line:
    """The line as the cells have it."""
    if not cells or (not real and line.verdict == "hazard" and line.method in METHOD_FRAMINGS):
        return line
    worst = min((_standing(cell) for cell in cells), key=_WORST.index)
    deciding = [cell for cell in cells if _standing(cell) == worst]
    issues = dict.fromkeys((*line.issues, *(issue for cell in deciding for issue in cell.issues)))
    first = deciding[0]
    changes = {
        "verdict": worst, "rests_on": "run", "issues": tuple(issues),
        "cells": tuple(cell.id for cell in itertools.islice(_distinct(deciding, cells), _SHOWN)),
        "provenance": tuple(sorted({how for cell in cells for how in _provenances(cell)})),
        "words": _words(deciding, line.words) if worst == "refused" else line.words,
    }  # fmt: skip
    if line.verdict == "refused" and worst == "hazard" and any(cell.kind in _ENDED for cell in deciding):
        ended = dict.fromkeys(_ENDED.get(cell.kind or "", "lost memory") for cell in deciding)
        often = f"{len(deciding)} of {counted(len(cells))}"
        changes["why"] = f"{line.why}; in {often} of the run it ended in {' or '.join(ended)}"
    elif worst != line.verdict:
        otherwise = f"the run shows otherwise than predicted: {first.error or first.reason} ({first.id})"
        changes |= {"why": otherwise, "qmp": (), "libvirt": ()}
    return line.model_copy(update=changes)


def _words(cells: Sequence[Cell], expected: str | None) -> str | None:
    """What the first cell that has words says; what is expected where no cell has an error at all."""
    errors = [cell.error for cell in cells if cell.error]
    spoken = (error for error in errors if not all(each.endswith(_SILENT) for each in error.split("; ")))
    return next(spoken, None) if errors else expected


def _provenances(cell: Cell) -> Iterator[Provenance]:
    yield from (how for how in (cell.provenance.sender, cell.provenance.receiver) if how is not None)


def _distinct(*cells: Iterable[Cell]) -> Iterator[Cell]:
    yield from {cell.id: cell for cell in itertools.chain(*cells)}.values()


def _standing(cell: Cell) -> Standing:
    """What came of a cell, for somebody who wants to migrate."""
    plain = _PLAIN.get(cell.verdict)
    if plain is not None:
        return plain
    if cell.kind in _LOST:
        return "hazard"
    if cell.verdict == "fail":
        return "unknown"
    if cell.kind in _ENDED:
        return "hazard"
    if cell.observed == "identical":
        return "safe"
    return "refused" if cell.observed == "rejected" else "hazard"

"""A covering subset of the cells with a real QEMU, for a run in which nobody named one.

What there is to cover is read off the cells, so that a scenario, a fault or a codec that is new is covered without
being listed. First all of what is *telling*:

* every scenario, with every outcome and rule that it is predicted to end by;
* every method and framing that a QEMU sends and reads, and every one that a codec of ours does beside it;
* every pair of QEMUs; every reason to skip a cell.

Then, until :data:`ENOUGH` has been spent, every other *value* that a cell is made of: faults, peers at either end,
numbers of channels, contents, dialects, sizes and divisions of memory. The choice is greedy: what covers most for its
cost comes first, of equals what is planned first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from multifd.plan.cell import PlannedCell

ENOUGH: Final = 130
"""Costs (:attr:`multifd.plan.scenarios.scenario.Scenario.cost`): half a minute on two cores."""

_VALUES: Final = {
    "fault", "sender", "receiver", "sender_dialect", "receiver_dialect", "corpus", "blocks", "fill", "page_size",
}  # fmt: skip
"""Fields of a pairing."""

Traits = frozenset[tuple[object, ...]]


def covering(cells: Sequence[PlannedCell], qemus: Collection[str]) -> list[PlannedCell]:
    """The subset, in the order of the cells, which are pairings; ``qemus`` are the names of the real ones. Pure."""
    spent: dict[str, int] = {}
    for read, enough in ((_telling, None), (_values, ENOUGH)):
        traits = {cell.id: frozenset(read(cell, qemus)) for cell in cells}
        had = frozenset[tuple[object, ...]]().union(*(traits[cell_id] for cell_id in spent))
        for cell in _greedily(cells, traits, had):
            if enough is not None and sum(spent.values()) >= enough:
                break
            spent[cell.id] = _cost(cell)
    return [cell for cell in cells if cell.id in spent]


def _greedily(cells: Sequence[PlannedCell], traits: dict[str, Traits], had: Traits) -> Iterator[PlannedCell]:
    """Whatever adds most for its cost to what there already is, until nothing adds anything."""

    def gain(cell: PlannedCell) -> float:
        return len(traits[cell.id] - had) / max(_cost(cell), 1)

    while cells and gain(best := max(cells, key=gain)):
        had |= traits[best.id]
        yield best


def _cost(cell: PlannedCell) -> int:
    return 0 if cell.skip is not None else cell.pairing.plan.cost


def _telling(cell: PlannedCell, qemus: Collection[str]) -> Iterator[tuple[object, ...]]:
    pairing, prediction = cell.pairing, cell.prediction
    if cell.skip is not None:
        yield "skip", cell.skip
        return
    yield "ends", pairing.scenario, prediction.outcome, prediction.rule
    yield "sends", pairing.sender in qemus, pairing.sender_framing
    yield "reads", pairing.receiver in qemus, pairing.receiver_framing
    if {pairing.sender, pairing.receiver} <= set(qemus):
        yield "pair", pairing.sender, pairing.receiver


def _values(cell: PlannedCell, qemus: Collection[str]) -> Iterator[tuple[object, ...]]:
    yield from _telling(cell, qemus)
    if cell.skip is None:
        pairing = cell.pairing
        yield from pairing.model_dump(include=_VALUES).items()
        yield "channels", pairing.channels, pairing.receiver_channels
        yield "sizes", *sorted(pairing.sizes.items())

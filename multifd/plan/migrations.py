"""Migrations between peers of ours: the covering array's rows as cells, and what stands beside them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from multifd.lineup.peers import LineUp
from multifd.memory.blocks import BLOCKS, UNIT
from multifd.plan.array import Chosen, covering_array
from multifd.plan.cell import PlannedCell
from multifd.plan.costs import compared
from multifd.plan.integrity import LIVE, beyond_combination
from multifd.plan.pairings import pairing_cell
from multifd.plan.space import CAPTURE, SWEEP, Factor, Space
from multifd.plan.wire import of_user, refused


def migrations(line_up: LineUp, *, size: int, seed: int, strength: int, user_corpus: bool) -> Iterator[PlannedCell]:
    """Cells of the suites ``wire``, ``integrity`` and ``negotiation``; guests that are captured have ``size`` bytes."""
    space = Space(line_up)
    cells = [_cell(space, chosen, size) for chosen in covering_array(space, seed, strength).rows]
    captures = (cell for cell in cells if cell.suite == "wire")
    yield from _by_capture(_once(itertools.chain(captures, compared(space, size))))
    yield from refused(line_up, space, size)
    if user_corpus:
        yield from of_user(space, size)
    yield from _once(cell for cell in cells if cell.suite == "integrity")
    yield from beyond_combination(space)


def _cell(space: Space, chosen: Chosen, captured: int) -> PlannedCell:
    value = {factor: space.values[factor][chosen.row[factor]] for factor in Factor}
    scenario, blocks = str(value[Factor.SCENARIO]), str(value[Factor.BLOCKS])
    fill = str(value[Factor.FILL])
    suite, size = ("wire", captured) if scenario == CAPTURE else ("integrity", LIVE)
    if suite == "wire" and fill != SWEEP:
        size -= UNIT  # only packets of every number of pages need all of it
    return pairing_cell(
        suite,
        space.senders[chosen.row[Factor.SENDER]],
        space.receivers[chosen.row[Factor.RECEIVER]],
        str(value[Factor.FRAMING]),
        scenario,
        BLOCKS[blocks].sizes(size),
        dialects=(value[Factor.SENDER_DIALECT], value[Factor.RECEIVER_DIALECT]),
        corpus=value[Factor.CONTENT],
        page_size=value[Factor.PAGE_SIZE],
        channels=value[Factor.CHANNELS],
        blocks=blocks,
        fill=f"{SWEEP}-{chosen.sweep}" if fill == SWEEP else fill,
    )


def _by_capture(cells: Iterable[PlannedCell]) -> Iterator[PlannedCell]:
    """Those that share a capture one after the other: a worker keeps the last one only."""
    found: dict[str, list[PlannedCell]] = {}
    for cell in cells:
        found.setdefault(cell.pairing.capture_key(0), []).append(cell)
    return itertools.chain.from_iterable(found.values())


def _once(cells: Iterable[PlannedCell]) -> Iterator[PlannedCell]:
    """Two rows can differ in a tuple that neither was made for, and in nothing else."""
    return iter({cell.id: cell for cell in cells}.values())

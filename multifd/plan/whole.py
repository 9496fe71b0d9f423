"""From a line-up to the whole plan. Pure: the same line-up and options always give the same plan."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from multifd.errors import HarnessError
from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.peers import LineUp, LineUpPeer, QemuPeer
from multifd.lineup.probe import PAGE_SIZE
from multifd.oracle.ability import NO_STREAM, inabilities
from multifd.oracle.question import Prediction
from multifd.plan.cell import PlannedCell
from multifd.plan.faults import fault_plan
from multifd.plan.flips import flip_plan
from multifd.plan.library import library_plan
from multifd.plan.migrations import migrations
from multifd.plan.negotiation import negotiation_plan
from multifd.plan.qemu.subset import covering
from multifd.plan.qemu.whole import qemu_plan
from multifd.plan.work import Probe
from multifd.result.record import Subset, Unable


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the command line says about the plan."""

    memory: int = 1536 << 10
    """Bytes of guest memory in the wire suite, and of large guests of real QEMUs if that is more than those have."""
    seed: int = 1
    """Of the choice among combinations that are as good as each other."""
    strength: int = 2
    """So many factors are combined completely, as far as can be: 2 or 3."""
    user_corpus: bool = False
    """``--corpus``: the user's own content is run beside ours."""
    subset: bool = False
    """Of the cells with a real QEMU only a covering subset is run."""


class Plan(BaseModel):
    """Every cell of a run, and what its peers cannot do and therefore have no cell for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cells: dict[str, PlannedCell]
    """By id, in the order of the suites."""
    unable: tuple[Unable, ...]
    left_out: dict[str, PlannedCell] = {}
    """Cells with a real QEMU that a covering subset does without, by id."""
    subset: Subset | None = None
    """How many cells that is."""


def plan(line_up: LineUp, skips: Mapping[str, str | None], options: PlanOptions | None = None) -> Plan:
    """The plan of a line-up; ``skips`` are the libraries under scrutiny, and why one of them is not.

    Raises InputError for options that cannot be, HarnessError if two cells have one id.
    """
    chosen = options or PlanOptions()
    cells: dict[str, PlannedCell] = {}
    for cell in itertools.chain.from_iterable(made for _, made in _parts(line_up, skips, chosen)):
        if cell.id in cells:
            raise HarnessError(f"cell {cell.id} is planned twice")
        cells[cell.id] = cell
    whole = Plan(cells=cells, unable=tuple(_unable(line_up)))
    return _covering(whole, line_up) if chosen.subset else whole


def plan_of(
    cell_id: str, line_up: LineUp, skips: Mapping[str, str | None], options: PlanOptions | None = None
) -> Plan | None:
    """What :func:`plan` has of one cell, also of one that a subset does without; None if there is no such cell.

    It makes no more of the plan than it must, and of that the migrations, which are dear, last. Raises InputError for
    options that cannot be.
    """
    suite = cell_id.partition("/")[0]
    parts = [made for suites, made in _parts(line_up, skips, options or PlanOptions()) if suite in suites]
    cells = itertools.chain.from_iterable(reversed(parts))
    found = next((cell for cell in cells if cell.id == cell_id), None)
    return Plan(cells={cell_id: found}, unable=tuple(_unable(line_up))) if found is not None else None


def _parts(
    line_up: LineUp, skips: Mapping[str, str | None], chosen: PlanOptions
) -> list[tuple[tuple[str, ...], Iterator[PlannedCell]]]:
    """The parts of a plan in their order, each with the suites of its cells; a cell is made when it is asked for."""
    ours = migrations(
        line_up,
        size=chosen.memory,
        seed=chosen.seed,
        strength=chosen.strength,
        user_corpus=chosen.user_corpus,
    )
    real = qemu_plan(line_up, memory=chosen.memory, seed=chosen.seed, user_corpus=chosen.user_corpus)
    return [
        (("probe",), map(probe_cell, line_up.everybody)),
        (("wire", "integrity", "negotiation"), ours),
        (("negotiation",), negotiation_plan(line_up)),
        (("negotiation",), fault_plan(line_up)),
        (("flips",), flip_plan(line_up)),
        (("qemu",), real),
        (("vendor", "fidelity"), library_plan(skips)),
    ]


def _covering(whole: Plan, line_up: LineUp) -> Plan:
    """The same with a covering subset of its cells with a real QEMU."""
    real = [cell for cell in whole.cells.values() if cell.suite == "qemu"]
    chosen = {cell.id for cell in covering(real, [qemu.name for qemu in line_up.qemus])}
    left_out = {cell.id: cell for cell in real if cell.id not in chosen}
    if not left_out:
        return whole
    cells = {cell_id: cell for cell_id, cell in whole.cells.items() if cell_id not in left_out}
    subset = Subset(cells=len(chosen), of=len(real))
    return whole.model_copy(update={"cells": cells, "left_out": left_out, "subset": subset})


def probe_cell(peer: LineUpPeer | QemuPeer) -> PlannedCell:
    """The cell that tells how a peer's probe ended."""
    promise = Prediction("identical", "probe", f"{peer.name} keeps its word", None, ())
    return PlannedCell(suite="probe", work=Probe(peer=peer.name), prediction=promise, skip=peer.skip)


def _unable(line_up: LineUp) -> Iterator[Unable]:
    """Of the peers that take part; one that has not introduced itself has not said what it can do."""
    for name, peer in itertools.product(FRAMINGS, line_up.peers):
        if peer.skip is not None:
            continue
        for role, reason in inabilities(peer.encoder, peer.decoder, framing(name), PAGE_SIZE).items():
            if role in peer.roles:
                tried = name in peer.refused.get(role, ())
                came = f" (tried: {peer.streamless})" if reason == NO_STREAM and peer.streamless is not None else ""
                yield Unable(framing=name, peer=peer.name, role=role, reason=reason + came, tried=tried)

"""From a planned cell and what happened to the record of the results contract."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from multifd.evidence.outcome import Outcome
from multifd.lineup.model import LineUpPeer, QemuPeer
from multifd.oracle.verdict import Judgement, Observed, judge
from multifd.plan.cell import PlannedCell
from multifd.plan.vendor import VendorCell
from multifd.result.known import KnownIssue, settle
from multifd.result.record import Cell, Kind, Sides


def planned(cell: PlannedCell | VendorCell, options: tuple[str, ...]) -> Cell:
    """The record of a cell that has not run."""
    skipped = cell.skip is not None
    return Cell(
        id=cell.id,
        suite=cell.suite,
        sender=cell.sender,
        receiver=cell.receiver,
        framing=cell.framing,
        dialect=cell.dialect,
        scenario=cell.scenario if cell.fault is None else f"{cell.scenario}-{cell.fault}",
        corpus=cell.corpus,
        page_size=cell.page_size,
        channels=cell.channels,
        predicted=cell.prediction.outcome,
        observed="skipped" if skipped else "not-run",
        verdict="skip" if skipped else "not-run",
        reason=cell.skip or f"not run; predicted: {cell.prediction.reason}",
        reproduce=cell.reproduce(options),
    )


def concluded(
    cell: PlannedCell | VendorCell, outcome: Outcome, options: tuple[str, ...], issues: Sequence[KnownIssue]
) -> Cell:
    """The record of a cell that has run, with its verdict; paths of artifacts are the outcome's."""
    observation = outcome.observation
    judgement: Judgement = judge(cell.prediction, observation)
    record = planned(cell, options).model_copy(
        update={
            "observed": observation.outcome,
            "verdict": judgement.verdict,
            "kind": judgement.kind,
            "reason": judgement.reason,
            "error": observation.error,
            "provenance": outcome.provenance,
            "device_verdict": observation.device,
            "complaints": observation.complaints,
            "bytes_memory": outcome.bytes_memory,
            "bytes_wire": outcome.bytes_wire,
            "seconds": outcome.seconds,
            "cpu_seconds": outcome.cpu_seconds,
            "artifacts": outcome.artifacts,
        }
    )
    return settle(record, issues)


def located(cell: Cell, results: Path) -> Cell:
    """The record with the paths of artifacts below the results directory relative to it, as its report links them."""
    paths = (Path(path) for path in cell.artifacts)
    inside = (path.relative_to(results) if path.is_relative_to(results) else path for path in paths)
    return cell.model_copy(update={"artifacts": tuple(map(str, inside))})


_PROBED: Final[Mapping[Kind | None, Observed]] = {
    None: "identical",
    "corrupt": "hazard",
    "accepted": "identical",
    "wrong-error": "rejected",
    "crash": "crash",
    "hang": "hang",
}
"""What a probe that found this kind of failure has seen."""


def probed(peer: LineUpPeer | QemuPeer, options: tuple[str, ...]) -> Cell:
    """The record of a peer's probe: whether it kept its word."""
    kind = None if peer.probe is None else peer.probe_kind or "wrong-error"
    done = "it introduced itself, its round trips are identical, an impossible request was refused"
    if isinstance(peer, QemuPeer):
        done = "it said what it is, its first migration is identical, what is no migration was refused"
    cell_id = f"probe/{peer.name}"
    return Cell(
        id=cell_id,
        suite="probe",
        sender=peer.name,
        receiver=peer.name,
        framing="none",
        dialect="qemu-10.0",
        scenario="probe",
        corpus="text",
        page_size=4096,
        channels=1,
        predicted="identical",
        observed="skipped" if peer.skip else _PROBED[kind],
        verdict="skip" if peer.skip else "pass" if kind is None else "fail",
        kind=kind,
        reason=peer.skip or peer.probe or done,
        error=peer.probe,
        provenance=Sides(sender=peer.provenance, receiver=peer.provenance),
        reproduce=shlex.join(["tox", "-e", "conformance", "--", "--cell", cell_id, *options]),
    )

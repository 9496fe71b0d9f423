"""From a planned cell and what happened to the record of the results contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from multifd.campaign.options import Options
from multifd.evidence.outcome import Outcome
from multifd.lineup.peers import LineUpPeer, QemuPeer
from multifd.oracle.verdict import Observed, judge
from multifd.plan.cell import PlannedCell
from multifd.result.known import KnownIssue, settle
from multifd.result.record import AS_PREDICTED, Cell, Kind, Sides
from multifd.result.versions import NOBODY_KNOWS, Releases


def planned(cell: PlannedCell, options: Options) -> Cell:
    """The record of a cell that has not run."""
    work, skipped = cell.work, cell.skip is not None
    return Cell(
        id=cell.id,
        suite=cell.suite,
        sender=work.sender,
        receiver=work.receiver,
        framing=work.framing,
        dialect=work.dialect,
        scenario=work.label,
        corpus=work.corpus,
        page_size=work.page_size,
        channels=work.channels,
        predicted=cell.prediction.outcome,
        observed="skipped" if skipped else "not-run",
        verdict="skip" if skipped else "not-run",
        reason=cell.skip or "nobody ran it",
        reproduce=options.reproduce(cell.id),
        blocks=work.blocks,
        fill=work.fill,
        setting=(*cell.prediction.setting, *work.told),
        rule=cell.prediction.rule,
        predicted_because=cell.prediction.reason,
    )


def skipped(cell: PlannedCell, options: Options, reason: str) -> Cell:
    """The record of a cell that turns out to be one that cannot run here."""
    return planned(cell.model_copy(update={"skip": reason}), options)


def broken(cell: PlannedCell, options: Options, reason: str) -> Cell:
    """The record of a cell that the host did not let run to its end: nothing is said of any codec."""
    return planned(cell, options).otherwise(reason, observed="broken", verdict="error", error=reason)


def broken_outside(record: Cell, what: str) -> Cell:
    """The record of a cell around which something broke, whatever had come of the cell itself."""
    reason = f"the harness or the host broke: {what}"
    return record.otherwise(reason, observed="broken", verdict="error", kind=None, issues=())


def concluded(
    cell: PlannedCell,
    outcome: Outcome,
    options: Options,
    issues: Sequence[KnownIssue],
    releases: Releases = NOBODY_KNOWS,
) -> Cell:
    """The record of a cell that has run, with its verdict; paths of artifacts are the outcome's.

    ``releases`` are what its ends run (:mod:`multifd.campaign.releases`).
    """
    observation = outcome.observation
    judgement = judge(cell.prediction, observation)
    record = planned(cell, options).model_copy(
        update={
            "observed": observation.outcome,
            "verdict": judgement.verdict,
            "kind": judgement.kind,
            "reason": judgement.reason,
            "predicted_because": None if judgement.verdict in AS_PREDICTED else cell.prediction.reason,
            "error": observation.error,
            "provenance": outcome.provenance,
            "device_verdict": observation.device,
            "device": outcome.device,
            "complaints": judgement.complaints,
            "aftermath": observation.aftermath,
            "bytes_memory": outcome.bytes_memory,
            "bytes_wire": outcome.bytes_wire,
            "seconds": outcome.seconds,
            "cpu_seconds": outcome.cpu_seconds,
            "artifacts": outcome.artifacts,
            "integrity": outcome.integrity,
            "invariants": outcome.invariants,
        }
    )
    return settle(record, issues, releases)


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


def probed(cell: PlannedCell, peer: LineUpPeer | QemuPeer, options: Options) -> Cell:
    """The record of a peer's probe: whether it kept its word."""
    kind = None if peer.probe is None else peer.probe_kind or "wrong-error"
    done = "it introduced itself, its round trips are identical, what it cannot do it refused"
    if isinstance(peer, QemuPeer):
        done = "it said what it is, its first migration is identical, what is no migration was refused"
    return planned(cell, options).model_copy(
        update={
            "observed": _PROBED[kind],
            "verdict": "pass" if kind is None else "fail",
            "kind": kind,
            "reason": peer.probe or done,
            "error": peer.probe,
            "provenance": Sides(sender=peer.provenance, receiver=peer.provenance),
        }
    )

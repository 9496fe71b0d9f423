"""All that two runs have to say of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from multifd.comparison.cast import (
    DeviceChange,
    PeerChange,
    UnableChange,
    VersionChange,
    device_changes,
    peer_changes,
    unable_changes,
    version_changes,
)
from multifd.comparison.cells import Change, changes
from multifd.comparison.costs import Costs, costs
from multifd.comparison.findings import FindingChange, finding_changes
from multifd.comparison.narrowed import narrowed
from multifd.comparison.ranges import library_of
from multifd.comparison.renamed import renamed
from multifd.comparison.standing import VERDICTS
from multifd.result import versions
from multifd.result.conclusion import is_complete
from multifd.result.counted import counted
from multifd.result.printable import clipped
from multifd.result.record import Model, Results, Verdict

SCHEMA: Literal["multifd-conformance/comparison/2"] = "multifd-conformance/comparison/2"


class Side(Model):
    """One of the two runs."""

    id: str
    """As the run calls itself."""
    started: str
    """ISO 8601, UTC."""
    finished: str | None
    """ISO 8601, UTC; None where it has no end."""
    profile: str
    """Who takes part."""
    host: str
    """Its processor and system."""
    recorded: bool
    """Its devices are those of a recorded host: no silicon took part."""
    qemus: tuple[str, ...]
    """Real QEMUs that took part."""
    libraries: tuple[str, ...]
    """Vendor libraries that took part, each with its version."""
    command: str
    """What was run."""
    seed: int
    """Of its content."""
    shard: str | None = None
    """Which part of its plan it is, as ``2/8``; only cells of both runs are compared then. None if it is all of it."""
    lacking: str | None
    """Why it is not complete, in words; None if it is."""
    cells: int
    """That were planned."""
    counts: dict[Verdict, int]
    """Cells by verdict, good to bad, those that there are."""


class Comparison(Model):
    """Two runs compared; what ``multifd diff --json`` prints."""

    schema_id: Literal["multifd-conformance/comparison/2"] = Field(default=SCHEMA, alias="schema")
    """The version of what this is."""
    before: Side
    """The run that is compared with."""
    after: Side
    """The run that is asked about."""
    both: int
    """How many cells are in both runs: only these can be compared."""
    same_plan: bool
    """Both planned the same cells; of shards, they are of the same plan."""
    regressions: int
    """All that is worse, as :attr:`worse` has it."""
    worse: dict[str, int]
    """How many cells, findings, devices, peers and costs are worse, those of which there are any."""
    cells: tuple[Change, ...]
    """Those that differ, what is worse first."""
    findings: tuple[FindingChange, ...]
    """Those of either run, what is new first."""
    devices: tuple[DeviceChange, ...]
    """Accelerators that had silicon in one of both runs and are not as they were."""
    peers: tuple[PeerChange, ...]
    """Those that are not as they were."""
    versions: tuple[VersionChange, ...]
    """Of packages and programs, where they differ."""
    unable: tuple[UnableChange, ...]
    """What peers of both runs cannot do any more, or can now."""
    costs: Costs
    """Beyond noise."""
    rule: str | None = None
    """What is compared with what, in words, where a run has a peer under its old name and under its new one, so that
    only cells of the two are compared; None where every cell is, with its like."""
    names: dict[str, str] = Field(default_factory=dict)
    """Peers of the run before that are called otherwise in the run after: the old name, and the new one."""
    hint: str | None
    """What would make more cells comparable, in words."""


def compare(before: Results, after: Results, names: Mapping[str, str] | None = None) -> Comparison:
    """What changed from one run to another, and what of it is worse; pure.

    ``names`` are peers of the run before that go by another name in the run after; both may be the same run, which has
    both. Raises :class:`InputError` as
    :func:`multifd.comparison.renamed.renamed`.
    """
    hint = None if names else _hint(before, after)
    heads = side(before), side(after)
    before, after, rule = renamed(before, after, names or {})
    before, after = narrowed(before, after)
    cells, findings = changes(before, after), finding_changes(before, after)
    devices, peers = device_changes(before, after), peer_changes(before, after)
    measured = costs(before, after)
    directions = {
        "cell": [each.direction for each in cells],
        "device": [each.direction for each in devices],
        "peer": [each.direction for each in peers],
        "cost": [each.direction for each in measured.changes],
    }
    worse = {name: found.count("worse") for name, found in directions.items()}
    worse["finding"] = sum(each.worse for each in findings)
    return Comparison(
        schema=SCHEMA,
        before=heads[0],
        after=heads[1],
        both=len({cell.id for cell in before.cells} & {cell.id for cell in after.cells}),
        same_plan=_plan(before) == _plan(after),
        regressions=sum(worse.values()),
        worse={name: number for name, number in worse.items() if number},
        cells=cells,
        findings=findings,
        devices=devices,
        peers=peers,
        versions=version_changes(before, after),
        unable=unable_changes(before, after),
        costs=measured,
        rule=rule,
        names=dict(names or {}),
        hint=hint,
    )


def side(results: Results) -> Side:
    """A run's head."""
    run, counts = results.run, Counter(cell.verdict for cell in results.cells)
    return Side(
        id=run.id,
        started=run.started,
        finished=run.finished,
        profile=run.profile,
        host=clipped(", ".join(str(run.host[key]) for key in ("cpu", "system") if key in run.host)) or "unknown",
        recorded="recorded" in run.host,
        qemus=_qemus(results),
        libraries=_libraries(results),
        command=run.command,
        seed=run.seed,
        shard=str(run.shard) if run.shard is not None else None,
        lacking=", ".join(_lacking(results)) or None,
        cells=len(results.cells),
        counts={verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]},
    )


def _plan(results: Results) -> str:
    """Digest of the whole plan."""
    shard = results.run.shard
    return shard.plan if shard is not None else results.run.plan


def _lacking(results: Results) -> Iterator[str]:
    """Why a run is not complete."""
    left = sum(cell.verdict == "not-run" for cell in results.cells)
    if is_complete(results.cells, ended=results.run.complete):
        return
    if left:
        yield f"{left:,} of {counted(len(results.cells))} not run"
    if results.run.finished is None:
        yield "it has no end, for it is going on or was cut off"
    elif results.run.missing:
        number, of = len(results.run.missing), results.run.missing[0].partition("/")[2]
        named = ", ".join(results.run.missing)
        yield (
            f"{number} of {counted(int(of), 'shard')} {'is' if number == 1 else 'are'} missing, {named};"
            " remedy: multifd merge OUT DIR... with all of them"
        )
    elif not left:
        yield "it was interrupted"


def _qemus(results: Results) -> tuple[str, ...]:
    return tuple(peer.name for peer in results.peers if peer.kind == "qemu")


def _libraries(results: Results) -> tuple[str, ...]:
    """As peers of ours say their versions."""
    found = (
        f"{library} {versions.number(peer.version) or peer.version!s}"
        for peer in results.peers
        if (library := library_of(peer)) is not None
    )
    return tuple(dict.fromkeys(found))


def _hint(before: Results, after: Results) -> str | None:
    """A QEMU that goes by another version is another peer, and its cells are other cells."""
    was, now = (set(_qemus(run)) for run in (before, after))
    gone, new = sorted(was - now), sorted(now - was)
    if len(gone) == len(new) == 1:
        return f"{gone[0]} and {new[0]} have no cell in common; to compare them: --rename {gone[0]}={new[0]}"
    return None

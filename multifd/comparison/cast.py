"""Who takes part in two runs, and on what: peers, versions, and what is left of an accelerator.

A cell names its peers, so one that is gone takes its cells with it. Silicon that became a model of it is therefore seen
here, at the device, whatever its peers are called now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from multifd.comparison.standing import PROOFS, PROVENANCES, Direction, checked, of_proofs, of_provenances, overall
from multifd.result.record import DeviceVerdict, Model, Peer, Provenance, Results


class PeerChange(Model):
    """A peer that is not as it was."""

    name: str
    """As cells name it."""
    before: str | None
    """Version and provenance; None: it took no part."""
    after: str | None
    """Version and provenance; None: it takes no part any more."""
    direction: Direction
    """Worse if it is further from the silicon."""


class VersionChange(Model):
    """A version among the circumstances that is not as it was."""

    name: str
    """The package or program."""
    before: str | None
    """None: it was not there."""
    after: str | None
    """None: it is not there any more."""


class DeviceChange(Model):
    """An accelerator in two runs."""

    device: str
    """QAT, IAA or another."""
    before: Provenance | None
    """The nearest to silicon that a peer of it ran on; None: it had no peer."""
    after: Provenance | None
    """The same of the run after."""
    proof_before: DeviceVerdict
    """The best device verdict of a cell on it."""
    proof_after: DeviceVerdict
    """The same of the run after."""
    proven_before: int
    """Cells in which its work was proven."""
    proven_after: int
    """The same of the run after."""
    direction: Direction
    """Worse if hardware became anything else, or no work is proven any more."""


class UnableChange(Model):
    """What a peer cannot do, in one of both runs only."""

    framing: str
    """What it cannot send or receive."""
    peer: str
    """Who."""
    role: str
    """As what."""
    reason: str
    """Why, in its own words."""
    new: bool
    """It cannot any more; otherwise it can now."""


def peer_changes(before: Results, after: Results) -> tuple[PeerChange, ...]:
    """In the order of the line-up."""
    was, now = ({peer.name: peer for peer in run.peers} for run in (before, after))
    both = (_peer(name, was.get(name), now.get(name)) for name in dict.fromkeys((*now, *was)))
    return tuple(change for change in both if change.before != change.after)


def version_changes(before: Results, after: Results) -> tuple[VersionChange, ...]:
    """Of packages and programs."""
    was, now = before.run.versions, after.run.versions
    return tuple(VersionChange(name=name, before=was.get(name), after=now.get(name)) for name in _differing(was, now))


def unable_changes(before: Results, after: Results) -> tuple[UnableChange, ...]:
    """Of those who take part in both runs, what they cannot do any more, then what they can now."""
    both = {peer.name for peer in before.peers} & {peer.name for peer in after.peers}
    was, now = (
        {(each.framing, each.peer, each.role): each for each in run.unable if each.peer in both}
        for run in (before, after)
    )
    lost = ((each, True) for key, each in now.items() if key not in was)
    found = ((each, False) for key, each in was.items() if key not in now)
    return tuple(
        UnableChange(framing=each.framing, peer=each.peer, role=each.role, reason=each.reason, new=new)
        for each, new in (*lost, *found)
    )


def device_changes(before: Results, after: Results) -> tuple[DeviceChange, ...]:
    """Of every accelerator that had silicon in one of both runs."""
    return tuple(filter(None, (_device(name, before, after) for name in _devices(before, after))))


def _peer(name: str, before: Peer | None, after: Peer | None) -> PeerChange:
    return PeerChange(
        name=name,
        before=_described(before),
        after=_described(after),
        direction=of_provenances(before.provenance, after.provenance) if before and after else "other",
    )


def _described(peer: Peer | None) -> str | None:
    return f"{peer.version}, {peer.provenance}" if peer is not None else None


def _devices(*runs: Results) -> tuple[str, ...]:
    found = (peer.device for run in runs for peer in run.peers if peer.provenance == "hardware")
    return tuple(dict.fromkeys(device for device in found if device is not None))


def _device(device: str, before: Results, after: Results) -> DeviceChange | None:
    was, now = _nearest(device, before), _nearest(device, after)
    works = _works(device, before), _works(device, after)
    best = _best(works[0]), _best(works[1])
    # Who looks at none of its cells says nothing of it.
    proof = of_proofs(*best) if _looked_at(device, after) else "other"
    change = DeviceChange(
        device=device,
        before=was,
        after=now,
        proof_before=best[0],
        proof_after=best[1],
        proven_before=works[0].count("proven"),
        proven_after=works[1].count("proven"),
        direction=overall((of_provenances(was, now), proof)),
    )
    return change if (was, best[0]) != (now, best[1]) else None


def _nearest(device: str, run: Results) -> Provenance | None:
    """The nearest to silicon that a peer of the device ran on."""
    found = [peer.provenance for peer in run.peers if peer.device == device]
    return min(found, key=PROVENANCES.__getitem__, default=None)


def _works(device: str, run: Results) -> list[DeviceVerdict]:
    return [work.verdict for cell in run.cells for work in cell.device if work.device == device]


def _best(verdicts: Iterable[DeviceVerdict]) -> DeviceVerdict:
    return min(verdicts, key=PROOFS.index, default="not claimed")


def _looked_at(device: str, run: Results) -> bool:
    peers = {peer.name for peer in run.peers if peer.device == device}
    return any(checked(cell) and {cell.sender, cell.receiver} & peers for cell in run.cells)


def _differing(was: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    """Keys, in the order of the run after, then of the run before."""
    return (key for key in dict.fromkeys((*now, *was)) if was.get(key) != now.get(key))

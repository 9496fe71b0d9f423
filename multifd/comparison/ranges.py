"""What the ends of a run's cells ran, as its record says: no chance brings an issue of other versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from multifd.result.known import shipped
from multifd.result.record import Cell, Peer, Results, Role
from multifd.result.versions import Release, Releases


class Ranges:
    """Of one run."""

    def __init__(self, results: Results) -> None:
        """Of its peers."""
        self._peers = {peer.name: peer for peer in results.peers}

    def lack(self, issues: Iterable[str], cell: Cell) -> bool:
        """The range of one of these known issues leaves out what a cell of this run ran; what nobody knows it does not.

        An issue that this project does not list has no range.
        """
        named = set(issues)
        if not named:
            return False
        releases = self._releases(cell)
        return any(not issue.concerns(releases) for issue in shipped() if issue.id in named)

    def _releases(self, cell: Cell) -> Releases:
        """Beside a splice both ends are the one QEMU, whoever codes."""
        names: dict[Role, str] = {"sender": cell.sender, "receiver": cell.receiver}
        ends = {role: tuple(_releases(self._peers.get(name))) for role, name in names.items()}
        if cell.scenario == "splice":
            both = tuple(dict.fromkeys(each for found in ends.values() for each in found if each.product == "QEMU"))
            ends = {role: (*both, *(each for each in found if each.product != "QEMU")) for role, found in ends.items()}
        return Releases(ends)


def library_of(peer: Peer) -> str | None:
    """The vendor's library behind a peer of ours; a model of silicon is none."""
    vendor = peer.device is not None and peer.kind == "codec" and peer.provenance in ("hardware", "vendor-software")
    return f"lib{peer.codec}" if vendor else None


def _releases(peer: Peer | None) -> Iterator[Release]:
    if peer is None:
        return
    if peer.kind == "qemu":
        yield Release("QEMU", peer.version)
    elif (library := library_of(peer)) is not None:
        yield Release(library, peer.version)

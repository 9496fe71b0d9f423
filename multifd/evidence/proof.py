"""Proof that hardware did the work: the device's own counters, read before and after what a peer was asked to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from multifd.device.diagnose import detect
from multifd.device.sysfs import Host
from multifd.evidence.counters import Counters, moved, verdict
from multifd.lineup.model import LineUpPeer
from multifd.result.record import DeviceVerdict

Verdict = Callable[[Callable[[], Sequence[int]]], DeviceVerdict]
"""Called afterwards with what tells the jobs that were demanded of each peer; it is asked only where a peer claims
hardware."""

_ORDER: Final[tuple[DeviceVerdict, ...]] = ("unproven", "proven", "not claimed")


class Prover:
    """Reads the counters of a host's devices around what peers do."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @contextmanager
    def watching(self, *peers: LineUpPeer) -> Iterator[Verdict]:
        """Around the work of these peers; those that claim no hardware need no proof.

        Peers that share a device must together have moved its counters by what was demanded of all of them.
        """
        claimed = {peer.device for peer in peers if peer.provenance == "hardware"}
        if not claimed:
            yield lambda _: "not claimed"
            return
        usable = [device for device in detect(self._host) if device.usable]
        with ExitStack() as stack:
            counters = {
                name: stack.enter_context(Counters(self._host, [d for d in usable if d.kind == (name or "").lower()]))
                for name in claimed
            }
            before = {name: each.read() for name, each in counters.items()}

            def judge(demands: Callable[[], Sequence[int]]) -> DeviceVerdict:
                asked: Counter[str | None] = Counter()
                for peer, jobs in zip(peers, demands(), strict=True):
                    asked[peer.device] += jobs if peer.provenance == "hardware" else 0
                return worst(*(verdict(asked[name], moved(before[name], counters[name].read())) for name in counters))

            yield judge

    @contextmanager
    def noticing(self, kinds: Collection[str]) -> Iterator[Callable[[str], bool]]:
        """Around the work of software that does not say how it runs: did devices of a kind work meanwhile?"""
        usable = [device for device in detect(self._host) if device.usable and device.kind in kinds] if kinds else []
        with ExitStack() as stack:
            counters = {
                kind: stack.enter_context(Counters(self._host, [d for d in usable if d.kind == kind]))
                for kind in {device.kind for device in usable}
            }
            before = {kind: each.read() for kind, each in counters.items()}
            yield lambda kind: kind in counters and bool(moved(before[kind], counters[kind].read()))


def worst(*verdicts: DeviceVerdict) -> DeviceVerdict:
    """Of several sides: what is unproven on one is unproven."""
    return min(verdicts, key=_ORDER.index, default="not claimed")

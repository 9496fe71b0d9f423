"""Proof that hardware did the work: the device's own counters, read before and after what a peer was asked to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from multifd.device.diagnose import detect
from multifd.device.proof import Counters, moved, verdict
from multifd.device.sysfs import Host
from multifd.profile.lineup import LineUpPeer
from multifd.result.record import DeviceVerdict

Verdict = Callable[[int], DeviceVerdict]
"""Called afterwards with the number of jobs that were asked for at least."""

_ORDER: Final[tuple[DeviceVerdict, ...]] = ("unproven", "proven", "not claimed")


class Prover:
    """Reads the counters of a host's devices around what peers do."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @contextmanager
    def watching(self, *peers: LineUpPeer) -> Iterator[Verdict]:
        """Around the work of these peers; those that claim no hardware need no proof."""
        claiming = {peer.device for peer in peers if peer.provenance == "hardware"}
        if not claiming:
            yield lambda _: "not claimed"
            return
        kinds = {device.lower() for device in claiming if device is not None}
        devices = [device for device in detect(self._host) if device.kind in kinds and device.usable]
        with Counters(self._host, devices) as counters:
            before = counters.read()
            yield lambda asked: verdict(asked, moved(before, counters.read()))


def worst(*verdicts: DeviceVerdict) -> DeviceVerdict:
    """Of several sides: what is unproven on one is unproven."""
    return min(verdicts, key=_ORDER.index, default="not claimed")

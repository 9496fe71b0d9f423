"""Migrations of a real QEMU: pages change before the switchover, some become zero after having had content."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from multifd.plan.scenarios.scenario import Scenario
from multifd.qemu.arch import Q35


def _guests() -> Iterator[Scenario]:
    guest = partial(Scenario, mode="qemu", shape="guest", becomes_zero=True)
    for name, description in (
        ("migrate", "a guest of QEMU; pages change before the switchover, some become zero"),
        ("fewer-channels", "the sender was told fewer channels than the receiver"),
        ("more-channels", "the sender was told more channels than the receiver"),
    ):
        yield guest(name, f"{description}; zero-page-detection=multifd if the sender knows it")
        yield guest(f"{name}-legacy", f"{description}; zero-page-detection=legacy", legacy_zero_pages=True)
    yield guest("return-path", "the sender waits for the receiver's word that all went well", return_path=True)
    yield guest("q35", "a machine of the other family, pc-q35", family=Q35)
    yield guest("tcp", "over TCP instead of Unix sockets", tcp=True)
    yield guest("dirty-rounds", "pages change in the first round and again before the switchover", early=True)
    yield guest(
        "old-machine", "the oldest machine type of the run: legacy zero pages and SYNC",
        legacy_zero_pages=True, old_machine=True,
    )  # fmt: skip
    late = "the destination looks at nothing until the source has sent everything"
    busy = partial(Scenario, mode="qemu", shape="few", busy_destination=True)
    yield busy("busy-destination", late)
    yield busy("busy-return-path", f"{late}, but the source waits for its word", return_path=True)
    yield Scenario(
        "recorded-fault", "a recording of this QEMU with a fault in it", "recording", "again", becomes_zero=True
    )
    yield Scenario(
        "splice", "a codec of ours in place of one end's, between two processes of one QEMU", "splice", "guest",
        becomes_zero=True,
    )  # fmt: skip


GUESTS: Final = tuple(_guests())

"""Scenarios: what is migrated and how, as data. A new one is a line in a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final, Literal

from multifd.wire.dialect import Dialect, ZeroPages

Mode = Literal["capture", "live", "playback", "qemu", "splice", "recording"]
"""``capture``: encoded once into files and decoded from them. ``live``: sender and receiver over sockets.
``playback``: a capture with a fault in it, played to a live receiver. ``qemu``: a real QEMU sends, to another or
to our receiver. ``splice``: two processes of one QEMU, and between them a codec of ours in place of the one or the
other end's. ``recording``: what a real QEMU sent, changed in one field, played to it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to migrate."""

    name: str
    description: str
    mode: Mode
    shape: str
    """Shape of the dirty rounds, as :mod:`multifd.memory.rounds` knows it; ``mutating`` for changing pages."""
    becomes_zero: bool = False
    """Some page becomes zero after having had content."""
    legacy_zero_pages: bool = False
    """The sender runs with ``zero-page-detection=legacy``."""
    return_path: bool = False
    """The receiver says over the main channel that it is done, and the sender waits for it."""
    busy_destination: bool = False
    """The destination's process stands still until the source has sent everything or cannot."""
    early: bool = False
    """Pages also change while the first round is being sent, which is slowed down for it."""
    old_machine: bool = False
    """QEMU runs the oldest machine type that all binaries of the run share."""
    tcp: bool = False
    """TCP instead of Unix sockets."""

    @property
    def combines(self) -> bool:
        """It goes with every content, page size, number of channels and so on."""
        return self.mode in ("capture", "live") and self.shape != "mutating"

    @property
    def several_rounds(self) -> bool:
        """More is sent than all pages once."""
        return self.shape not in ("single", "stale", "few")

    def zero_pages(self, sender: Dialect) -> ZeroPages:
        """Where a sender of this dialect puts zero pages."""
        return ZeroPages.MAIN if self.legacy_zero_pages else sender.zero_pages


def _guests() -> Iterator[Scenario]:
    """Migrations of a real QEMU: pages change before the switchover, some become zero after having had content."""
    guest = partial(Scenario, mode="qemu", shape="guest", becomes_zero=True)
    for name, description in (
        ("migrate", "a guest of QEMU; pages change before the switchover, some become zero"),
        ("fewer-channels", "the sender was told fewer channels than the receiver"),
        ("more-channels", "the sender was told more channels than the receiver"),
    ):
        yield guest(name, description)
        yield guest(f"{name}-legacy", f"{description}; zero-page-detection=legacy", legacy_zero_pages=True)
    yield guest("return-path", "the sender waits for the receiver's word that all went well", return_path=True)
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
    yield Scenario("recorded-fault", "a recording of this QEMU with a fault in it", "recording", "packets")
    yield Scenario(
        "splice", "a codec of ours in place of one end's, between two processes of one QEMU", "splice", "guest",
        becomes_zero=True,
    )  # fmt: skip


_SCENARIOS: Final = (
    Scenario("capture", "one round, every page, by capture", "capture", "single"),
    Scenario("live", "three dirty rounds over sockets; pages become zero", "live", "dirty", becomes_zero=True),
    Scenario(
        "legacy-zero-pages",
        "the same, sender with zero-page-detection=legacy",
        "live",
        "dirty",
        becomes_zero=True,
        legacy_zero_pages=True,
    ),
    Scenario("whole", "one round over sockets", "live", "single"),
    Scenario("zero-only", "packets that hold only zero pages", "live", "zero-only", becomes_zero=True),
    Scenario("partial", "packets that are never full", "live", "partial"),
    Scenario("empty", "rounds without any page", "live", "empty"),
    Scenario("stale", "no zero page at all", "live", "stale"),
    Scenario("mutating", "pages change while they are being encoded", "live", "mutating"),
    *_guests(),
    Scenario("fault", "the sender does something wrong, as declared", "playback", "eights", becomes_zero=True),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({s.name: s for s in _SCENARIOS})
"""All scenarios by name."""

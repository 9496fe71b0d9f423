"""One scenario, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from multifd.qemu.arch import USUAL
from multifd.wire.dialect import Dialect, ZeroPages

Mode = Literal["capture", "live", "playback", "qemu", "splice", "recording", "running"]
"""``capture``: encoded once into files and decoded from them. ``live``: sender and receiver over sockets.
``playback``: a capture with a fault in it, played to a live receiver. ``qemu``: a real QEMU sends, to another or
to our receiver. ``splice``: two processes of one QEMU, and between them a codec of ours in place of the one or the
other end's. ``recording``: what a real QEMU sent, changed in one field, played to it.
``running``: two real QEMUs, and a guest that runs."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


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
    family: str = USUAL
    """Of machine types that QEMU runs (:mod:`multifd.qemu.arch`)."""
    accel: str = "tcg"
    """QEMU's accelerator; only where a guest runs it matters."""
    tcp: bool = False
    """TCP instead of Unix sockets."""
    capabilities: Mapping[str, bool] = field(default_factory=_nothing)
    """What both QEMUs are told with ``migrate-set-capabilities`` besides."""
    parameters: Mapping[str, Any] = field(default_factory=_nothing)
    """What both QEMUs are told with ``migrate-set-parameters`` besides."""
    arguments: tuple[str, ...] = ()
    """What both QEMUs are started with besides."""
    cost: int = 1
    """How long a cell with real QEMUs takes, in cells of scenario ``migrate`` (half a second): what is dear is chosen
    seldom where a run takes a subset."""

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

"""One scenario, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from multifd.wire.dialect import Dialect, ZeroPages
from multifd.wire.link import Link

Mode = Literal["capture", "live", "playback", "qemu", "splice", "recording", "connections"]
"""``capture``: encoded once into files and decoded from them. ``live``: sender and receiver over sockets.
``playback``: a capture with a fault in it, played to a live receiver. ``qemu``: a real QEMU sends, to another or
to our receiver. ``splice``: two processes of one QEMU, and between them a codec of ours in place of the one or the
other end's. ``recording``: what a real QEMU sent, changed in one field, played to it. ``connections``: as ``qemu``,
over a link that misbehaves."""


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
    tcp: bool = False
    """TCP instead of Unix sockets."""
    capabilities: Mapping[str, bool] = field(default_factory=_nothing)
    """What both QEMUs are told with ``migrate-set-capabilities`` besides."""
    parameters: Mapping[str, Any] = field(default_factory=_nothing)
    """What both QEMUs are told with ``migrate-set-parameters`` besides."""
    link: Link | None = None
    """What its connections meet on their way."""
    arguments: tuple[str, ...] = ()
    """What both QEMUs are started with besides."""

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

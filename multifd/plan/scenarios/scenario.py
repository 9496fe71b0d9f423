"""One scenario, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal

from multifd.plan.scenarios.life import Life
from multifd.qemu.arch import USUAL
from multifd.qemu.tls import Interruption, Tls
from multifd.wire.dialect import Dialect, ZeroPages
from multifd.wire.link import Link

Mode = Literal[
    "capture", "live", "playback", "qemu", "splice", "recording", "handshake", "lifetime", "connections", "running"
]  # fmt: skip
"""``capture``: encoded once into files and decoded from them. ``live``: sender and receiver over sockets.
``playback``: a capture with a fault in it, played to a live receiver. ``qemu``: a real QEMU sends, to another or
to our receiver. ``splice``: two processes of one QEMU, and between them a codec of ours in place of the one or the
other end's. ``recording``: what a real QEMU sent, changed in one field, played to it.
``handshake``: two real QEMUs, one of which stands still or dies at TLS's handshake. ``lifetime``: real QEMUs, and more
than one migration. ``connections``: as ``qemu``, over a link that misbehaves. ``running``: two real QEMUs, and a guest
that runs."""

LEGACY: Final = "-legacy"
"""Ending of the names of scenarios with ``zero-page-detection=legacy``."""


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
    normal_zero_pages: bool = False
    """The sender runs with ``zero-page-detection=none``."""
    defaults: bool = False
    """Both QEMUs are told no parameter but the method, the number of channels, where these are not their defaults, and
    :attr:`parameters`."""
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
    strict: bool = False
    """What a sender sends and counts is held to what the newest QEMU promises, whatever its own version does."""
    capabilities: Mapping[str, bool] = field(default_factory=_nothing)
    """What both QEMUs are told with ``migrate-set-capabilities`` besides."""
    parameters: Mapping[str, Any] = field(default_factory=_nothing)
    """What both QEMUs are told with ``migrate-set-parameters`` besides."""
    link: Link | None = None
    """What its connections meet on their way."""
    arguments: tuple[str, ...] = ()
    """What both QEMUs are started with besides."""
    on_command_line: bool = False
    """Capabilities and parameters are given with ``-global`` when the QEMUs are started, instead of over QMP."""
    tls: Tls | None = None
    """What both ends hold for TLS, None for a migration in the clear."""
    interruption: Interruption | None = None
    """What happens at TLS's handshake."""
    cost: int = 1
    """How long a cell with real QEMUs takes, in cells of scenario ``migrate`` (half a second): what is dear is chosen
    seldom where a run takes a subset."""
    life: Life | None = None
    """What is done besides one migration; of mode ``lifetime`` only."""

    @property
    def combines(self) -> bool:
        """It goes with every content, page size, number of channels and so on."""
        return self.mode in ("capture", "live") and self.shape != "mutating"

    @property
    def several_rounds(self) -> bool:
        """More is sent than all pages once."""
        return self.shape not in ("single", "stale", "few")

    def zero_pages(self, sender: Dialect) -> ZeroPages:
        """Where a sender of this dialect puts zero pages, if its defaults do not say."""
        if self.normal_zero_pages:
            return ZeroPages.NORMAL
        return ZeroPages.MAIN if self.legacy_zero_pages else sender.zero_pages


def legacy(scenario: Scenario) -> Scenario:
    """The same from a sender with ``zero-page-detection=legacy``."""
    description = f"{scenario.description}; zero-page-detection=legacy"
    return replace(
        scenario, name=f"{scenario.name}{LEGACY}", description=description, legacy_zero_pages=True,
    )  # fmt: skip

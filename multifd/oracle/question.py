"""What the oracle is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.model import Framing, Scope
from multifd.qemu.defaults import Defaults
from multifd.qemu.facts import Facts
from multifd.qemu.tls import Interruption, Tls
from multifd.result.record import Outcome, Setting
from multifd.wire.dialect import Dialect, ZeroPages
from multifd.wire.fault import OURS, Fault, Recording
from multifd.wire.link import Link
from multifd.wire.packet import PACKET_SIZE


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a pairing: who, with which framing, in which dialect."""

    peer: str
    framing: Framing
    dialect: Dialect
    qemu: bool = False
    """A real QEMU, which puts its errors in its own words."""
    codec: str | None = None
    """The codec of ours that it is, None for a peer that is not ours, whose words nobody knows."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a real QEMU is told, and what it knows."""

    qemu: str
    facts: Facts
    method: str
    on: frozenset[str]
    """Capabilities, besides those that every migration has."""
    parameters: Mapping[str, Any]
    """Besides those that every migration has."""
    tls: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A pairing, what the two ends declare, and what is special about the scenario."""

    sender: Side
    receiver: Side
    encoder: EncoderCapability
    decoder: DecoderCapability
    page_size: int
    zero_pages: ZeroPages
    """Where the sender puts zero pages (its dialect's rule, or ``zero-page-detection=legacy``)."""
    becomes_zero: bool
    """Some page becomes zero after having had content."""
    fault: Fault | None
    channels: tuple[int, int]
    """How many the sender and the receiver were told."""
    goes_on: bool
    """Some channel carries a second packet with a payload."""
    looks_late: bool
    """The receiver looks at nothing before the sender has sent everything, and the sender waits for no word of it."""
    link: Link | None = None
    """What the connections meet on their way."""
    matches: bool = True
    """The content is such that compressed data refers to what came before it; False for noise, which is only stored."""
    machine: str | None = None
    """The machine type of a real QEMU that sends; None for another sender."""
    defaults: Defaults | None = None
    """What that QEMU runs with if it is told nothing."""
    told: tuple[Told, ...] = ()
    """The QEMUs, in the order in which they are told."""
    tls: Tls | None = None
    """What both ends hold for TLS, None for a migration in the clear."""
    interruption: Interruption | None = None
    """What happens at TLS's handshake."""
    recording: Recording = OURS
    """What the fault is put into."""

    @property
    def members(self) -> int:
        """The most that the sender makes of what it compresses in one go, a page or a packet."""
        framing = self.sender.framing
        whole = self.page_size if framing.scope is Scope.PAGE else PACKET_SIZE
        return 1 if framing.scope is Scope.CHANNEL else self.encoder.members(whole, framing.container)


@dataclass(frozen=True, slots=True)
class Step:
    """One link in the chain of reasons: a rule, whether it held, and what it saw."""

    rule: str
    held: bool
    because: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """The oracle's answer. ``error`` is a regular expression that the observed error must contain."""

    outcome: Outcome
    rule: str
    reason: str
    error: str | None
    chain: tuple[Step, ...]
    setting: tuple[Setting, ...] = ()
    """What must have been set for it, besides defaults."""
    sooner: str | None = None
    """Of a hazard: the error, as above, where a refusal is met sooner, and that is luck."""

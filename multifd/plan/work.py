"""What there is to do in a cell: one kind of work each, told apart by ``kind``.

===========  ==========================================================================================
kind         work
===========  ==========================================================================================
pairing      a migration from a sender to a receiver: captured, live, with real QEMUs
probe        a peer held to its word before anything else
check        a systematic look at a vendor library by itself (:mod:`multifd.scrutiny`)
reproducer   a program that shows one defect of a vendor library
fidelity     an emulation and the library that it stands for, given the same streams
flips        payloads of a framing with one bit flipped at a time, given to one decoder
===========  ==========================================================================================

Whatever the kind, results show a sender, a receiver, a framing and so on; where a kind has no such thing it says what
stands for it.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from multifd.plan.scenarios.scenario import Scenario
from multifd.plan.scenarios.table import SCENARIOS
from multifd.result.record import Setting
from multifd.wire.dialect import LATEST, Dialect, dialect

USUAL_BLOCKS: Final = "two"
USUAL_FILL: Final = "full"
"""What an id leaves out."""


class _Work(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pairing(_Work):
    """A migration. Everything that is needed to run it again."""

    kind: Literal["pairing"] = "pairing"
    sender: str
    receiver: str
    sender_framing: str
    receiver_framing: str
    sender_dialect: str
    receiver_dialect: str
    scenario: str
    corpus: str
    page_size: int
    """Bytes."""
    channels: int
    receiver_channels: int | None = None
    """What the receiver was told, where that is something else."""
    sizes: dict[str, int]
    """Bytes of each RAM block."""
    blocks: str = USUAL_BLOCKS
    """How the memory is divided (:data:`multifd.memory.blocks.BLOCKS`)."""
    fill: str = USUAL_FILL
    """Pages in a packet (:func:`multifd.memory.blocks.packet_pages`)."""
    fault: str | None = None

    @property
    def place(self) -> str:
        """Its id below the suite; a slash separates, a tilde stands between sender's and receiver's."""
        parts = [
            _both(self.sender_framing, self.receiver_framing),
            f"{self.sender}~{self.receiver}",
            _both(self.sender_dialect, self.receiver_dialect),
            self.label,
            self.corpus,
            f"{self.page_size // 1024}k",
            f"{_both(str(self.channels), str(self.receiver_channels or self.channels))}ch",
            *(part for part, usual in ((self.blocks, USUAL_BLOCKS), (self.fill, USUAL_FILL)) if part != usual),
        ]
        return "/".join(parts)

    @property
    def group(self) -> str:
        """Pairings of a group share the sender's captures; those with a real QEMU share nothing."""
        if self.plan.mode in ("qemu", "splice", "handshake", "lifetime", "connections", "running"):
            return self.place
        return f"{self.sender}/{self.sender_framing}"

    @property
    def framing(self) -> str:
        """As results have it: ``sender>receiver`` where they differ."""
        return _both(self.sender_framing, self.receiver_framing, ">")

    @property
    def dialect(self) -> str:
        """As results have it: ``sender>receiver`` where they differ."""
        return _both(self.sender_dialect, self.receiver_dialect, ">")

    @property
    def label(self) -> str:
        """The scenario as results have it, with its fault."""
        return self.scenario if self.fault is None else f"{self.scenario}-{self.fault}"

    @property
    def told(self) -> tuple[Setting, ...]:
        """What both QEMUs are told besides, as results have it."""
        capabilities = {name: "on" if state else "off" for name, state in self.plan.capabilities.items()}
        return tuple(
            Setting(name=name, value=str(value)) for name, value in (capabilities | dict(self.plan.parameters)).items()
        )

    @property
    def plan(self) -> Scenario:
        """The scenario."""
        return SCENARIOS[self.scenario]

    @property
    def machine(self) -> Dialect:
        """The dialect whose machine type both ends run: a migration needs one that both know, so the older one."""
        return min(dialect(self.sender_dialect), dialect(self.receiver_dialect), key=lambda each: each.order)

    def script_key(self, seed: int) -> str:
        """What the memory content depends on; equal keys share one set of images."""
        return _key(seed, self.corpus, self.page_size, sorted(self.sizes.items()), self.blocks, self.plan.shape)

    def capture_key(self, seed: int) -> str:
        """What a capture depends on besides the sender's version; equal keys share one capture."""
        machine = self.machine.main_sync.value
        return _key(
            self.script_key(seed), self.sender, self.sender_framing, self.sender_dialect, machine, self.channels,
            self.fill,
        )  # fmt: skip


class _Alone(_Work):
    """Work with no wire in it."""

    dialect: ClassVar[str] = LATEST
    page_size: ClassVar[int] = 4096
    channels: ClassVar[int] = 1
    blocks: ClassVar[str] = USUAL_BLOCKS
    fill: ClassVar[str] = USUAL_FILL
    told: ClassVar[tuple[Setting, ...]] = ()


class Probe(_Alone):
    """A peer is held to its word."""

    kind: Literal["probe"] = "probe"
    peer: str

    framing: ClassVar[str] = "none"
    label: ClassVar[str] = "probe"
    corpus: ClassVar[str] = "text"
    group: ClassVar[str] = "all"
    """They have been done before the plan was made, and are only told."""

    @property
    def place(self) -> str:
        """Its id below the suite."""
        return self.peer

    @property
    def sender(self) -> str:
        """The peer."""
        return self.peer

    @property
    def receiver(self) -> str:
        """The peer."""
        return self.peer


class _OfLibrary(_Alone):
    """Work on a vendor library: nothing is shared, any worker may do it."""

    library: str
    """Name of the codec, and of the peer."""
    framing: str
    """What QEMU uses the library for, or the proposal whose format is looked at."""

    corpus: ClassVar[str] = "none"

    @property
    def group(self) -> str:
        """Its own."""
        return self.place

    @property
    def place(self) -> str:
        """Its id below the suite."""
        return f"{self.library}/{self.label}"

    @property
    def label(self) -> str:
        """What is done, in a word."""
        raise NotImplementedError

    @property
    def sender(self) -> str:
        """The library."""
        return self.library

    @property
    def receiver(self) -> str:
        """The library."""
        return self.library


class Check(_OfLibrary):
    """One systematic check (:data:`multifd.scrutiny.checks.CHECKS`)."""

    kind: Literal["check"] = "check"
    name: str

    @property
    def label(self) -> str:
        """The check."""
        return self.name


class Reproducer(_OfLibrary):
    """One program that shows a defect, or that it is gone."""

    kind: Literal["reproducer"] = "reproducer"
    name: str
    """Of the program among those of the library."""

    @property
    def label(self) -> str:
        """The program."""
        return self.name


class Fidelity(_OfLibrary):
    """An emulation held against its library."""

    kind: Literal["fidelity"] = "fidelity"
    emulation: str
    streams: int
    """How many both are given."""

    @property
    def label(self) -> str:
        """The same for all of them."""
        return "emulation"

    @property
    def sender(self) -> str:
        """The emulation."""
        return self.emulation


class Flips(_Alone):
    """Payloads with one bit flipped at a time, and a decoder that notices, or does not."""

    kind: Literal["flips"] = "flips"
    sender: str
    """Whose payloads."""
    receiver: str
    framing: str

    label: ClassVar[str] = "flips"
    corpus: ClassVar[str] = "text"
    """And noise: :meth:`pairing`."""

    @property
    def place(self) -> str:
        """Its id below the suite."""
        return f"{self.framing}/{self.sender}~{self.receiver}"

    @property
    def group(self) -> str:
        """They share the sender's captures."""
        return f"{self.sender}/{self.framing}"

    def pairing(self, corpus: str) -> Pairing:
        """The migration whose payload is flipped: one packet of this content, without a zero page."""
        return Pairing(
            sender=self.sender, receiver=self.receiver, sender_framing=self.framing, receiver_framing=self.framing,
            sender_dialect=LATEST, receiver_dialect=LATEST, scenario="stale", corpus=corpus,
            page_size=self.page_size, channels=self.channels, sizes={"pc.ram": 8 * self.page_size},
        )  # fmt: skip


Work = Annotated[Pairing | Probe | Check | Reproducer | Fidelity | Flips, Field(discriminator="kind")]


def _both(one: str, other: str, between: str = "~") -> str:
    return one if one == other else f"{one}{between}{other}"


def _key(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]

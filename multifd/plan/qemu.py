"""Cells with a real QEMU on one or both ends.

=====================  ==================================================================================
pairing                which cells
=====================  ==================================================================================
QEMU to QEMU           every ordered pair, every method x method, both zero-page modes, equal and unequal
                       numbers of channels; what a busy destination does to a mismatch
QEMU to ours           every method, every decoder of ours that can read it; more ways to migrate
ours to QEMU           every encoder of ours in every framing under the flag of a method (splice)
QEMU to ours, on       every method, every decoder of ours that can read it (splice)
QEMU to itself         a recording, with a fault in it
=====================  ==================================================================================
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.peers import LineUp, QemuPeer
from multifd.lineup.qemus import MEMORY
from multifd.plan.cell import PlannedCell
from multifd.plan.faults import NOISE
from multifd.plan.pairings import Party, able, pairing_cell
from multifd.plan.reference import reference
from multifd.plan.work import Pairing
from multifd.qemu.facts import common_machine
from multifd.qemu.guest import RAM_BLOCK
from multifd.wire.dialect import LATEST, ZeroPages
from multifd.wire.fault import FAULTS, Place

_HIDDEN: Final = ("uadk", "qatzip")
"""Methods whose flag an old mask does not show."""
_CHANNELS: Final = (("migrate", 2, 2), ("fewer-channels", 2, 3), ("more-channels", 3, 2))
"""Scenarios by the numbers of channels that sender and receiver were told."""
_WAYS: Final[tuple[dict[str, Any], ...]] = (
    *({"scenario": "migrate", "channels": channels} for channels in (1, 3, 16)),
    *({"scenario": scenario} for scenario in ("return-path", "dirty-rounds")),
    *({"scenario": scenario} for scenario in ("migrate-legacy", "old-machine")),
)
"""Ways in which our receiver is migrated to, with one decoder for each method."""

_AMID: Final = Place(packet="middle")
"""Neither the stream nor a round of a QEMU begins or ends there."""
_RECORDED: Final = (
    "init-magic", "init-version", "init-uuid", "init-id", "init-id-twice", "init-reserved", "magic", "version",
    "flags-unknown-method", "flags-all", "flags-ignored-bit", "pages-alloc", "normal-pages", "packet-size", "number",
    "ramblock", "offset", "offset-at-end",
    *(
        str(FAULTS[name].at(_AMID))
        for name in (
            "offset-unaligned", "offsets-swapped", "offset-twice", "zero-with-size", "size-one-less", "lost",
            "duplicated", "bit-inside", "payload-cut", "sync-lost", "sync-twice", "ends-in-payload",
        )
    ),
)  # fmt: skip
"""Of each kind what is most telling; each costs a destination of its own."""


def machine_of(line_up: LineUp, pairing: Pairing) -> str:
    """The machine type that both ends of a pairing run: the newest that they share."""
    qemus = [qemu.facts for name in (pairing.sender, pairing.receiver) if (qemu := line_up.qemu(name)) is not None]
    if pairing.plan.old_machine:
        qemus = [qemu.facts for qemu in line_up.qemus]
    machine = common_machine(*qemus)
    assert machine is not None, f"{pairing.place} has no machine type and should have been skipped"
    return machine


def qemu_plan(line_up: LineUp) -> Iterator[PlannedCell]:
    """Every cell of the suite, in a fixed order."""
    yield from _pairs(line_up)
    yield from _to_ours(line_up)
    yield from _spliced_in(line_up)
    yield from _readable(line_up, "splice")
    yield from _faults(line_up)


def _pairs(line_up: LineUp) -> Iterator[PlannedCell]:
    for sender, receiver in itertools.product(line_up.qemus, line_up.qemus):
        for sent, read in itertools.product(sender.methods, receiver.methods):
            for (name, channels, expects), mode in itertools.product(_CHANNELS, _modes(sender)):
                yield _cell(sender, receiver, sent, read, scenario=name + mode, channels=channels, expects=expects)
        yield from _busy(sender, receiver)
        for method in _shared(sender, receiver):
            for scenario in ("return-path", "tcp"):
                yield _cell(sender, receiver, method, method, scenario=scenario)


def _busy(sender: QemuPeer, receiver: QemuPeer) -> Iterator[PlannedCell]:
    """One pairing that fits and one that does not."""
    for sent, read in (("zlib", "zlib"), ("zlib", "zstd")):
        if sent in sender.methods and read in receiver.methods:
            for scenario in ("busy-destination", "busy-return-path"):
                yield _cell(sender, receiver, sent, read, scenario=scenario)


def _to_ours(line_up: LineUp) -> Iterator[PlannedCell]:
    yield from _readable(line_up, "migrate")
    for sender, method in _sent(line_up):
        ours = next((p for p in line_up.receivers() if p.name == reference(method)), None)
        if ours is None or not able(sender, ours, method, method):
            continue
        for way in _WAYS:
            if way["scenario"] in ("migrate-legacy", "old-machine") and not sender.facts.zero_pages:
                continue  # it knows no other way
            if way["scenario"] == "old-machine" and _oldest_is_own(line_up, sender):
                continue
            yield _cell(sender, ours, method, method, **way)


def _spliced_in(line_up: LineUp) -> Iterator[PlannedCell]:
    """Our encoders before a real decoder: each framing that travels under the flag of a method it offers."""
    for receiver in line_up.qemus:
        for method, name in itertools.product(receiver.methods, FRAMINGS):
            if framing(name).travels_as != method or name == "qatzip-stub":
                continue
            for sender in line_up.senders():
                if able(sender, receiver, name, method):
                    yield _cell(sender, receiver, name, method, scenario="splice")
        if receiver.facts.dialect.zero_pages is ZeroPages.MAIN:
            yield from _hidden(line_up, receiver)


def _hidden(line_up: LineUp, receiver: QemuPeer) -> Iterator[PlannedCell]:
    """Newer methods to a QEMU whose mask hides their flag."""
    for method in _HIDDEN:
        sender = next((p for p in line_up.senders() if p.name == reference(method)), None)
        if sender is not None and able(sender, receiver, method, "none"):
            yield _cell(sender, receiver, method, "none", scenario="splice", spoken=LATEST)


def _readable(line_up: LineUp, scenario: str) -> Iterator[PlannedCell]:
    """Every method of a real QEMU, every decoder of ours that can read it."""
    for (sender, method), receiver in itertools.product(_sent(line_up), line_up.receivers()):
        if able(sender, receiver, method, method):
            cell = _cell(sender, receiver, method, method, scenario=scenario)
            if cell.prediction.outcome == "identical":
                yield cell


def _sent(line_up: LineUp) -> Iterator[tuple[QemuPeer, str]]:
    return ((sender, method) for sender in line_up.qemus for method in sender.methods)


def _faults(line_up: LineUp) -> Iterator[PlannedCell]:
    """What a receiver must notice, or is known not to."""
    for qemu, fault in itertools.product(line_up.qemus, _RECORDED):
        yield _cell(qemu, qemu, "zlib", "zlib", scenario="recorded-fault", fault=fault, corpus=NOISE)


def _modes(sender: QemuPeer) -> tuple[str, ...]:
    """Endings of the scenarios' names: of a sender before 9.0 legacy is all it knows."""
    return ("", "-legacy") if sender.facts.zero_pages else ("",)


def _shared(sender: QemuPeer, receiver: QemuPeer) -> list[str]:
    return [method for method in sender.methods if method in receiver.methods]


def _oldest_is_own(line_up: LineUp, sender: QemuPeer) -> bool:
    """The run has no machine type that is older than the sender's own, or none that all binaries have."""
    oldest = common_machine(*(qemu.facts for qemu in line_up.qemus))
    return oldest in (None, common_machine(sender.facts))


def _cell(
    sender: Party,
    receiver: Party,
    sent: str,
    read: str,
    *,
    scenario: str,
    channels: int = 2,
    expects: int | None = None,
    spoken: str | None = None,
    fault: str | None = None,
    corpus: str = "mixed",
) -> PlannedCell:
    """One cell. A codec of ours speaks the dialect of the QEMU it faces, unless told otherwise."""
    source, *others = [peer.facts.dialect.name for peer in (sender, receiver) if isinstance(peer, QemuPeer)]
    return pairing_cell(
        "qemu", sender, receiver, (sent, read), scenario, {RAM_BLOCK: MEMORY},
        dialects=(spoken or source, others[0] if others else source),
        channels=channels, receiver_channels=expects, fault=fault, corpus=corpus,
    )  # fmt: skip

"""Cells with a real QEMU on one or both ends.

=====================  ==================================================================================
pairing                which cells
=====================  ==================================================================================
QEMU to QEMU           every ordered pair, every method x method, both zero-page modes, equal and unequal
                       numbers of channels; what a busy destination does to a mismatch
QEMU to ours           every method, every decoder of ours that can read it; more ways to migrate
ours to QEMU           every encoder of ours in every framing under the flag of a method (splice)
QEMU to ours, on       every method, every decoder of ours that can read it (splice)
QEMU to itself         a recording, with one field overwritten
=====================  ==================================================================================
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.model import LineUp, LineUpPeer, QemuPeer
from multifd.lineup.qemus import MEMORY
from multifd.oracle.predict import predict
from multifd.oracle.qemu import decoder_of, encoder_of
from multifd.oracle.question import Question, Side
from multifd.plan.cell import PlannedCell
from multifd.plan.matrix import LATEST, REFERENCE, zero_pages
from multifd.plan.scenario import SCENARIOS
from multifd.qemu.facts import common_machine
from multifd.wire.dialect import ZeroPages, dialect
from multifd.wire.fault import FAULTS

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


def machine_of(line_up: LineUp, cell: PlannedCell) -> str:
    """The machine type that both ends of a cell run: the newest that they share."""
    qemus = [qemu.facts for name in (cell.sender, cell.receiver) if (qemu := line_up.qemu(name)) is not None]
    if SCENARIOS[cell.scenario].old_machine:
        qemus = [qemu.facts for qemu in line_up.qemus]
    machine = common_machine(*qemus)
    assert machine is not None, f"{cell.id} has no machine type and should have been skipped"
    return machine


def qemu_plan(line_up: LineUp) -> list[PlannedCell]:
    """Every cell of the suite, in a fixed order."""
    return [
        *_pairs(line_up),
        *_to_ours(line_up),
        *_spliced_in(line_up),
        *_readable(line_up, "splice"),
        *_faults(line_up),
    ]


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
        reference = next((p for p in line_up.receivers() if p.name == _reference(method)), None)
        if reference is None:
            continue
        for way in _WAYS:
            if way["scenario"] in ("migrate-legacy", "old-machine") and not sender.facts.zero_pages:
                continue  # it knows no other way
            if way["scenario"] == "old-machine" and _oldest_is_own(line_up, sender):
                continue
            yield _cell(sender, reference, method, method, **way)


def _spliced_in(line_up: LineUp) -> Iterator[PlannedCell]:
    """Our encoders before a real decoder: each framing that travels under the flag of a method it offers."""
    for receiver in line_up.qemus:
        for method, name in itertools.product(receiver.methods, FRAMINGS):
            if framing(name).travels_as != method or name == "qatzip-stub":
                continue
            for sender in line_up.senders():
                cell = _cell(sender, receiver, name, method, scenario="splice")
                if not cell.prediction.rule.startswith("sender-"):
                    yield cell
        if receiver.facts.dialect.zero_pages is ZeroPages.MAIN:
            yield from _hidden(line_up, receiver)


def _hidden(line_up: LineUp, receiver: QemuPeer) -> Iterator[PlannedCell]:
    """Newer methods to a QEMU whose mask hides their flag."""
    for method in _HIDDEN:
        sender = next((p for p in line_up.senders() if p.name == _reference(method)), None)
        if sender is not None:
            yield _cell(sender, receiver, method, "none", scenario="splice", spoken=LATEST)


def _readable(line_up: LineUp, scenario: str) -> Iterator[PlannedCell]:
    """Every method of a real QEMU, every decoder of ours that can read it."""
    for (sender, method), receiver in itertools.product(_sent(line_up), line_up.receivers()):
        cell = _cell(sender, receiver, method, method, scenario=scenario)
        if cell.prediction.outcome == "identical":
            yield cell


def _sent(line_up: LineUp) -> Iterator[tuple[QemuPeer, str]]:
    return ((sender, method) for sender in line_up.qemus for method in sender.methods)


def _faults(line_up: LineUp) -> Iterator[PlannedCell]:
    """What a receiver must notice, or is known not to."""
    for qemu, fault in itertools.product(line_up.qemus, FAULTS):
        yield _cell(qemu, qemu, "zlib", "zlib", scenario="recorded-fault", fault=fault)


def _modes(sender: QemuPeer) -> tuple[str, ...]:
    """Endings of the scenarios' names: of a sender before 9.0 legacy is all it knows."""
    return ("", "-legacy") if sender.facts.zero_pages else ("",)


def _shared(sender: QemuPeer, receiver: QemuPeer) -> list[str]:
    return [method for method in sender.methods if method in receiver.methods]


def _reference(method: str) -> str:
    return REFERENCE.get(method, "zlib")


def _oldest_is_own(line_up: LineUp, sender: QemuPeer) -> bool:
    """The run has no machine type that is older than the sender's own, or none that all binaries have."""
    oldest = common_machine(*(qemu.facts for qemu in line_up.qemus))
    return oldest in (None, common_machine(sender.facts))


def _cell(
    sender: QemuPeer | LineUpPeer,
    receiver: QemuPeer | LineUpPeer,
    sent: str,
    read: str,
    *,
    scenario: str,
    channels: int = 2,
    expects: int | None = None,
    spoken: str | None = None,
    fault: str | None = None,
) -> PlannedCell:
    """One cell with its prediction. A codec of ours speaks the dialect of the QEMU it faces, unless told otherwise."""
    qemus = [peer for peer in (sender, receiver) if isinstance(peer, QemuPeer)]
    source = qemus[0].facts.dialect
    dialects = (dialect(spoken) if spoken is not None else source, qemus[-1].facts.dialect)
    plan = SCENARIOS[scenario]
    expects = expects or channels
    question = Question(
        sender=Side(sender.name, framing(sent), dialects[0], qemu=isinstance(sender, QemuPeer)),
        receiver=Side(receiver.name, framing(read), dialects[1], qemu=isinstance(receiver, QemuPeer)),
        encoder=encoder_of(sender.methods) if isinstance(sender, QemuPeer) else sender.encoder,
        decoder=decoder_of(receiver.methods) if isinstance(receiver, QemuPeer) else receiver.decoder,
        page_size=4096,
        zero_pages=zero_pages(scenario, source),
        becomes_zero=plan.becomes_zero,
        fault=FAULTS[fault] if fault is not None else None,
        channels=(channels, expects),
        looks_late=plan.busy_destination and not plan.return_path,
    )
    return PlannedCell(
        suite="qemu",
        sender=sender.name,
        receiver=receiver.name,
        sender_framing=sent,
        receiver_framing=read,
        sender_dialect=dialects[0].name,
        receiver_dialect=dialects[1].name,
        scenario=scenario,
        corpus="mixed",
        page_size=4096,
        channels=channels,
        receiver_channels=None if expects == channels else expects,
        sizes={"m": MEMORY},
        fault=fault,
        prediction=predict(question),
        skip=_skip(sender, receiver),
    )


def _skip(sender: QemuPeer | LineUpPeer, receiver: QemuPeer | LineUpPeer) -> str | None:
    for peer in (sender, receiver):
        if isinstance(peer, LineUpPeer) and peer.skip is not None:
            return peer.skip
        if peer.probe is not None:
            return f"{peer.name} failed its probe ({peer.probe}); remedy: mend the peer or take it out of the run"
    qemus = [peer for peer in (sender, receiver) if isinstance(peer, QemuPeer)]
    if common_machine(*(qemu.facts for qemu in qemus)) is None:
        names = " and ".join(qemu.name for qemu in qemus)
        return f"{names} share no machine type; remedy: --qemu with versions less far apart"
    return None

"""From two peers of the line-up to a cell: the one place where a pairing is put to the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from multifd.framing.model import framing
from multifd.lineup.peers import LineUpPeer, QemuPeer
from multifd.oracle.ability import cannot_read, cannot_send
from multifd.oracle.predict import predict
from multifd.oracle.question import Question, Side, Told
from multifd.plan.cell import PlannedCell
from multifd.plan.scenarios.scenario import Scenario
from multifd.plan.work import USUAL_BLOCKS, USUAL_FILL, Pairing
from multifd.qemu.defaults import Defaults
from multifd.qemu.facts import common_machine
from multifd.wire.dialect import DETECTION, LATEST, dialect
from multifd.wire.fault import OF_QEMU, OURS
from multifd.wire.fault import fault as written
from multifd.wire.packet import slots

Party = LineUpPeer | QemuPeer
_ONE_ROUND: Final = ("single", "stale", "zero-only")
"""Shapes with content in their first round only (:mod:`multifd.memory.rounds`)."""


def sends(sender: Party, name: str, page_size: int = 4096) -> bool:
    """It can put a payload into this framing, by what it declares."""
    return cannot_send(sender.encoder, framing(name), page_size) is None


def reads(receiver: Party, name: str) -> bool:
    """It has something to read this framing with, by what it declares."""
    return cannot_read(receiver.decoder, framing(name)) is None


def able(sender: Party, receiver: Party, sent: str, read: str, page_size: int = 4096) -> bool:
    """Both can do their part, so that there is something to try."""
    return sends(sender, sent, page_size) and reads(receiver, read)


def pairing(
    sender: Party,
    receiver: Party,
    framings: str | tuple[str, str],
    scenario: str,
    sizes: Mapping[str, int],
    *,
    dialects: str | tuple[str, str] = LATEST,
    corpus: str = "mixed",
    page_size: int = 4096,
    channels: int = 2,
    receiver_channels: int | None = None,
    blocks: str = USUAL_BLOCKS,
    fill: str = USUAL_FILL,
    fault: str | None = None,
) -> Pairing:
    """The work of a cell. Framings and dialects are one name for both ends, or one for each."""
    sent, read = framings if isinstance(framings, tuple) else (framings, framings)
    spoken, heard = dialects if isinstance(dialects, tuple) else (dialects, dialects)
    return Pairing(
        sender=sender.name,
        receiver=receiver.name,
        sender_framing=sent,
        receiver_framing=read,
        sender_dialect=spoken,
        receiver_dialect=heard,
        scenario=scenario,
        corpus=corpus,
        page_size=page_size,
        channels=channels,
        receiver_channels=None if receiver_channels == channels else receiver_channels,
        sizes=dict(sizes),
        blocks=blocks,
        fill=fill,
        fault=fault,
    )


def pairing_cell(
    suite: str,
    sender: Party,
    receiver: Party,
    framings: str | tuple[str, str],
    scenario: str,
    sizes: Mapping[str, int],
    **special: Any,
) -> PlannedCell:
    """The cell with its prediction; what is special about it is as :func:`pairing` takes it.

    The two must be :func:`able`: the oracle is asked about what can be tried.
    """
    work = pairing(sender, receiver, framings, scenario, sizes, **special)
    return planned(suite, work, sender, receiver)


def planned(suite: str, work: Pairing, sender: Party, receiver: Party) -> PlannedCell:
    """The cell of a pairing of these two, with its prediction."""
    prediction = predict(question(work, sender, receiver))
    return PlannedCell(suite=suite, work=work, prediction=prediction, skip=skip(sender, receiver))


def question(pairing: Pairing, sender: Party, receiver: Party) -> Question:
    """What the oracle is asked about a pairing."""
    assert sender.encoder is not None and receiver.decoder is not None, f"{pairing.place} cannot be tried"
    scenario, spoken = pairing.plan, dialect(pairing.sender_dialect)
    # Beside a splice it is a QEMU that puts the zero pages where they travel, whoever encodes the others.
    qemu = next((party for party in (sender, receiver) if isinstance(party, QemuPeer)), None)
    zero_pages = scenario.zero_pages(qemu.facts.dialect if qemu is not None else spoken)
    machine, untold = _untold(sender, receiver)
    if scenario.defaults and untold is not None:
        zero_pages = DETECTION[untold.zero_pages]
    return Question(
        sender=_side(sender, pairing.sender_framing, pairing.sender_dialect),
        receiver=_side(receiver, pairing.receiver_framing, pairing.receiver_dialect),
        encoder=sender.encoder,
        decoder=receiver.decoder,
        page_size=pairing.page_size,
        zero_pages=zero_pages,
        becomes_zero=scenario.becomes_zero,
        fault=written(pairing.fault) if pairing.fault is not None else None,
        channels=(pairing.channels, pairing.receiver_channels or pairing.channels),
        goes_on=_goes_on(pairing),
        looks_late=scenario.busy_destination and not scenario.return_path,
        link=scenario.link,
        matches=pairing.corpus != "random",
        machine=machine,
        defaults=untold,
        told=tuple(
            _told(party, name, scenario)
            for party, name in ((receiver, pairing.receiver_framing), (sender, pairing.sender_framing))
            if isinstance(party, QemuPeer)
        ),
        tls=scenario.tls,
        interruption=scenario.interruption,
        recording=OF_QEMU if scenario.mode == "recording" else OURS,
    )  # fmt: skip


def _untold(sender: Party, receiver: Party) -> tuple[str | None, Defaults | None]:
    """The machine type of a QEMU that sends, and what it runs with if it is told nothing."""
    if not isinstance(sender, QemuPeer):
        return None, None
    machine = common_machine(*(party.facts for party in (sender, receiver) if isinstance(party, QemuPeer)))
    return machine, sender.defaults.get(machine or "")


def _told(qemu: QemuPeer, name: str, scenario: Scenario) -> Told:
    on = frozenset(capability for capability, state in scenario.capabilities.items() if state)
    method, secret = framing(name).travels_as, scenario.tls is not None
    return Told(qemu.name, qemu.facts, method, on, scenario.parameters, secret)


def _side(party: Party, name: str, spoken: str) -> Side:
    if isinstance(party, QemuPeer):
        return Side(party.name, framing(name), dialect(spoken), qemu=True)
    return Side(party.name, framing(name), dialect(spoken), codec=None if party.external else party.codec)


def _goes_on(pairing: Pairing) -> bool:
    """Whether some channel carries a second packet with a payload: packets go to the channels in turn."""
    if pairing.plan.shape not in _ONE_ROUND or pairing.fill != USUAL_FILL:
        return True
    per_packet = slots(pairing.page_size)
    packets = sum(-(-size // pairing.page_size // per_packet) for size in pairing.sizes.values())
    return packets > pairing.channels


def skip(*parties: Party) -> str | None:
    """Why a cell of these will not run, and the remedy."""
    for party in parties:
        if party.skip is not None:
            return party.skip
        if party.probe is not None:
            return f"{party.name} failed its probe ({party.probe}); remedy: mend it or take it out of the run"
    qemus = [party for party in parties if isinstance(party, QemuPeer)]
    if qemus and common_machine(*(qemu.facts for qemu in qemus)) is None:
        names = " and ".join(qemu.name for qemu in qemus)
        return f"{names} share no machine type; remedy: --qemu with versions less far apart"
    return None

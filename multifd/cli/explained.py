"""The chain of reasons behind a cell's prediction, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape

from multifd.campaign.prepare import Campaign
from multifd.framing.model import framing
from multifd.lineup.peers import LineUp
from multifd.memory.blocks import division, packet_pages
from multifd.memory.corpus import CORPORA
from multifd.oracle.fallback import receiving, sending
from multifd.plan.cell import PlannedCell
from multifd.plan.work import Check, Fidelity, Flips, Pairing, Probe, Reproducer, Work
from multifd.result.plainly import plainly
from multifd.wire.fault import fault
from multifd.wire.packet import slots


def explain_cell(campaign: Campaign, cell: PlannedCell, console: Console) -> None:
    """Print what is done in a cell, and the chain."""
    for name, value in {"cell": cell.id, **_told(campaign, cell)}.items():
        if value is not None:
            console.print(f"[bold]{name:11}[/]{escape(value)}", soft_wrap=True)
    console.print()
    for step in cell.prediction.chain:
        mark = "[green]holds  [/]" if step.held else "[yellow]decides[/]"
        console.print(f"  {mark}  {step.rule}: {escape(step.because)}", soft_wrap=True)
    if cell.prediction.chain:
        console.print()
    console.print(f"predicted [bold]{cell.prediction.outcome}[/]: {escape(cell.prediction.reason)}", soft_wrap=True)
    if cell.prediction.sooner is not None:
        console.print(
            f"or refused sooner, with an error like: {escape(plainly(cell.prediction.sooner))}", soft_wrap=True
        )
    for setting in cell.prediction.setting:
        console.print(f"needs {escape(str(setting))}", soft_wrap=True)
    if cell.prediction.error is not None:
        console.print(f"with an error like: {escape(plainly(cell.prediction.error))}", soft_wrap=True)
    if cell.skip is not None:
        console.print(f"it will be skipped: {escape(cell.skip)}", soft_wrap=True)
    console.print(f"run it: {escape(campaign.options.reproduce(cell.id))}", soft_wrap=True)


def described(campaign: Campaign, cell: PlannedCell) -> dict[str, Any]:
    """The same, as JSON shows it."""
    prediction = cell.prediction
    return {
        "id": cell.id,
        "suite": cell.suite,
        "facts": {name: value for name, value in _told(campaign, cell).items() if value is not None},
        "predicted": prediction.outcome,
        "rule": prediction.rule,
        "reason": prediction.reason,
        "chain": [asdict(step) for step in prediction.chain],
        "error": prediction.error,
        "sooner": prediction.sooner,
        "setting": [setting.model_dump() for setting in prediction.setting],
        "skip": cell.skip,
        "reproduce": campaign.options.reproduce(cell.id),
    }


def _told(campaign: Campaign, cell: PlannedCell) -> dict[str, str | None]:
    device = _by_design(campaign.line_up, cell.work) if isinstance(cell.work, Pairing) else None
    return {**_facts(cell.work), "device": device}


def _facts(work: Work) -> dict[str, str | None]:
    match work:
        case Pairing():
            return _migration(work)
        case Probe(peer=peer):
            return {"peer": peer, "program": "round trips, and what it cannot do, before anything else"}
        case Flips(sender=sender, receiver=receiver, framing=name):
            return {"framing": f"{name}: {framing(name).shape()}", "sender": sender, "receiver": receiver}
        case Check(library=library, name=name):
            return {"library": library, "program": f"python -m multifd.scrutiny {name} {library}"}
        case Reproducer(library=library, name=name):
            return {"library": library, "program": f"reproducer {name}.py"}
        case Fidelity(library=library, emulation=emulation, streams=streams):
            return {"library": library, "program": f"{emulation} and {library} are given the same {streams} streams"}


def _by_design(line_up: LineUp, pairing: Pairing) -> str | None:
    """What a library will leave to its software though there is a device, of packets that are full."""
    peers = {peer.name: peer for peer in line_up.peers}
    sender, receiver = peers.get(pairing.sender), peers.get(pairing.receiver)
    encoder = sender.encoder if sender is not None else None
    told = []
    if sender is not None and sender.provenance == "hardware":
        why = sending(sender.device, sender.routing, framing(pairing.sender_framing), pairing.page_size)
        told += [f"{sender.name} compresses full packets in software, by design: {why}"] * bool(why)
    if receiver is not None and receiver.provenance == "hardware" and encoder is not None:
        spoken = framing(pairing.receiver_framing)
        why = receiving(receiver.device, receiver.routing, spoken, pairing.page_size, encoder)
        told += [f"{receiver.name} decodes full packets in software, by design: {why}"] * bool(why)
    return "; ".join(told) or None


def _packets(pairing: Pairing) -> str:
    pages = packet_pages(pairing.fill, slots(pairing.page_size))
    return f"of {', '.join(map(str, pages))} pages in turns" if pages else "as many pages as they have room for"


def _migration(pairing: Pairing) -> dict[str, str | None]:
    sent, read = framing(pairing.sender_framing), framing(pairing.receiver_framing)
    content = CORPORA[pairing.corpus].description if pairing.corpus in CORPORA else "your own content"
    return {
        "sender": f"{pairing.sender}, {sent.name} in {pairing.sender_dialect}: {sent.shape()}",
        "receiver": f"{pairing.receiver}, {read.name} in {pairing.receiver_dialect}: {read.shape()}",
        "scenario": f"{pairing.scenario}: {pairing.plan.description}",
        "fault": fault(pairing.fault).why if pairing.fault is not None else None,
        "content": f"{pairing.corpus}: {content}",
        "blocks": f"{pairing.blocks}: {division(pairing.blocks).description}",
        "packets": f"{pairing.fill}: {_packets(pairing)}",
        "defined in": sent.origin if sent is read else f"{sent.origin}; {read.origin}",
    }

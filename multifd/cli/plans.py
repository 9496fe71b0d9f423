"""``multifd cells`` and ``multifd explain``: the plan, before anything runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.markup import escape

from multifd.campaign.options import DEFAULT_MEMORY, DEFAULT_PROFILE, DEFAULT_SEED, DEFAULT_STRENGTH, parse
from multifd.campaign.prepare import Campaign, prepare
from multifd.cli import qemus
from multifd.errors import InputError
from multifd.framing.model import framing
from multifd.lineup.peers import LineUp
from multifd.memory.blocks import division, packet_pages
from multifd.memory.corpus import CORPORA
from multifd.oracle.fallback import receiving, sending
from multifd.plan.coverage import covered, in_words
from multifd.plan.space import Factor, Space
from multifd.plan.work import Check, Fidelity, Flips, Pairing, Probe, Reproducer, Work
from multifd.wire.fault import fault
from multifd.wire.packet import slots

SUITES: Final = ("probe", "wire", "negotiation", "integrity", "flips", "qemu", "vendor", "fidelity")
Command = TypeVar("Command", bound=Callable[..., Any])
QEMU: Final = "qemu"
"""The suite that needs a binary."""

_OPTIONS: Final = (
    click.option(
        "--hwprofile", "profile", metavar="NAME|FILE", default=DEFAULT_PROFILE, show_default=True, help="Profile."
    ),
    qemus.option,
    click.option(
        "--memory", metavar="SIZE", default=f"{DEFAULT_MEMORY >> 10}K", show_default=True,
        help="Of captured and large guests.",
    ),
    click.option("--seed", metavar="NUMBER", default=str(DEFAULT_SEED), show_default=True, help="Of all chance."),
    click.option(
        "--strength", metavar="2|3", default=str(DEFAULT_STRENGTH), show_default=True,
        help="How many factors at a time the plan combines.",
    ),
    click.option("--corpus", metavar="DIR", help="Your own memory content, as much as --memory takes."),
    click.option("--host-root", "host", metavar="DIR", hidden=True),
)  # fmt: skip
"""Those of ``pytest suites`` that decide the plan."""


def _planning(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("match", required=False)
@_planning
@click.option("--suite", type=click.Choice(SUITES))
@click.option("--sender", help="Only this sender, by exact name.")
@click.option("--receiver", help="Only this receiver, by exact name.")
@click.option("--predicted", type=click.Choice(["identical", "rejected", "hazard"]))
@click.option("--unable", is_flag=True, help="Show instead what peers cannot do, and therefore have no cell for.")
@click.option("--coverage", is_flag=True, help="Show instead how many pairs and triples of values the plan combines.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def cells(
    match: str | None,
    suite: str | None,
    sender: str | None,
    receiver: str | None,
    predicted: str | None,
    *,
    unable: bool,
    coverage: bool,
    as_json: bool,
    **given: object,
) -> None:
    """List the plan: every cell with its prediction. Ids are what --cell takes.

    MATCH shows only cells whose id contains this text.
    """
    campaign = _campaign(given)
    if unable:
        _show_unable(campaign, as_json=as_json)
        return
    if coverage and (match or suite or sender or receiver or predicted or unable):
        raise InputError("--coverage counts the whole plan; expected no filter and no --unable beside it")
    if coverage:
        _show_coverage(campaign, as_json=as_json)
        return
    planned = campaign.plan.cells.values()
    wanted = {"sender": sender, "receiver": receiver}
    chosen = [
        cell
        for cell in planned
        if all(value is None or getattr(cell.work, name) == value for name, value in wanted.items())
        and suite in (None, cell.suite)
        and predicted in (None, cell.prediction.outcome)
        and (match is None or match in cell.id)
    ]
    for cell in chosen:
        if as_json:
            print(json.dumps({"id": cell.id, "predicted": cell.prediction.outcome, "reason": cell.prediction.reason}))
        else:
            print(f"{cell.prediction.outcome:9} {cell.id}")
    if suite in (None, QEMU) and not any(cell.suite == QEMU for cell in planned):
        qemus.say_that_none_takes_part()
    if not as_json:
        Console(stderr=True).print(f"{len(chosen)} cells, {len(campaign.plan.unable)} unable", highlight=False)


@click.command()
@click.argument("cell")
@_planning
def explain(cell: str, **given: object) -> None:
    """Show the chain of reasons behind a cell's prediction.

    CELL is an id, as multifd cells prints it; exit 2 if there is no such cell.
    """
    campaign = _campaign(given)
    if cell.startswith(f"{QEMU}/") and not campaign.line_up.qemus:
        raise InputError(f"no cell {cell!r}: no cells of the suite qemu without a binary: {qemus.REMEDY}")
    found = campaign.cell(cell)
    console = Console(highlight=False)
    device = _by_design(campaign.line_up, found.work) if isinstance(found.work, Pairing) else None
    for name, value in {"cell": found.id, **_facts(found.work), "device": device}.items():
        if value is not None:
            console.print(f"[bold]{name:11}[/]{escape(value)}", soft_wrap=True)
    console.print()
    for step in found.prediction.chain:
        mark = "[green]holds  [/]" if step.held else "[yellow]decides[/]"
        console.print(f"  {mark}  {step.rule}: {escape(step.because)}", soft_wrap=True)
    if found.prediction.chain:
        console.print()
    console.print(f"predicted [bold]{found.prediction.outcome}[/]: {escape(found.prediction.reason)}", soft_wrap=True)
    if found.prediction.error is not None:
        console.print(f"with an error like: {escape(found.prediction.error)}", soft_wrap=True)
    if found.skip is not None:
        console.print(f"it will be skipped: {escape(found.skip)}", soft_wrap=True)
    console.print(f"run it: {escape(campaign.options.reproduce(found.id))}", soft_wrap=True)


def _campaign(given: Mapping[str, Any]) -> Campaign:
    """The plan that ``pytest suites`` with the same options has."""
    return prepare(parse(**given, directory=Path.cwd()), _say, probe=False)


def _say(line: str) -> None:
    print(f"multifd: {line}", file=sys.stderr, flush=True)


def _show_unable(campaign: Campaign, *, as_json: bool) -> None:
    for entry in campaign.plan.unable:
        if as_json:
            print(entry.model_dump_json(exclude={"tried"}))
        else:
            print(f"{entry.framing:25} {entry.role:9} {entry.peer}: {entry.reason}")


def _show_coverage(campaign: Campaign, *, as_json: bool) -> None:
    """Of all that is feasible: memory arrives, or a hazard is demonstrated."""
    space = Space(campaign.line_up)
    tuples = covered(space, (cell.work for cell in campaign.plan.cells.values()))
    never = [in_words(space, members) for members in tuples.missing(2)]
    totals = {f"{size}-way": tuples.count(size) for size in (2, 3)}
    if as_json:
        reach = {name: {"had": had, "feasible": feasible} for name, (had, feasible) in totals.items()}
        print(
            json.dumps({"seed": campaign.options.seed, "strength": campaign.options.strength, **reach, "never": never})
        )
        return
    for size in (2, 3):
        for factors, had, feasible in tuples.by_factors(size):
            print(f"{_share(had, feasible)}  {' x '.join(Factor(factor).words for factor in factors)}")
    for name, (had, feasible) in totals.items():
        print(f"{_share(had, feasible)}  {name}, all together")
    for pair in never:
        print(f"never: {pair}")
    Console(stderr=True).print(f"seed {campaign.options.seed}, strength {campaign.options.strength}", highlight=False)


def _share(had: int, feasible: int) -> str:
    """Rounded down: what is not complete must not look as if it were."""
    return f"{1000 * had // max(feasible, 1) / 10:5.1f}%  {had:7,} of {feasible:7,}"


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

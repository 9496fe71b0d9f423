"""``multifd cells`` and ``multifd explain``: the plan, before anything runs."""

from __future__ import annotations

import difflib
import json

import click
from rich.console import Console
from rich.markup import escape

from multifd.device.diagnose import detect
from multifd.device.sysfs import Host
from multifd.errors import InputError
from multifd.framing.model import framing
from multifd.memory.corpus import CORPORA
from multifd.plan.cell import PlannedCell
from multifd.plan.fault import FAULTS
from multifd.plan.matrix import PlanOptions, plan
from multifd.plan.vendor import VendorCell, vendor_plan
from multifd.profile.load import load
from multifd.run.devices import device_peers
from multifd.run.introduce import resolve
from multifd.run.vendor import subjects

_profile = click.option("--hwprofile", metavar="NAME|FILE", default="auto", show_default=True, help="Hardware profile.")


@click.command()
@click.argument("match", required=False)
@_profile
@click.option("--suite", type=click.Choice(["wire", "negotiation", "integrity", "vendor", "fidelity"]))
@click.option("--sender", help="Only this sender, by exact name.")
@click.option("--receiver", help="Only this receiver, by exact name.")
@click.option("--predicted", type=click.Choice(["identical", "rejected", "hazard"]))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def cells(
    match: str | None,
    hwprofile: str,
    suite: str | None,
    sender: str | None,
    receiver: str | None,
    predicted: str | None,
    as_json: bool,
) -> None:
    """List the plan: every cell with its prediction. Ids are what --cell takes.

    MATCH shows only cells whose id contains this text.
    """
    wanted = {"suite": suite, "sender": sender, "receiver": receiver}
    chosen = [
        cell
        for cell in _planned(hwprofile)
        if all(value is None or getattr(cell, name) == value for name, value in wanted.items())
        and (predicted is None or cell.prediction.outcome == predicted)
        and (match is None or match in cell.id)
    ]
    for cell in chosen:
        if as_json:
            print(json.dumps({"id": cell.id, "predicted": cell.prediction.outcome, "reason": cell.prediction.reason}))
        else:
            print(f"{cell.prediction.outcome:9} {cell.id}")
    if not as_json:
        Console(stderr=True).print(f"{len(chosen)} cells", highlight=False)


@click.command()
@click.argument("cell")
@_profile
def explain(cell: str, hwprofile: str) -> None:
    """Show the chain of reasons behind a cell's prediction.

    CELL is an id, as multifd cells prints it; exit 2 if there is no such cell.
    """
    planned = {one.id: one for one in _planned(hwprofile)}
    found = planned.get(cell)
    if found is None:
        near = difflib.get_close_matches(cell, planned, n=3, cutoff=0)
        raise InputError(f"no cell {cell!r}; the nearest are {', '.join(near) or 'none'} (multifd cells lists all)")
    console = Console(highlight=False)
    facts = _facts(found) if isinstance(found, PlannedCell) else _vendor_facts(found)
    for name, value in facts.items():
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
        console.print(f"with an error like {escape(repr(found.prediction.error))}", soft_wrap=True)
    if found.skip is not None:
        console.print(f"it will be skipped: {escape(found.skip)}", soft_wrap=True)
    console.print(f"run it: {escape(found.reproduce())}", soft_wrap=True)


def _facts(cell: PlannedCell) -> dict[str, str | None]:
    sent, read = framing(cell.sender_framing), framing(cell.receiver_framing)
    content = CORPORA[cell.corpus].description if cell.corpus in CORPORA else "your own content"
    return {
        "cell": cell.id,
        "sender": f"{cell.sender}, {sent.name} in {cell.sender_dialect}: {sent.shape()}",
        "receiver": f"{cell.receiver}, {read.name} in {cell.receiver_dialect}: {read.shape()}",
        "scenario": f"{cell.scenario}: {cell.plan.description}",
        "fault": FAULTS[cell.fault].why if cell.fault is not None else None,
        "content": f"{cell.corpus}: {content}",
        "defined in": sent.origin if sent is read else f"{sent.origin}; {read.origin}",
    }


def _vendor_facts(cell: VendorCell) -> dict[str, str | None]:
    streams = f"{cell.sender} and {cell.receiver} are given the same {cell.streams} streams"
    check = f"python -m multifd.scrutiny {cell.scenario} {cell.library}"
    return {
        "cell": cell.id,
        "library": cell.library,
        "program": streams if cell.streams else f"reproducer {cell.script.name}" if cell.script else check,
    }


def _planned(profile: str) -> list[PlannedCell | VendorCell]:
    loaded, found = load(profile), detect(Host())
    line_up = resolve(profile, loaded, None, device_peers(loaded, found))
    pairings = plan(line_up, PlanOptions(corpora=tuple(CORPORA)))
    return [*pairings, *vendor_plan(subjects(loaded, found).skips)]

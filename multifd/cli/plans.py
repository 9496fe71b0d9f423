"""``multifd cells`` and ``multifd explain``: the plan, before anything runs."""

from __future__ import annotations

import difflib
import json
from typing import Final

import click
from rich.console import Console
from rich.markup import escape

from multifd.cli import qemus
from multifd.device.diagnose import detect
from multifd.device.sysfs import Host
from multifd.errors import InputError
from multifd.framing.model import framing
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.lineup.subjects import subjects
from multifd.memory.corpus import CORPORA
from multifd.plan.cell import PlannedCell
from multifd.plan.matrix import PlanOptions, plan
from multifd.plan.qemu import qemu_plan
from multifd.plan.vendor import VendorCell, vendor_plan
from multifd.profile.load import load
from multifd.wire.fault import FAULTS

QEMU: Final = "qemu"
"""The suite that needs a binary."""

_profile = click.option("--hwprofile", metavar="NAME|FILE", default="auto", show_default=True, help="Hardware profile.")


@click.command()
@click.argument("match", required=False)
@_profile
@qemus.option
@click.option("--suite", type=click.Choice(["wire", "negotiation", "integrity", "qemu", "vendor", "fidelity"]))
@click.option("--sender", help="Only this sender, by exact name.")
@click.option("--receiver", help="Only this receiver, by exact name.")
@click.option("--predicted", type=click.Choice(["identical", "rejected", "hazard"]))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def cells(
    match: str | None,
    hwprofile: str,
    qemu: tuple[str, ...],
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
    planned = _planned(hwprofile, qemu)
    chosen = [
        cell
        for cell in planned
        if all(value is None or getattr(cell, name) == value for name, value in wanted.items())
        and (predicted is None or cell.prediction.outcome == predicted)
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
        Console(stderr=True).print(f"{len(chosen)} cells", highlight=False)


@click.command()
@click.argument("cell")
@_profile
@qemus.option
def explain(cell: str, hwprofile: str, qemu: tuple[str, ...]) -> None:
    """Show the chain of reasons behind a cell's prediction.

    CELL is an id, as multifd cells prints it; exit 2 if there is no such cell.
    """
    planned = {one.id: one for one in _planned(hwprofile, qemu)}
    found = planned.get(cell)
    if found is None:
        if cell.startswith(f"{QEMU}/") and not any(one.suite == QEMU for one in planned.values()):
            raise InputError(f"no cell {cell!r}: no cells of the suite qemu without a binary: {qemus.REMEDY}")
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
    given = tuple(part for named in qemu for part in ("--qemu", named))
    console.print(f"run it: {escape(found.reproduce(given))}", soft_wrap=True)


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


def _planned(profile: str, qemu: tuple[str, ...]) -> list[PlannedCell | VendorCell]:
    loaded, found = load(profile), detect(Host())
    line_up = resolve(profile, loaded, None, device_peers(loaded, found))
    line_up = line_up.model_copy(update={"qemus": qemus.qemus_of(loaded, qemu)})
    pairings = plan(line_up, PlanOptions(corpora=tuple(CORPORA)))
    return [*pairings, *qemu_plan(line_up), *vendor_plan(subjects(loaded, found).skips)]

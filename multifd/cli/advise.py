"""``multifd advise``: what to set for a migration, and whether one that is about to begin would be safe."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from multifd.advice.hosts import Host
from multifd.advice.lines import Direction, Standing
from multifd.advice.monitor import Running, ask_both, ask_one
from multifd.advice.of_oracle import direction
from multifd.advice.of_run import judged
from multifd.advice.preflight import Preflight, preflight
from multifd.advice.whom import alike, host, is_socket
from multifd.cli.advised import show_direction, show_preflight
from multifd.cli.loaded import results_of
from multifd.result.record import Results

CODES: Final[dict[Standing, int]] = {"safe": 0, "refused": 1, "hazard": 2, "unknown": 2}
"""Whoever may go on only where it is safe goes on at 0 only: what nobody knows is no better than a hazard, nor is what
was asked wrongly, which is 2 in every command."""


@click.command()
@click.option("--from", "sender", metavar="A", required=True, help="Where guests leave.")
@click.option("--to", "receiver", metavar="B", required=True, help="Where they go.")
@click.option("--back", is_flag=True, help="The way back, too.")
@click.option("--results", type=click.Path(path_type=Path), metavar="DIR", help="A run that is asked, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def advise(sender: str, receiver: str, *, back: bool, results: Path | None, as_json: bool) -> None:
    """Say what to set for a migration from A to B: safe methods, hazards with the setting behind each, refusals.

    \b
    A and B are each one of
      qemu-7.2            a version of QEMU
      icx-c62x            a profile: its accelerators, with the newest QEMU
      qat, iaa, kunpeng   any host with that accelerator, likewise
      qemu-9.2+qat        that QEMU, with the accelerators of a profile, of a host, or that one
      host.json           what 'multifd doctor --json' said of a host
      /run/qmp.sock       the QMP socket of a QEMU that runs

    Of the profiles icx-c62x has QAT, spr-qat-iaa QAT and IAA, kunpeng-920 the zip engine of that processor; multifd
    doctor --json on a host says what it has.

    Where both run this is the preflight of that very migration: both are asked for version, machine type,
    capabilities and parameters, and told nothing.

    \b
    Examples:
      multifd advise --from qemu-7.2 --to qemu-10.0+icx-c62x --back
      multifd advise --from /run/source.qmp --to /run/destination.qmp --json

    \b
    Exit codes, of several directions the worst: 0 safe; 1 refused: nothing is lost, nothing gets across; 2 hazardous,
    or nobody knows, also because it was asked wrongly: then standard output is empty; 3 a QEMU does not answer.
    """
    sys.exit(_advise(sender, receiver, back, results, as_json))


def _advise(sender: str, receiver: str, back: bool, directory: Path | None, as_json: bool) -> int:
    run = results_of(directory) if directory is not None else None
    if is_socket(sender) and is_socket(receiver):
        return _preflight(sender, receiver, back, run, as_json)
    ends = _host(sender, "--from"), _host(receiver, "--to")
    ends = alike(ends[0], ends[1]), alike(ends[1], ends[0])
    ways = (ends, ends[::-1]) if back else (ends,)
    directions = [_direction(one, other, run) for one, other in ways]
    if as_json:
        print(json.dumps({"directions": [_described(each) for each in directions]}, indent=2))
    else:
        console = Console(highlight=False)
        for each in directions:
            show_direction(console, each)
    return max(CODES[each.verdict] for each in directions)


def _preflight(sender: str, receiver: str, back: bool, run: Results | None, as_json: bool) -> int:
    asked: tuple[Running, Running] = ask_both(sender, receiver)
    ways = (asked, asked[::-1]) if back else (asked,)
    found: list[Preflight] = [preflight(*way, run) for way in ways]
    if as_json:
        print(json.dumps({"preflights": [each.model_dump() for each in found]}, indent=2))
    else:
        console = Console(highlight=False)
        for each in found:
            show_preflight(console, each)
    return max(CODES[each.verdict] for each in found)


def _host(text: str, option: str) -> Host:
    return ask_one(text).host if is_socket(text) else host(text, option)


def _direction(sender: Host, receiver: Host, run: Results | None) -> Direction:
    return direction(sender, receiver) if run is None else judged(sender, receiver, run)


def _described(each: Direction) -> dict[str, Any]:
    return {"verdict": each.verdict, **each.model_dump()}

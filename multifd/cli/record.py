"""``multifd record``: a capture from a real QEMU, without any suite."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from multifd.cli.output import Console
from multifd.cli.qemus import ANSWER, one_binary
from multifd.errors import EnvironmentBroke, InputError
from multifd.memory.corpus import CORPORA
from multifd.memory.host import blaming
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.memory.size import size
from multifd.migrate.capture import MANIFEST
from multifd.qemu.arch import X86
from multifd.qemu.ask import ask
from multifd.qemu.facts import common_machine, has_dialect
from multifd.qemu.guest import Machine
from multifd.qemu.migration import Terms
from multifd.qemu.recording import record_source
from multifd.result.counted import counted
from multifd.result.placing import check_directory

_CONTENT: Final = "mixed"
_SEED: Final = 1
_LEAST: Final = 1 << 20
"""Bytes of memory below which no PC starts."""
_CHANNELS: Final = 255
"""Most that QEMU takes for ``multifd-channels``."""
_WITHIN: Final = 600.0
"""Seconds that a migration may take while it moves; one that does not move is given up at once."""


@click.command()
@click.option("--qemu", required=True, metavar="PATH", help="The QEMU: a path, or a command line with its loader.")
@click.option("--method", default="zlib", show_default=True, help="Value of multifd-compression.")
@click.option("--channels", type=click.IntRange(1, _CHANNELS), default=2, show_default=True)
@click.option("--memory", metavar="SIZE", default="16M", show_default=True, help="Guest memory, with K, M or G.")
@click.option("--machine", metavar="TYPE", help="Machine type, such as pc-i440fx-7.2; the newest unless given.")
@click.option("--zero-pages", metavar="MODE", help="Value of zero-page-detection; the machine type's unless given.")
@click.option("--json", "as_json", is_flag=True, help="Say what was recorded as one JSON object.")
@click.argument("out", type=click.Path(path_type=Path))
def record(
    qemu: str,
    method: str,
    channels: int,
    memory: str,
    machine: str | None,
    zero_pages: str | None,
    out: Path,
    *,
    as_json: bool,
) -> None:
    """Record one migration of a real QEMU as a capture, for multifd replay and multifd dissect.

    OUT is a new directory. The guest never runs: its memory has content of every kind, and pages of zeros. Which
    pages travel on which channel, and in how many packets, differs from run to run.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"OUT {str(out)!r}: is there already, expected a new or an empty directory")
    check_directory(out, "OUT")
    wanted = size(memory, unit=X86.page_size, least=_LEAST)
    binary = one_binary(qemu)
    facts = ask(binary, ANSWER)
    machines = [name for name in facts.machines if has_dialect(name)]
    _among("--method", method, facts.methods)
    _among("--machine", machine, machines)
    _among("--zero-pages", zero_pages, facts.zero_pages)
    chosen = machine or common_machine(facts)
    if chosen is None:
        raise InputError(f"--qemu {qemu!r}: has no machine type {facts.arch.machines} of 5.0 or later")
    scratch = make_scratch(2 * wanted, sockets=True)
    try:
        ram = scratch / "ram"
        with blaming(ram):
            ram.write_bytes(CORPORA[_CONTENT].content(wanted, _SEED))
        made = record_source(
            binary, facts, Machine(chosen, ram, wanted), Terms(method, channels, zero_pages), out, scratch, _WITHIN
        )
    except EnvironmentBroke:
        _without_manifest(out)
        raise
    finally:
        remove_scratch(scratch)
    if as_json:
        print(json.dumps({"capture": str(out), "machine": chosen, **made.model_dump(mode="json")}))
        return
    Console().print(
        f"{out}: {method} of {made.source}, {chosen}, {counted(made.channels, 'channel')}, {wanted >> 20} MiB",
        soft_wrap=True, markup=False,
    )  # fmt: skip


def _among(option: str, value: str | None, expected: Sequence[str]) -> None:
    if value is not None and value not in expected:
        known = f"one of {', '.join(expected)}" if expected else "none: this QEMU has no such parameter"
        raise InputError(f"{option} {value!r}: expected {known}")


def _without_manifest(out: Path) -> None:
    """What is no capture does not look like half of one."""
    if not (out / MANIFEST).exists():
        shutil.rmtree(out, ignore_errors=True)

"""What ``multifd doctor`` found out about a host, for a person: words and commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape

from multifd.accelerator import ACCELERATORS, VENDOR
from multifd.cli.examined import Examined, Run
from multifd.cli.qemus import Found
from multifd.device.diagnose import Diagnosis
from multifd.device.found import BOTH, Device, Problem
from multifd.libraries.find import Library, chosen
from multifd.libraries.packages import remedy
from multifd.lineup.preflight import Tried
from multifd.memory.scratch import places

_FETCH_QEMU: Final = "multifd vendor fetch --qemu"


def show(console: Console, host: Examined) -> None:
    """All of a live host."""
    show_devices(console, host.diagnosis)
    console.print("[bold]vendor libraries[/]")
    for name in VENDOR:
        found = [library for library in host.libraries if library.name == name]
        _show_library(console, name, found, host.runs.get(name))
    console.print("[bold]QEMU[/]")
    for qemu in host.qemus:
        _show_qemu(console, qemu)
    if not host.qemus:
        _line(console, f"  none in PATH, none fetched; fetch some with: {_FETCH_QEMU}")
    console.print("[bold]versions[/]")
    _line(console, "  " + ", ".join(f"{name} {version}" for name, version in host.versions.items()))
    console.print("[bold]room[/]")
    sizes = (host.diagnosis.memory, host.diagnosis.shared_memory, host.diagnosis.temporary)
    names = ("memory", *places())
    _line(console, "  " + ", ".join(f"{name} {_size(size)}" for name, size in zip(names, sizes, strict=True)))
    _show_problems(console, host.diagnosis.problems)


def show_devices(console: Console, diagnosis: Diagnosis) -> None:
    """Accelerators, what is wrong with them, and what proves their work."""
    console.print("[bold]accelerators[/]")
    for device in diagnosis.devices:
        _show_device(console, device)
    if not diagnosis.devices:
        *others, last = (accelerator.name for accelerator in ACCELERATORS.values())
        names = f"{', '.join(others)} or {last}"
        _line(console, f"  none: no {names} on this host; their peers run in software or are emulated")
        return
    console.print("[bold]proof[/]")
    for proof in diagnosis.proofs:
        _line(console, f"  {proof.kind}: {proof.source}")
        if proof.missing is not None:
            _show_problems(console, [proof.missing])


def _show_device(console: Console, device: Device) -> None:
    mark = "[green]usable  [/]" if device.usable else "[red]unusable[/]" if device.problems else "not used"
    only = " and ".join(sorted(device.directions)) if device.directions != BOTH else ""
    limits = {"only as": only} if only else {}
    facts = ", ".join(f"{name} {value}" for name, value in {**device.facts, **limits}.items())
    where = f" {device.pci}" if device.pci else ""
    console.print(f"  {mark}  {escape(f'{device.kind} {device.name}{where}: {facts}')}", soft_wrap=True)
    _show_problems(console, device.problems)
    _show_problems(console, device.notes, "note: ")


def _show_library(console: Console, name: str, found: Sequence[Library], run: Run | None) -> None:
    used = chosen(found).get(name)
    if used is not None:
        version = f" {used.version}" if used.version else ""
        _line(console, f"  {name}{version} {used.path} ({used.origin})")
        if used.warning is not None:
            _line(console, f"    it {used.warning}")
        if run is not None and run.started.problem is not None:
            _line(console, f"    a run cannot start it: {run.started.problem}")
        if run is not None and run.tried is not None:
            _line(console, f"    {_preflight(run.tried)}")
    elif found:
        _line(console, f"  {name} {found[0].path}: {found[0].problem}")
    else:
        _line(console, f"  {name}: none found; remedy: {remedy(VENDOR[name])}")


def _preflight(tried: Tried) -> str:
    if not tried.works:
        return f"it does not work on its device: {tried.words}"
    roles = "" if len(tried.roles) == len(BOTH) else f" only as {tried.roles[0]}"
    return f"it works on its device{roles}: {tried.words}"


def _show_qemu(console: Console, qemu: Found) -> None:
    if qemu.facts is None:
        _line(console, f"  {qemu.binary.program}: {qemu.problem}")
    else:
        _line(console, f"  qemu {qemu.facts.release} {qemu.binary.program}: {', '.join(qemu.facts.methods)}")


def _show_problems(console: Console, problems: Iterable[Problem], before: str = "") -> None:
    for problem in problems:
        console.print(f"    [yellow]{escape(f'{before}{problem.what}')}[/]", soft_wrap=True)
        for command in problem.fix.splitlines():
            _line(console, f"      {command}")


def _line(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, markup=False)


def _size(value: int | None) -> str:
    return "unknown" if value is None else f"{value >> 20} MiB"

"""``multifd doctor``: what this host has, what of it cannot be used, and the commands that put it right."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.markup import escape

from multifd import __version__
from multifd.accelerator import ACCELERATORS, VENDOR
from multifd.cli.qemus import Found, on_this_host
from multifd.codec import create, factories
from multifd.device.diagnose import Diagnosis, diagnose
from multifd.device.found import Device, Problem
from multifd.device.sysfs import Host
from multifd.errors import MultifdError
from multifd.libraries.find import Library, candidates

HEALTHY: Final = 0
UNUSABLE: Final = 1
ENVIRONMENT: Final = 3
_FETCH: Final = "multifd vendor fetch"
_FETCH_QEMU: Final = "multifd vendor fetch --qemu"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The diagnosis as one JSON object.")
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path("/"), hidden=True)
def doctor(as_json: bool, root: Path) -> None:
    """Say what this host has, what is wrong with it, and the commands that fix it.

    Exit codes: 0 nothing is wrong with what is there, 1 something is there and cannot be used, 3 a run would break.
    """
    diagnosis = diagnose(Host(root))
    libraries, qemus = candidates(), on_this_host()
    if as_json:
        print(json.dumps(_described(diagnosis, libraries, qemus), indent=2))
    else:
        _show(Console(highlight=False), diagnosis, libraries, qemus)
    sys.exit(_exit_code(diagnosis, libraries, qemus))


def versions(libraries: Iterable[Library]) -> dict[str, str]:
    """Of this project, of Python, and of the library behind every codec; ``libraries`` are the vendor's, as found."""
    codecs = {name: _codec_version(name) for name in factories() if name != "none"}
    vendor = {name: library.version or "unknown" for name, library in _usable(libraries).items()}
    return {"multifd": __version__, "python": platform.python_version(), **codecs, **vendor}


def _codec_version(name: str) -> str:
    # A vendor library may need a process under another loader: what was found tells.
    if name in VENDOR:
        return "not available"
    try:
        return create(name).version
    except MultifdError:
        return "not available"


def _usable(libraries: Iterable[Library]) -> dict[str, Library]:
    """By name the first of each that can be loaded."""
    usable: dict[str, Library] = {}
    for library in libraries:
        if library.problem is None:
            usable.setdefault(library.name, library)
    return usable


def _exit_code(diagnosis: Diagnosis, libraries: Sequence[Library], qemus: Sequence[Found]) -> int:
    if diagnosis.problems:
        return ENVIRONMENT
    broken = any(not device.usable for device in diagnosis.devices) or any(qemu.problem for qemu in qemus)
    return UNUSABLE if broken or any(_unloadable(libraries)) else HEALTHY


def _unloadable(libraries: Sequence[Library]) -> Iterable[Library]:
    """Libraries that are there, cannot be loaded, and have no other that stands in for them."""
    usable = _usable(libraries)
    return (library for library in libraries if library.name not in usable)


def _described(diagnosis: Diagnosis, libraries: Sequence[Library], qemus: Sequence[Found]) -> dict[str, Any]:
    return {
        "devices": [device.described() for device in diagnosis.devices],
        "libraries": [
            {
                "name": library.name,
                "version": library.version,
                "path": str(library.path),
                "origin": library.origin,
                "problem": library.problem,
            }
            for library in libraries
        ],
        "qemu": [
            {
                "command": list(qemu.binary.command),
                "version": qemu.facts and qemu.facts.release,
                "package": qemu.facts and qemu.facts.package,
                "methods": list(qemu.facts.methods) if qemu.facts else [],
                "problem": qemu.problem,
            }
            for qemu in qemus
        ],
        "versions": versions(libraries),
        "memory": diagnosis.memory,
        "shared_memory": diagnosis.shared_memory,
        "problems": [asdict(problem) for problem in diagnosis.problems],
    }


def _show(console: Console, diagnosis: Diagnosis, libraries: Sequence[Library], qemus: Sequence[Found]) -> None:
    console.print("[bold]accelerators[/]")
    for device in diagnosis.devices:
        _show_device(console, device)
    if not diagnosis.devices:
        *others, last = (accelerator.name for accelerator in ACCELERATORS.values())
        names = f"{', '.join(others)} or {last}"
        _line(console, f"  none: no {names} on this host; their peers run in software or are emulated")
    console.print("[bold]vendor libraries[/]")
    for name in VENDOR:
        _show_library(console, name, [library for library in libraries if library.name == name])
    console.print("[bold]QEMU[/]")
    for qemu in qemus:
        _show_qemu(console, qemu)
    if not qemus:
        _line(console, f"  none in PATH, none fetched; fetch some with: {_FETCH_QEMU}")
    console.print("[bold]versions[/]")
    _line(console, "  " + ", ".join(f"{name} {version}" for name, version in versions(libraries).items()))
    console.print("[bold]room[/]")
    _line(console, f"  memory {_size(diagnosis.memory)}, /dev/shm {_size(diagnosis.shared_memory)}")
    _show_problems(console, diagnosis.problems)


def _show_device(console: Console, device: Device) -> None:
    mark = "[green]usable  [/]" if device.usable else "[red]unusable[/]"
    facts = ", ".join(f"{name} {value}" for name, value in device.facts.items())
    where = f" {device.pci}" if device.pci else ""
    console.print(f"  {mark}  {escape(f'{device.kind} {device.name}{where}: {facts}')}", soft_wrap=True)
    _show_problems(console, device.problems)


def _show_library(console: Console, name: str, found: Sequence[Library]) -> None:
    usable = _usable(found).get(name)
    if usable is not None:
        version = f" {usable.version}" if usable.version else ""
        _line(console, f"  {name}{version} {usable.path} ({usable.origin})")
    elif found:
        _line(console, f"  {name} {found[0].path}: {found[0].problem}")
    else:
        _line(console, f"  {name}: none found; fetch it with: {_FETCH}")


def _show_qemu(console: Console, qemu: Found) -> None:
    if qemu.facts is None:
        _line(console, f"  {qemu.binary.program}: {qemu.problem}")
    else:
        _line(console, f"  qemu {qemu.facts.release} {qemu.binary.program}: {', '.join(qemu.facts.methods)}")


def _show_problems(console: Console, problems: Iterable[Problem]) -> None:
    for problem in problems:
        console.print(f"    [yellow]{escape(problem.what)}[/]", soft_wrap=True)
        for command in problem.fix.splitlines():
            _line(console, f"      {command}")


def _line(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, markup=False)


def _size(value: int | None) -> str:
    return "unknown" if value is None else f"{value >> 20} MiB"

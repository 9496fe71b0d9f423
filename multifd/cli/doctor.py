"""``multifd doctor``: what this host has, what of it cannot be used, and the commands that put it right."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from rich.console import Console
from rich.markup import escape

from multifd import __version__
from multifd.accelerator import ACCELERATORS, VENDOR
from multifd.campaign.options import DEFAULT_PROFILE
from multifd.cli.qemus import Found, on_this_host
from multifd.codec import create, factories
from multifd.device.diagnose import Diagnosis, diagnose
from multifd.device.exclusive import Exclusive
from multifd.device.found import BOTH, Device, Problem
from multifd.device.recorded_host import RecordedHost
from multifd.device.sysfs import LIVE, Host
from multifd.device.trace import TracedHost
from multifd.errors import EnvironmentBroke, InputError, MultifdError
from multifd.libraries.find import Library, candidates
from multifd.lineup.preflight import Tried, alone_on, preflight
from multifd.lineup.started import NOT_AVAILABLE, Started, start
from multifd.profile.load import load

HEALTHY: Final = 0
UNUSABLE: Final = 1
ENVIRONMENT: Final = 3
_FETCH: Final = "multifd vendor fetch"
_FETCH_QEMU: Final = "multifd vendor fetch --qemu"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The diagnosis as one JSON object.")
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what was looked at of this host to FILE, to be diagnosed elsewhere.",
)
@click.option(
    "--host",
    "recorded",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Diagnose the host that FILE records instead of this one.",
)
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=LIVE, hidden=True)
def doctor(as_json: bool, record: Path | None, recorded: Path | None, root: Path) -> None:
    """Say what this host has, what is wrong with it, and the commands that fix it.

    \b
    accelerators      each with its driver, services or queues; below it what is
                      wrong and the commands that put it right, to be run as root
                      in this order; a line with # is for a person. A note is of
                      a device that can be used, and need not be followed.
    proof             what can prove that an accelerator did the work: its own
                      counter, or the library's word, which needs no privilege
    vendor libraries  which is found where, and whether the run can start it
    QEMU, versions    the programs and libraries that a run will use
    room              memory and scratch space

    \b
    From a lab host to whoever knows more:
      multifd doctor --record lab.txt     there; no host names, no serial numbers
      multifd doctor --host lab.txt       anywhere, without privilege
    A record is text, one fact a line (multifd/device/recorded_host.py), and may
    be written by hand from what an owner reports.

    \b
    Exit codes: 0 nothing is wrong with what is there, 1 something is there and
    cannot be used, 3 a run would break.
    """
    if recorded is not None:
        if record is not None:
            raise InputError("--record is of this host, --host of another: choose one")
        sys.exit(_of_record(recorded, as_json))
    host = TracedHost(root)
    diagnosis = diagnose(host)
    if record is not None:
        _write(record, host)
    libraries, qemus = candidates(), on_this_host()
    started = {name: start(library) for name, library in _usable(libraries).items()}
    tried = _tried(host, diagnosis) if root == LIVE else {}
    if as_json:
        print(json.dumps(_described(diagnosis, libraries, started, tried, qemus), indent=2))
    else:
        _show(Console(highlight=False), diagnosis, libraries, started, tried, qemus)
    sys.exit(_exit_code(diagnosis, libraries, started, tried, qemus))


def _of_record(file: Path, as_json: bool) -> int:
    """Diagnose a record, which knows nothing of this host's libraries, programs and memory."""
    with TemporaryDirectory() as directory:
        root = Path(directory)
        RecordedHost.read(file).plant(root)
        diagnosis = diagnose(Host(root), enough=None)
    if as_json:
        print(json.dumps({"host": str(file), **_diagnosed(diagnosis)}, indent=2))
    else:
        _show_devices(Console(highlight=False), diagnosis)
    return _exit_code(diagnosis, (), {}, {}, ())


def _write(file: Path, host: TracedHost) -> None:
    lines = (f"# what multifd {__version__} doctor looked at", *host.lines())
    try:
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as problem:
        raise EnvironmentBroke(f"{file}: cannot write: {problem.strerror}") from None


def _tried(host: Host, diagnosis: Diagnosis) -> dict[str, Tried]:
    """By codec, what came of a round trip of its library on its device."""
    alone = alone_on(Exclusive(host), diagnosis.devices)
    return {one.library: one for one in preflight(load(DEFAULT_PROFILE), alone=alone)}


def versions(started: Mapping[str, Started]) -> dict[str, str]:
    """Of this project, of Python, and of every codec as a run starts it; ``started`` are the vendors'."""
    codecs = {name: _codec_version(name) for name in factories() if name not in ("none", *VENDOR)}
    vendor = {name: started[name].version if name in started else NOT_AVAILABLE for name in VENDOR}
    return {"multifd": __version__, "python": platform.python_version(), **codecs, **vendor}


def _codec_version(name: str) -> str:
    try:
        return create(name).version
    except MultifdError:
        return NOT_AVAILABLE


def _usable(libraries: Iterable[Library]) -> dict[str, Library]:
    """By name the first of each that can be loaded."""
    usable: dict[str, Library] = {}
    for library in libraries:
        if library.problem is None:
            usable.setdefault(library.name, library)
    return usable


def _exit_code(
    diagnosis: Diagnosis,
    libraries: Sequence[Library],
    started: Mapping[str, Started],
    tried: Mapping[str, Tried],
    qemus: Sequence[Found],
) -> int:
    if diagnosis.problems:
        return ENVIRONMENT
    broken = (
        any(not device.usable for device in diagnosis.devices)
        or any(qemu.problem for qemu in qemus)
        or any(one.problem for one in started.values())
        or any(not one.works and _there(one, diagnosis) for one in tried.values())
        or any(_unloadable(libraries))
    )
    return UNUSABLE if broken else HEALTHY


def _unloadable(libraries: Sequence[Library]) -> Iterable[Library]:
    """Libraries that are there, cannot be loaded, and have no other that stands in for them."""
    usable = _usable(libraries)
    return (library for library in libraries if library.name not in usable)


def _diagnosed(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "devices": [device.described() for device in diagnosis.devices],
        "proof": [proof.described() for proof in diagnosis.proofs],
    }


def _there(tried: Tried, diagnosis: Diagnosis) -> bool:
    """There is something that its library could have worked on."""
    return tried.works or any(device.kind == tried.kind for device in diagnosis.devices)


def _described(
    diagnosis: Diagnosis,
    libraries: Sequence[Library],
    started: Mapping[str, Started],
    tried: Mapping[str, Tried],
    qemus: Sequence[Found],
) -> dict[str, Any]:
    used = _usable(libraries)
    return {
        **_diagnosed(diagnosis),
        "libraries": [
            {
                "name": library.name,
                "version": library.version,
                "path": str(library.path),
                "origin": library.origin,
                "problem": library.problem,
                "started": asdict(started[library.name]) if used.get(library.name) is library else None,
                "tried": asdict(tried[library.name])
                if used.get(library.name) is library and library.name in tried
                else None,
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
        "versions": versions(started),
        "memory": diagnosis.memory,
        "shared_memory": diagnosis.shared_memory,
        "problems": [asdict(problem) for problem in diagnosis.problems],
    }


def _show(
    console: Console,
    diagnosis: Diagnosis,
    libraries: Sequence[Library],
    started: Mapping[str, Started],
    tried: Mapping[str, Tried],
    qemus: Sequence[Found],
) -> None:
    _show_devices(console, diagnosis)
    console.print("[bold]vendor libraries[/]")
    for name in VENDOR:
        _show_library(console, name, [library for library in libraries if library.name == name], started.get(name))
        if name in tried and _there(tried[name], diagnosis):
            _line(console, f"    {tried[name].outcome}")
    console.print("[bold]QEMU[/]")
    for qemu in qemus:
        _show_qemu(console, qemu)
    if not qemus:
        _line(console, f"  none in PATH, none fetched; fetch some with: {_FETCH_QEMU}")
    console.print("[bold]versions[/]")
    _line(console, "  " + ", ".join(f"{name} {version}" for name, version in versions(started).items()))
    console.print("[bold]room[/]")
    _line(console, f"  memory {_size(diagnosis.memory)}, /dev/shm {_size(diagnosis.shared_memory)}")
    _show_problems(console, diagnosis.problems)


def _show_devices(console: Console, diagnosis: Diagnosis) -> None:
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
    mark = "[green]usable  [/]" if device.usable else "[red]unusable[/]"
    limits = {} if device.directions == BOTH else {"only as": " and ".join(sorted(device.directions)) or "nothing"}
    facts = ", ".join(f"{name} {value}" for name, value in {**device.facts, **limits}.items())
    where = f" {device.pci}" if device.pci else ""
    console.print(f"  {mark}  {escape(f'{device.kind} {device.name}{where}: {facts}')}", soft_wrap=True)
    _show_problems(console, device.problems)
    _show_problems(console, device.notes, "note: ")


def _show_library(console: Console, name: str, found: Sequence[Library], started: Started | None) -> None:
    usable = _usable(found).get(name)
    if usable is not None:
        version = f" {usable.version}" if usable.version else ""
        _line(console, f"  {name}{version} {usable.path} ({usable.origin})")
        if started is not None and started.problem is not None:
            _line(console, f"    the run cannot start it: {started.problem}")
    elif found:
        _line(console, f"  {name} {found[0].path}: {found[0].problem}")
    else:
        _line(console, f"  {name}: none found; fetch it with: {_FETCH}")


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

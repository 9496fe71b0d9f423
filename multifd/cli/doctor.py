"""``multifd doctor``: what this host has, what of it cannot be used, and the commands that put it right."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from multifd import __version__
from multifd.campaign.options import DEFAULT_PROFILE
from multifd.cli.examined import Examined, Run, as_runs_see, diagnosed
from multifd.cli.output import Console, say
from multifd.cli.qemus import on_this_host
from multifd.cli.shown import show, show_devices
from multifd.device.diagnose import diagnose
from multifd.device.exclusive import Exclusive
from multifd.device.found import Device
from multifd.device.recorded_host import RELEASE, RecordedHost
from multifd.device.sysfs import DISTRIBUTION, LIVE, Host
from multifd.device.trace import TracedHost
from multifd.errors import EnvironmentBroke, InputError
from multifd.libraries.find import candidates, chosen
from multifd.lineup.preflight import Tried, alone_on, preflight
from multifd.lineup.started import start
from multifd.profile.load import load
from multifd.result.placing import check_file

_PATIENCE: Final = 10.0
"""Seconds that devices are waited for: who asks what a host has wants to know soon."""


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
    vendor libraries  which is found where, whether a run can start it, and how
                      a round trip on its device went, in the library's words
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
    if record is not None:
        _write(record, root)
    host = _examine(root)
    if as_json:
        print(json.dumps(host.described(), indent=2))
    else:
        show(Console(), host)
    sys.exit(host.exit_code)


def _examine(root: Path) -> Examined:
    diagnosis, libraries = diagnose(Host(root)), candidates()
    tried = {one.library: one for one in _tried(root, diagnosis.devices)}
    runs = {name: Run(start(library), tried.get(name)) for name, library in chosen(libraries).items()}
    return Examined(as_runs_see(diagnosis), libraries, runs, on_this_host())


def _tried(root: Path, devices: Sequence[Device]) -> Iterator[Tried]:
    """Each library on its device, if there may be one, as a run tries it before its first cell."""
    if not devices:
        return
    kinds = {device.kind for device in devices}
    exclusive = Exclusive(Host(root), _PATIENCE, say)
    tried = preflight(load(DEFAULT_PROFILE), alone=alone_on(exclusive, devices), found=devices)
    for one in tried:
        if one.works or one.kind in kinds:
            shared = exclusive.without(device for device in devices if device.kind == one.kind)
            yield replace(one, words=f"{one.words}; not tried alone: {shared}") if shared else one


def _of_record(file: Path, as_json: bool) -> int:
    """Diagnose a record, which knows nothing of this host's libraries, programs and memory."""
    with TemporaryDirectory() as directory:
        root = Path(directory)
        RecordedHost.read(file).plant(root)
        diagnosis = as_runs_see(diagnose(Host(root), enough=None))
    if as_json:
        print(json.dumps({"host": str(file), **diagnosed(diagnosis)}, indent=2))
    else:
        show_devices(Console(), diagnosis)
    return Examined(diagnosis).exit_code


def _write(file: Path, root: Path) -> None:
    """Record what a diagnosis looks at, and what any reader wants to know."""
    check_file(file, "--record")
    host = TracedHost(root)
    diagnose(host, enough=None)
    for path in (RELEASE, DISTRIBUTION):
        host.text(path)
    lines = (f"# what multifd {__version__} doctor looked at", *host.lines())
    try:
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as problem:
        raise EnvironmentBroke(f"{file}: cannot write: {problem.strerror}") from None

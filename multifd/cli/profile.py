"""``multifd profile``: a hardware profile written from what this host has."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from multifd.accelerator import ACCELERATORS
from multifd.device.diagnose import detect
from multifd.device.found import Device
from multifd.device.sysfs import Host
from multifd.errors import EnvironmentBroke
from multifd.profile.model import Policy


@click.command()
@click.option("--output", type=click.Path(path_type=Path), help="Write it to this file instead of standard output.")
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path("/"), hidden=True)
def profile(output: Path | None, root: Path) -> None:
    """Write a profile from this host: devices that are usable are required, others emulated, peers as in auto.

    Use it with --hwprofile FILE, and edit it as you like (docs/devices.md).
    """
    text = describe(detect(Host(root)))
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise EnvironmentBroke(f"{output}: cannot write: {problem.strerror}") from None


def describe(found: tuple[Device, ...]) -> str:
    """The profile as YAML; it loads again as it stands."""
    devices = {}
    for kind, accelerator in ACCELERATORS.items():
        usable = [device for device in found if device.kind == kind and device.usable]
        policy: Policy = "require" if usable and accelerator.real is not None else "emulate"
        devices[kind] = {"policy": policy, **({"count": len(usable)} if policy == "require" else {})}
    names = ", ".join(f"{device.name} {device.pci or ''}".strip() for device in found) or "no accelerator"
    made = {"description": f"Written from a host with {names}.", "extends": "auto", "devices": devices}
    return yaml.safe_dump(made, sort_keys=False, width=110)

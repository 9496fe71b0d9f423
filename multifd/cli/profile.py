"""``multifd profile``: a hardware profile written from what this host has."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import click
import yaml

from multifd.accelerator import ACCELERATORS
from multifd.campaign.options import DEFAULT_PROFILE
from multifd.cli.output import say
from multifd.device.diagnose import detect
from multifd.device.exclusive import Exclusive
from multifd.device.found import Device
from multifd.device.sysfs import LIVE, Host
from multifd.errors import EnvironmentBroke
from multifd.lineup.device_peer import BOTH, may_work
from multifd.lineup.holding import too_few
from multifd.lineup.libraries import fetch_missing
from multifd.lineup.preflight import alone_on, preflight
from multifd.profile.load import load
from multifd.profile.model import Policy
from multifd.result.placing import check_file


@click.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write it to this file instead of standard output."
)
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=LIVE, hidden=True)
@click.option("--json", "as_json", is_flag=True, help="The profile as one JSON object, which is YAML too.")
def profile(output: Path | None, root: Path, *, as_json: bool) -> None:
    """Write a profile from this host: devices that work are required, others emulated, peers as in auto.

    Each vendor's library is tried on its device, as a run tries it, and fetched where it is not on this host. Use the
    profile with --hwprofile FILE, and edit it as you like (docs/devices.md).
    """
    if output is not None:
        check_file(output, "--output")
    host, auto = Host(root), load(DEFAULT_PROFILE)
    found = detect(host)
    if root != LIVE:
        working = [device.kind for device in found if device.usable]
    else:
        fetch_missing(auto, say)
        alone = alone_on(Exclusive(host, say=say), found)
        working = [tried.kind for tried in preflight(auto, alone=alone, found=found) if tried.roles == BOTH]
    # A run that requires what has no room for a cell would not begin.
    text = describe(found, [kind for kind in working if not too_few(may_work(kind, found))])
    if as_json:
        text = json.dumps(yaml.safe_load(text)) + "\n"
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise EnvironmentBroke(f"{output}: cannot write: {problem.strerror}") from None


def describe(found: Sequence[Device], working: Collection[str]) -> str:
    """The profile as YAML, with the kinds of accelerators that work here; it loads again as it stands."""
    devices = {}
    for kind, accelerator in ACCELERATORS.items():
        policy: Policy = "require" if kind in working and accelerator.real is not None else "emulate"
        usable = [device for device in found if device.kind == kind and device.usable]
        # One works, whatever is known of it.
        devices[kind] = {"policy": policy, **({"count": len(usable) or 1} if policy == "require" else {})}
    names = ", ".join(f"{device.name} {device.pci or ''}".strip() for device in found) or "no accelerator"
    made = {"description": f"Written from a host with {names}.", "extends": "auto", "devices": devices}
    return yaml.safe_dump(made, sort_keys=False, width=110)

"""What was to run on devices against how it introduced itself: before there is a plan, the two are one.

The preflight has tried one peer of each accelerator. The others, its variants, may fare otherwise: a device may have
room for one process less, or not have what a parameter asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from multifd.accelerator import by_codec
from multifd.errors import EnvironmentBroke
from multifd.lineup.device_peer import DevicePeer
from multifd.lineup.peers import LineUp


def reconciled(line_up: LineUp, intended: Sequence[DevicePeer]) -> LineUp:
    """The line-up with the devices that its peers run on, and with what a reader must know of it.

    Raises EnvironmentBroke where a peer of a required accelerator does not run on it.
    """
    short = list(_short(line_up, intended))
    required = [words for kind, words in short if kind in line_up.required]
    if required:
        raise EnvironmentBroke("the profile requires what this run does not have:\n  " + "\n  ".join(required))
    remarks = [peer.remark for peer in intended if peer.remark]
    devices = {(each.kind, each.name, each.pci): each for peer in intended for each in peer.devices}
    return line_up.model_copy(
        update={
            "remarks": (*line_up.remarks, *remarks, *(words for _, words in short)),
            "devices": tuple(devices.values()),
        }
    )


def _short(line_up: LineUp, intended: Sequence[DevicePeer]) -> Iterator[tuple[str, str]]:
    """The accelerator's kind and in words how a peer runs that was to run otherwise."""
    for one in intended:
        if one.library is None or one.skip is not None:
            continue
        kind, peer = by_codec(one.codec).kind, line_up.peer(one.name)
        if peer.encoder is None and peer.decoder is None:
            if one.provenance == "hardware":
                yield kind, f"{peer.name} does not start: {peer.probe}"
        elif peer.provenance != one.provenance:
            yield kind, f"{peer.name} was to run as {one.provenance}, and runs as {peer.provenance}"

"""A capture decoded by a codec over a vendor library: by a peer, started as a run starts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from multifd.accelerator import VENDOR
from multifd.codec import factories
from multifd.device.sysfs import Host
from multifd.errors import EnvironmentBroke, HarnessError, MultifdError, PayloadError, PeerError, Unsupported, WireError
from multifd.libraries.find import Library, candidates, chosen, python_command
from multifd.libraries.packages import remedy
from multifd.memory.layout import MemoryLayout
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import MODULE
from multifd.profile.model import Deadlines


def decoded(
    codec: str, parameters: Mapping[str, int], capture: Path, memory: MemoryLayout, framing: str, dialect: str
) -> contract.Done:
    """Decode into memory, with the library that a run would use, under the loader that it needs.

    Raises :class:`EnvironmentBroke` where there is no such library or it does not load, InputError for a parameter that
    the codec does not have, and what the decoder found wrong as the error that it is: WireError, PayloadError,
    Unsupported; PeerError where it crashed or hung.
    """
    factories()[codec].values(parameters)
    arguments = (*MODULE, codec, *(f"{key}={value}" for key, value in parameters.items()))
    command, environment = python_command(_library(codec), arguments)
    peer, deadlines = PeerProcess(codec, command, environment), Deadlines()
    try:
        _greet(peer, deadlines.hello)
        reply = peer.request(
            contract.Decode, deadlines.request, capture=str(capture), memory=memory, framing=framing, dialect=dialect
        )
    finally:
        peer.quit()
    if isinstance(reply, contract.Failed):
        raise _error(reply)
    return reply


def _library(codec: str) -> Library:
    found = candidates()
    library = chosen(found).get(codec)
    if library is not None:
        return library
    vendor = VENDOR[codec]
    unfit = "".join(f"; {each.path}: {each.problem}" for each in found if each.name == codec)
    raise EnvironmentBroke(
        f"decoder {codec}: {vendor.library} is not on this host{unfit}; remedy: {remedy(vendor, Host())}"
    )


def _greet(peer: PeerProcess, deadline: float) -> None:
    try:
        peer.hello(deadline)
    except PeerError as problem:
        raise EnvironmentBroke(f"decoder {peer.name}: {problem}") from None


def _error(reply: contract.Failed) -> MultifdError:
    """What went wrong, as the decoder would have raised it here."""
    place = {name: value for name, value in asdict(reply.place).items() if value is not None} if reply.place else {}
    match reply.kind:
        case "wire":
            wire = WireError(reply.field or "", reply.value, reply.expected, reply.error)
            wire.place = reply.place or wire.place
            return wire
        case "payload":
            message = reply.error.removesuffix(f" ({reply.place})")
            return PayloadError(message, reply.field, reply.value, reply.expected).at(**place)
        case "unsupported":
            return Unsupported("", reply.error)
        case "environment":
            return EnvironmentBroke(reply.error)
        case _:
            return HarnessError(f"decoder {reply.kind}: {reply.error}")

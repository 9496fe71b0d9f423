"""Which peers stand for all that can do the same: levels and knobs left out."""

from __future__ import annotations

from collections.abc import Iterable

from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.lineup.peers import LineUpPeer
from multifd.result.record import Role


def plain(peers: Iterable[LineUpPeer], role: Role) -> list[LineUpPeer]:
    """Of the codecs that can do the same in a role the one with the fewest parameters, by name.

    What a device does when it is busy, faults or hangs now and then is left out with them.
    """
    found: dict[object, LineUpPeer] = {}
    for peer in sorted(peers, key=lambda each: (len(each.name), each.name)):
        kind = _kind(peer.encoder if role == "sender" else peer.decoder)
        found.setdefault((peer.codec or peer.name, kind), peer)
    return sorted(found.values(), key=lambda each: each.name)


def _kind(declared: EncoderCapability | DecoderCapability | None) -> object:
    """What a codec can do at all, whatever the numbers."""
    match declared:
        case EncoderCapability():
            return declared.containers, declared.streaming, declared.windows, declared.shrinks
        case DecoderCapability():
            return declared.containers, declared.streaming, declared.window
    return None

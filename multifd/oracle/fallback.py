"""What goes to software by the design of a vendor's library, foretold from what both ends declare.

Said of full packets, or of pages where each is compressed by itself, and only where it does not depend on the content:
what is really asked of a device follows from the packets (:mod:`multifd.evidence.routing`).
"""

from __future__ import annotations

from multifd.accelerator import QAT
from multifd.codec.silicon.libqatzip_routing import ENDLESS, Rules
from multifd.framing.coder import EncoderCapability, Routing
from multifd.framing.container import Container
from multifd.framing.model import Flush, Framing, Scope
from multifd.wire.packet import PACKET_SIZE


def sending(device: str | None, routing: Routing | None, spoken: Framing, page_size: int) -> str:
    """Why a sender's device is given nothing, empty where it is, or where nobody knows."""
    rules = _rules(device, routing)
    if rules is None or spoken.raw_pages:
        return ""
    return rules.compressing(_input(spoken, page_size))


def receiving(
    device: str | None, routing: Routing | None, spoken: Framing, page_size: int, encoder: EncoderCapability
) -> str:
    """Why a receiver's device is given nothing of what this encoder makes, as above."""
    if spoken.raw_pages:
        return ""
    if spoken.scope is Scope.CHANNEL:
        return ENDLESS if device == QAT.name else ""
    rules, size = _rules(device, routing), _input(spoken, page_size)
    if rules is None:
        return ""
    cut = encoder.member is not None and size >= encoder.whole_below and spoken.container is not Container.RAW
    return rules.foretold(spoken.container, min(size, encoder.member) if cut and encoder.member else size)


def _rules(device: str | None, routing: Routing | None) -> Rules | None:
    if device != QAT.name or routing is None or routing.piece is None:
        return None
    return Rules(buffer=routing.piece, threshold=routing.threshold, raw=routing.raw)


def _input(spoken: Framing, page_size: int) -> int:
    return page_size if spoken.scope is Scope.PAGE or spoken.flush is Flush.PAGE else PACKET_SIZE

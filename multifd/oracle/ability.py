"""What a peer cannot do at all, by what it declares: put a payload into a framing, or read one.

That is no prediction: nothing is sent, so nothing is refused. A plan has no cell of it; the probe asks the peer for it
all the same, and the peer must refuse.
"""

from __future__ import annotations

from typing import Final

from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container
from multifd.framing.model import Framing, Scope
from multifd.result.record import Role

NO_STREAM: Final = "it cannot keep a stream open across packets"


def cannot_send(encoder: EncoderCapability | None, framing: Framing, page_size: int) -> str | None:
    """Why a sender cannot emit this framing, in words; None if it can. ``page_size`` is in bytes."""
    if encoder is None or framing.container not in encoder.containers:
        return f"it cannot emit container {framing.container}"
    if framing.scope is Scope.CHANNEL and not encoder.streaming:
        return NO_STREAM
    if framing.raw_pages or encoder.limit(framing.window) is not None:
        return None
    if framing.scope is Scope.PAGE and framing.container is not Container.ZLIB and page_size <= 1 << framing.window:
        return None  # no match is farther than a page, and no header announces a window
    return f"it cannot limit its window to {1 << framing.window} bytes"


def cannot_read(decoder: DecoderCapability | None, framing: Framing) -> str | None:
    """Why a receiver has nothing to read this framing with, in words; None if it has.

    One without streams is still put before a stream: it reads each packet as if it were complete, and fails.
    """
    if decoder is None or framing.container not in decoder.containers:
        return f"it cannot read container {framing.container}"
    return None


def inabilities(
    encoder: EncoderCapability | None, decoder: DecoderCapability | None, framing: Framing, page_size: int
) -> dict[Role, str]:
    """Why a peer cannot do this framing, for each of its roles in which it cannot; a role without codec is none."""
    reasons: dict[Role, str | None] = {
        "sender": cannot_send(encoder, framing, page_size) if encoder is not None else None,
        "receiver": cannot_read(decoder, framing) if decoder is not None else None,
    }
    return {role: reason for role, reason in reasons.items() if reason is not None}

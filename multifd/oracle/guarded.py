"""Whether anything guards a payload's content against a flipped bit: the container's checksum, where it is compared.

What stands around the content needs no guard of its own: a length table must add up, and a header that is read another
way gives other content, which the checksum tells.
"""

from __future__ import annotations

from multifd.framing.coder import DecoderCapability
from multifd.framing.container import trailer_length
from multifd.framing.model import Scope
from multifd.oracle.question import Prediction, Side


def unguarded(receiver: Side, decoder: DecoderCapability) -> str | None:
    """Why a flipped bit can go unnoticed, in words; None where a checksum covers all content and is compared."""
    framing = receiver.framing
    reason = None
    if framing.raw_pages:
        reason = "pages as they are have no checksum"
    elif framing.raw_escape:
        reason = "a page that does not shrink is sent as it is and has no checksum"
    elif framing.scope is Scope.CHANNEL:
        reason = "a stream that does not end has no checksum"
    elif not trailer_length(framing.container):
        reason = f"container {framing.container} has no checksum"
    elif not decoder.checks_trailer:
        reason = f"receiver {receiver.peer} does not compare the checksum"
    return reason


def flips(receiver: Side, decoder: DecoderCapability) -> Prediction:
    """Of bits that flip in payloads, one at a time: identical where none goes unnoticed and does harm."""
    reason = unguarded(receiver, decoder)
    if reason is not None:
        return Prediction("hazard", "unguarded", f"{reason}, nothing on the wire can notice a flipped bit", None, ())
    promise = f"receiver {receiver.peer} compares the checksum of {receiver.framing.container}, which covers all pages"
    return Prediction("identical", "guarded", promise, None, ())

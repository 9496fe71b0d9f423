"""Recorded bytes, damaged: what a fuzz target is put before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

_EDGES: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 64) - 1)
"""Numbers at which readers trip."""
_MOST: Final = 6
"""Edits of one input."""


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds after a few edits: bytes overwritten, put in, cut out, doubled, or the end cut off."""
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, _MOST))):
        # Headers are at the start, and small beside payloads: half of all edits are made there.
        near = draw(st.booleans())
        at = draw(st.integers(0, min(len(content), 2048) if near else len(content)))
        match draw(st.sampled_from(("bit", "number", "bytes", "insert", "remove", "repeat", "end"))):
            case "bit" if at < len(content):
                content[at] ^= 1 << draw(st.integers(0, 7))
            case "number":
                size = draw(st.sampled_from((1, 2, 4, 8)))
                number = draw(st.sampled_from(_EDGES)) & ((1 << 8 * size) - 1)
                content[at : at + size] = number.to_bytes(size)
            case "bytes":
                new = draw(st.binary(max_size=16))
                content[at : at + len(new)] = new
            case "insert":
                content[at:at] = draw(st.binary(max_size=16))
            case "remove":
                del content[at : at + draw(st.integers(1, 64))]
            case "repeat":
                content[at:at] = content[at : at + draw(st.integers(1, 1500))]
            case _:
                del content[at:]
    return bytes(content)

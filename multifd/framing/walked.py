"""What a walk through DEFLATE (:mod:`multifd.framing.deflate`) has seen: blocks, distances, and where it broke."""

from __future__ import annotations

from dataclasses import dataclass, field

from multifd.errors import PayloadError
from multifd.framing.huffman import Kind


@dataclass(frozen=True, slots=True)
class Block:
    """One complete block; bit positions count from bit 0 of the first byte of the walked data."""

    kind: Kind
    final: bool
    start_bit: int
    end_bit: int
    output: int
    """Bytes that the block produces."""
    max_distance: int
    """Largest distance of a match, in bytes; 0 without matches."""
    max_length: int
    """Largest length of a match, in bytes; 0 without matches."""
    tokens: int
    """Literals and matches, the end-of-block symbol not counted; 0 for a stored block."""
    longest_code: int
    """Bits of the longest literal/length or distance code declared: at most 15; 9 if fixed, 0 if stored."""


@dataclass(slots=True)
class Walk:
    """What a walk saw. Totals include the tokens of a block that was not walked to its end."""

    blocks: list[Block] = field(default_factory=list)
    """The complete blocks."""
    output: int = 0
    """Bytes that a decoder would have produced."""
    max_distance: int = 0
    far: tuple[int, int] | None = None
    """First match beyond the window: offset in this walk's output, distance, both in bytes."""
    too_far: tuple[int, int] | None = None
    """First match from before the start of history, which zlib refuses: output offset, distance."""
    final: bool = False
    """The stream's final block was seen."""
    consumed: int = 0
    """Bytes of input, from ``start``, that the blocks took; the last one perhaps only in part."""
    truncated_by_limit: bool = False

    @property
    def aligned(self) -> bool:
        """The last complete block ends on a byte boundary."""
        return not self.blocks or self.blocks[-1].end_bit % 8 == 0

    @property
    def ends_with_sync_marker(self) -> bool:
        """The last complete block is the empty stored one, ``0000ffff``, of ``Z_SYNC_FLUSH`` or ``Z_FULL_FLUSH``."""
        if not self.blocks:
            return False
        last = self.blocks[-1]
        return last.kind == "stored" and not last.final and not last.output


class DeflateError(PayloadError):
    """The bits are not DEFLATE; ``bit`` is where, ``walk`` what was seen before."""

    def __init__(self, message: str, *, bit: int, walk: Walk) -> None:
        self.bit = bit
        self.walk = walk
        super().__init__(f"deflate: {message}, at bit {bit}")


class TruncatedDeflate(DeflateError):  # noqa: N818  (the input is short, perhaps not wrong)
    """The input ends inside a block; ``bit`` is the end of the input."""

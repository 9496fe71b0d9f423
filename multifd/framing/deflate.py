"""DEFLATE (RFC 1951), walked token by token without producing a byte of output.

What an encoder really emits decides which decoder works with it, and an ordinary inflate tells none of it:
how far back matches reach, which block types occur, how long the codes are, whether the stream ends. A
window smaller than 32 KiB cannot be tested by decompressing either, because decoders with the whole output
at hand do not enforce the one they were given. So this module reads the bits and measures.

A stream is a row of blocks, bits packed from the least significant bit of each byte (section 3.1.1)::

    block    ::=  final:1  kind:2  body          kind 0 stored, 1 fixed, 2 dynamic       (section 3.2.3)
    stored   ::=  padding to a byte  LEN:16  NLEN:16  LEN bytes                          (section 3.2.4)
    fixed    ::=  token*  end-of-block                                                   (section 3.2.6)
    dynamic  ::=  HLIT:5  HDIST:5  HCLEN:4  code lengths  token*  end-of-block           (section 3.2.7)
    token    ::=  literal  |  length code  extra bits  distance code  extra bits         (section 3.2.5)

Refused is exactly what ``inflate.c`` and ``inftrees.c`` (zlib 1.3) refuse. The one condition that is reported rather
than raised is a match from before the start of history, because only the caller knows whether the walk began where the
stream did.
"""

from __future__ import annotations

import sys
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from multifd.framing.huffman import (
    CODE_LENGTH_ORDER,
    CODE_LENGTH_ROWS,
    DISTANCE_ROWS,
    END_OF_BLOCK,
    FIXED,
    LITERAL_ROWS,
    REPEAT_FROM,
    Codes,
    Entry,
    flaw,
    table,
)
from multifd.framing.walked import Block, DeflateError, TruncatedDeflate, Walk

if TYPE_CHECKING:
    from typing_extensions import Buffer

WINDOW: Final = 32768
"""Bytes of history that DEFLATE can name at most (RFC 1951, section 3.2.5)."""

_LONGEST_TOKEN: Final = 15 + 5 + 15 + 13
"""Bits of the longest token: two codes of 15 bits with their extra bits."""

_REFILL: Final = 16
"""Bytes that the bit buffer takes at once: large integers shift slowly, small ones are refilled often."""


def walk(
    data: Buffer,
    *,
    start: int = 0,
    history: int = 0,
    window: int = WINDOW,
    max_output: int | None = None,
    limit: int | None = None,
) -> Walk:
    """Walk raw DEFLATE from byte ``start`` to the final block, or to an input that ends between two blocks.

    :param history: bytes of earlier output of the same stream that matches may reach.
    :param window: the distance in bytes beyond which a match is reported as ``far``.
    :param max_output: refuse a stream that produces more bytes than this.
    :param limit: stop at the first token boundary at or after this many bytes of input.
    :raises DeflateError: where zlib's inflate refuses, and for output beyond ``max_output``.
    :raises TruncatedDeflate: the input ends inside a block. After ``Z_PARTIAL_FLUSH`` it may: the last bits
        of the empty fixed block that such a flush appends leave the encoder with the next packet.
    """
    walker = _Walker(bytes(data), start=start, history=history, window=window, max_output=max_output, limit=limit)
    walker.run()
    return walker.walk


class _Outcome(Enum):
    """Why the walk of a block's tokens stopped."""

    END_OF_BLOCK = auto()
    TRUNCATED = auto()
    LIMIT = auto()
    OVERFLOW = auto()
    NO_LITERAL = auto()
    NO_DISTANCE = auto()


class _Walker:
    """One walk in progress: ``bit`` is the position, ``walk`` what has been seen."""

    def __init__(
        self,
        data: bytes,
        *,
        start: int,
        history: int,
        window: int,
        max_output: int | None,
        limit: int | None,
    ) -> None:
        self.data = data
        self.start = start
        self.bit = 8 * start
        self.end = 8 * len(data)
        # Never reached: without a limit, the end of the input ends the walk first.
        self.stop = self.end + 1 if limit is None else 8 * (start + limit)
        self.history = history
        self.window = window
        self.max_output = max_output
        self.walk = Walk()

    def run(self) -> None:
        walk = self.walk
        while self.bit < self.end and not walk.final and not walk.truncated_by_limit:
            if self.bit >= self.stop:
                walk.truncated_by_limit = True
            else:
                self._block()
            walk.consumed = (self.bit + 7) // 8 - self.start

    def _block(self) -> None:
        start_bit = self.bit
        header = self._take(3, "a block header")
        final, kind = bool(header & 1), header >> 1
        if kind == 0:
            self._stored(start_bit, final)
        elif kind == 1:
            self._compressed(FIXED, start_bit, final)
        elif kind == 2:
            self._compressed(self._dynamic_codes(), start_bit, final)
        else:
            raise self._defect("block type is 3, expected 0 (stored), 1 (fixed) or 2 (dynamic)", start_bit)

    def _stored(self, start_bit: int, final: bool) -> None:
        self.bit = lengths_at = (self.bit + 7) // 8 * 8
        length = self._take(16, "a stored block's header")
        complement = self._take(16, "a stored block's header")
        if complement != length ^ 0xFFFF:
            raise self._defect(
                f"stored block has LEN {length:#06x} and NLEN {complement:#06x}, expected NLEN {length ^ 0xFFFF:#06x}",
                lengths_at,
            )
        present = min(length, (self.end - self.bit) // 8)
        self.walk.output += present
        self._check_output()
        self.bit += 8 * present
        if present < length:
            raise self._truncated("a stored block")
        self.walk.blocks.append(Block("stored", final, start_bit, self.bit, length, 0, 0, 0, 0))
        self.walk.final = final

    def _dynamic_codes(self) -> Codes:
        counts_at = self.bit
        counts = self._take(14, "a dynamic block's header")
        literal_count = (counts & 31) + 257
        distance_count = (counts >> 5 & 31) + 1
        for name, count, most in (("literal/length", literal_count, 286), ("distance", distance_count, 30)):
            if count > most:
                raise self._defect(f"{name} code has {count} symbols, expected at most {most}", counts_at)

        codes_at = self.bit
        code_lengths = [0] * 19
        for symbol in CODE_LENGTH_ORDER[: (counts >> 10) + 4]:
            code_lengths[symbol] = self._take(3, "a dynamic block's header")
        self._check("code-length", flaw(code_lengths), codes_at)

        lengths_at = self.bit
        lengths = self._code_lengths(table(code_lengths, CODE_LENGTH_ROWS), literal_count + distance_count)
        literals, distances = lengths[:literal_count], lengths[literal_count:]
        if not literals[256]:
            raise self._defect("literal/length code has no end-of-block symbol", lengths_at)
        self._check("literal/length", flaw(literals, lone=True), lengths_at)
        self._check("distance", flaw(distances, lone=True), lengths_at)
        return Codes("dynamic", table(literals, LITERAL_ROWS), table(distances, DISTANCE_ROWS), max(lengths))

    def _code_lengths(self, codes: list[Entry], count: int) -> list[int]:
        lengths: list[int] = []
        while len(lengths) < count:
            symbol_at = self.bit
            total, symbol, used, extra = codes[self._peek() & len(codes) - 1]
            value = self._take(total, "a dynamic block's header") >> used & extra
            if symbol < 16:
                lengths.append(symbol)
                continue
            if symbol == 16 and not lengths:
                raise self._defect(
                    "code-length symbol 16 repeats the previous length, expected one before it", symbol_at
                )
            repeat = REPEAT_FROM[symbol] + value
            room = count - len(lengths)
            if repeat > room:
                raise self._defect(
                    f"code-length symbol {symbol} repeats {repeat} times, expected at most {room}", symbol_at
                )
            lengths += [lengths[-1] if symbol == 16 else 0] * repeat
        return lengths

    def _check(self, name: str, wrong: str | None, at: int) -> None:
        if wrong is not None:
            raise self._defect(f"{name} code is {wrong}", at)

    def _compressed(self, codes: Codes, start_bit: int, final: bool) -> None:  # noqa: PLR0912, PLR0915
        """Walk the tokens of one block; a call for each would cost more than the token.

        The bit buffer ``hold`` has ``bits`` bits of input, and zeros above them. While ``need`` of them are
        left a token can be read without asking whether it is there; near the end of the input ``need`` is 1,
        a token may take more than there is, and ``bits`` becomes negative.
        """
        kind, literals, distances, longest_code = codes
        data, end, stop = self.data, self.end // 8, self.stop
        literal_mask, distance_mask = len(literals) - 1, len(distances) - 1
        before = self.walk.output
        most = sys.maxsize if self.max_output is None else self.max_output - before
        literal_count = match_count = matched = max_length = max_distance = 0
        at, hold, bits, need = self.bit // 8, 0, 0, 8
        if self.bit % 8:
            hold, bits = data[at] >> self.bit % 8, 8 - self.bit % 8
            at += 1

        while True:
            if bits < need:
                if bits < 0:
                    literal_count -= 1  # only a literal is counted before it is known to be there
                    outcome = _Outcome.TRUNCATED
                    break
                if 8 * at - bits >= stop:
                    outcome = _Outcome.LIMIT
                    break
                if at == end and not bits:
                    outcome = _Outcome.TRUNCATED
                    break
                if literal_count + matched > most:
                    outcome = _Outcome.OVERFLOW
                    break
                chunk = data[at : at + _REFILL]
                hold |= int.from_bytes(chunk, "little") << bits
                bits += 8 * len(chunk)
                at += len(chunk)
                need = max(1 if at == end else _LONGEST_TOKEN, 8 * at - stop + 1)
                continue

            total, base, used, mask = literals[hold & literal_mask]
            bits -= total
            if not base:
                hold >>= total
                literal_count += 1
                continue
            if base < 0:
                outcome = _Outcome.END_OF_BLOCK if base == END_OF_BLOCK else _Outcome.NO_LITERAL
                break
            length = base + (hold >> used & mask)
            hold >>= total
            total, base, used, mask = distances[hold & distance_mask]
            bits -= total
            if bits < 0 or base < 0:
                outcome = _Outcome.NO_DISTANCE
                break
            distance = base + (hold >> used & mask)
            hold >>= total
            if distance > max_distance:
                # The first match that is too far is always the farthest of its block so far.
                max_distance = distance
                self._note_distance(before + literal_count + matched, distance)
            if length > max_length:  # noqa: PLR1730
                max_length = length
            match_count += 1
            matched += length

        produced = literal_count + matched
        self.walk.output += produced
        self.bit = 8 * at - bits
        self._check_output()
        if bits < 0 or outcome is _Outcome.TRUNCATED:
            raise self._truncated(f"a {kind} block")
        if outcome is _Outcome.NO_LITERAL:
            raise self._defect("literal/length code stands for no symbol", self.bit - total)
        if outcome is _Outcome.NO_DISTANCE:
            raise self._defect("distance code stands for no symbol", self.bit - total)
        if outcome is _Outcome.LIMIT:
            self.walk.truncated_by_limit = True
            return
        tokens = literal_count + match_count
        self.walk.blocks.append(
            Block(kind, final, start_bit, self.bit, produced, max_distance, max_length, tokens, longest_code)
        )
        self.walk.final = final

    def _note_distance(self, offset: int, distance: int) -> None:
        walk = self.walk
        walk.max_distance = max(walk.max_distance, distance)
        if distance > self.window and walk.far is None:
            walk.far = offset, distance
        if distance > offset + self.history and walk.too_far is None:
            walk.too_far = offset, distance

    def _check_output(self) -> None:
        if self.max_output is not None and self.walk.output > self.max_output:
            raise self._defect(f"output is more than {self.max_output} bytes, the most expected", self.bit)

    def _peek(self) -> int:
        """At least the next 17 bits, zeros after the end of the input."""
        at = self.bit // 8
        return int.from_bytes(self.data[at : at + 3], "little") >> self.bit % 8

    def _take(self, count: int, what: str) -> int:
        """The next ``count`` bits, at most 17, which belong to ``what``."""
        value = self._peek() & (1 << count) - 1
        if self.bit + count > self.end:
            raise self._truncated(what)
        self.bit += count
        return value

    def _defect(self, message: str, bit: int) -> DeflateError:
        return DeflateError(message, bit=bit, walk=self.walk)

    def _truncated(self, inside: str) -> TruncatedDeflate:
        return TruncatedDeflate(f"input ends inside {inside}", bit=self.end, walk=self.walk)

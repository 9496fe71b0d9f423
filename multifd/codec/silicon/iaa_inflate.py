"""The decompressor of the accelerator: raw DEFLATE with a history of 4096 bytes, and its error codes.

What it refuses follows from its error codes (``qpl/c_api/status.h``, qpl 1.9.0, 200 to 236) and from libqpl's own
tests, which name the code that hardware and software each return (class ``InflateErrorsTest`` of its functional tests):

======================================================  =======  ==========================================
what                                                    code     libqpl's software path
======================================================  =======  ==========================================
block type 3                                            213      same
LEN and NLEN disagree                                   214      same
more than 286 literal/length or 30 distance codes       235 236  206, 207
over-subscribed code-length, literal/length, distance   208-210  same
code-length symbol without a code                       202      same
the first literal/length length is a repeat (16)        203      same
**the first distance length is a repeat (16)**          204      accepts, as RFC 1951 does
**a repeat runs from the one lengths into the other**   206      accepts, as RFC 1951 does
a repeat runs beyond the last distance                  207      same
no literal/length code at all                           205      same; also for a missing end-of-block
literal/length or distance symbol without a code        211 212  same
**distance beyond 4096**                                217      same
distance before the start                               218      same
input ends before the final end-of-block                215      status 0 and short output
======================================================  =======  ==========================================

"The code length repeat codes can cross from HLIT + 257 to the HDIST + 1 code lengths" (RFC 1951, section 3.2.7): the
engine reads two sequences, and so refuses valid streams; that is what intel/qpl issue 21 saw of QAT's output.
Incomplete codes have no error code: as in libqpl, not they are refused but the use of what they leave unassigned. The
lone code that RFC 1951 permits is a case of that. zlib refuses them, so an ordinary inflate would not do here.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple, NoReturn, TypeAlias

from multifd.codec.silicon.iaa_status import Refusal, Status
from multifd.codec.silicon.rfc1951 import (
    CODE_LENGTH_ORDER,
    DISTANCES,
    END_OF_BLOCK,
    FIXED_DISTANCES,
    FIXED_LITERALS,
    LENGTHS,
    REPEATS,
    Row,
    codes,
)

HISTORY: Final = 4096
"""Bytes that a match can reach back ("history size limited to 4 KB": libqpl's introduction; ``BAD_DIST_ERR``)."""

_TOO_FAR: Final = 24
"""The first symbol of a distance code that stands for more than HISTORY."""
_UNASSIGNED: Final = 1 << 16
"""More than any value: whatever is less than END_OF_BLOCK is a literal."""
_MATCH: Final = 254
"""A literal/length value beyond END_OF_BLOCK is a match length in bytes plus this."""
_LONGEST_TOKEN: Final = 48
"""Bits, rounded up: two codes of 15 bits with 5 and 13 extra bits."""

_Entry: TypeAlias = tuple[int, int, int, int]
"""Bits of code and extra bits, value, bits of the code, mask of the extra bits."""

_LITERAL_ROWS: Final = [
    *(Row(value, 0) for value in range(END_OF_BLOCK + 1)),
    *(Row(base + _MATCH, extra) for base, extra in LENGTHS),
    *[Row(_UNASSIGNED, 0)] * 2,
]
_DISTANCE_ROWS: Final = [*DISTANCES, *[Row(_UNASSIGNED, 0)] * 2]
_CODE_LENGTH_ROWS: Final = [Row(symbol, 0) for symbol in range(19)]


def _table(lengths: Sequence[int], rows: Sequence[Row]) -> list[_Entry]:
    """What the next bits mean, indexed by as many of them as the longest code has."""
    longest = max(max(lengths, default=0), 1)
    table: list[_Entry] = [(1, _UNASSIGNED, 1, 0)] * (1 << longest)
    for length, code, (base, extra) in zip(lengths, codes(lengths), rows, strict=False):
        if length:
            entry = (length + extra, base, length, (1 << extra) - 1)
            table[code :: 1 << length] = [entry] * (1 << longest - length)
    return table


class _Lengths(NamedTuple):
    literals: list[int]
    distances: list[int]


_FIXED: Final = _table(FIXED_LITERALS, _LITERAL_ROWS), _table(FIXED_DISTANCES, _DISTANCE_ROWS)


def inflate(data: bytes, room: int, *, spanning: bool = False) -> bytes:
    """The output of one complete stream, at most ``room`` bytes; what follows the stream is not looked at.

    ``spanning`` is libqpl's software path: a run of code lengths may go from the one alphabet into the other.
    Raises :class:`Refusal`.
    """
    engine = _Engine(data, room, spanning=spanning)
    if data and data[0] & 1:
        # One block: zlib is exact here, but for its header's two sequences, and for what is too far.
        output = _by_zlib(data, room)
        if output is not None and engine.takes(len(output)):
            return output
    return engine.run()


def _by_zlib(data: bytes, room: int) -> bytes | None:
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        output = decoder.decompress(data, room + 1)
    except zlib.error:
        return None
    return output if decoder.eof and len(output) <= room else None


class Inflation:
    """A stream that job after job goes on with, as the engine does with its state in an AECS.

    It holds the block that is not at its end, from the start, and the history before it: what the silicon keeps of a
    block (its codes, the bits, where it stands) is found again by decoding it once more.
    """

    def __init__(self) -> None:
        self._history = b""
        self._input = b""
        self._bit = 0
        self._delivered = 0
        """Bytes of the block's output that are delivered already."""

    def job(self, data: bytes, room: int, *, spanning: bool = False) -> bytes:
        """What one job delivers of the input so far, at most ``room`` bytes. Raises :class:`Refusal`."""
        before = len(self._history) + self._delivered
        engine = _Engine(self._input + data, before + room, self._history, self._bit, spanning=spanning)
        engine.run_open()
        output = bytes(engine.output[before:])
        start = max(0, engine.block_output - HISTORY)
        self._history = bytes(engine.output[start : engine.block_output])
        self._delivered = len(engine.output) - engine.block_output
        self._input = engine.rest
        self._bit = engine.block_bit % 8
        return output


class _Engine:
    """One job: ``bit`` is the position in the input, ``output`` begins with the history."""

    def __init__(self, data: bytes, room: int, history: bytes = b"", bit: int = 0, *, spanning: bool) -> None:
        self._data = data
        self._end = 8 * len(data)
        self._room = room
        self._spanning = spanning
        self._bit = bit
        self.output = bytearray(history)
        self.block_bit = bit
        """Where the block begins that was begun last."""
        self.block_output = len(history)
        """Where its output begins."""

    def takes(self, size: int) -> bool:
        """Of the one block of a stream that zlib reads to ``size`` bytes: whether the engine certainly does, too.

        It takes the header, and no distance is too far: there is not so much before anything, or no code for it. Leaves
        the position where it was.
        """
        self._bit = 3
        near = size <= HISTORY
        try:
            kind = self._data[0] >> 1 & 3
            return not any(self._dynamic_lengths().distances[_TOO_FAR:]) or near if kind == 2 else near
        except Refusal:
            return False
        finally:
            self._bit = 0

    @property
    def rest(self) -> bytes:
        """The input from the byte on in which the last block begins."""
        return self._data[self.block_bit // 8 :]

    def run(self) -> bytes:
        """The whole stream."""
        while not self._block():
            pass
        return bytes(self.output)

    def run_open(self) -> None:
        """The stream as far as the input goes, which may end anywhere."""
        try:
            final = 0
            while self._bit < self._end and not final:
                final = self._block()
                self.block_bit, self.block_output = self._bit, len(self.output)
        except Refusal as refusal:
            if refusal.status is not Status.BAD_EOF_ERR:
                raise

    def _block(self) -> int:
        """One block; whether it is the final one."""
        final, kind = self._take(1), self._take(2)
        if kind == 0:
            self._stored()
        elif kind == 1:
            self._tokens(*_FIXED)
        elif kind == 2:
            literals, distances = self._dynamic_lengths()
            self._tokens(_table(literals, _LITERAL_ROWS), _table(distances, _DISTANCE_ROWS))
        else:
            self._refuse(Status.INVALID_BLOCK_TYPE, "block type is 3, expected 0 to 2")
        return final

    def _stored(self) -> None:
        self._bit = (self._bit + 7) // 8 * 8
        length, complement = self._take(16), self._take(16)
        if length ^ complement != 0xFFFF:
            self._refuse(Status.INVALID_STORED_LEN_ERR, f"LEN is {length:#06x}, NLEN {complement:#06x}")
        start = self._bit // 8
        present = self._data[start : start + length]
        left = self._room - len(self.output)
        self.output += present[:left]
        self._bit += 8 * len(present)
        if len(present) > left:
            self._overflow()
        if len(present) < length:
            self._truncated()

    def _dynamic_lengths(self) -> _Lengths:
        literal_count, distance_count, listed = self._take(5) + 257, self._take(5) + 1, self._take(4) + 4
        if literal_count > 286:
            self._refuse(Status.TOO_MANY_LL_CODES_ERR, f"{literal_count} literal/length codes, expected at most 286")
        if distance_count > 30:
            self._refuse(Status.TOO_MANY_D_CODES_ERR, f"{distance_count} distance codes, expected at most 30")
        code_lengths = [0] * 19
        for symbol in CODE_LENGTH_ORDER[:listed]:
            code_lengths[symbol] = self._take(3)
        self._check(code_lengths, "code-length", Status.BAD_CL_CODE_LEN_ERR)
        lengths = self._sequence(_table(code_lengths, _CODE_LENGTH_ROWS), literal_count, distance_count)
        if not any(lengths.literals):
            self._refuse(Status.NO_LL_CODE_ERR, "all literal/length codes have length 0")
        self._check(lengths.literals, "literal/length", Status.BAD_LL_CODE_LEN_ERR)
        self._check(lengths.distances, "distance", Status.BAD_DIST_CODE_LEN_ERR)
        return lengths

    def _sequence(self, table: list[_Entry], literal_count: int, distance_count: int) -> _Lengths:
        lengths: list[int] = []
        while len(lengths) < literal_count + distance_count:
            total, symbol, _, _ = table[self._peek() & len(table) - 1]
            if symbol == _UNASSIGNED:
                self._refuse(Status.UNDEF_CL_CODE_ERR, "bits that are no code-length code")
            self._take(total)
            if symbol not in REPEATS:
                lengths.append(symbol)
                continue
            base, extra = REPEATS[symbol]
            self._repeat(lengths, symbol, base + self._take(extra), literal_count, distance_count)
        return _Lengths(lengths[:literal_count], lengths[literal_count:])

    def _repeat(self, lengths: list[int], symbol: int, count: int, literal_count: int, distance_count: int) -> None:
        done = len(lengths)
        if symbol == 16 and not done:
            self._refuse(Status.FIRST_LL_CODE_16_ERR, "the first literal/length length repeats the one before")
        if symbol == 16 and done == literal_count and not self._spanning:
            self._refuse(Status.FIRST_D_CODE_16_ERR, "the first distance length repeats the one before")
        if done < literal_count < done + count and not self._spanning:
            self._refuse(
                Status.WRONG_NUM_LL_CODES_ERR,
                f"a repeat of {count} runs from literal/length {done} into the distances, after {literal_count}",
            )
        if done + count > literal_count + distance_count:
            self._refuse(Status.WRONG_NUM_DIST_CODES_ERR, f"a repeat of {count} runs beyond the last distance length")
        lengths += [lengths[-1] if symbol == 16 else 0] * count

    def _check(self, lengths: Sequence[int], name: str, status: Status) -> None:
        if sum(1 << 15 - length for length in lengths if length) > 1 << 15:
            self._refuse(status, f"the {name} code is over-subscribed")

    def _tokens(self, literals: list[_Entry], distances: list[_Entry]) -> None:  # noqa: PLR0912, PLR0915  (a call costs more than a token)
        """One block's. They are taken before it is known that a literal, and room for any of them, is there.

        Nothing of that can go unnoticed: it is seen before the next match, refill or end of the block.
        """
        data, room, output = self._data, self._room, self.output
        literal_mask, distance_mask = len(literals) - 1, len(distances) - 1
        append = output.append
        at, hold, bits = self._bit // 8, 0, 0
        if self._bit % 8:
            hold, bits = data[at] >> self._bit % 8, 8 - self._bit % 8
            at += 1
        while True:
            if bits < _LONGEST_TOKEN:
                if bits < 0:
                    output.pop()
                if len(output) > room:
                    self._overflowed()
                if bits < 0:
                    self._truncated()
                chunk = data[at : at + 16]
                hold |= int.from_bytes(chunk, "little") << bits
                bits += 8 * len(chunk)
                at += len(chunk)
            total, value, used, mask = literals[hold & literal_mask]
            bits -= total
            if value < END_OF_BLOCK:
                append(value)
                hold >>= total
                continue
            produced = len(output)
            if produced > room:
                self._overflowed()
            if bits < 0:
                self._truncated()
            if value == _UNASSIGNED:
                self._refuse(Status.BAD_LL_CODE_ERR, "bits that are no literal/length code")
            if value == END_OF_BLOCK:
                break
            length = value - _MATCH + (hold >> used & mask)
            hold >>= total
            total, value, used, mask = distances[hold & distance_mask]
            bits -= total
            if bits < 0:
                self._truncated()
            if value == _UNASSIGNED:
                self._refuse(Status.BAD_D_CODE_ERR, "bits that are no distance code")
            distance = value + (hold >> used & mask)
            hold >>= total
            if distance > HISTORY:
                self._refuse(Status.BAD_DIST_ERR, f"distance {distance} is beyond the history of {HISTORY} bytes")
            if distance > produced:
                self._refuse(Status.REF_BEFORE_START_ERR, f"distance {distance} is before the start, {produced} back")
            if length <= distance:
                output += output[produced - distance : produced - distance + length]
            else:
                output += (output[-distance:] * -(-length // distance))[:length]
        self._bit = 8 * at - bits

    def _overflowed(self) -> NoReturn:
        """What there was no room for is not there."""
        del self.output[self._room :]
        self._overflow()

    def _peek(self) -> int:
        """At least the next 17 bits, zeros after the end of the input."""
        at = self._bit // 8
        return int.from_bytes(self._data[at : at + 3], "little") >> self._bit % 8

    def _take(self, count: int) -> int:
        value = self._peek() & (1 << count) - 1
        if self._bit + count > self._end:
            self._truncated()
        self._bit += count
        return value

    def _truncated(self) -> NoReturn:
        # Descriptors of a LAST job set "check for EOB" and "select BFINAL EOB" (qpl_hw_inflate_job.cpp, qpl 1.6.0).
        self._refuse(Status.BAD_EOF_ERR, "incomplete or truncated stream: no end of the final block")

    def _overflow(self) -> NoReturn:
        # As in qpl_hw_check_job.cpp, qpl 1.6.0.
        status = Status.MORE_OUTPUT_NEEDED if self.output else Status.DST_IS_SHORT_ERR
        self._refuse(status, f"more than the expected {self._room} bytes")

    def _refuse(self, status: Status, detail: str) -> NoReturn:
        raise Refusal(status, detail, bytes(self.output))

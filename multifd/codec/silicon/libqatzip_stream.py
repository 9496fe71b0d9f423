"""A stream of libqatzip that reads: ``qzDecompressStream`` around a session, call by call.

Source: ``src/qatzip_stream.c`` (QATzip 1.3.1, ``qzDecompressStream``, ``copyStreamInput``, ``copyStreamOutput``). Input
is collected to ``strm_buff_sz`` bytes, or to what the caller says is the last, and given to ``qzDecompress`` with as
much room; what the caller has no room for is kept.

What is behind it is the session's affair (:mod:`.libqatzip`). A stream that does not end in its first packet is refused
by a device, for no request is without a final block; the piece is repeated in software, which has then begun a stream,
and with a stream begun every later call is software's (``InflateOK``, ``src/qatzip.c``, QATzip 1.3.1). So
silicon decodes nothing of it, and without ``sw_backup`` nobody does.
"""

from __future__ import annotations

from typing import Final

from multifd.codec.silicon.libqatzip import Answer, Session


class Stream:
    """One ``QzStream_T`` of a session, which does nothing else meanwhile."""

    def __init__(self, session: Session, size: int) -> None:
        self.session: Final = session
        self._size = size
        """``strm_buff_sz``, bytes."""
        self._pending_in = b""
        self._pending_out = b""
        self._flush_more = False

    @property
    def pending_in(self) -> int:
        """Bytes of input that are kept."""
        return len(self._pending_in)

    def decompress(self, source: bytes, room: int, *, last: bool) -> Answer:
        """``qzDecompressStream`` of a packet, into ``room`` bytes."""
        output = bytearray()
        taken = 0
        while self._pending_out:
            if not self._hand_over(output, room):
                self._flush_more = bool(self._pending_in)
                return Answer("QZ_OK", taken, bytes(output))
        copy_more = True
        while not self._pending_out:
            before = taken
            if copy_more and not self._flush_more:
                piece = source[taken : taken + self._size - len(self._pending_in)]
                self._pending_in += piece
                taken += len(piece)
                if len(self._pending_in) < self._size and not last:
                    return Answer("QZ_OK", taken, bytes(output))
                copy_more = False
            self._flush_more = False
            answer = self.session.decompress(self._pending_in, self._size)
            if answer.code not in ("QZ_OK", "QZ_BUF_ERROR"):
                return Answer(answer.code, before, bytes(output))
            self._pending_in = self._pending_in[answer.consumed :]
            self._pending_out = answer.output
            self._hand_over(output, room)
            if answer.code == "QZ_BUF_ERROR" and not answer.consumed:
                return Answer("QZ_FAIL", before, bytes(output))
            copy_more = copy_more or not self._pending_in
            if not self._pending_in and taken == len(source):
                break
        return Answer("QZ_OK", taken, bytes(output))

    def _hand_over(self, output: bytearray, room: int) -> int:
        """Bytes of pending output that found room."""
        count = min(len(self._pending_out), room - len(output))
        output += self._pending_out[:count]
        self._pending_out = self._pending_out[count:]
        return count

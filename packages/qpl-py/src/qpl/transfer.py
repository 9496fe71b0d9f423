"""The memory of one operation: the caller's own, or private memory where libqpl 1.9.0 would leave the caller's.

Measured with guard pages behind and before every buffer, on whole and damaged streams of all formats:

* Decompressing more than 64 KiB, the library writes up to 4 bytes of its *input* behind the destination where the
  output ends less than 4 bytes before the destination does. Destinations up to 65,536 bytes are safe.
* The last call of a stream reads ``total_out`` bytes before the end of what it wrote, for a checksum, and so before
  the destination unless it directly follows the one of the call before.
* gzip input that ends within its header or trailer is read without end (:mod:`qpl.member`).
* Compression stays within both buffers.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any, Final

from qpl.buffers import Pinned
from qpl.header import Flag, Operation
from qpl.member import check_member

IN_PLACE_MAXIMUM: Final = 65_536
OVERRUN_MARGIN: Final = 64


class Transfer:
    """``source`` and ``target`` held in place until :meth:`release`; the library writes to ``output``.

    ``written`` is what earlier calls of the stream wrote, in bytes. Raises ``TypeError`` and ``ValueError`` as
    :class:`~qpl.buffers.Pinned` does, and :class:`~qpl.errors.UnsafeInputError`.
    """

    def __init__(self, operation: Operation, flags: Flag, data: Any, dst: Any, written: int) -> None:
        self._bounce: mmap.mmap | None = None
        self.source: Final = Pinned(data, "data")
        self.target: Final = Pinned(dst, "dst", writable=True)
        self.output = self.target.address
        if operation is Operation.DECOMPRESS:
            first, last = Flag.FIRST in flags, Flag.LAST in flags
            if Flag.GZIP_MODE in flags:
                check_member(self.source.address, self.source.size, first=first, last=last)
            if self.target.size > IN_PLACE_MAXIMUM or (last and not first):
                # Anonymous memory costs nothing until it is touched, however much was written before.
                self._bounce = mmap.mmap(-1, written + self.target.size + OVERRUN_MARGIN)
                self.output = ctypes.addressof(ctypes.c_char.from_buffer(self._bounce)) + written

    def deliver(self, produced: int) -> None:
        """Bring ``produced`` bytes to where the caller wants them."""
        if self._bounce is not None:
            ctypes.memmove(self.target.address, self.output, min(produced, self.target.size))

    def release(self) -> None:
        """Let the caller's memory go."""
        self.source.release()
        self.target.release()

"""Memory that tells when a library leaves it.

::

    ... | content, ``size`` bytes | slack, filled with a pattern | page that nobody may touch

A write into the slack is found afterwards, to the byte; without slack, any access behind the content is a
segmentation fault at that instruction.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Final

_PATTERN: Final = b"\xa5"
_mprotect: Final = ctypes.CDLL(None, use_errno=True).mprotect
_mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class Region:
    """``content``, or so many zero bytes, at ``address``; raises ``OSError`` where the kernel refuses."""

    def __init__(self, content: bytes | int, slack: int = 0) -> None:
        self.size: Final = content if isinstance(content, int) else len(content)
        used = self.size + slack
        inside = -(-max(used, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
        self._map: Final = mmap.mmap(-1, inside + mmap.PAGESIZE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        if _mprotect(start + inside, mmap.PAGESIZE, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "mprotect")
        self.address: Final = start + inside - used
        self._first: Final = inside - used
        self._slack: Final = slack
        self._map[inside - slack : inside] = _PATTERN * slack
        if isinstance(content, bytes):
            self._map[self._first : self._first + self.size] = content

    def read(self, size: int) -> bytes:
        """The first ``size`` bytes, at most all."""
        return self._map[self._first : self._first + min(size, self.size)]

    def overwritten(self) -> int:
        """Bytes of the slack up to the last one that was written to."""
        behind = self._map[self._first + self.size : self._first + self.size + self._slack]
        return len(behind.rstrip(_PATTERN))

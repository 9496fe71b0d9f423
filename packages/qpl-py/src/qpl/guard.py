"""Memory that ends where the address space does: the byte behind it belongs to a page that nobody may touch.

A write or read beyond the end is a segmentation fault at that instruction instead of a silent overrun.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Final

_PROT_NONE: Final = 0
protect: Final = ctypes.CDLL(None, use_errno=True).mprotect
protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class Guarded:
    """``view`` is ``size`` writable bytes whose last one is the last of a page; the page behind cannot be accessed.

    Raises ``OSError`` where the kernel refuses.
    """

    def __init__(self, size: int) -> None:
        body = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        self._map: Final = mmap.mmap(-1, body + mmap.PAGESIZE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        if protect(start + body, mmap.PAGESIZE, _PROT_NONE):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "mprotect")
        self.address: Final = start + body - size
        self.view: Final = memoryview(self._map)[body - size : body]

"""Memory with an unreadable page directly behind it, and children that may die of touching it."""

from __future__ import annotations

import ctypes
import mmap
import os
import traceback
from collections.abc import Callable

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class Guarded:
    """``size`` bytes whose last one is the last of its page; the next page can be neither read nor written."""

    def __init__(self, content: bytes | int) -> None:
        size = content if isinstance(content, int) else len(content)
        inside = -(-max(size, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
        self._map = mmap.mmap(-1, inside + mmap.PAGESIZE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        assert _libc.mprotect(start + inside, mmap.PAGESIZE, 0) == 0
        self.view = memoryview(self._map)[inside - size : inside]
        if isinstance(content, bytes):
            self.view[:] = content


def survives(act: Callable[[], None]) -> bool:
    """Whether a child process returns from ``act``; its exceptions are printed and count as not."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0

"""What a peer allocates for a packet stays its own, and serves the next one.

A codec's state and output are freed with each page or packet. glibc gives what is large back to the kernel every time,
and takes it again page fault by page fault: a fifth of all CPU time of a receiver that decodes single pages. It is the
same with the memory that a worker looks at after every cell.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Final

_KEPT: Final = 32 << 20
"""Bytes: as much as glibc lets ``M_MMAP_THRESHOLD`` be (mallopt(3))."""
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


def keep() -> None:
    """Keep freed memory in this process; nothing changes with a C library that cannot be told so."""
    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_MMAP_THRESHOLD, _KEPT)

"""Addresses of Python buffers without copies, and private buffers where the library leaves its own bounds.

Measured on libqatzip 2.0.0 without a device, with unreadable pages directly behind source and destination:

====================================  ===============================================================
``qzDecompress``, every format        reads 20 bytes of every source, however short the source is
``qzDecompress``, 4B                  reads a 4 byte chunk header wherever input is left, even 1 byte
``qzCompress``, 4B                    writes up to 4 bytes behind a destination that is too short
everything else                       stays inside source and destination
====================================  ===============================================================

So a short or 4B source is copied into a buffer with a margin behind it, and 4B output is produced in one. The
library is always told the caller's own sizes: the margin only keeps it from touching memory that is not its own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

READ_AHEAD = 20
"""Bytes that ``qzDecompress`` reads of any non-empty source."""

MARGIN = 64
"""Bytes behind a private buffer; more than the largest excess measured (19 read, 4 written)."""

LARGEST = 2**32 - 1
"""Sizes are ``unsigned int``."""

_PYBUF_SIMPLE = 0
_PYBUF_WRITABLE = 1


class _PyBuffer(ctypes.Structure):
    """``Py_buffer``, part of the stable ABI since Python 3.11."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


_get_buffer = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.POINTER(_PyBuffer), ctypes.c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi)
)
_release_buffer = ctypes.PYFUNCTYPE(None, ctypes.POINTER(_PyBuffer))(("PyBuffer_Release", ctypes.pythonapi))

# The library refuses a null pointer even for zero bytes, and empty Python buffers may have one.
_NOWHERE = ctypes.create_string_buffer(MARGIN)


@contextmanager
def pinned(data: Any, *, writable: bool = False) -> Iterator[tuple[int, int]]:
    """Address and size in bytes of a contiguous buffer, which cannot move or shrink meanwhile.

    Raises :class:`TypeError` (no buffer), :class:`BufferError` (not contiguous, or read-only where ``writable``)
    and :class:`ValueError` (more than 4 GiB - 1).
    """
    view = _PyBuffer()
    _get_buffer(data, view, _PYBUF_WRITABLE if writable else _PYBUF_SIMPLE)
    try:
        if view.len > LARGEST:
            raise ValueError(f"buffer is {view.len} bytes, expected at most {LARGEST}")
        yield view.buf or ctypes.addressof(_NOWHERE), view.len
    finally:
        _release_buffer(view)


@contextmanager
def compressed_source(data: Any, format: str) -> Iterator[tuple[int, int]]:
    """Address and size of input for ``qzDecompress``, safe to read ahead of."""
    with pinned(data) as (address, size):
        if format != "4B" and size >= READ_AHEAD:
            yield address, size
            return
        private = ctypes.create_string_buffer(size + MARGIN)
        ctypes.memmove(private, address, size)
        yield ctypes.addressof(private), size


class PrivateDestination:
    """Output in a buffer with a margin, copied to the caller's when it is known to fit."""

    def __init__(self, size: int) -> None:
        self._memory = ctypes.create_string_buffer(size + MARGIN)
        self.address = ctypes.addressof(self._memory)

    def hand_over(self, address: int, produced: int) -> None:
        """Copy the first ``produced`` bytes to ``address``."""
        ctypes.memmove(address, self._memory, produced)

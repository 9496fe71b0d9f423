"""Memory of Python objects, by address and without a copy.

``ctypes`` offers the address of writable buffers only (``from_buffer``). A source is often ``bytes``, so the buffer
protocol itself is called (PEP 3118): it hands out the address of read-only memory too, and keeps the memory where it
is until the buffer is released.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from qpl.header import U32_MAX

_SIMPLE: Final = 0  # PyBUF_SIMPLE: contiguous bytes, format and shape do not matter


class _PyBuffer(ctypes.Structure):
    """``Py_buffer`` (``Include/pybuffer.h``, CPython 3.11; part of the stable ABI since 3.11)."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
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


_get: Final = ctypes.pythonapi.PyObject_GetBuffer
_get.argtypes = (ctypes.py_object, ctypes.POINTER(_PyBuffer), ctypes.c_int)
_get.restype = ctypes.c_int
_release: Final = ctypes.pythonapi.PyBuffer_Release
_release.argtypes = (ctypes.POINTER(_PyBuffer),)
_release.restype = None


class Pinned:
    """The memory of ``value``, at ``address`` for ``size`` bytes until ``release()``.

    ``name`` is the argument's name, for the messages. Raises ``TypeError`` for an object without contiguous bytes and
    for a destination that is read-only; ``ValueError`` beyond 4 GiB - 1, the largest size that a ``qpl_job`` holds.
    """

    def __init__(self, value: Any, name: str, *, writable: bool = False) -> None:
        self._buffer: _PyBuffer | None = None
        buffer = _PyBuffer()
        try:
            _get(value, ctypes.byref(buffer), _SIMPLE)
        except (TypeError, BufferError):
            raise TypeError(f"{name} is {type(value).__name__}, expected an object with contiguous bytes") from None
        self._buffer = buffer
        self.size: Final = int(buffer.len)
        self.address: Final = int(buffer.buf or 0)
        if writable and buffer.readonly:
            self.release()
            raise TypeError(f"{name} is read-only ({type(value).__name__}), expected a writable buffer")
        if self.size > U32_MAX:
            self.release()
            raise ValueError(f"{name} is {self.size} bytes, expected at most {U32_MAX}")

    def release(self) -> None:
        """Let the memory go. Further calls do nothing."""
        if self._buffer is not None:
            _release(ctypes.byref(self._buffer))
            self._buffer = None

    def __enter__(self) -> Pinned:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()

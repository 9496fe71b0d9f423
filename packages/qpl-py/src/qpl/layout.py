"""Whether the loaded library means the same ``qpl_job`` as this package: tried out before the first real call.

A library that had moved a field would read lengths as addresses. So 64 known bytes are compressed and decompressed in
guarded memory, and every field that the library answers in must hold the one right value.
"""

from __future__ import annotations

import ctypes
import threading
import zlib
from typing import Final

from qpl.errors import LayoutError
from qpl.guard import Guarded
from qpl.header import Flag, JobStructure, Operation, Path
from qpl.library import load
from qpl.native import NativeJob

_KNOWN: Final = b"window of 4096: " * 4
_ROOM: Final = 128
_lock: Final = threading.Lock()
_checked: ctypes.CDLL | None = None


def checked_library() -> ctypes.CDLL:
    """The library, once it is known to understand our ``qpl_job``.

    Raises :class:`~qpl.errors.LibraryNotFoundError` and :class:`~qpl.errors.LayoutError`.
    """
    global _checked  # noqa: PLW0603  (one library per process)
    library = load()
    with _lock:
        if _checked is not library:
            check_layout(library)
            _checked = library
        return library


def check_layout(library: ctypes.CDLL) -> None:
    """Compress and decompress 64 bytes in software; raise :class:`~qpl.errors.LayoutError` at the first surprise."""
    job = NativeJob(library, Path.SOFTWARE)
    _expect("data_ptr.path", job.fields.data_ptr.path, int(Path.SOFTWARE))
    compressed = _run(job, Operation.COMPRESS, _KNOWN)
    try:
        decompressed = zlib.decompress(compressed, wbits=-12)
    except zlib.error as problem:
        raise LayoutError("compressed output", str(problem), "raw DEFLATE") from None
    _expect("compressed output", decompressed, _KNOWN)
    _expect("decompressed output", _run(job, Operation.DECOMPRESS, compressed), _KNOWN)
    job.call("qpl_fini_job")


def _run(job: NativeJob, operation: Operation, data: bytes) -> bytes:
    source, target = Guarded(len(data)), Guarded(_ROOM)
    source.view[:] = data
    fields: JobStructure = job.fields
    fields.next_in_ptr, fields.available_in = source.address, len(data)
    fields.next_out_ptr, fields.available_out = target.address, _ROOM
    fields.op, fields.level, fields.flags = operation, 1, Flag.FIRST | Flag.LAST
    _expect("status", job.call("qpl_execute_job"), 0)
    produced = fields.total_out
    _expect("total_in", fields.total_in, len(data))
    _expect("available_in", fields.available_in, 0)
    _expect("next_in_ptr", fields.next_in_ptr, source.address + len(data))
    if not 0 < produced <= _ROOM:
        raise LayoutError("total_out", produced, f"1 to {_ROOM}")
    _expect("available_out", fields.available_out, _ROOM - produced)
    _expect("next_out_ptr", fields.next_out_ptr, target.address + produced)
    _expect("crc", fields.crc, zlib.crc32(_KNOWN))
    return bytes(target.view[:produced])


def _expect(field: str, value: object, expected: object) -> None:
    if value != expected:
        raise LayoutError(field, value, expected)

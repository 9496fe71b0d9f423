"""Whole buffers in one call, in the manner of :mod:`zlib`.

Every call has a job of its own, so that none depends on what was done before, and the output is checked as far as it
can be: compressed output has its whole trailer, decompressed output has the announced size.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final

from qpl.errors import MoreOutputNeededError, ShortOutputError
from qpl.job import Format, Huffman, Job, Level, PathName

_STORED_BLOCK: Final = 65_535
_MORE_OUTPUT_NEEDED: Final = 2


def compress_bound(size: int) -> int:
    """Bytes that always suffice for the compressed form of ``size`` bytes, in any format.

    Stored blocks add 5 bytes per 65,535 (RFC 1951, section 3.2.4), gzip 18 (RFC 1952), and libqpl wants some bytes
    more than it writes; 40 per block and 18 are above ``qpl_get_safe_deflate_compression_buffer_size``, 1.9.0.
    """
    return size + 40 * (size // _STORED_BLOCK + 1) + 18


def compress(
    data: Any,
    *,
    format: Format = "raw",  # noqa: A002  (the word of gzip, zlib and QATzip's users)
    level: Level = "default",
    huffman: Huffman = "fixed",
    path: PathName = "software",
) -> bytes:
    """``data`` compressed. Raises :class:`~qpl.errors.QplError`: 57 for no data at all, 87 for other levels."""
    target = bytearray(compress_bound(memoryview(data).nbytes))
    written = compress_into(data, target, format=format, level=level, huffman=huffman, path=path)
    return bytes(memoryview(target)[:written])


def compress_into(
    data: Any,
    dst: Any,
    *,
    format: Format = "raw",  # noqa: A002
    level: Level = "default",
    huffman: Huffman = "fixed",
    path: PathName = "software",
) -> int:
    """Compress ``data`` into ``dst`` and return the bytes written.

    Raises :class:`~qpl.errors.MoreOutputNeededError` where ``dst`` is too small: also where the library reports
    success, but left out the trailer of a zlib or gzip stream. ``dst`` must be up to 6 bytes larger than what is
    written; :func:`compress_bound` always suffices.
    """
    with Job(path) as job:
        written = job.compress_into(data, dst, format=format, level=level, huffman=huffman)
    trailer = _trailer(data, format)
    if bytes(memoryview(dst).cast("B")[max(0, written - len(trailer)) : written]) != trailer:
        raise MoreOutputNeededError(_MORE_OUTPUT_NEEDED, "compress_into")
    return written


def decompress(
    data: Any,
    *,
    size: int,
    format: Format = "raw",  # noqa: A002
    path: PathName = "software",
) -> bytes:
    """``data`` decompressed, which must give exactly ``size`` bytes.

    Raises :class:`~qpl.errors.ShortOutputError` where it gives fewer although the library reports success,
    :class:`~qpl.errors.MoreOutputNeededError` where it gives more, any other :class:`~qpl.errors.QplError`.
    """
    target = bytearray(size)
    written = decompress_into(data, target, format=format, path=path)
    if written != size:
        raise ShortOutputError(written, size)
    return bytes(target)


def decompress_into(
    data: Any,
    dst: Any,
    *,
    format: Format = "raw",  # noqa: A002
    path: PathName = "software",
) -> int:
    """Decompress ``data`` into ``dst``; return the bytes written, to be compared with the expected by the caller."""
    with Job(path) as job:
        return job.decompress_into(data, dst, format=format)


def _trailer(data: Any, container: Format) -> bytes:
    if container == "zlib":
        return zlib.adler32(data).to_bytes(4, "big")
    if container == "gzip":
        return struct.pack("<II", zlib.crc32(data), memoryview(data).nbytes)
    return b""

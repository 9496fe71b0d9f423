"""One-shot functions in the manner of :mod:`zlib`: a session of their own for every call.

Setting a session up costs some 15 µs without a device; with one it is worth keeping a
:class:`~qatzip.session.Session`.
"""

from __future__ import annotations

from typing import Any

from qatzip.errors import ShortOutputError, UnconsumedInputError
from qatzip.parameters import Format, Huffman, Parameters
from qatzip.session import Session


def compress_into(
    src: Any,
    dst: Any,
    *,
    format: Format = "gzip-ext",
    level: int = 1,
    huffman: Huffman = "dynamic",
    hw_buff_sz: int = 64 * 1024,
    input_sz_thrshold: int = 1024,
    sw_backup: bool = True,
) -> int:
    """Compress ``src`` into ``dst``; the number of bytes written.

    Raises :class:`~qatzip.errors.QatzipError` (``QZ_FAIL`` or an overrun: ``dst`` is too short).
    """
    parameters = Parameters(
        format=format,
        level=level,
        huffman=huffman,
        hw_buff_sz=hw_buff_sz,
        input_sz_thrshold=input_sz_thrshold,
        sw_backup=sw_backup,
    )
    with Session(parameters) as session:
        return session.compress_into(src, dst)[1]


def compress(
    data: Any,
    *,
    format: Format = "gzip-ext",
    level: int = 1,
    huffman: Huffman = "dynamic",
    hw_buff_sz: int = 64 * 1024,
    input_sz_thrshold: int = 1024,
    sw_backup: bool = True,
) -> bytes:
    """Compress a buffer; the parameters are those of :class:`~qatzip.parameters.Parameters`.

    Raises :class:`~qatzip.errors.QatzipError`.
    """
    parameters = Parameters(
        format=format,
        level=level,
        huffman=huffman,
        hw_buff_sz=hw_buff_sz,
        input_sz_thrshold=input_sz_thrshold,
        sw_backup=sw_backup,
    )
    with Session(parameters) as session:
        destination = bytearray(session.max_compressed_length(memoryview(data).nbytes))
        produced = session.compress_into(data, destination)[1]
    return bytes(memoryview(destination)[:produced])


def decompress_into(
    src: Any,
    dst: Any,
    *,
    format: Format = "gzip-ext",
    sw_backup: bool = True,
) -> tuple[int, int]:
    """Decompress ``src`` into ``dst``; bytes consumed and produced, both to be checked by the caller.

    Raises :class:`~qatzip.errors.QatzipError`.
    """
    with Session(Parameters(format=format, sw_backup=sw_backup)) as session:
        return session.decompress_into(src, dst)


def decompress(
    data: Any,
    *,
    size: int,
    format: Format = "gzip-ext",
    sw_backup: bool = True,
) -> bytes:
    """Decompress a buffer that holds exactly ``size`` bytes; all members of it, one after another.

    Raises :class:`~qatzip.errors.QatzipError`; :class:`~qatzip.errors.ShortOutputError` where the library reports
    success with fewer bytes (truncated data), :class:`~qatzip.errors.UnconsumedInputError` where data is left over.
    A truncated trailer is noticed by neither: the library verifies a checksum only if all of it is there.
    """
    # The library does not look at its input for an empty destination.
    destination = bytearray(size or 1)
    available = memoryview(data).nbytes
    consumed, produced = decompress_into(data, destination, format=format, sw_backup=sw_backup)
    if produced < size:
        raise ShortOutputError("qzDecompressExt", consumed, produced, size)
    if produced > size or consumed < available:
        raise UnconsumedInputError("qzDecompressExt", consumed, produced, available)
    return bytes(memoryview(destination)[:size])


def max_compressed_length(size: int, *, format: Format = "gzip-ext") -> int:
    """Bytes that the compressed form of ``size`` bytes needs at most. Raises :class:`ValueError` near 4 GiB."""
    with Session(Parameters(format=format)) as session:
        return session.max_compressed_length(size)

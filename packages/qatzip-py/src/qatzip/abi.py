"""The C side as tables: structures, enumerations, return codes and prototypes of libqatzip's header.

Everything here is copied from ``include/qatzip.h`` (QATzip 2.0.0, shared library ``libqatzip.so.3``). The structures
are the same in 1.1.2, 1.2.0, 1.3.1 and 2.0.0; ``QzSessionParamsDeflateExt_T`` came with 1.3.0, and some functions did
(:data:`SINCE`). The library carries no number by which a caller could ask which layout it was built with:
:mod:`qatzip.layout` therefore checks these tables against the loaded library before the first call that matters. Builds
with ``ERR_INJECTION`` have a different layout and are refused by the same check.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_int, c_long, c_ubyte, c_uint, c_uint64, c_ulong, c_ulonglong, c_ushort, c_void_p
from enum import IntEnum
from typing import Any

MAX_ALGORITHMS = 255

EXT_SW_EXECUTION = 1 << 4
"""Bit of ``ext_rc`` by which the library says that one call ran in software (``QZ_SW_EXECUTION``). The header promises
it, and nothing in the sources of 1.1.2, 1.2.0, 1.3.0 and 1.3.1 ever sets it."""

DATA_FORMAT = {"4B": 0, "gzip": 1, "gzip-ext": 2, "raw": 3}
"""``QzDataFormat_T``. ``zlib`` has no value of its own: it is raw plus the flag ``zlib_format``."""

HUFFMAN = {"dynamic": 0, "static": 1}
DIRECTION = {"compress": 0, "decompress": 1, "both": 2}
POLLING = {"periodical": 0, "busy": 1}

RETURN_CODES = {
    0: "QZ_OK",
    1: "QZ_DUPLICATE",
    2: "QZ_FORCE_SW",
    11: "QZ_NO_HW",
    12: "QZ_NO_MDRV",
    13: "QZ_NO_INST_ATTACH",
    14: "QZ_LOW_MEM",
    15: "QZ_LOW_DEST_MEM",
    16: "QZ_UNSUPPORTED_FMT",
    100: "QZ_NONE",
    -1: "QZ_PARAMS",
    -2: "QZ_FAIL",
    -3: "QZ_BUF_ERROR",
    -4: "QZ_DATA_ERROR",
    -5: "QZ_TIMEOUT",
    -100: "QZ_INTEG",
    -101: "QZ_NOSW_NO_HW",
    -102: "QZ_NOSW_NO_MDRV",
    -103: "QZ_NOSW_NO_INST_ATTACH",
    -104: "QZ_NOSW_LOW_MEM",
    -105: "QZ_NO_SW_AVAIL",
    -116: "QZ_NOSW_UNSUPPORTED_FMT",
    -117: "QZ_POST_PROCESS_ERROR",
    -118: "QZ_METADATA_OVERFLOW",
    -119: "QZ_OUT_OF_RANGE",
    -200: "QZ_NOT_SUPPORTED",
}
"""Return codes and session states. Negative: the call failed. Positive: it went on, for the reason named."""

QZ_OK = 0
QZ_NO_HW = 11

MEANINGS = {
    11: "no QAT device that this process could start",
    12: "no driver for the device's memory",
    13: "a device, and no compression instance of it for this process",
    14: "too little memory that the device can reach",
}
"""What ``qatzip.h`` says more of a session's state than its name does; 90 less than a negative one's absolute value."""


class LogLevel(IntEnum):
    """``QzLogLevel_T``: how much libqatzip prints, to standard output and standard error."""

    NONE = 0
    FATAL = 1
    ERROR = 2
    WARNING = 3
    INFO = 4
    DEBUG1 = 5
    DEBUG2 = 6
    DEBUG3 = 7


class CommonParams(ctypes.Structure):
    """``QzSessionParamsCommon_T``, 48 bytes."""

    _fields_ = (
        ("direction", c_uint),
        ("comp_lvl", c_uint),
        ("comp_algorithm", c_ubyte),
        ("max_forks", c_uint),
        ("sw_backup", c_ubyte),
        ("hw_buff_sz", c_uint),
        ("strm_buff_sz", c_uint),
        ("input_sz_thrshold", c_uint),
        ("req_cnt_thrshold", c_uint),
        ("wait_cnt_thrshold", c_uint),
        ("polling_mode", c_uint),
        ("is_sensitive_mode", c_uint),
    )


class DeflateParams(ctypes.Structure):
    """``QzSessionParamsDeflate_T``, 56 bytes."""

    _fields_ = (("common_params", CommonParams), ("huffman_hdr", c_uint), ("data_fmt", c_uint))


class DeflateExtParams(ctypes.Structure):
    """``QzSessionParamsDeflateExt_T``, 60 bytes."""

    _fields_ = (
        ("deflate_params", DeflateParams),
        ("stop_decompression_stream_end", c_ubyte),
        ("zlib_format", c_ubyte),
    )


class SessionHandle(ctypes.Structure):
    """``QzSession_T``, 40 bytes; all zero before ``qzInit``."""

    _fields_ = (
        ("hw_session_stat", c_long),
        ("thd_sess_stat", c_int),
        ("internal", c_void_p),
        ("total_in", c_ulong),
        ("total_out", c_ulong),
    )


class StatusRecord(ctypes.Structure):
    """``QzStatus_T``, 544 bytes."""

    _fields_ = (
        ("qat_hw_count", c_ushort),
        ("qat_service_init", c_ubyte),
        ("qat_mem_drvr", c_ubyte),
        ("qat_instance_attach", c_ubyte),
        ("memory_alloced", c_ulong),
        ("using_huge_pages", c_ubyte),
        ("hw_session_status", c_long),
        ("algo_sw", c_ubyte * MAX_ALGORITHMS),
        ("algo_hw", c_ubyte * MAX_ALGORITHMS),
    )


class StreamHandle(ctypes.Structure):
    """``QzStream_T``, 56 bytes; all zero before the first call."""

    _fields_ = (
        ("in_sz", c_uint),
        ("out_sz", c_uint),
        ("in_", c_void_p),
        ("out", c_void_p),
        ("pending_in", c_uint),
        ("pending_out", c_uint),
        ("crc_type", c_uint),
        ("crc_32", c_uint),
        ("reserved", c_ulonglong),
        ("opaque", c_void_p),
    )


_SESSION = POINTER(SessionHandle)
_STREAM = POINTER(StreamHandle)
_SIZE = POINTER(c_uint)
_COMPRESS = (_SESSION, c_void_p, _SIZE, c_void_p, _SIZE, c_uint)
_DECOMPRESS = (_SESSION, c_void_p, _SIZE, c_void_p, _SIZE)

PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "qzSetLogLevel": (c_uint, (c_uint,)),
    # An address, not a structure: the layout check passes a buffer that is larger on purpose.
    "qzGetDefaultsDeflate": (c_int, (c_void_p,)),
    "qzGetDefaultsDeflateExt": (c_int, (c_void_p,)),
    "qzInit": (c_int, (_SESSION, c_ubyte)),
    "qzSetupSessionDeflate": (c_int, (_SESSION, POINTER(DeflateParams))),
    "qzSetupSessionDeflateExt": (c_int, (_SESSION, POINTER(DeflateExtParams))),
    "qzCompressExt": (c_int, (*_COMPRESS, POINTER(c_uint64))),
    "qzCompressCrcExt": (c_int, (*_COMPRESS, POINTER(c_ulong), POINTER(c_uint64))),
    "qzDecompressExt": (c_int, (*_DECOMPRESS, POINTER(c_uint64))),
    "qzDecompressCrcExt": (c_int, (*_DECOMPRESS, POINTER(c_ulong), POINTER(c_uint64))),
    "qzGetDeflateEndOfStream": (c_int, (_SESSION, POINTER(c_ubyte))),
    "qzGetStatus": (c_int, (_SESSION, POINTER(StatusRecord))),
    "qzMaxCompressedLength": (c_uint, (c_uint, _SESSION)),
    "qzTeardownSession": (c_int, (_SESSION,)),
    "qzClose": (c_int, (_SESSION,)),
    "qzCompressStream": (c_int, (_SESSION, _STREAM, c_uint)),
    "qzDecompressStream": (c_int, (_SESSION, _STREAM, c_uint)),
    "qzEndStream": (c_int, (_SESSION, _STREAM)),
}
"""Result type and argument types of every function that this package calls."""

OLDEST = "1.1.2"
"""The oldest release that this package is made for: QEMU's own minimum (``meson.build``, QEMU 9.2)."""

SINCE = {
    "qzSetLogLevel": "1.3.0",
    "qzGetDefaultsDeflateExt": "1.3.0",
    "qzSetupSessionDeflateExt": "1.3.0",
    "qzGetDeflateEndOfStream": "1.3.0",
    "qzDecompressCrcExt": "1.3.0",
}
"""The release with which a function came, where an older one can be used without it: the first that defines it
(``src/qatzip.c``, QATzip 1.3.0). ``qatzip.h`` (QATzip 1.1.2, 1.2.0) declares ``qzDecompressCrcExt``, and no library of
these releases has it."""

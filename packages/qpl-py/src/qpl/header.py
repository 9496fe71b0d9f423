"""What the header of libqpl says, as data: the job structure, its flags, paths, operations and levels.

Source: ``qpl/c_api/job.h`` and ``qpl/c_api/defs.h`` (qpl 1.9.0; offsets compared with a C compiler's, x86-64).
``qpl_job`` is public and grew no field within 1.x. The library wants one block of memory per job, larger than the
structure (``qpl_get_job_size``): the structure stands at its beginning, the library's own buffers behind it.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum, IntFlag
from typing import Final

U32_MAX: Final = 2**32 - 1


class Path(IntEnum):
    """``qpl_path_t`` (defs.h): who does the work."""

    AUTO = 0
    HARDWARE = 1
    SOFTWARE = 2


class Numa(IntEnum):
    """Which accelerators a job may go to, besides a node's number (``QPL_DEVICE_NUMA_ID_*``, ``defs.h``, qpl 1.6.0)."""

    SOCKET = -1
    """Those of the calling thread's socket; before 1.6.0 of its node. The library's default."""
    CURRENT = -2
    """Those of its node."""
    ANY = -3
    """All there are."""


class Operation(IntEnum):
    """``qpl_operation`` (defs.h), the two that this package offers."""

    DECOMPRESS = 0
    COMPRESS = 1


class Flag(IntFlag):
    """``QPL_FLAGS`` (defs.h), those that concern DEFLATE and need no further table or array."""

    FIRST = 0x0001
    LAST = 0x0002
    CRC32C = 0x0004
    GZIP_MODE = 0x0008
    DECOMP_FLUSH_ALWAYS = 0x0800
    START_NEW_BLOCK = 0x1000
    DYNAMIC_HUFFMAN = 0x2000
    OMIT_VERIFY = 0x4000
    GEN_LITERALS = 0x8000
    ZLIB_MODE = 0x00080000


class AuxData(ctypes.Structure):
    """``struct qpl_aux_data`` (job.h), 48 bytes, filled by ``qpl_init_job``."""

    _fields_ = (
        ("compress_state_ptr", ctypes.c_void_p),
        ("decompress_state_ptr", ctypes.c_void_p),
        ("analytics_state_ptr", ctypes.c_void_p),
        ("middle_layer_buffer_ptr", ctypes.c_void_p),
        ("hw_state_ptr", ctypes.c_void_p),
        ("path", ctypes.c_uint32),
    )
    path: int


class JobStructure(ctypes.Structure):
    """``qpl_job`` (job.h), 240 bytes."""

    _fields_ = (
        ("next_in_ptr", ctypes.c_void_p),
        ("available_in", ctypes.c_uint32),
        ("total_in", ctypes.c_uint32),
        ("next_out_ptr", ctypes.c_void_p),
        ("available_out", ctypes.c_uint32),
        ("total_out", ctypes.c_uint32),
        ("op", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("crc", ctypes.c_uint32),
        ("xor_checksum", ctypes.c_uint32),
        ("last_bit_offset", ctypes.c_uint32),
        ("level", ctypes.c_uint32),
        ("statistics_mode", ctypes.c_uint32),
        ("huffman_table", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("mini_block_size", ctypes.c_uint32),
        ("idx_array", ctypes.c_void_p),
        ("idx_max_size", ctypes.c_uint32),
        ("idx_num_written", ctypes.c_uint32),
        ("decomp_end_processing", ctypes.c_uint8),
        ("ignore_start_bits", ctypes.c_uint8),
        ("ignore_end_bits", ctypes.c_uint8),
        ("crc64_poly", ctypes.c_uint64),
        ("crc64", ctypes.c_uint64),
        ("next_src2_ptr", ctypes.c_void_p),
        ("available_src2", ctypes.c_uint32),
        ("src1_bit_width", ctypes.c_uint32),
        ("src2_bit_width", ctypes.c_uint32),
        ("num_input_elements", ctypes.c_uint32),
        ("out_bit_width", ctypes.c_uint32),
        ("param_low", ctypes.c_uint32),
        ("param_high", ctypes.c_uint32),
        ("drop_initial_bytes", ctypes.c_uint32),
        ("initial_output_index", ctypes.c_uint32),
        ("parser", ctypes.c_uint32),
        ("first_index_min_value", ctypes.c_uint32),
        ("last_index_max_value", ctypes.c_uint32),
        ("sum_value", ctypes.c_uint32),
        ("numa_id", ctypes.c_int32),
        ("data_ptr", AuxData),
    )
    next_in_ptr: int | None
    available_in: int
    total_in: int
    next_out_ptr: int | None
    available_out: int
    total_out: int
    op: int
    flags: int
    crc: int
    xor_checksum: int
    level: int
    numa_id: int
    data_ptr: AuxData

"""Does the loaded library have the structures that :mod:`qatzip.abi` describes?

The library writes its default parameters into a buffer that is larger than the structure and filled with a
canary, twice, with two different canaries. Three things can then be seen: a field that moved (its documented
default is elsewhere), a structure that shrank (a canary is left where a field should be) and one that grew
(bytes behind ours changed). Any of them would make the library read parameters that nobody set.

The values are those of the ``QZ_*_DEFAULT`` macros of ``qatzip.h`` (QATzip 2.0.0). ``req_cnt_thrshold`` is not among
them: its default is a number internal to the library. A process that changed the library's defaults with
``qzSetDefaults`` before this check is refused too.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from qatzip.abi import DeflateExtParams, DeflateParams
from qatzip.errors import LayoutError

CANARIES = (0xA5, 0x5A)
ROOM = 256

COMMON_DEFAULTS = {
    "direction": 2,
    "comp_lvl": 1,
    "comp_algorithm": 8,
    "max_forks": 3,
    "sw_backup": 1,
    "hw_buff_sz": 64 * 1024,
    "strm_buff_sz": 64 * 1024,
    "input_sz_thrshold": 1024,
    "wait_cnt_thrshold": 8,
    "polling_mode": 0,
    "is_sensitive_mode": 0,
}
DEFLATE_DEFAULTS = {"huffman_hdr": 0, "data_fmt": 2}
EXT_DEFAULTS = {"stop_decompression_stream_end": 0, "zlib_format": 0}

GetDefaults = Callable[[int], int]


def _defaults(call: str, get_defaults: GetDefaults, size: int, canary: int) -> bytes:
    memory = (ctypes.c_ubyte * ROOM)(*[canary] * ROOM)
    if (code := get_defaults(ctypes.addressof(memory))) != 0:
        raise LayoutError(f"{call}()", code, 0)
    written = bytes(memory)
    if (extent := len(written.rstrip(bytes([canary])))) > size:
        raise LayoutError(f"the size that {call}() writes", extent, f"at most {size} bytes")
    return written


def check_layout(get_deflate: GetDefaults, get_deflate_ext: GetDefaults | None) -> None:
    """Compare the library's defaults with the documented ones.

    The arguments are ``qzGetDefaultsDeflate`` and ``qzGetDefaultsDeflateExt``, None before 1.3.0; each gets the address
    of a buffer and returns a code of ``qatzip.h``. Raises :class:`LayoutError` with the first field that differs.
    """
    for canary in CANARIES:
        plain = DeflateParams.from_buffer_copy(
            _defaults("qzGetDefaultsDeflate", get_deflate, ctypes.sizeof(DeflateParams), canary)
        )
        _compare(plain)
        if get_deflate_ext is not None:
            extended = DeflateExtParams.from_buffer_copy(
                _defaults("qzGetDefaultsDeflateExt", get_deflate_ext, ctypes.sizeof(DeflateExtParams), canary)
            )
            _compare(extended.deflate_params)
            _expect(extended, EXT_DEFAULTS)


def _compare(deflate: DeflateParams) -> None:
    _expect(deflate.common_params, COMMON_DEFAULTS)
    _expect(deflate, DEFLATE_DEFAULTS)


def _expect(structure: ctypes.Structure, expected: dict[str, int]) -> None:
    for field, value in expected.items():
        if (found := getattr(structure, field)) != value:
            raise LayoutError(f"the default of {field}", found, value)

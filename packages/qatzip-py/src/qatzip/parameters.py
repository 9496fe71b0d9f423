"""Parameters of a session, in Python's types and in C's."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Literal

from qatzip.abi import DATA_FORMAT, DIRECTION, HUFFMAN, POLLING, DeflateExtParams
from qatzip.library import lacking, load, require

Format = Literal["gzip-ext", "gzip", "raw", "4B", "zlib"]
Huffman = Literal["dynamic", "static"]
Direction = Literal["both", "compress", "decompress"]
Polling = Literal["periodical", "busy"]

FORMATS: tuple[Format, ...] = ("gzip-ext", "gzip", "raw", "4B", "zlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a session is set up with; names and defaults of ``qatzip.h`` (QATzip 2.0.0:
    ``QzSessionParamsDeflateExt_T``).

    :param format: container of the output: ``gzip-ext`` (gzip with the extra field ``QZ`` that carries both sizes),
        ``gzip``, ``raw`` (DEFLATE without header or checksum), ``4B`` (raw behind its length, little endian 32 bit,
        without checksum) or ``zlib``. Sessions of ``gzip`` and ``gzip-ext`` decompress both.
    :param level: 1 to 9; 10 to 12 need a device: a session is set up with them, and software then fails every call.
    :param huffman: ``static`` needs a device up to generation 4; software ignores it and stays dynamic.
    :param hw_buff_sz: bytes of input per request to the device, a power of two from 1 KiB to 512 KiB. With a device
        it is also the size of a member: each piece gets a header and a trailer of its own.
    :param strm_buff_sz: bytes that a stream collects before it works, 1 KiB to 2 MiB - 5 KiB.
    :param input_sz_thrshold: inputs of fewer bytes go to software; at least 128.
    :param req_cnt_thrshold: requests in flight, 1 to 32.
    :param wait_cnt_thrshold: calls to wait after the device could not be opened before it is tried again.
    :param sw_backup: work in software where no device can; without it :class:`~qatzip.session.Session` raises
        ``QZ_NOSW_NO_HW``.
    :param stop_at_stream_end: decompress one member and leave what follows.

    The library checks the values: a session raises :class:`~qatzip.errors.QatzipError` ``QZ_PARAMS``. ``zlib`` and
    ``stop_at_stream_end`` need 1.3.0: a session raises :class:`~qatzip.errors.MissingFunctionError`.
    """

    format: Format = "gzip-ext"
    level: int = 1
    huffman: Huffman = "dynamic"
    direction: Direction = "both"
    hw_buff_sz: int = 64 * 1024
    strm_buff_sz: int = 64 * 1024
    input_sz_thrshold: int = 1024
    req_cnt_thrshold: int = 32
    wait_cnt_thrshold: int = 8
    max_forks: int = 3
    polling: Polling = "periodical"
    sensitive_mode: bool = False
    sw_backup: bool = True
    stop_at_stream_end: bool = False

    def structure(self) -> DeflateExtParams:
        """The library's defaults with these values in them.

        Raises :class:`KeyError` for a name that is not in the tables of :mod:`qatzip.abi`, and
        :class:`~qatzip.errors.MissingFunctionError` for what the library is too old for.
        """
        whole = DeflateExtParams()
        deflate = whole.deflate_params
        if self.format == "zlib" or self.stop_at_stream_end:
            require("qzSetupSessionDeflateExt")
        # What follows in the extended structure has the default 0.
        load().qzGetDefaultsDeflate(ctypes.addressof(deflate))
        common = deflate.common_params
        common.direction = DIRECTION[self.direction]
        common.comp_lvl = self.level
        common.max_forks = self.max_forks
        common.sw_backup = self.sw_backup
        common.hw_buff_sz = self.hw_buff_sz
        common.strm_buff_sz = self.strm_buff_sz
        common.input_sz_thrshold = self.input_sz_thrshold
        common.req_cnt_thrshold = self.req_cnt_thrshold
        common.wait_cnt_thrshold = self.wait_cnt_thrshold
        common.polling_mode = POLLING[self.polling]
        common.is_sensitive_mode = self.sensitive_mode
        deflate.huffman_hdr = HUFFMAN[self.huffman]
        deflate.data_fmt = DATA_FORMAT["raw" if self.format == "zlib" else self.format]
        whole.zlib_format = self.format == "zlib"
        whole.stop_decompression_stream_end = self.stop_at_stream_end
        return whole


def formats() -> tuple[Format, ...]:
    """Those that the loaded library has: ``zlib`` came with 1.3.0. Raises as :func:`~qatzip.library.load`."""
    return tuple(each for each in FORMATS if each != "zlib" or "qzSetupSessionDeflateExt" not in lacking())

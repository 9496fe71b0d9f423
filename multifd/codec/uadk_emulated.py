"""Huawei Kunpeng's zip accelerator, emulated: UADK's driver and QEMU around it.

The driver (``drv/hisi_comp.c``, uadk 2.10, ``fill_buf_zlib`` and ``parse_zip_sqe``) hands the device
DEFLATE and deals with the zlib header itself:

* it writes ``789c``, which announces a window of 32 KiB, whatever window the device was given; QEMU takes the default,
  4 KiB ("We use default level 1 compression and 4K window size");
* when reading it skips two bytes without looking at them;
* a wrong checksum (status ``HZ_CRC_ERR``, 0x10) is not an error, nor is output longer than input (``HZ_NEGACOMPRESS``);
  every other status is ``WD_IN_EPARA``;
* input and output are at most 8 MiB (``HZ_MAX_SIZE``).

Level is the device's own: ``fill_comp_level_deflate`` ignores it. Without a device (``device=0``) QEMU
(``migration/multifd-uadk.c``, QEMU 10.2) sends every page raw and reads raw pages only. Here that is stored blocks,
which are longer than the page: the framing then sends the page raw, as QEMU does. Compression is computed by zlib.
"""

from __future__ import annotations

import threading
import zlib
from typing import Final

from multifd.codec.contract import Factory, Parameter
from multifd.errors import PayloadError
from multifd.framing.coder import Bytes, DecoderCapability, EncoderCapability, Routing, Tally
from multifd.framing.container import Container
from multifd.result.terms import Provenance

_CONTAINERS: Final = frozenset({Container.ZLIB})
_HEADER: Final = b"\x78\x9c"
_TRAILER: Final = 4
_WINDOW_BITS: Final = 12
_RAW: Final = -15
_LARGEST: Final = 8 << 20


class _UadkCodec:
    def __init__(self, name: str, device: int) -> None:
        self.name = name
        self.version = zlib.ZLIB_RUNTIME_VERSION
        self.provenance: Provenance = "emulated"
        self.device = "Kunpeng"
        self.routing = Routing()
        self.encoder = EncoderCapability(
            _CONTAINERS, streaming=False, windows=frozenset({15}), shrinks=bool(device), reach=_WINDOW_BITS
        )
        self.decoder = DecoderCapability(
            _CONTAINERS,
            streaming=False,
            window=15,
            header_window=False,
            members=frozenset(),
            checks_trailer=False,
            skips_header=_CONTAINERS,
            checks_end=False,
        )
        self.hardware = 0
        """Pages that the device worked on."""
        self._present = bool(device)
        # The channels of a live migration share a codec.
        self._lock = threading.Lock()

    def tally(self) -> Tally:
        """The pages that the device worked on."""
        with self._lock:
            return Tally(source="pages that the device worked on", device=self.hardware if self._present else None)

    def compress(self, data: Bytes, container: Container, window: int) -> Bytes:
        if not self._present:
            return zlib.compress(data, 0)
        self._take(data)
        stream = zlib.compressobj(1, zlib.DEFLATED, -_WINDOW_BITS)
        return b"".join((_HEADER, stream.compress(data), stream.flush(), zlib.adler32(data).to_bytes(4, "big")))

    def decompress(self, data: Bytes, container: Container, size: int) -> Bytes:
        if not self._present:
            raise PayloadError(f"{self.name}: UADK HW not available for decompression")
        self._take(data)
        stream = zlib.decompressobj(_RAW)
        try:
            output = stream.decompress(memoryview(data)[len(_HEADER) :], size + 1)
        except zlib.error as problem:
            raise self._failed(str(problem)) from None
        if len(output) > size:
            raise self._failed(f"more than the expected {size} bytes")
        if not stream.eof or len(stream.unused_data) < _TRAILER:
            raise self._failed("incomplete or truncated stream")
        return output

    def _take(self, data: Bytes) -> None:
        if len(data) > _LARGEST:
            raise self._failed(f"input is {len(data)} bytes, expected at most {_LARGEST}")
        with self._lock:
            self.hardware += 1

    def _failed(self, why: str) -> PayloadError:
        return PayloadError(f"{self.name}: wd_do_comp_sync failed: WD_IN_EPARA: {why}")


FACTORY = Factory("uadk-emulated", _UadkCodec, {"device": Parameter(1, range(2))})

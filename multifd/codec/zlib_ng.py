"""zlib-ng, the maintained fork of zlib for modern CPUs (PyPI ``zlib-ng``)."""

from __future__ import annotations

from zlib_ng import zlib_ng

from multifd.codec.contract import Factory, Parameter
from multifd.codec.zlib_api import CONTAINERS, MEMBERED, ZlibApiCodec
from multifd.framing.coder import DecoderCapability, EncoderCapability


def _make(name: str, level: int) -> ZlibApiCodec:
    return ZlibApiCodec(
        name=name,
        version=str(zlib_ng.ZLIBNG_RUNTIME_VERSION),
        module=zlib_ng,
        level=level,
        window=15,
        encoder=EncoderCapability(CONTAINERS, streaming=True, windows=frozenset(range(9, 16)), shrinks=level > 0),
        decoder=DecoderCapability(
            CONTAINERS, streaming=True, window=15, header_window=True, members=MEMBERED, checks_trailer=True
        ),
    )


FACTORY = Factory("zlib-ng", _make, {"level": Parameter(1, range(10))})

"""zlib, as Python carries it: what QEMU itself links.

``window`` below 15 limits both directions. As an encoder it writes the smaller CINFO; as a decoder it refuses a
zlib header with a larger one (``inflateInit2``: "invalid window size"). Without a zlib header ``inflate`` enforces
no smaller window on distances that are still in its output buffer, so a limited decoder declares the zlib
container only.
"""

from __future__ import annotations

import zlib

from multifd.codec.contract import Factory, Parameter
from multifd.codec.zlib_api import CONTAINERS, MEMBERED, ZlibApiCodec
from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container


def _make(name: str, level: int, window: int) -> ZlibApiCodec:
    return ZlibApiCodec(
        name=name,
        version=zlib.ZLIB_RUNTIME_VERSION,
        module=zlib,
        level=level,
        window=window,
        encoder=EncoderCapability(
            CONTAINERS, streaming=True, windows=frozenset(range(9, window + 1)), shrinks=level > 0
        ),
        decoder=DecoderCapability(
            CONTAINERS if window == 15 else frozenset({Container.ZLIB}),
            streaming=True,
            window=window,
            header_window=True,
            members=MEMBERED,
            checks_trailer=True,
        ),
    )


FACTORY = Factory("zlib", _make, {"level": Parameter(1, range(10)), "window": Parameter(15, range(9, 16))})

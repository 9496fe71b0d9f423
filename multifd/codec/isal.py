"""ISA-L's igzip (PyPI ``isal``): Intel's fast software DEFLATE, levels 0 to 3."""

from __future__ import annotations

from importlib.metadata import version

from isal import isal_zlib

from multifd.codec.contract import Factory, Parameter
from multifd.codec.zlib_api import CONTAINERS, MEMBERED, ZlibApiCodec
from multifd.framing.coder import DecoderCapability, EncoderCapability


def _make(name: str, level: int) -> ZlibApiCodec:
    return ZlibApiCodec(
        name=name,
        version=version("isal"),
        module=isal_zlib,
        level=level,
        window=15,
        encoder=EncoderCapability(CONTAINERS, streaming=True, windows=frozenset(range(9, 16))),
        decoder=DecoderCapability(
            CONTAINERS, streaming=True, window=15, header_window=False, members=MEMBERED, checks_trailer=True
        ),
    )


FACTORY = Factory("isal", _make, {"level": Parameter(1, range(4))})

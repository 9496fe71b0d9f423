"""Questions to the oracle: a pairing of two kinds of codec, as short as a test wants to say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container
from multifd.framing.model import framing
from multifd.oracle.question import Question, Side, Told
from multifd.qemu.tls import Interruption, Tls
from multifd.wire.dialect import ZeroPages, dialect
from multifd.wire.fault import fault as written
from multifd.wire.link import Link
from tests.qemu.recorded import facts

DEFLATE: Final = frozenset({Container.RAW, Container.ZLIB, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B})
RAW_AND_ZLIB: Final = frozenset({Container.RAW, Container.ZLIB})
GZIPS: Final = frozenset({Container.GZIP, Container.GZIP_EXT})


def encoder(
    *windows: int,
    containers: frozenset[Container] = DEFLATE,
    streaming: bool = True,
    shrinks: bool = True,
    member: int | None = None,
) -> EncoderCapability:
    """An encoder that keeps to these windows, given in bits."""
    return EncoderCapability(containers, streaming, frozenset(windows), shrinks, member=member)


def decoder(
    window: int,
    *,
    containers: frozenset[Container] = DEFLATE,
    streaming: bool = True,
    header_window: bool = True,
    members: frozenset[Container] = GZIPS,
) -> DecoderCapability:
    """A decoder that accepts this window, given in bits."""
    return DecoderCapability(containers, streaming, window, header_window, members, checks_trailer=True)


STREAMING: Final = encoder(*range(9, 16))
"""zlib: any window, streams that go on."""
STORING: Final = encoder(*range(9, 16), shrinks=False)
"""zlib level 0."""
ONE_SHOT: Final = encoder(15, streaming=False)
"""libdeflate: complete streams of one window."""
IAA: Final = encoder(12, containers=RAW_AND_ZLIB, streaming=False)
"""An accelerator that makes complete streams with a window of 4 KiB."""
KEEPS_CLOSE: Final = EncoderCapability(RAW_AND_ZLIB, streaming=False, windows=frozenset({15}), reach=12)
"""An accelerator whose header announces more than it uses."""
QAT: Final = encoder(15, streaming=False, member=65536)
"""An accelerator that begins a new member every 64 KiB."""
FORGETS: Final = EncoderCapability(DEFLATE, streaming=True, windows=frozenset({15}), forgets=True)
"""An accelerator whose flush is a full one."""
ZSTD: Final = encoder(*range(10, 24), containers=frozenset({Container.ZSTD}))
PLAIN: Final = encoder(containers=frozenset({Container.NONE}))

READS_STREAMS: Final = decoder(15)
READS_COMPLETE: Final = decoder(15, streaming=False)
READS_IAA: Final = decoder(12, containers=RAW_AND_ZLIB, streaming=False, header_window=False)
READS_QPL: Final = replace(READS_IAA, needs_end=False)
"""The same in software, which is content with all of the output."""
READS_IAA_STREAMS: Final = decoder(12, containers=RAW_AND_ZLIB, header_window=False)
READS_4K_HEADERS: Final = decoder(12)
READS_PIECES: Final = replace(decoder(15, members=DEFLATE), member=65536)
"""An accelerator that has room for a member of 64 KiB, whatever it holds."""
READS_ZSTD: Final = decoder(27, containers=frozenset({Container.ZSTD}))
READS_PLAIN: Final = decoder(0, containers=frozenset({Container.NONE}))


_CODECS: Final = {READS_COMPLETE: "libdeflate", READS_IAA: "iaa-emulated", READS_ZSTD: "zstd", READS_PLAIN: "none"}
"""Which codec of ours a decoder is; zlib if none of these."""


def ask(
    sent: str,
    read: str | None = None,
    *,
    by: EncoderCapability = STREAMING,
    to: DecoderCapability = READS_STREAMS,
    speaking: str = "qemu-10.0",
    hearing: str | None = None,
    page_size: int = 4096,
    legacy_zero_pages: bool = False,
    becomes_zero: bool = False,
    fault: str | None = None,
    matches: bool = False,
    channels: tuple[int, int] = (2, 2),
    looks_late: bool = False,
    to_qemu: bool = False,
    to_codec: str | None = "its own",
    goes_on: bool = True,
    told: tuple[Told, ...] = (),
    tls: Tls | None = None,
    interruption: Interruption | None = None,
    link: Link | None = None,
) -> Question:
    """What happens if ``by`` sends this framing ``to`` a reader of that framing (the same if not given)?"""
    spoken = dialect(speaking)
    codec = _CODECS.get(to, "zlib") if to_codec == "its own" else to_codec
    return Question(
        sender=Side("S", framing(sent), spoken),
        receiver=Side("R", framing(read or sent), dialect(hearing or speaking), qemu=to_qemu, codec=codec),
        encoder=by,
        decoder=to,
        page_size=page_size,
        zero_pages=ZeroPages.MAIN if legacy_zero_pages else spoken.zero_pages,
        becomes_zero=becomes_zero,
        fault=written(fault) if fault else None,
        matches=matches,
        channels=channels,
        goes_on=goes_on,
        looks_late=looks_late,
        told=told,
        tls=tls,
        interruption=interruption,
        link=link,
    )


def telling(
    version: str,
    method: str = "zlib",
    *on: str,
    tls: bool = False,
    release: tuple[int, int] | None = None,
    level: Mapping[str, int] | None = None,
) -> Told:
    """A recorded QEMU, or one of another release, and what it is told."""
    said = facts(version)
    if release is not None:
        said = said.model_copy(update={"version": (*release, 0)})
    return Told(f"qemu-{said.release}", said, method, frozenset(on), level or {}, tls)

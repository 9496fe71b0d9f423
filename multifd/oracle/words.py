"""What a decoder of ours says of a payload that it refuses: by cause and codec, so that another cause is another error.

An error has two parts. The codec's words say what it did not like; what was found there
(:mod:`multifd.framing.recognize`) tells causes apart for which a library has one word only, as ``QZ_DATA_ERROR`` or
libdeflate's ``Decompression failed``. Both must be as the cause has them::

    zlib: Error -3 while decompressing data: incorrect header check (channel 0, …; found gzip-ext: 1f8b0804…)

Words are regular expressions, and measured: each row is what the library said when it was given such a payload
(tests/oracle/test_words.py does that again), of zlib 1.2.13, zlib-ng 2.3.3, isal 1.9.1, libdeflate 1.25 (``deflate``
0.9.0), libqpl 1.9.0 and libqatzip 2.0.0, and of the models of this project. The words of a peer that is not ours are
its own affair, and no error of it is expected (docs/peer-contract.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from multifd.framing.container import Container
from multifd.framing.model import Framing, Scope
from multifd.framing.recognize import NO_HEADER, TABLE, UNENDED
from multifd.oracle.question import Question


class Cause(StrEnum):
    """Why a payload is refused."""

    CONTAINER = "another container"
    TABLE = "a length table where there should be none"
    NO_TABLE = "no length table"
    ENDS = "a stream that ends where it should go on"
    NO_END = "a stream that does not end"
    NO_HEADER = "a stream that goes on in a second packet, for who begins anew"
    WINDOW = "the window that a header announces"
    DISTANCE = "a distance"
    MEMBERS = "a second member"


Words: TypeAlias = str | Mapping[Container | tuple[Container, Container], str]
"""Of one cause; where that makes a difference by the container read, or by the one read and the one sent."""

_DEFLATE: Final = (
    "invalid (block type|stored block lengths|code lengths set|bit length repeat|literal/lengths? set|distances set"
    "|literal/length code|distance code|distance too far back|code -- missing end-of-block)"
    r"|too many length or distance symbols|\d+ bytes after the end of the stream"
)
"""What zlib says of bits that are no DEFLATE; which of it depends on the bits."""
_FOUR_B: Final = r"4B header: length is \d+, expected \d+"
_REST: Final = r"\d+ bytes after the end of the stream"
_SHORT: Final = r"packet size received \d+ size expected \d+"
_ONE_MEMBER: Final = r"(packet size received {member} size expected|decompressed len {member}, expected len) \d+"
_TABLE: Final = "length table: "
_ENDS: Final = "inflate returned 1 instead of Z_OK"
_NO_ZLIB: Final = "incorrect header check|unknown compression method|invalid window size"


_ODD: Final = rf"incomplete or truncated stream|more than the expected \d+ bytes|{_SHORT}"
"""What else can be said of a 4B header that is taken for DEFLATE: as its length has it, it can be anything."""


def _zlib() -> dict[Cause, Words]:
    wrong: Words = {
        Container.RAW: _DEFLATE,
        (Container.RAW, Container.FOUR_B): f"{_DEFLATE}|{_ODD}",
        Container.ZLIB: _NO_ZLIB,
        Container.GZIP: "incorrect header check",
        Container.GZIP_EXT: "incorrect header check",
        Container.FOUR_B: _FOUR_B,
    }
    return {
        Cause.CONTAINER: wrong,
        Cause.TABLE: wrong,
        Cause.NO_TABLE: _TABLE,
        Cause.ENDS: _ENDS,
        Cause.NO_END: "incomplete or truncated stream",
        Cause.WINDOW: "invalid window size",
        Cause.MEMBERS: {Container.ZLIB: _REST, Container.FOUR_B: _FOUR_B},
    }


def _isal() -> dict[Cause, Words]:
    wrong: Words = {
        Container.RAW: "Invalid deflate block found",
        (Container.RAW, Container.FOUR_B): rf"Invalid (deflate block|symbol|lookback distance) found|{_REST}|{_ODD}",
        Container.ZLIB: "Invalid gzip/zlib wrapper found|Gzip/zlib wrapper specifies unsupported compress method",
        Container.GZIP: "Invalid gzip/zlib wrapper found",
        Container.GZIP_EXT: "Invalid gzip/zlib wrapper found",
        Container.FOUR_B: _FOUR_B,
    }
    return _zlib() | {Cause.CONTAINER: wrong, Cause.TABLE: wrong}


def _libdeflate() -> dict[Cause, Words]:
    failed = "Decompression failed"
    first = _ONE_MEMBER  # of several streams it decodes the first, and does not say that there are more
    return {
        Cause.CONTAINER: {
            Container.RAW: failed,
            (Container.RAW, Container.FOUR_B): f"{failed}|{_SHORT}",
            Container.ZLIB: failed,
            Container.GZIP: failed,
            Container.GZIP_EXT: failed,
            Container.FOUR_B: _FOUR_B,
        },
        Cause.TABLE: failed,
        Cause.NO_TABLE: _TABLE,
        Cause.NO_END: failed,
        Cause.MEMBERS: {
            Container.ZLIB: first,
            Container.GZIP: first,
            Container.GZIP_EXT: first,
            Container.FOUR_B: _FOUR_B,
        },
    }


def _libqatzip() -> dict[Cause, Words]:
    """Of the software path, and of the model of silicon, where a refusal of the device's becomes ``QZ_FAIL``."""
    wrong = "qzDecompress(Stream)? failed: (QZ_DATA_ERROR|QZ_FAIL)"
    no_end = "qzDecompress(Stream)? failed: incomplete or truncated stream"
    others: Words = {
        **dict.fromkeys(Container, wrong),
        (Container.RAW, Container.FOUR_B): f"{wrong}|{_ODD}",
    }
    return {
        Cause.CONTAINER: others,
        Cause.TABLE: wrong,
        Cause.NO_TABLE: _TABLE,
        Cause.ENDS: _ENDS,
        Cause.NO_END: no_end,
    }


def _libqpl(short: str) -> dict[Cause, Words]:
    """Of both paths and the model of silicon; ``short`` is what is said of output that is shorter than expected."""
    no_header = r"qpl job failed with error 104"
    return {
        Cause.CONTAINER: {
            # Of a 4B header libqpl has even said 4294967295, which is no status of it.
            Container.RAW: "qpl job failed with error 213",  # gzip's first byte is a block of type 3
            (Container.RAW, Container.FOUR_B): rf"qpl job failed with error \d+|{short}",
            Container.ZLIB: no_header,
            Container.GZIP: no_header,
            Container.GZIP_EXT: no_header,
        },
        Cause.TABLE: f"{no_header}|{_ENDS}",  # of a stream the end is looked for before its header
        Cause.NO_TABLE: _TABLE,
        Cause.ENDS: _ENDS,
        Cause.NO_END: "qpl job failed with error 215",
        Cause.NO_HEADER: no_header,
        Cause.DISTANCE: "qpl job failed with error 217",
        Cause.MEMBERS: _ONE_MEMBER,
    }


def _qpl() -> dict[Cause, Words]:
    # An error after the first 64 KiB of output is QPL_STS_OK with the output up to there.
    late = r"qpl decompressed len \d{5,}, expected len \d+"
    return _libqpl(r"qpl decompressed len \d+, expected len \d+") | {
        Cause.DISTANCE: f"qpl job failed with error 217|{late}"
    }


def _uadk() -> dict[Cause, Words]:
    """It skips a zlib header unseen, so that a length table is DEFLATE to it."""
    return {
        Cause.TABLE: f"WD_IN_EPARA: .*({_DEFLATE})",
        Cause.NO_TABLE: _TABLE,
        Cause.NO_END: "WD_IN_EPARA: incomplete or truncated stream",
        Cause.MEMBERS: _ONE_MEMBER,
    }


WORDS: Final[Mapping[str, Mapping[Cause, Words]]] = {
    "none": {},
    "zlib": _zlib(),
    "zlib-ng": _zlib(),
    "isal": _isal(),
    "libdeflate": _libdeflate(),
    "zstd": {},
    "qatzip": _libqatzip(),
    "qat-emulated": _libqatzip(),
    "qpl": _qpl(),
    "iaa-emulated": _libqpl(_SHORT),
    "uadk-emulated": _uadk(),
}
"""By codec; none for a cause that cannot be: nothing else travels under the flags of ``none`` and ``zstd``."""


def expected(cause: Cause, question: Question) -> str | None:
    """The error, a regular expression; None of a receiver that is not ours, :func:`nothing` where there are none."""
    codec = question.receiver.codec
    if codec is None:
        return None
    causes = (cause, Cause.MEMBERS) if _may_store(cause, question) else (cause,)
    spoken = [words for each in causes if (words := _spoken(codec, each, question)) is not None]
    if not spoken:
        return nothing(f"codec {codec} has no words for {cause!s}")
    return f"{_grouped('|'.join(spoken))}.*found {_found(cause, question.sender.framing)}"


def _spoken(codec: str, cause: Cause, question: Question) -> str | None:
    words = WORDS.get(codec, {}).get(cause)
    if isinstance(words, Mapping):
        read, sent = question.receiver.framing.container, question.sender.framing.container
        words = words.get((read, sent)) or words.get(read)
    return words.format(member=question.encoder.member) if words is not None and "{member}" in words else words


def _may_store(cause: Cause, question: Question) -> bool:
    """The first member may have no distance, and who reads but one then misses the second."""
    one = question.receiver.framing.container not in question.decoder.members
    return cause is Cause.DISTANCE and question.encoder.stores and one and question.members > 1


def nothing(why: str) -> str:
    """An expression that no error has, so that whatever is said counts as another error."""
    return f"(?!){why}"


def _grouped(words: str) -> str:
    return f"({words})" if "|" in words else words


def _found(cause: Cause, sent: Framing) -> str:
    """What is found where this cause is noticed."""
    header = NO_HEADER if sent.container is Container.RAW else sent.container.value
    goes_on = UNENDED if sent.scope is Scope.CHANNEL else ""
    match cause:
        case Cause.TABLE:
            return f"{TABLE}:"
        case Cause.NO_HEADER:
            return f"{NO_HEADER}{goes_on}:"
        case Cause.DISTANCE if goes_on and header != NO_HEADER:
            return f"({header}|{NO_HEADER}){goes_on}:"  # not necessarily in the first packet
        case _:
            return f"{header}{goes_on}:"

"""The streaming API."""

from __future__ import annotations

import zlib

import pytest
from conftest import NOISE, TEXT

from qatzip import QatzipError, Session, Stream, compress
from qatzip.parameters import Format, Parameters

pytestmark = pytest.mark.usefixtures("library")

MIXED = NOISE + TEXT
WBITS = {"gzip-ext": 31, "raw": -15}


def inflate(data: bytes, format: Format) -> bytes:
    whole = b""
    while data:
        decoder = zlib.decompressobj(WBITS[format])
        whole += decoder.decompress(data)
        assert decoder.eof
        data = decoder.unused_data
    return whole


@pytest.mark.parametrize("format", ["gzip-ext", "raw"])
@pytest.mark.parametrize("piece", [1000, 65536, 100_000, len(MIXED)])
@pytest.mark.parametrize("chunk", [1000, 65536, 1024 * 1024])
def test_pieces_of_any_size_become_one_content(session: Session, format: Format, piece: int, chunk: int) -> None:
    pieces = [MIXED[start : start + piece] for start in range(0, len(MIXED), piece)]

    with Stream(session) as stream:
        compressed = b"".join(stream.compress(pieces, chunk))

    assert inflate(compressed, format) == MIXED


@pytest.mark.parametrize("format", ["gzip", "4B", "zlib"])
def test_the_other_formats_cannot_be_streamed(session: Session) -> None:
    with Stream(session) as stream, pytest.raises(QatzipError) as caught:
        list(stream.compress([TEXT]))

    assert str(caught.value) == "qzCompressStream: QZ_PARAMS (-1)"


@pytest.mark.parametrize("piece", [1000, 100_000, 1_000_000])
@pytest.mark.parametrize("chunk", [1000, 1024 * 1024])
def test_every_format_is_decompressed(session: Session, format: Format, piece: int, chunk: int) -> None:
    compressed = compress(MIXED, format=format)
    pieces = [compressed[start : start + piece] for start in range(0, len(compressed), piece)]

    with Stream(session) as stream:
        restored = b"".join(stream.decompress(pieces, chunk))

    assert restored == MIXED


def test_input_is_held_until_the_buffer_is_full() -> None:
    with Session() as session, Stream(session) as stream:
        counts = stream.compress_into(TEXT[:1000], bytearray(5000), last=False)

        assert (counts, stream.pending_in, stream.pending_out) == ((1000, 0), 1000, 0)


def test_output_is_held_until_there_is_room() -> None:
    with Session() as session, Stream(session) as stream:
        counts = stream.compress_into(TEXT[:1000], bytearray(10), last=True)

        assert (counts, stream.pending_in) == ((1000, 10), 0)
        assert stream.pending_out > 0


@pytest.mark.usefixtures("software")
def test_last_while_output_is_pending_loses_the_end() -> None:
    output, room = bytearray(), bytearray(1000)
    with Session(Parameters(format="raw")) as session, Stream(session) as stream:
        for source, last in ((TEXT[:65536], False), *[(b"", True)] * 40):
            output += room[: stream.compress_into(source, room, last)[1]]
            if last and not stream.pending_out:
                break
    decoder = zlib.decompressobj(-15)

    assert decoder.decompress(output) == TEXT[:65536]
    assert not decoder.eof


def test_the_checksum_is_that_of_the_input() -> None:
    with Session(Parameters(format="raw")) as session, Stream(session) as stream:
        list(stream.compress([MIXED]))

        assert stream.crc32 == zlib.crc32(MIXED)


@pytest.mark.usefixtures("software")
def test_the_checksum_of_gzip_ext_is_wrong_beyond_a_buffer() -> None:
    with Session() as session, Stream(session) as stream:
        list(stream.compress([MIXED]))

        assert stream.crc32 != zlib.crc32(MIXED)


def test_a_smaller_buffer_is_used() -> None:
    with Session(Parameters(strm_buff_sz=1024)) as session, Stream(session) as stream:
        stream.compress_into(TEXT[:1500], bytearray(5000), last=False)

        assert stream.pending_in == 1500 - 1024

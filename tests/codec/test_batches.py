"""Many small inputs together come out as one by one, whether or not a codec has a way of its own for them."""

from __future__ import annotations

import pytest

from multifd.codec import create
from multifd.errors import PayloadError
from multifd.framing.coder import BatchDecoder, BatchEncoder, compress_each, decompress_each
from multifd.framing.container import Container

PAGE = 4096
PAGES = [bytes([number]) * (PAGE // 2) + bytes(range(256)) * 8 for number in range(5)]
CONTAINERS = [Container.RAW, Container.ZLIB, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B]


@pytest.mark.parametrize("name", ["zlib", "isal", "zlib-ng", "libdeflate"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_each_stream_is_what_a_single_call_makes(name: str, container: Container) -> None:
    codec = create(name, {})

    streams = [bytes(stream) for stream in compress_each(codec, PAGES, container, 12)]

    assert streams == [bytes(codec.compress(page, container, 12)) for page in PAGES]


@pytest.mark.parametrize("name", ["zlib", "isal", "zlib-ng", "libdeflate"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_each_output_is_the_page_that_was_compressed(name: str, container: Container) -> None:
    codec = create(name, {})
    streams = [codec.compress(page, container, 15) for page in PAGES]

    assert [bytes(output) for output in decompress_each(codec, streams, container, PAGE)] == PAGES


@pytest.mark.parametrize("name", ["zlib", "libdeflate"])
def test_a_bad_stream_is_an_error_when_its_turn_comes(name: str) -> None:
    codec = create(name, {})
    good = codec.compress(PAGES[0], Container.RAW, 15)
    outputs = decompress_each(codec, [good, b"\7", good], Container.RAW, PAGE)

    first = bytes(next(outputs))
    with pytest.raises(PayloadError) as single:
        codec.decompress(b"\7", Container.RAW, PAGE)
    with pytest.raises(PayloadError) as caught:
        next(outputs)

    assert (first, str(caught.value)) == (PAGES[0], str(single.value))


def test_libdeflate_decodes_and_zlib_encodes_in_batches() -> None:
    assert isinstance(create("libdeflate", {}), BatchDecoder)
    assert isinstance(create("zlib", {}), BatchEncoder)

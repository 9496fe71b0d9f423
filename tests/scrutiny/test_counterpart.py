"""zlib as the other side, in every container."""

from __future__ import annotations

import pytest

from multifd.framing.container import Container
from multifd.framing.deflate import walk
from multifd.scrutiny.checks.corruption import specimens
from multifd.scrutiny.counterpart import deflated, member, noise, read_back, text
from multifd.scrutiny.observation import Seen

FORMATS = (Container.RAW, Container.ZLIB, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B)
CONTENT = text(4096)


@pytest.mark.parametrize("container", FORMATS)
def test_what_zlib_writes_it_reads_back(container: Container) -> None:
    assert read_back(member(deflated(CONTENT), CONTENT, container), CONTENT, container) == Seen("identical")


@pytest.mark.parametrize("container", FORMATS)
def test_other_content_is_noticed(container: Container) -> None:
    data = member(deflated(CONTENT), CONTENT, container)

    assert read_back(data, noise(4096), container) == Seen("OK with wrong bytes", "corruption")


@pytest.mark.parametrize("container", [Container.RAW, Container.ZLIB, Container.GZIP, Container.GZIP_EXT])
def test_a_missing_end_is_noticed(container: Container) -> None:
    data = member(deflated(CONTENT), CONTENT, container)

    assert read_back(data[:-1], CONTENT, container) == Seen("OK, but not readable: the stream has no end", "corruption")


def test_a_wrong_checksum_is_noticed() -> None:
    data = member(deflated(CONTENT), noise(9), Container.ZLIB)

    assert read_back(data, CONTENT, Container.ZLIB) == Seen(
        "OK, but not readable: Error -3 while decompressing data: incorrect data check", "corruption"
    )


@pytest.mark.parametrize("window", [12, 15])
def test_specimens_are_deflate_of_their_content(window: int) -> None:
    assert {one.name: read_back(one.raw, one.content, Container.RAW) for one in specimens(window)} == dict.fromkeys(
        ["block header", "code lengths", "LEN and NLEN", "stored data", "literals", "distances"], Seen("identical")
    )


def test_the_specimen_of_distances_has_them_from_33_to_48() -> None:
    one = next(one for one in specimens(15) if one.name == "distances")

    (block,) = walk(one.raw).blocks

    assert (block.kind, block.max_distance, block.max_length) == ("fixed", 48, 3)

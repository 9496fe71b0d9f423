"""A QAT device by itself: what a request answers."""

from __future__ import annotations

import zlib

import pytest

from multifd.codec.silicon.libqatzip import Parameters, Session
from multifd.codec.silicon.qat import Engine, Status
from multifd.framing.container import Container
from multifd.framing.deflate import walk
from tests.codec.deflates import TEXT, empty_dynamic_block

BY_DEVICE = Session(Parameters(container=Container.RAW), Engine()).compress(TEXT).output


def test_an_empty_dynamic_block_is_not_for_the_device() -> None:
    empty = empty_dynamic_block()
    assert zlib.decompress(empty, -15) == b""
    assert [(block.kind, block.output) for block in walk(empty).blocks] == [("dynamic", 0)]

    result = Engine().decompress(empty, 4096)

    assert result.status is Status.EMPTY_DYNAMIC_BLOCK


@pytest.mark.parametrize(
    ("data", "room", "status"),
    [
        (BY_DEVICE, 4096, Status.OK),
        (BY_DEVICE, 4095, Status.OVERFLOW),
        (BY_DEVICE[:-1], 4096, Status.INCOMPLETE_FILE),
        (b"\7", 4096, Status.INVALID_CODE),
    ],
)
def test_a_device_says_what_is_wrong(data: bytes, room: int, status: Status) -> None:
    assert Engine().decompress(data, room).status is status

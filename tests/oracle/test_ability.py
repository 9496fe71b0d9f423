"""What a peer cannot do at all: the framing decides, and what the codec declares."""

from __future__ import annotations

from typing import Final

import pytest

from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.model import FRAMINGS, framing
from multifd.oracle.ability import cannot_read, cannot_send, inabilities
from tests.oracle.builder import (
    IAA,
    ONE_SHOT,
    PLAIN,
    READS_COMPLETE,
    READS_IAA,
    READS_STREAMS,
    READS_ZSTD,
    STREAMING,
    ZSTD,
    encoder,
)

CANNOT_SEND: Final = (
    ("another container", ZSTD, "zlib", 4096, "it cannot emit container zlib"),
    ("no encoder at all", None, "none", 4096, "it cannot emit container none"),
    ("a stream that goes on", ONE_SHOT, "zlib", 4096, "it cannot keep a stream open across packets"),
    ("the same, flushed at every page", IAA, "zlib-sync-page", 4096, "it cannot keep a stream open across packets"),
    ("a small window", ONE_SHOT, "zlib-packet[window=12]", 4096, "it cannot limit its window to 4096 bytes"),
    ("a header that says so", ONE_SHOT, "zlib-page[window=12]", 4096, "it cannot limit its window to 4096 bytes"),
    ("pages larger than the window", ONE_SHOT, "qpl", 16384, "it cannot limit its window to 4096 bytes"),
    ("pages twice as large as the window", ONE_SHOT, "qpl", 8192, "it cannot limit its window to 4096 bytes"),
)
CAN_SEND: Final = (
    ("a complete stream per packet needs no state", ONE_SHOT, "zlib-packet", 4096),
    ("a window that is smaller still", encoder(10), "zlib-packet[window=12]", 4096),
    ("nothing in a page is farther than the page", ONE_SHOT, "qpl", 4096),
    ("pages as they are have no window", PLAIN, "none", 65536),
    ("any window, streams that go on", STREAMING, "zlib", 4096),
)


@pytest.mark.parametrize(("codec", "name", "page_size", "reason"), [row[1:] for row in CANNOT_SEND],
                         ids=[row[0] for row in CANNOT_SEND])  # fmt: skip
def test_a_sender_that_cannot_says_what_it_lacks(
    codec: EncoderCapability | None, name: str, page_size: int, reason: str
) -> None:
    assert cannot_send(codec, framing(name), page_size) == reason


@pytest.mark.parametrize(
    ("codec", "name", "page_size"), [row[1:] for row in CAN_SEND], ids=[row[0] for row in CAN_SEND]
)
def test_a_sender_that_can_lacks_nothing(codec: EncoderCapability, name: str, page_size: int) -> None:
    assert cannot_send(codec, framing(name), page_size) is None


@pytest.mark.parametrize("codec", [READS_ZSTD, None])
def test_a_receiver_needs_something_to_read_the_container_with(codec: DecoderCapability | None) -> None:
    assert cannot_read(codec, framing("zlib")) == "it cannot read container zlib"


@pytest.mark.parametrize("codec", [READS_STREAMS, READS_COMPLETE, READS_IAA])
def test_a_receiver_is_put_before_streams_whether_it_can_keep_them_or_not(codec: DecoderCapability) -> None:
    assert cannot_read(codec, framing("zlib")) is None


@pytest.mark.parametrize("name", FRAMINGS)
def test_each_role_says_it_for_itself(name: str) -> None:
    both = inabilities(ONE_SHOT, READS_ZSTD, framing(name), 4096)

    assert both == {
        role: reason
        for role, reason in (
            ("sender", cannot_send(ONE_SHOT, framing(name), 4096)),
            ("receiver", cannot_read(READS_ZSTD, framing(name))),
        )
        if reason is not None
    }


def test_a_role_without_codec_is_no_inability() -> None:
    assert inabilities(None, None, framing("zlib"), 4096) == {}

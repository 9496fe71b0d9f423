"""The return path: the bytes of SHUT, and the place in the sender's stream at which it is due."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.wire.return_path import StreamEnd, shut

CAPTURES: Final = Path(__file__).parents[1] / "captures"

FOOTER: Final = b"\x7e" + struct.pack(">I", 42)
DEVICE: Final = b"\x04" + struct.pack(">I", 42) + b"\x05timer" + bytes(range(256)) + FOOTER
TEXT: Final = b'{"page_size": 4096, "devices": [{"name": "timer", "data": 1}]}'
DESCRIPTION: Final = b"\x06" + struct.pack(">I", len(TEXT)) + TEXT
ENDED: Final = FOOTER + 3 * DEVICE + b"\0"
DESCRIBED: Final = ENDED + DESCRIPTION


def ends(stream: bytes, *cuts: int) -> list[bool]:
    """What is said of each chunk of a stream that is cut at these places."""
    end = StreamEnd()
    return [end.feed(stream[a:b]) for a, b in itertools.pairwise((0, *sorted(cuts), len(stream)))]


def test_shut_says_that_all_went_well() -> None:
    assert shut() == bytes.fromhex("0001 0004 00000000")


def test_shut_can_say_that_it_failed() -> None:
    assert shut(1) == bytes.fromhex("0001 0004 00000001")


@pytest.mark.parametrize("stream", [ENDED, DESCRIBED], ids=["ended", "described"])
def test_the_end_is_found_in_one_chunk(stream: bytes) -> None:
    assert ends(stream) == [True]


def test_the_end_is_found_wherever_the_stream_is_cut_in_two() -> None:
    cuts = [cut for cut in range(1, len(DESCRIBED)) if cut != len(ENDED)]

    assert [ends(DESCRIBED, cut) for cut in cuts] == [[False, True]] * len(cuts)


@given(st.sets(st.integers(1, len(DESCRIBED) - 1).filter(lambda cut: cut != len(ENDED))))
def test_the_end_is_found_in_the_last_chunk_however_the_stream_is_cut(cuts: set[int]) -> None:
    *before, last = ends(DESCRIBED, *cuts)

    assert (any(before), last) == (False, True)


@given(st.sets(st.integers(1, len(ENDED) - 1)))
def test_without_a_description_too(cuts: set[int]) -> None:
    *before, last = ends(ENDED, *cuts)

    assert (any(before), last) == (False, True)


def test_the_last_footer_may_be_all_that_comes_of_the_devices() -> None:
    stream = FOOTER + b"\0"

    assert [ends(stream, cut) for cut in range(1, len(stream))] == [[False, True]] * (len(stream) - 1)


def test_what_follows_the_description_changes_nothing() -> None:
    assert ends(DESCRIBED + b"more") == [True]


@pytest.mark.parametrize("stream", [ENDED[:-1], DESCRIBED[:-1], FOOTER + DEVICE, b"", b"\0"])
def test_a_stream_that_goes_on_has_no_end(stream: bytes) -> None:
    assert ends(stream) == [False]


@pytest.mark.parametrize("capture", ["qemu-7.2-zlib", "qemu-10.0-zstd"])
def test_the_end_of_what_qemu_sent_is_its_last_byte(capture: str) -> None:
    stream = (CAPTURES / capture / "main.bin").read_bytes()

    assert ends(stream, len(stream) - 1) == [False, True]

"""Memory that tells: writes behind it are counted, accesses beyond that are fatal."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.scrutiny.child import Died, in_child
from multifd.scrutiny.memory import Region


@given(st.binary(max_size=9000), st.integers(0, 100))
def test_the_content_is_at_the_address(content: bytes, slack: int) -> None:
    assert ctypes.string_at(Region(content, slack).address, len(content)) == content


@given(st.integers(0, 9000), st.integers(0, 64))
def test_writes_behind_the_content_are_counted(size: int, count: int) -> None:
    region = Region(size, 64)

    ctypes.memset(region.address, 7, size + count)

    assert region.overwritten() == count


def test_reading_ends_with_the_content() -> None:
    assert Region(b"page", 64).read(10) == b"page"


def test_without_slack_the_next_byte_is_fatal() -> None:
    region = Region(b"page")

    assert in_child(lambda: ctypes.string_at(region.address, 4).decode()) == "page"
    with pytest.raises(Died, match=r"^signal SIGSEGV$"):
        in_child(lambda: ctypes.string_at(region.address, 5).decode())

"""Sizes as people give them."""

from __future__ import annotations

import pytest

from multifd.errors import InputError
from multifd.memory.size import size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("4096", 4096),
        ("512K", 512 << 10),
        ("4M", 4 << 20),
        ("4m", 4 << 20),
        (" 4M ", 4 << 20),
        ("64G", 64 << 30),
    ],
)
def test_a_size_is_bytes_with_a_unit(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "M", "-1", "4.5M", "4MB", "4 M", "4T", "four", "0x10"])
def test_any_other_size_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        size(text)

    assert str(error.value) == f"--memory {text!r}: expected a number of bytes with K, M or G, such as 4M"

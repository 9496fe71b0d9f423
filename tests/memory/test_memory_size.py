"""Sizes as people give them."""

from __future__ import annotations

import pytest

from multifd.errors import InputError
from multifd.memory.blocks import LEAST, UNIT
from multifd.memory.size import shown, size


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
    assert size(text, unit=1, least=0) == expected


@pytest.mark.parametrize("text", ["", "M", "-1", "4.5M", "4MB", "4 M", "4T", "four", "0x10", "\u0664M", "9" * 16])
def test_any_other_size_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        size(text, unit=1, least=0)

    assert str(error.value) == f"--memory {text!r}: expected a number of bytes with K, M or G, such as 4M"


def test_of_a_size_of_many_digits_enough_is_shown() -> None:
    with pytest.raises(InputError, match=r"^--memory '9{8,20}\.{3}9{8,20}': expected a number of bytes"):
        size("9" * 5000, unit=1, least=0)


@pytest.mark.parametrize("text", ["3K", "0", "3072", "1m", "1537K", " 2000K "])
def test_one_that_no_guest_has_is_refused_as_it_was_written(text: str) -> None:
    with pytest.raises(InputError) as error:
        size(text, unit=UNIT, least=LEAST)

    assert str(error.value) == f"--memory {text!r}: expected a multiple of 512K, at least 1536K"


@pytest.mark.parametrize(
    ("size", "text"), [(1, "1"), (4096, "4K"), (1 << 20, "1M"), (3 << 19, "1536K"), (1 << 30, "1G")]
)
def test_a_number_of_bytes_is_shown_in_the_largest_unit_of_which_it_is_whole(size: int, text: str) -> None:
    assert shown(size) == text

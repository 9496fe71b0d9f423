"""The user's own content in words."""

from __future__ import annotations

import pytest

from multifd.result.content import in_words
from tests.reports.builder import user_content

MIB = 1 << 20


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "2 MiB of 256 MiB in 3 files (0.8%): 28.9% zero pages, 1.2% equal to one before"),
        (
            {"bytes_there": 1 << 40, "files": 1},
            "2 MiB of 1,024 GiB in 1 file (less than 0.1%): 28.9% zero pages, 1.2% equal to one before",
        ),
        ({"bytes_there": 2 * MIB}, "all 2 MiB in 3 files: 28.9% zero pages, 1.2% equal to one before"),
        (
            {"bytes_there": 20480, "bytes_taken": 20480, "files": 100_000},
            "all 20 KiB in 100,000 files, again and again up to 2 MiB: 28.9% zero pages, 1.2% equal to one before",
        ),
    ],
    ids=["a part", "next to nothing", "all of it", "less than the memory"],
)
def test_it_is_said_how_much_of_what_was_taken(changes: dict[str, int], words: str) -> None:
    assert in_words(user_content(**changes)) == words

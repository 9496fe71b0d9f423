"""Content by count of bytes that are set: none, few, all alike, all random."""

from __future__ import annotations

from typing import Final

import numpy as np

from multifd.memory.corpora.stream import Content
from multifd.memory.dice import Dice

UNIT: Final = 65536
"""Bytes, the largest page: what holds for a unit holds for every page of every size."""

TEST_PAGE: Final = 4096
"""Bytes between two counters of QEMU's migration test (``TEST_MEM_PAGE_SIZE``,
tests/qtest/migration/bootfile.h, QEMU 10.2)."""

SPARSE_SHARE: Final = 1024
"""In ``sparse`` one byte of so many is set, four in a page of 4 KiB."""


def zero(size: int, dice: Dice) -> Content:  # noqa: ARG001  (zeros need no dice)
    """Nothing but zero pages."""
    return bytes(size)


def constant(size: int, dice: Dice) -> Content:
    """Every unit, hence every page, is one non-zero byte."""
    values = dice.integers(1, 256, -(-size // UNIT)).astype(np.uint8)
    return values.repeat(UNIT)[:size].data


def sparse(size: int, dice: Dice) -> Content:
    """Zeros with a few bytes set; a page without any is possible."""
    content = np.zeros(size, np.uint8)
    count = size // SPARSE_SHARE
    content[dice.integers(0, size, count)] = dice.integers(1, 256, count)
    return content.data


def random_bytes(size: int, dice: Dice) -> Content:
    """Incompressible: encrypted memory, keys, media."""
    return dice.noise(size)


def qemu_test(size: int, dice: Dice) -> Content:
    """The guest of QEMU's migration test, stopped in the middle of a sweep.

    The guest (tests/qtest/migration/*/a-b-*.h, QEMU 10.2) increments the first byte of each page in turn, so the pages
    before some point are one ahead of those behind it (``check_guests_ram`` relies on it).
    """
    content = np.zeros(size, np.uint8)
    counters = content[::TEST_PAGE]
    counters[:] = dice.integer(1, 255)
    counters[: dice.integer(0, len(counters) + 1)] += 1
    return content.data

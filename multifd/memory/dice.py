"""Random numbers that are the same on every host, with every Python and every numpy.

Only the raw output of PCG64 is promised for ever (numpy, "Compatibility Guarantee" of PCG64 and SeedSequence). What a
``Generator`` makes of it may change with a release (NEP 19), so all that is more is done here, in integers: sums of
floating-point numbers depend on the order in which a processor adds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_HALF: Final = np.uint64(32)


class Dice:
    """A stream of random numbers that follows from its seed alone: integers, each 0 or more."""

    def __init__(self, *seed: int) -> None:
        self._source = np.random.PCG64(seed)

    def words(self, count: int) -> NDArray[np.uint64]:
        """Draw ``count`` numbers of 64 bits."""
        return self._source.random_raw(count)

    def noise(self, count: int) -> memoryview:
        """Draw ``count`` bytes of noise."""
        return self.words(-(-count // 8)).astype("<u8", copy=False).view(np.uint8)[:count].data

    def integers(self, low: int, high: int, count: int) -> NDArray[np.int64]:
        """Draw ``count`` integers from ``low`` to ``high`` - 1, of which there are at most 2**32."""
        return ((self.words(count) >> _HALF) * np.uint64(high - low) >> _HALF).astype(np.int64) + low

    def integer(self, low: int, high: int) -> int:
        """Draw one integer from ``low`` to ``high`` - 1."""
        return int(self.integers(low, high, 1)[0])

    def weighted(self, weights: Sequence[int] | NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Draw ``count`` indices of ``weights``, each as often as its weight says."""
        borders = np.cumsum(np.asarray(weights, np.int64))
        return np.searchsorted(borders, self.integers(0, int(borders[-1]), count), side="right")

    def order(self, count: int) -> NDArray[np.int64]:
        """Draw an order of the indices below ``count``."""
        return np.argsort(self.words(count), kind="stable")

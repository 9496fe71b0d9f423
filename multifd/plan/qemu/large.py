"""Guests with more memory than the others: 64 MiB, or whatever ``--memory`` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.cell import shared_methods
from multifd.plan.qemu.contents import safe

LARGE: Final = 64 << 20
"""Bytes, at least."""
_METHODS: Final = ("zstd", "zlib", "none")
"""The first that both have: the cheapest that does anything."""


def large(line_up: LineUp, memory: int) -> Iterator[PlannedCell]:
    """From the oldest QEMU to the newest and back, of the architecture that most are of."""
    targets = Counter(qemu.facts.target for qemu in line_up.qemus)
    usual = max(targets, key=targets.__getitem__, default=None)
    by_age = sorted((q for q in line_up.qemus if q.facts.target == usual), key=lambda qemu: qemu.facts.version)
    for sender, receiver in dict.fromkeys([(0, -1), (-1, 0)][: len(by_age)]):
        shared = shared_methods(by_age[sender], by_age[receiver])
        method = next((method for method in _METHODS if method in shared), None)
        if method is not None:
            yield safe(by_age[sender], by_age[receiver], method, "large", memory=max(LARGE, memory))

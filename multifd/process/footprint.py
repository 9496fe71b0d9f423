"""What a process uses, by proc(5): file descriptors, threads, memory of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Final

STEADY: Final = 5
"""Steps between footprints that are compared; those before may fill caches."""
SMALLEST: Final = 16
"""KiB that a step must add to be a leak, in the middle of :data:`STEADY` and on average: four pages."""
FRUGAL: Final = {
    "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "32768", "MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_TOP_PAD_": "0"
}  # fmt: skip
"""Variables with which glibc gives back what is freed (mallopt(3)): without them a source varies by megabytes."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """At one moment."""

    descriptors: int
    threads: int
    memory: int
    """KiB that are resident and no file's (``RssAnon``)."""

    @classmethod
    def of(cls, pid: int) -> Footprint:
        """Of a process that is there; raises OSError if it is not."""
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        values = {name: int(value) for name, value in re.findall(r"^(Threads|RssAnon):\s+(\d+)", status, re.MULTILINE)}
        return cls(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()), values["Threads"], values["RssAnon"])


def growth(after: Sequence[Footprint], *, memory: bool = True) -> list[str]:
    """What grows with each step and does not settle, in words, by the footprints after each.

    Descriptors and threads are counted: one more at the end of :data:`STEADY` steps is one too many. Of ``memory``,
    where it is looked at, a leak below :data:`SMALLEST` a step is not seen.
    """
    steady = after[-STEADY - 1 :]
    first, last = steady[0], steady[-1]
    found = []
    if last.descriptors > first.descriptors:
        found.append(f"file descriptors grow from {first.descriptors} to {last.descriptors}")
    if last.threads > first.threads:
        found.append(f"threads grow from {first.threads} to {last.threads}")
    # One step that is large is no leak, nor are steps that become small: memory is still being settled into.
    steps = [later.memory - before.memory for before, later in pairwise(steady)]
    step = min(median(steps), fmean(steps))
    if memory and step >= SMALLEST:
        found.append(f"memory grows by {step:.0f} KiB each time, from {first.memory} to {last.memory} KiB")
    return found

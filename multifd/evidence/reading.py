"""What a counter gives: a count, or the reason in words why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """A count of jobs."""

    jobs: int
    enabled: int = 0
    """Nanoseconds for which it was to count, 0 where nothing but it counts on its unit."""
    running: int = 0
    """Nanoseconds for which it did: less where it shares the unit's counters with others in turns."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no count."""

    why: str
    """In words."""


Reading = Mapping[str, Count | Unknown]
"""What every device's counter gave, by the device's name and address."""


def moved(before: Reading, after: Reading) -> int | Unknown:
    """Jobs that the devices did between two readings, or why that is not known."""
    total = 0
    for name, earlier in before.items():
        jobs = _between(earlier, after.get(name, Unknown("it is gone")))
        if isinstance(jobs, Unknown):
            return Unknown(f"{name}: {jobs.why}")
        total += jobs
    return total if before else Unknown("nothing counts")


def _between(earlier: Count | Unknown, later: Count | Unknown) -> int | Unknown:
    if isinstance(earlier, Unknown):
        return earlier
    if isinstance(later, Unknown):
        return later
    if later.jobs < earlier.jobs:
        return Unknown(f"its count went backwards, from {earlier.jobs} to {later.jobs}: the device was reset")
    enabled, running = later.enabled - earlier.enabled, later.running - earlier.running
    if enabled != running:
        share = 100 * running / enabled if enabled else 0
        return Unknown(f"it counted for {share:.0f} % of the time only: other programs (perf) count on its unit, too")
    return later.jobs - earlier.jobs

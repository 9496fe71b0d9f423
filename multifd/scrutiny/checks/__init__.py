"""The checks, by name; each takes a library and yields what it observes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from multifd.scrutiny.checks import boundary, corruption, destination, endurance, levels, reuse, sizes, threads
from multifd.scrutiny.observation import Observation
from multifd.scrutiny.subject import Subject

Check = Callable[[Subject], Iterator[Observation]]

CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "boundary": boundary.check,
        "corruption": corruption.check,
        "destination": destination.check,
        "endurance": endurance.check,
        "levels": levels.check,
        "reuse": reuse.check,
        "sizes": sizes.check,
        "threads": threads.check,
    }
)

"""Scenarios: what is migrated and how, as data. A new one is a line in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Mode = Literal["capture", "live", "playback"]
"""``capture``: encoded once into files and decoded from them. ``live``: sender and receiver over sockets.
``playback``: a capture, changed in one field, played to a live receiver."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to migrate."""

    name: str
    description: str
    mode: Mode
    shape: str
    """Shape of the dirty rounds, as :mod:`multifd.memory.rounds` knows it; ``mutating`` for changing pages."""
    becomes_zero: bool = False
    """Some page becomes zero after having had content."""
    legacy_zero_pages: bool = False
    """The sender runs with ``zero-page-detection=legacy``."""


_SCENARIOS: Final = (
    Scenario("capture", "one round, every page, by capture", "capture", "single"),
    Scenario("live", "three dirty rounds over sockets; pages become zero", "live", "dirty", becomes_zero=True),
    Scenario(
        "legacy-zero-pages",
        "the same, sender with zero-page-detection=legacy",
        "live",
        "dirty",
        becomes_zero=True,
        legacy_zero_pages=True,
    ),
    Scenario("whole", "one round over sockets", "live", "single"),
    Scenario("zero-only", "packets that hold only zero pages", "live", "zero-only", becomes_zero=True),
    Scenario("partial", "packets that are never full", "live", "partial"),
    Scenario("empty", "rounds without any page", "live", "empty"),
    Scenario("stale", "no zero page at all", "live", "stale"),
    Scenario("mutating", "pages change while they are being encoded", "live", "mutating"),
    Scenario("fault", "one field of a packet is overwritten on its way", "playback", "single"),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({s.name: s for s in _SCENARIOS})
"""All scenarios by name."""

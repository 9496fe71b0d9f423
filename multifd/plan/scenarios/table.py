"""All scenarios. Those of real QEMUs have modules of their own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from multifd.plan.scenarios.bookkeeping import BOOKKEEPING
from multifd.plan.scenarios.connections import CONNECTIONS
from multifd.plan.scenarios.counting import RUNNING
from multifd.plan.scenarios.guests import GUESTS
from multifd.plan.scenarios.lives import LIFETIMES
from multifd.plan.scenarios.memory import MEMORIES
from multifd.plan.scenarios.refused import REFUSALS
from multifd.plan.scenarios.scenario import Scenario
from multifd.plan.scenarios.secure import SECURE
from multifd.plan.scenarios.settings import SETTINGS

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
    *GUESTS,
    *BOOKKEEPING,
    *MEMORIES,
    *SETTINGS,
    *SECURE,
    *REFUSALS,
    *LIFETIMES,
    *CONNECTIONS,
    *RUNNING,
    Scenario("fault", "the sender does something wrong, as declared", "playback", "eights", becomes_zero=True),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({s.name: s for s in _SCENARIOS})
"""All scenarios by name."""

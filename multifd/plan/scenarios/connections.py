"""Migrations of a real QEMU over connections that are out of order, late or slow, that end early, or that somebody else
has too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from multifd.plan.scenarios.scenario import Scenario
from multifd.wire.link import Boundary, Cut, Link, Order, Stall, Stranger

LINKS: Final[Mapping[str, Link]] = MappingProxyType(
    {
        "stalled-channel": Link("a channel is not read for 3 seconds", stall=Stall(1 << 16, 3.0)),
        "slow-link": Link("all connections together carry 2 MiB a second", rate=2 << 20),
        "late-channel": Link("a channel connects a second after the others", late=1.0),
        "reversed-connections": Link("channels connect from the last to the first", order=Order.REVERSED),
        "main-last": Link("channels connect from the last to the first, main after them", order=Order.MAIN_LAST),
        **{f"cut-{at.name.lower().replace('_', '-')}": Link(f"a channel is cut {at}", cut=Cut(at)) for at in Boundary},
        "half-closed": Link(
            f"a channel ends for the receiver {Boundary.BETWEEN}, and not for the sender",
            cut=Cut(Boundary.BETWEEN, half=True),
        ),
        **{
            f"stranger-{who.name.lower()}": Link(f"somebody else {who}", stranger=who)
            for who in Stranger
        },
    }
)  # fmt: skip
"""By scenario."""


def _connections() -> Iterator[Scenario]:
    for name, link in LINKS.items():
        # With the receiver's word a source knows that what it sent was not taken.
        yield Scenario(
            name, link.why, "connections", "guest", link=link, legacy_zero_pages=True, return_path=link.cut is not None
        )


CONNECTIONS: Final = tuple(_connections())

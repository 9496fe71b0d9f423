"""Lifetimes: migrations that are cancelled, repeated, or ended by one end, and what comes after them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from multifd.plan.scenarios.life import Life, Phase
from multifd.plan.scenarios.scenario import Scenario

_WHEN: Final[Mapping[Phase, str]] = {
    "connecting": "while nobody accepts the connection",
    "setup": "while nobody accepts the channels",
    "active": "in the first round",
    "stalled": "while the destination stands still in the first round",
    "pre-switchover": "before the switchover",
    "device": "after the switchover, while the destination stands still",
}
_QUIT: Final[Mapping[str, tuple[Phase, ...]]] = {
    "source": ("connecting", "setup", "active", "pre-switchover"),
    "destination": ("active", "pre-switchover"),
}

_HELD: Final[Mapping[str, Any]] = {"return_path": True, "parameters": {"downtime_limit": 0}}
"""A source stays in ``device`` as long as it waits for the destination's word. With pages left for then it would wait
with the big lock, and answer nothing; with no downtime allowed there are none."""


def _lifetimes() -> Iterator[Scenario]:
    for phase, when in _WHEN.items():
        description = f"cancelled {when}, then to a fresh destination with another method and number of channels"
        held = _HELD if phase == "device" else {}
        yield _scenario(f"cancel-{phase}", description, Life("cancel", phase), **held)
    for phase in _QUIT["source"]:
        description = f"the source is told to quit {_WHEN[phase]}"
        yield _scenario(f"quit-source-{phase}", description, Life("quit-source", phase))
    for phase in _QUIT["destination"]:
        description = f"the destination is told to quit {_WHEN[phase]}, then to a fresh one"
        yield _scenario(f"quit-destination-{phase}", description, Life("quit-destination", phase))
    counted = "descriptors, threads and memory are counted"
    often = "one source migrates again and again"
    yield _scenario("many-cancelled", f"{often}, cancelled in the first round; {counted}", Life("many-cancelled"))
    yield _scenario("many-completed", f"{often}; {counted}", Life("many-completed"))
    yield _scenario("ping-pong", "there, and back into a fresh process with another method", Life("ping-pong"))


def _scenario(name: str, description: str, life: Life, **further: Any) -> Scenario:
    return Scenario(name, description, "lifetime", "single", life=life, **further)


LIFETIMES: Final = tuple(_lifetimes())

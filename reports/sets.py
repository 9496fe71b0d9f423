"""Advice as a page shows it: a row for each fleet that sends, a column for each that receives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from multifd.advice.lines import CHANNELS, FEWER, UNLIKE, Direction, Fleet

_METHOD: Final = "multifd-compression"
"""The setting that a method is: it need not be said beside its name."""


@dataclass(frozen=True)
class To:
    """One direction, and where the page has its lines."""

    direction: Direction
    anchor: str

    @property
    def safe(self) -> tuple[str, ...]:
        """Methods of both ends, the cheapest first."""
        return tuple(dict.fromkeys(line.method for line in self.direction.safe if line.setting is None))

    @property
    def hazards(self) -> tuple[str, ...]:
        """Methods that lose memory, by the setting behind it; what loses it between any unlike ends is told once."""
        found: dict[str, list[str]] = {}
        for line in self.direction.lines:
            if line.verdict == "hazard" and line.method not in (UNLIKE, CHANNELS, FEWER):
                told = line.setting if line.setting is not None and line.setting.name != _METHOD else None
                setting = f" with {told.name}={told.value}" if told is not None else ""
                found.setdefault(setting, []).append(line.method.replace(">", " → "))
        return tuple(f"{', '.join(dict.fromkeys(methods))}{setting}" for setting, methods in found.items())


@dataclass(frozen=True)
class Row:
    """Everything from one fleet; None to those of which the run says nothing."""

    sender: Fleet
    directions: tuple[To | None, ...]


@dataclass(frozen=True)
class Sets:
    """All of it."""

    receivers: tuple[Fleet, ...]
    rows: tuple[Row, ...]


def sets(directions: Sequence[Direction]) -> Sets | None:
    """In the order of the directions; None where there are none."""
    if not directions:
        return None
    senders = list(dict.fromkeys(each.sender.name for each in directions))
    receivers = list(dict.fromkeys((*senders, *(each.receiver.name for each in directions))))
    fleets = {fleet.name: fleet for each in directions for fleet in (each.sender, each.receiver)}
    found = {
        (each.sender.name, each.receiver.name):
        To(each, f"set-{senders.index(each.sender.name)}-{receivers.index(each.receiver.name)}")
        for each in directions
    }  # fmt: skip
    return Sets(
        tuple(fleets[name] for name in receivers),
        tuple(Row(fleets[name], tuple(found.get((name, other)) for other in receivers)) for name in senders),
    )

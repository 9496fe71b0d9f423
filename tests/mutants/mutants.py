"""Vendor libraries that are wrong in one condition: which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from multifd.plan.work import Pairing

Direction = Literal["compress", "decompress"]
BOTH: Final[tuple[Direction, ...]] = ("compress", "decompress")
LIBRARIES: Final = ("qatzip", "qpl")


def anything(pairing: Pairing) -> bool:
    """Any cell is as likely as another."""
    return True


@dataclass(frozen=True, slots=True)
class Condition:
    """When a library is wrong."""

    name: str
    when: str
    """In C: an expression of ``call`` (``call.h``)."""
    likely: Callable[[Pairing], bool] = anything
    """Cells that are tried first, so that a test takes seconds."""
    short: bool = False
    """The output is cut; otherwise a bit of it is flipped."""
    libraries: tuple[str, ...] = LIBRARIES
    """By the codec's name."""
    directions: tuple[Direction, ...] = BOTH


@dataclass(frozen=True, slots=True)
class Mutant:
    """One library, wrong in one condition and one direction."""

    library: str
    direction: Direction
    condition: Condition

    def __str__(self) -> str:
        return f"{self.library}-{self.direction}-{self.condition.name.replace(' ', '-')}"

    def concerns(self, pairing: Pairing) -> bool:
        """Whether the library works in this direction there, whatever its parameters."""
        peer = pairing.sender if self.direction == "compress" else pairing.receiver
        return peer.partition("[")[0] == self.library


def _live(pairing: Pairing) -> bool:
    return pairing.plan.mode == "live" and pairing.channels > 2


CONDITIONS: Final = (
    Condition("packets of 2 to 8 pages", "call.packet && call.size <= 8 * PAGE"),
    Condition("large and incompressible", "call.size >= LARGE && call.stream >= call.size"),
    Condition("right after a large packet", "call.before >= LARGE && call.size < LARGE"),
    Condition("third round", "call.channel >= 0 && call.packets >= 4", _live),
    Condition(
        "third round of its own method",
        "call.channel >= 0 && call.packets >= 4 && call.own",
        _live,
        libraries=("qatzip",),
    ),
    Condition(
        "64k pages", "call.size == 16 * PAGE && call.before == 16 * PAGE", lambda pairing: pairing.page_size == 65536
    ),
    Condition("channel 2 and above", "call.channel >= 2", _live),
    Condition("channel 2 and above of its own method", "call.channel >= 2 && call.own", _live),
    Condition("level 9", "call.level == 9", libraries=("qatzip",), directions=("compress",)),
    Condition("stream of exactly a page", "call.size == PAGE && call.stream == PAGE"),
    Condition("stream one byte short of a page", "call.size == PAGE && call.stream == PAGE - 1"),
    Condition("short once in 500 calls", "call.number % 500 == 0", short=True),
)


def mutants() -> Iterator[Mutant]:
    """Every condition in all libraries and directions that it is for."""
    for condition in CONDITIONS:
        for library in condition.libraries:
            for direction in condition.directions:
                yield Mutant(library, direction, condition)

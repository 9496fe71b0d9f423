"""Vendor libraries that are wrong in one condition: which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from multifd.framing.model import Scope, framing
from multifd.plan.work import USUAL_FILL, Pairing

Direction = Literal["compress", "decompress"]
BOTH: Final[tuple[Direction, ...]] = ("compress", "decompress")
LIBRARIES: Final = ("qatzip", "qpl")


def _anywhere(pairing: Pairing) -> bool:
    return True


def _packets(pairing: Pairing) -> bool:
    return framing(pairing.sender_framing).scope is Scope.PACKET and pairing.fill != USUAL_FILL


def _noise(pairing: Pairing) -> bool:
    return framing(pairing.sender_framing).scope is Scope.PACKET and pairing.corpus in ("random", "compressed")


def _edges(pairing: Pairing) -> bool:
    return framing(pairing.sender_framing).scope is Scope.PAGE and pairing.corpus == "page-edge"


def _large_pages(pairing: Pairing) -> bool:
    return pairing.page_size == 16 * 4096


def _highest(pairing: Pairing) -> bool:
    return "level=9" in pairing.sender


def _live(pairing: Pairing) -> bool:
    return pairing.plan.mode == "live" and pairing.channels > 2


def _rounds(pairing: Pairing) -> bool:
    return _live(pairing) and _packets(pairing)


def _own(pairing: Pairing) -> bool:
    return _live(pairing) and pairing.sender_framing in LIBRARIES


def codec(peer: str) -> str:
    """What a peer is but for its parameters."""
    return peer.partition("[")[0]


@dataclass(frozen=True, slots=True)
class Condition:
    """When a library is wrong."""

    name: str
    when: str
    """In C: an expression of ``call``, which is a ``struct call``."""
    likely: Callable[[Pairing], bool] = _anywhere
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
        own, _ = self.ends(pairing)
        return codec(own) == self.library

    def ends(self, pairing: Pairing) -> tuple[str, str]:
        """The peer that works in this direction, and the other."""
        both = pairing.sender, pairing.receiver
        return both if self.direction == "compress" else both[::-1]


CONDITIONS: Final = (
    Condition("packets of 2 to 8 pages", "call.packet && call.size <= 8 * PAGE", _packets),
    Condition("large and incompressible", "call.size >= LARGE && call.stream >= call.size", _noise),
    Condition("right after a large packet", "call.before >= LARGE && call.size < LARGE", _packets),
    Condition("third round", "call.channel >= 0 && call.packets >= 3", _rounds),
    Condition(
        "third round of its own method",
        "call.channel >= 0 && call.packets >= 3 && call.own",
        _own,
        libraries=("qatzip",),
    ),
    Condition("64k pages", "call.size == 16 * PAGE && call.before == 16 * PAGE", _large_pages),
    Condition("channel 2 and above", "call.channel >= 2", _live),
    Condition("channel 2 and above of its own method", "call.channel >= 2 && call.own", _own),
    Condition("level 9", "call.level == 9", _highest, libraries=("qatzip",), directions=("compress",)),
    Condition("stream of exactly a page", "call.size == PAGE && call.stream == PAGE", _edges),
    Condition("stream one byte short of a page", "call.size == PAGE && call.stream == PAGE - 1", _edges),
    Condition("short output once in 500 calls", "call.number % 500 == 0", short=True),
)


def mutants() -> Iterator[Mutant]:
    """Every condition in all libraries and directions that it is for."""
    for condition in CONDITIONS:
        for library in condition.libraries:
            for direction in condition.directions:
                yield Mutant(library, direction, condition)

"""A trial of one declaration, and what it says of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import zstandard

from multifd.errors import MultifdError
from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container
from multifd.peer.contract import Attempt, Packet, Trial
from multifd.result.record import Role

Outputs = Sequence[bytes]
"""What was made of each packet."""

CODED: Final = tuple(each for each in Container if each is not Container.NONE)


@dataclass(frozen=True, slots=True)
class Case:
    """One trial, and what the declaration makes of it."""

    role: Role
    capability: str
    """Name of the field."""
    what: str
    """What is tried, in words."""
    able: bool
    """It must be done, or must not."""
    container: Container
    given: tuple[bytes, ...]
    """By packet."""
    done: Callable[[Outputs], bool]
    """Whether it was done, by what was made."""
    wanted: tuple[int, ...] = ()
    window: int = 15
    stream: bool = False

    def trial(self) -> Trial:
        """As the contract has it."""
        wanted = self.wanted or (0,) * len(self.given)
        packets = tuple(Packet(given=len(g), wanted=w) for g, w in zip(self.given, wanted, strict=True))
        return Trial(role=self.role, container=self.container, window=self.window, stream=self.stream, packets=packets)

    def declared(self, encoder: EncoderCapability | None, decoder: DecoderCapability | None) -> object:
        """What is said of it."""
        return getattr(encoder if self.role == "sender" else decoder, self.capability)

    def contradiction(self, attempt: Attempt, outputs: Outputs, declared: object) -> str | None:
        """What of the declaration is not so, None if it is."""
        done = attempt.error is None and _holds(self.done, outputs)
        if done is self.able:
            return None
        seen = "done" if done else f"not done ({attempt.error or 'something else came of it'})"
        value = ", ".join(map(str, sorted(declared))) if isinstance(declared, frozenset) else declared
        return f"as {self.role} it declares {self.capability} {value}; observed: {self.what}: {seen}"


def _holds(done: Callable[[Outputs], bool], outputs: Outputs) -> bool:
    try:
        return done(outputs)
    except (MultifdError, zlib.error, zstandard.ZstdError):
        return False


def preferred(containers: frozenset[Container]) -> list[Container]:
    """The one in which most can be told of those that there are; none if there is none."""
    order = (Container.ZLIB, Container.RAW, Container.GZIP, Container.GZIP_EXT, Container.FOUR_B, Container.ZSTD)
    return [each for each in order if each in containers][:1]

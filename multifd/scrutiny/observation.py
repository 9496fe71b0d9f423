"""One case of a check: what was expected, what was observed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from multifd.result.record import Severity

_HARM: Final[tuple[tuple[str, Severity], ...]] = (
    ("wrong bytes", "corruption"),
    ("behind the destination", "corruption"),
    ("not readable", "corruption"),
    ("signal", "crash"),
    ("more", "leak"),
)
"""Words of an observation, and what they mean to a caller; worst first. Everything else breaks the contract only."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A case. ``observed`` is ``expected`` where ``ok``, else what else was seen, and where."""

    case: str
    expected: str
    observed: str
    ok: bool
    severity: Severity | None = None
    """What it means to a caller; None where ``ok``."""

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))

    @property
    def complaint(self) -> str:
        """The case in one sentence."""
        return f"{self.case}: expected {self.expected}, observed {self.observed}"


def observations(case: str, expected: str, outcomes: Mapping[str, str]) -> Iterator[Observation]:
    """A case tried in several ways: one observation per outcome that was not expected, ``refused (raw, zlib)``."""
    different: dict[str, list[str]] = {}
    for way, outcome in outcomes.items():
        if outcome != expected:
            different.setdefault(outcome, []).append(way)
    if not different:
        yield Observation(case, expected, expected, True)
    for outcome, ways in different.items():
        yield Observation(case, expected, f"{outcome} ({', '.join(ways)})", False, severity(outcome))


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in ascending order, neighbours as a range: ``1-19, 24``."""
    parts = []
    for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        parts.append(f"{members[0]}-{members[-1]}" if len(members) > 1 else str(members[0]))
    return ", ".join(parts)


def severity(observed: str) -> Severity:
    """What an observation that is not as expected means to a caller."""
    return next((harm for words, harm in _HARM if words in observed), "contract")

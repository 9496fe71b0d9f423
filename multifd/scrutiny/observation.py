"""One case of a check: what was expected, what was observed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Self

from multifd.result.record import SEVERITY_ORDER, Severity


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a case in words, and what that means to a caller who was promised something else."""

    words: str
    harm: Severity = "contract"


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

    @classmethod
    def parse(cls, line: str | bytes) -> Self:
        """From what :meth:`line` has made; ValueError or TypeError where that is something else."""
        return cls(**json.loads(line))

    @property
    def complaint(self) -> str:
        """The case in one sentence."""
        return f"{self.case}: expected {self.expected}, observed {self.observed}"


def observations(case: str, expected: str, outcomes: Mapping[str, Seen]) -> Iterator[Observation]:
    """A case tried in several ways: one observation per outcome that was not expected, ``refused (raw, zlib)``."""
    different: dict[Seen, list[str]] = {}
    for way, seen in outcomes.items():
        if seen.words != expected:
            different.setdefault(seen, []).append(way)
    if not different:
        yield Observation(case, expected, expected, True)
    for seen, ways in different.items():
        yield Observation(case, expected, f"{seen.words} ({', '.join(ways)})", False, seen.harm)


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of some; ValueError for none."""
    return min(severities, key=SEVERITY_ORDER.index)


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in ascending order, neighbours as a range: ``1-19, 24``."""
    parts = []
    for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        parts.append(f"{members[0]}-{members[-1]}" if len(members) > 1 else str(members[0]))
    return ", ".join(parts)

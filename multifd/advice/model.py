"""Advice: what may be set for a migration from one fleet to another, in order of what one would choose.

A *fleet* is hosts that are alike: a release of QEMU, or all that speak one dialect, with or without a device. Advice
has a direction, for there and back are two questions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, Literal, get_args

from multifd.framing.model import METHOD_FRAMINGS
from multifd.result.record import Model, Setting

Standing = Literal["safe", "hazard", "refused", "unknown"]
"""What comes of it: memory arrives; memory or the guest may be lost and nobody says so; refused with an error, and the
guest stays where it is; nobody knows."""
Basis = Literal["run", "oracle"]
"""What a line rests on: cells of a run, or the rules of the oracle alone."""

STANDINGS: Final[tuple[Standing, ...]] = get_args(Standing)
"""In the order in which a reader wants them."""


class Fleet(Model):
    """Hosts that are alike."""

    name: str
    """As a person says it: ``QEMU 7.2.22``, ``QAT host (QEMU 9.2)``."""
    versions: str
    """Of QEMU: ``7.2.22``, or those of a dialect, ``5.0-8.2``."""
    machine: str | None = None
    """The machine type that a migration with the other fleet runs; None where nobody knows."""
    device: str | None = None
    """The accelerator in its hosts, as results name it."""


class Line(Model):
    """One way to migrate, and what comes of it."""

    method: str
    """``multifd-compression`` of both ends, ``sender>receiver`` where they differ; :data:`UNLIKE`: all such pairs."""
    verdict: Standing
    setting: Setting | None = None
    """What must be set besides the method for it to be so, with its default; None at the defaults."""
    why: str
    """One sentence."""
    rests_on: Basis
    cells: tuple[str, ...] = ()
    """Ids of the run's cells that say so, those that decide first; none where it rests on the oracle."""
    cost: float | None = None
    """CPU seconds of both ends for each GiB of guest memory, as the run measured codecs of the same provenance; None
    where it did not, and where what ran was a model of silicon, whose time says nothing."""
    qmp: tuple[str, ...] = ()
    """QMP commands, one a line, that set it at both ends before ``migrate``; of a hazard what avoids it."""
    libvirt: tuple[str, ...] = ()
    """The same for libvirt: command lines, or comments that begin with ``#``."""
    words: str | None = None
    """What a refusal says, a regular expression where it rests on the oracle."""
    issues: tuple[str, ...] = ()
    """Ids of the known issues behind it."""
    released: bool = True
    """A release of QEMU does this by itself; False for what was proposed, or what only a library can do."""


class Direction(Model):
    """From one fleet to another."""

    sender: Fleet
    receiver: Fleet
    lines: tuple[Line, ...]
    """As :func:`ordered` has them."""

    @property
    def safe(self) -> tuple[Line, ...]:
        """What QEMU does by itself and is right, the cheapest first."""
        return tuple(line for line in self.lines if line.verdict == "safe" and line.released)


UNLIKE: Final = "unlike"
"""The method of a line about all pairs of methods that are refused because they differ."""


def ordered(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Safe first, what is released before what is proposed, then by cost; of equal ones in the order of the methods."""
    return tuple(sorted(lines, key=_rank))


def _rank(line: Line) -> tuple[int, bool, float, int, str]:
    sent = line.method.partition(">")[0]
    place = METHOD_FRAMINGS.index(sent) if sent in METHOD_FRAMINGS else len(METHOD_FRAMINGS)
    cost = math.inf if line.cost is None else line.cost
    return STANDINGS.index(line.verdict), not line.released, cost, place, line.method

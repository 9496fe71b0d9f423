"""Advice: what may be set for a migration from one fleet to another, in order of what one would choose.

A *fleet* is hosts that are alike: a release of QEMU, or all that speak one dialect, with or without a device. Advice
has a direction, for there and back are two questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Final, Literal, get_args

from multifd.framing.model import METHOD_FRAMINGS
from multifd.result.record import Model, Outcome, Provenance, Role, Setting

Standing = Literal["safe", "hazard", "refused", "unknown"]
"""What comes of it: memory arrives; memory or the guest may be lost and nobody says so; refused with an error, and the
guest stays where it is; nobody knows."""
Basis = Literal["run", "oracle"]
"""What a line rests on: cells of a run, or the rules of the oracle alone."""

STANDINGS: Final[tuple[Standing, ...]] = get_args(Standing)
"""In the order in which a reader wants them."""
ANY: Final = "any method"
"""Of a line about whatever both have."""
_BEST: Final[tuple[Standing, ...]] = ("safe", "hazard", "unknown", "refused")
"""A hazard before a refusal: where there is one, something gets across, and more is at stake."""
STANDING: Final[Mapping[Outcome, Standing]] = MappingProxyType(
    {"identical": "safe", "rejected": "refused", "hazard": "hazard"}
)
"""By what is predicted."""


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
    """``multifd-compression`` of both ends, ``sender>receiver`` where they differ, or one of :data:`ANY`,
    :data:`UNLIKE`, :data:`CHANNELS` and :data:`FEWER`."""
    verdict: Standing
    setting: Setting | None = None
    """What must be set besides the method for it to be so, with its default; None at the defaults."""
    why: str
    """One sentence."""
    rests_on: Basis
    cells: tuple[str, ...] = ()
    """Ids of the run's cells that say so, those that decide first; none where it rests on the oracle."""
    provenance: tuple[Provenance, ...] = ()
    """How the codecs of these cells ran."""
    cost: float | None = None
    """CPU seconds of both ends for each GiB of guest memory, beyond those of ``none``, as the run measured them between
    real QEMUs; None where it did not."""
    qmp: tuple[str, ...] = ()
    """QMP commands, one a line, that set it at both ends before ``migrate``; of a hazard what avoids it."""
    libvirt: tuple[str, ...] = ()
    """The same for libvirt: command lines, or comments that begin with ``#``."""
    words: str | None = None
    """What a refusal says, a regular expression where it rests on the oracle."""
    issues: tuple[str, ...] = ()
    """Ids of the known issues behind it."""
    accelerated: bool = False
    """The sender compresses on its accelerator."""
    library: str | None = None
    """The vendor's library that could do this, though no release of QEMU calls it so; None for what QEMU does by
    itself."""
    at: Role | None = None
    """The end at which it would."""

    @property
    def released(self) -> bool:
        """A release of QEMU does this by itself."""
        return self.library is None


class Direction(Model):
    """From one fleet to another."""

    sender: Fleet
    receiver: Fleet
    lines: tuple[Line, ...]
    """As :func:`ordered` has them."""

    @property
    def verdict(self) -> Standing:
        """The best that can be had at the defaults of both ends, whatever the method."""
        plain = [line.verdict for line in self.lines if line.released and line.method in (*METHOD_FRAMINGS, ANY)]
        return min(plain, key=_BEST.index, default="unknown")

    @property
    def safe(self) -> tuple[Line, ...]:
        """What QEMU does by itself and is right, the cheapest first."""
        return tuple(line for line in self.lines if line.verdict == "safe" and line.released)


UNLIKE: Final = "different methods"
"""Of a line about all two methods that are refused for being two."""
CHANNELS: Final = "different numbers of channels"
"""Of a line about ``multifd-channels``, of which the sender opens more than the receiver waits for."""
FEWER: Final = "fewer channels than expected"
"""Of a line about ``multifd-channels``, of which the sender opens fewer. Only a run has it, for the oracle does not
know that QEMU waits for the missing ones."""


USUAL: Final = ("none", "zstd", "zlib")
"""Methods that every QEMU has, as their CPU time goes where no run has measured it: what ``python
benchmarks/migration.py`` prints beside *CPU* (docs/advise.md has it). A method that an end computes on its accelerator
comes before those of the CPU that compress (docs/devel/migration/qatzip-compression.rst, QEMU 10.0). What an
accelerator's method costs where there is no accelerator is not in that table, for no distribution builds QEMU with one:
such methods come last."""


def ordered(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Safe first, what is released before what is proposed, then by cost.

    What a run has measured is in order among itself, in the places that are usual for it (:data:`USUAL`).
    """
    usual = sorted(lines, key=lambda line: (*_kind(line), _place(line), line.method))
    return tuple(line for _, alike in groupby(usual, key=_kind) for line in _by_cost(list(alike)))


def _kind(line: Line) -> tuple[int, bool]:
    return STANDINGS.index(line.verdict), not line.released


def _place(line: Line) -> int:
    if line.accelerated:
        return 1
    method = line.method.partition(">")[0]
    return 2 * USUAL.index(method) if method in USUAL else 2 * len(USUAL)


def _by_cost(lines: Sequence[Line]) -> Iterator[Line]:
    measured = iter(sorted((line for line in lines if line.cost is not None), key=lambda line: line.cost or 0.0))
    return (line if line.cost is None else next(measured) for line in lines)

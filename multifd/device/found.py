"""What detection finds: devices, and what is wrong with them in words and in commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Direction = Literal["sender", "receiver"]
BOTH: Final[frozenset[Direction]] = frozenset({"sender", "receiver"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why something cannot be used."""

    what: str
    """In plain words."""
    fix: str
    """The commands that put it right, one per line, to be run as root; a line with ``#`` is for a person."""


@dataclass(frozen=True, slots=True)
class Device:
    """One accelerator: a PCI function with all its queues or virtual functions."""

    kind: str
    """Of its :class:`~multifd.accelerator.Accelerator`."""
    name: str
    """As its driver calls it: ``4xxx``, ``iax1``, ``hisi_zip-4``; unique together with ``pci``."""
    pci: str | None
    """Address ``domain:bus:device.function``; None where no PCI function stands behind it."""
    generation: str
    facts: Mapping[str, str]
    """What a person wants to see beside the name: driver, services, queues."""
    nodes: tuple[str, ...]
    """Device nodes through which this user reaches it."""
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()
    """What its owner should know although it can be used as it is."""
    directions: frozenset[Direction] = BOTH
    """The roles in which a vendor library of this user can work on it, where there is no problem; none: for others."""
    processes: int | None = None
    """How many processes of the host may hold devices of its kind at a time, None where nothing limits them."""

    @property
    def usable(self) -> bool:
        """Whether a vendor library of this user can work on it, in its :attr:`directions`.

        One that serves in no direction is not usable, and nothing is wrong with it: it works for others.
        """
        return not self.problems and bool(self.directions)

    def described(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {**asdict(self), "directions": sorted(self.directions), "usable": self.usable}

"""Hosts of a fleet as advice is computed for them: which QEMU, which devices."""

from __future__ import annotations

from dataclasses import dataclass

from multifd.accelerator import Accelerator
from multifd.advice.lines import Fleet
from multifd.qemu.facts import Facts


@dataclass(frozen=True, slots=True)
class Host:
    """One host that stands for all of its fleet."""

    name: str
    versions: str
    """Of its QEMU, as a person says it."""
    facts: Facts
    devices: tuple[Accelerator, ...] = ()
    said: bool = False
    """The binary has said itself which methods it is built with; else it may have fewer than its release."""

    def fleet(self, machine: str | None) -> Fleet:
        """As results of advice show it, with the machine type of a migration."""
        device = " and ".join(each.name for each in self.devices) or None
        return Fleet(name=self.name, versions=self.versions, machine=machine, device=device)

    @property
    def methods(self) -> tuple[str, ...]:
        """Those of its methods of which the oracle knows something."""
        return tuple(method for method in self.facts.methods if method in self.facts.dialect.flags)

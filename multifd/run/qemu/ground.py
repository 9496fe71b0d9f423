"""What QEMUs have beside the RAM of a guest, for guests that the probe has not tried."""

from __future__ import annotations

from collections.abc import Mapping

from multifd.lineup.peers import Ground, QemuPeer
from multifd.lineup.qemus import MEMORY, first_migration
from multifd.qemu.guest import RAM_BLOCK


class Grounds:
    """Of one worker: each kind of guest is looked at once, ``within`` so many seconds."""

    def __init__(self, within: float) -> None:
        self._within = within
        self._seen: dict[tuple[object, ...], Ground] = {}

    def of(self, qemu: QemuPeer, machine: str, sizes: Mapping[str, int]) -> Ground:
        """The ROMs and tables of a machine with RAM blocks of so many bytes: they name the DIMMs, for example.

        Raises EnvironmentBroke where a migration of it does not work at all.
        """
        if dict(sizes) == {RAM_BLOCK: MEMORY}:
            return qemu.machines[machine]
        key = (qemu.name, machine, *sizes.items())
        if key not in self._seen:
            self._seen[key] = first_migration(qemu.binary, qemu.facts, machine, sizes, self._within)
        return self._seen[key]

"""Starts the QEMU of one side of a pairing."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from multifd.lineup.peers import QemuPeer
from multifd.qemu.ask import hindered
from multifd.qemu.guest import Guest, Machine, NotUpError, RefusedError, StartError, start, start_source
from multifd.run.qemu.ram import emptied
from multifd.run.qemu.setting import START, Setting


async def begin(stack: AsyncExitStack, ends: Setting, qemu: QemuPeer, side: str, test: Path | None = None) -> Guest:
    """Start it; all but the ``source`` wait for a migration, with memory that is zero.

    ``test`` is where it is to connect its qtest to. Raises RefusedError where it refuses what the scenario starts it
    with, though it comes up without; NotUpError where it does not come up.
    """
    if not ends.ram(side).exists():
        emptied(ends.ram(side), ends.pairing.sizes)
    machine = Machine.of(ends.machine, ends.ram(side), ends.pairing.sizes)
    arguments = ends.arguments("sender" if side == "source" else "receiver")
    if test is not None:
        arguments += ("-qtest", f"unix:{test}", "-qtest-log", "none")
    if side == "source":
        starting = start_source(qemu.binary, ends.directory, machine, arguments, START)
    else:
        waiting = (*machine.arguments(), *arguments, "-incoming", "defer")
        starting = start(qemu.binary, side, ends.directory, waiting, START)
    try:
        return await stack.enter_async_context(starting)
    except StartError as ended:
        if ends.plain:
            raise
        why = await hindered(qemu.binary, START)
        if why is not None:
            raise NotUpError(f"{ended}; then it could not be started at all: {why}") from None
        raise RefusedError(str(ended)) from None

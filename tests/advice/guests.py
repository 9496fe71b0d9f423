"""Two real QEMUs that could migrate, each with a monitor of its own for whoever asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from multifd.qemu.guest import Guest, start
from tests.qemu.host import QEMU

WITHIN: Final = 20.0


@dataclass(frozen=True)
class Pair:
    """A source and a destination that waits."""

    guests: Sequence[Guest]
    sockets: Sequence[Path]

    async def set(self, on: Sequence[str] = (), **parameters: Any) -> None:
        """Tell both."""
        for guest in self.guests:
            capabilities = [{"capability": name, "state": True} for name in on]
            await guest.execute("migrate-set-capabilities", WITHIN, capabilities=capabilities)
            await guest.execute("migrate-set-parameters", WITHIN, **parameters)

    async def state(self) -> list[Any]:
        """All that a migration depends on."""
        questions = "query-migrate-capabilities", "query-migrate-parameters", "query-status"
        return [await guest.execute(question, WITHIN) for guest in self.guests for question in questions]


@asynccontextmanager
async def pair(directory: Path, machine: str) -> AsyncIterator[Pair]:
    """They are gone when the block ends."""
    async with AsyncExitStack() as up:
        guests, sockets = [], []
        for name, waits in (("source", ()), ("destination", ("-incoming", "defer"))):
            sockets.append(directory / f"{name}.sock")
            monitor = ("-qmp", f"unix:{sockets[-1]},server=on,wait=off")
            arguments = ("-machine", f"{machine},accel=tcg", "-m", "4M", *waits, *monitor)
            guests.append(await up.enter_async_context(start(QEMU, name, directory, arguments, WITHIN)))
        yield Pair(guests, sockets)

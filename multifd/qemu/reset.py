"""What a manager of guests does the moment a migration has failed: capabilities off, parameters as they were before.

libvirt 8.6 does it (``qemuMigrationParamsReset``) when QEMU tells ``failed``: one ``migrate-set-capabilities`` that
turns everything off but ``events``, one ``migrate-set-parameters`` with what ``query-migrate-parameters`` had said
before the migration. QEMU tells its event before it has cleaned up, so this comes in the middle of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from qemu.qmp import EventListener, ExecuteError

from multifd.qemu.guest import GoneError, Guest

_ANSWER: Final = 10.0
"""Seconds that a living QEMU takes at most to answer."""
_KEPT: Final = "events"


@dataclass(slots=True)
class Reset:
    """The reset of one source, once it has told that it failed."""

    words: str | None = None
    """Why QEMU did not do it, None if it did."""
    gone: bool = False
    """It has closed its monitor instead of an answer."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """It was asked for, and has been answered or never will be."""


@asynccontextmanager
async def resetting(source: Guest) -> AsyncIterator[Reset]:
    """Reset a source that fails within the block, without being told to.

    Raises :class:`GoneError` if it is not there any more.
    """
    known = await source.execute("query-migrate-capabilities", _ANSWER)
    off = [{"capability": name, "state": False} for each in known if (name := each["capability"]) != _KEPT]
    before: dict[str, Any] = await source.execute("query-migrate-parameters", _ANSWER)
    await source.execute("migrate-set-capabilities", _ANSWER, capabilities=[{"capability": _KEPT, "state": True}])
    reset = Reset()
    with source.told("MIGRATION") as events:
        watching = asyncio.ensure_future(_when_failed(source, events, off, before, reset))
        try:
            yield reset
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


async def _when_failed(
    source: Guest, events: EventListener, off: list[dict[str, Any]], before: dict[str, Any], reset: Reset
) -> None:
    async for event in events:
        data = event["data"]
        if isinstance(data, dict) and data["status"] == "failed":
            break
    try:
        await source.execute("migrate-set-capabilities", _ANSWER, capabilities=off)
        await source.execute("migrate-set-parameters", _ANSWER, **before)
    except (ExecuteError, GoneError) as problem:
        reset.words, reset.gone = str(problem), isinstance(problem, GoneError)
    reset.over.set()

"""What a QEMU runs a migration with if nobody tells it anything: its machine type decides.

Compatibility properties of a machine type (``hw_compat_8_2`` and others in hw/core/machine.c, QEMU 9.0) are applied
when the machine is made, so that only a process that runs it can say.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from qemu.qmp import ExecuteError

from multifd.qemu.binary import Binary
from multifd.qemu.guest import Guest, start


class Defaults(BaseModel):
    """Migration parameters of one machine type, as ``query-migrate-parameters`` has them before any is set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zero_pages: str
    """``zero-page-detection``; ``legacy`` before 9.0, which knows nothing else and has no name for it."""
    channels: int
    """``multifd-channels``."""
    method: str
    """``multifd-compression``."""
    no_postcopy: str | None = None
    """Why a destination refuses the capability ``postcopy-ram``, None if it does not: it asks the host's kernel."""
    postcopy_beside_multifd: bool = False
    """It lets both be on together (10.0 does not: ``migrate_caps_check``, migration/options.c, QEMU 10.0)."""


def defaults(binary: Binary, machines: Sequence[str], within: float) -> dict[str, Defaults]:
    """Those of each machine type; each takes a process, which may take ``within`` seconds.

    Raises :class:`multifd.errors.EnvironmentBroke` for a machine type that does not come up.
    """
    return {machine: asyncio.run(_ask(binary, machine, within)) for machine in machines}


async def _ask(binary: Binary, machine: str, within: float) -> Defaults:
    with tempfile.TemporaryDirectory(prefix="multifd-") as directory:
        arguments = ("-machine", f"{machine},accel=tcg", "-m", "4M", "-incoming", "defer")
        async with start(binary, "qemu", Path(directory), arguments, within) as guest:
            told = read(await guest.execute("query-migrate-parameters", within))
            host = await _refuses(guest, within, "postcopy-ram")
            both = await _refuses(guest, within, "multifd", "postcopy-ram") if host is None else host
            return told.model_copy(update={"no_postcopy": host, "postcopy_beside_multifd": both is None})


async def _refuses(guest: Guest, within: float, *capabilities: str) -> str | None:
    """What it says to these being on, None where it lets them be."""
    on = [{"capability": name, "state": True} for name in capabilities]
    try:
        await guest.execute("migrate-set-capabilities", within, capabilities=on)
    except ExecuteError as refusal:
        return str(refusal)
    return None


def read(parameters: Mapping[str, Any]) -> Defaults:
    """From the answer of QMP."""
    return Defaults(
        zero_pages=parameters.get("zero-page-detection", "legacy"),
        channels=parameters["multifd-channels"],
        method=parameters["multifd-compression"],
    )

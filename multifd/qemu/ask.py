"""Ask a binary what it is: one short process without a machine."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from qemu.qmp import ExecuteError

from multifd.errors import EnvironmentBroke, InputError
from multifd.qemu.binary import Binary
from multifd.qemu.facts import Facts, read
from multifd.qemu.guest import start

_BARE: Final = ("-machine", "none")


def ask(binary: Binary, within: float) -> Facts:
    """The facts of a binary, within about ``within`` seconds.

    Raises :class:`InputError` for a QEMU that cannot take part, :class:`EnvironmentBroke` for one that does not start.
    """
    with tempfile.TemporaryDirectory(prefix="multifd-") as directory:
        return asyncio.run(_ask(binary, Path(directory), within))


async def hindered(binary: Binary, within: float) -> str | None:
    """Why it does not even come up without a machine, within ``within`` seconds; None where it does."""
    with tempfile.TemporaryDirectory(prefix="multifd-") as directory:
        try:
            async with start(binary, "qemu", Path(directory), _BARE, within):
                return None
        except EnvironmentBroke as problem:
            return str(problem)


async def _ask(binary: Binary, directory: Path, within: float) -> Facts:
    async with start(binary, "qemu", directory, _BARE, within) as guest:
        try:
            return read(
                await guest.execute("query-version", within),
                await guest.execute("query-qmp-schema", within),
                await guest.execute("query-machines", within),
                (await guest.execute("query-target", within))["arch"],
            )
        except ExecuteError as refusal:
            raise InputError(f"{binary.command[0]}: QMP says {refusal}; expected QEMU 5.0 or later") from None

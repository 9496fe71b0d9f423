"""Ask a binary what it is: one short process without a machine."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from qemu.qmp import ExecuteError

from multifd.errors import InputError
from multifd.qemu.binary import Binary
from multifd.qemu.facts import Facts, read
from multifd.qemu.guest import start


def ask(binary: Binary, within: float) -> Facts:
    """The facts of a binary, within about ``within`` seconds.

    Raises :class:`InputError` for a QEMU that cannot take part, :class:`EnvironmentBroke` for one that does not start.
    """
    with tempfile.TemporaryDirectory(prefix="multifd-") as directory:
        return asyncio.run(_ask(binary, Path(directory), within))


async def _ask(binary: Binary, directory: Path, within: float) -> Facts:
    arguments = ("-machine", "none")
    async with start(binary, "qemu", directory, arguments, within) as guest:
        try:
            return read(
                await guest.execute("query-version", within),
                await guest.execute("query-qmp-schema", within),
                await guest.execute("query-machines", within),
                (await guest.execute("query-target", within))["arch"],
            )
        except ExecuteError as refusal:
            raise InputError(f"{binary.command[0]}: QMP says {refusal}; expected QEMU 5.0 or later") from None

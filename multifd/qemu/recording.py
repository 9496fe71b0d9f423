"""Record a real QEMU's migration to nobody: a tap in the place of a receiver."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from multifd.errors import EnvironmentBroke
from multifd.migrate.capture import Manifest
from multifd.migrate.tap import Tap
from multifd.qemu.binary import Binary
from multifd.qemu.facts import Facts, machine_dialect
from multifd.qemu.guest import RAM_BLOCK, Machine, start_source
from multifd.qemu.migration import Terms, outgoing, watch


def record_source(
    binary: Binary, facts: Facts, machine: Machine, terms: Terms, directory: Path, scratch: Path, within: float
) -> Manifest:
    """Record one migration of the guest's memory as it is, to nobody, into ``directory``.

    ``scratch`` is for sockets, ``within`` in seconds. Raises EnvironmentBroke with QEMU's words where the migration
    does not complete.
    """
    with Tap(f"unix:{scratch / 'tap'}", None, directory, within) as tap:
        asyncio.run(_send(binary, machine, terms, tap, scratch, within))
        return tap.save(
            method=terms.method, dialect=facts.dialect.name, page_size=facts.arch.page_size,
            main_sync=machine_dialect(machine.type).main_sync, sha256={RAM_BLOCK: digest(machine.memory)},
            source=f"QEMU {facts.release} ({facts.package})" if facts.package else f"QEMU {facts.release}",
        )  # fmt: skip


async def _send(binary: Binary, machine: Machine, terms: Terms, tap: Tap, scratch: Path, within: float) -> None:
    async with start_source(binary, scratch, machine, (), within) as source:
        await outgoing(source, terms, tap.address)
        course = await watch(source, None, within, through=[tap.carrier])
    if not course.source.completed:
        raise EnvironmentBroke(f"a migration of {machine.type} ended {course.source.fate}: {course.source.words}")


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

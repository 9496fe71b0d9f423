"""One QEMU process with a guest, which stands still unless told; its memory is a file that anybody can set and compare.

QEMU connects to us (``-qmp unix:PATH``), so that nothing has to be polled until it is up. Whatever happens, the
process is gone afterwards: the block's end kills it, and if this process dies without a word, the kernel does. One that
computes when it should have answered is slow, and waited for (:mod:`multifd.process.patience`).
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from qemu.qmp import ExecuteError, QMPClient, QMPError

from multifd.errors import EnvironmentBroke
from multifd.process.child import NOWHERE, STDOUT, Child, fate
from multifd.process.drain import Drain
from multifd.process.patience import Patience
from multifd.process.threads import cpu_seconds, group
from multifd.qemu.arch import Arch, arch_of
from multifd.qemu.binary import Binary

T = TypeVar("T")
_NAME: Final = re.compile(r"^\S*qemu-system-\w+: ")

RAM_BLOCK: Final = "m"
"""The id of the memory backend, and so the name of the guest's RAM block."""
_LOG: Final = 4096
"""Bytes of the end of its log that are kept."""
_LOOK: Final = 0.05
"""Seconds between two looks whether it still lives."""
_ENDING: Final = 1.0
"""Seconds that a process may take to end after its sockets are closed."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What both ends of a migration have in common."""

    type: str
    memory: Path
    """The file behind RAM block :data:`RAM_BLOCK`."""
    size: int
    """Its bytes."""
    accel: str = "tcg"
    """What runs it, ``tcg`` or ``kvm``, if anything does."""

    def arguments(self) -> tuple[str, ...]:
        """QEMU's options for it. Without a display, a network or a disk."""
        backend = f"memory-backend-file,id={RAM_BLOCK},mem-path={_escaped(self.memory)},share=on,size={self.size}"
        machine = f"{self.type},accel={self.accel},suppress-vmdesc=on,memory-backend={RAM_BLOCK}"
        return ("-machine", machine, "-object", backend, "-m", f"{self.size}B")

    @property
    def arch(self) -> Arch:
        """Of its machine type."""
        return arch_of(self.type)


class Guest:
    """A running QEMU. Use :func:`start`."""

    def __init__(self, name: str, process: Child, monitor: QMPClient) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._monitor = monitor
        self._log = Drain(process.stdout, _LOG)

    async def execute(self, command: str, within: float, /, **arguments: Any) -> Any:
        """A QMP command's answer; argument names have ``_`` for ``-``.

        Raises :class:`ExecuteError` if QEMU refuses, :class:`GoneError` if it is not there any more or hangs;
        ``within`` seconds are its deadline.
        """
        given = {key.replace("_", "-"): value for key, value in arguments.items()}
        patience = self.patience(within)
        try:
            return await _or_its_end(self._monitor.execute(command, given), self._process, patience)
        except ExecuteError:
            raise
        except TimeoutError:  # an OSError too
            raise GoneError(f"{self.name} did not answer {command} {patience.within}") from None
        except (QMPError, OSError, asyncio.IncompleteReadError, EOFError, _Ended):
            raise GoneError(f"{self.name} closed its monitor during {command}") from None

    def patience(self, seconds: float) -> Patience:
        """For whatever it is to do from now on."""
        return Patience(seconds, partial(group, self.pid))

    @property
    def exit_status(self) -> int | None:
        """Negative for a signal, None while it runs."""
        return self._process.wait(0)

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all its threads, 0 once it is gone."""
        return cpu_seconds(self.pid)

    @property
    def log(self) -> str:
        """The end of what it wrote, each message once, without warnings and QEMU's name before each line."""
        if self.exit_status is not None:
            self._log.finish()
        lines = (_NAME.sub("", line) for line in self._log.tail().splitlines())
        return "; ".join(dict.fromkeys(line for line in lines if line and not line.startswith("warning: ")))

    def send_signal(self, number: int) -> None:
        """Stop, continue or kill it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


class GoneError(EnvironmentBroke):
    """A QEMU that has ended, or answers no more; what that means is for who asked to say."""


@asynccontextmanager
async def start(
    binary: Binary, name: str, directory: Path, arguments: Sequence[str], within: float
) -> AsyncIterator[Guest]:
    """A QEMU with these arguments besides ours, ready for commands; killed when the block ends.

    ``directory`` gets its socket; its path is short enough for sockets (107 bytes, unix(7)). Raises
    :class:`EnvironmentBroke` with QEMU's words if it does not come up; ``within`` seconds are its deadline.
    """
    monitor = QMPClient(name)
    monitor.logger.disabled = True
    qmp = directory / f"{name}.qmp"
    await monitor.start_server(str(qmp))
    command = (*binary.command, "-nodefaults", "-display", "none", "-S", "-qmp", f"unix:{qmp}", *arguments)
    process = Child(command, binary.environment, stdin=NOWHERE, stderr=STDOUT, with_us=True)
    guest = Guest(name, process, monitor)
    patience = guest.patience(within)
    try:
        try:
            await _or_its_end(monitor.accept(), process, patience)
        except (TimeoutError, QMPError, _Ended) as problem:
            # One that hung up is about to end.
            status = process.wait(_ENDING if isinstance(problem, QMPError) else 0)
            what = f"{fate(status)} before it answered" if status is not None else f"did not answer {patience.within}"
            raise EnvironmentBroke(
                f"{name} {what}: {guest.log or 'no message'}; started as: {shlex.join(command)}"
            ) from None
        yield guest
    finally:
        process.end()
        with suppress(QMPError, OSError, EOFError, asyncio.CancelledError):
            await monitor.disconnect()


@asynccontextmanager
async def start_source(
    binary: Binary, directory: Path, machine: Machine, arguments: Sequence[str], within: float
) -> AsyncIterator[Guest]:
    """As :func:`start`; its memory is what was in the file before, whatever a reset has written there."""
    with machine.memory.open("rb") as file:
        before = file.read(machine.arch.reset)
    async with start(binary, "source", directory, (*machine.arguments(), *arguments), within) as guest:
        with machine.memory.open("r+b") as file:
            file.write(before)
        yield guest


class Qtest:
    """QEMU's test protocol (``-qtest``): stores into guest memory that its dirty log sees, though the guest stands."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def touch(self, bytes_at: Sequence[tuple[int, int]], within: float) -> None:
        """Store each ``(guest address, byte)``; raises :class:`GoneError` if QEMU does not do it in time."""
        lines = "".join(f"write {address:#x} 0x1 {value:#04x}\n" for address, value in bytes_at)
        self._writer.write(lines.encode())
        for _ in bytes_at:
            try:
                answer = await asyncio.wait_for(self._reader.readline(), within)
            except (TimeoutError, ConnectionError):
                answer = b""
            if not answer.startswith(b"OK"):
                raise GoneError(f"qtest answered {answer!r}, expected OK")

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


@asynccontextmanager
async def qtest(path: Path) -> AsyncIterator[asyncio.Future[Qtest]]:
    """A place for one QEMU to connect its ``-qtest unix:PATH`` to."""
    connected: asyncio.Future[Qtest] = asyncio.get_running_loop().create_future()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set_result(Qtest(reader, writer))

    server = await asyncio.start_unix_server(accept, path)
    try:
        yield connected
    finally:
        if connected.done() and not connected.cancelled():
            connected.result().close()
        server.close()


class _Ended(Exception):  # noqa: N818  (an answer, not an accident)
    """The process ended before it did what was waited for."""


async def _or_its_end(wanted: Awaitable[T], process: Child, patience: Patience) -> T:
    """Wait for one or the other; raises :class:`TimeoutError` where the process hangs."""
    task = asyncio.ensure_future(wanted)
    try:
        while (pause := patience.pause()) is not None:
            if (await asyncio.wait((task,), timeout=min(pause, _LOOK)))[0]:
                return task.result()
            if process.wait(0) is not None:
                raise _Ended
        raise TimeoutError
    finally:
        task.cancel()
        # A QMPClient that is still hanging up must not be told to do so again.
        await asyncio.gather(task, return_exceptions=True)


def _escaped(path: Path) -> str:
    """A comma ends a value in QEMU's options; two are one."""
    return str(path).replace(",", ",,")

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
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from qemu.qmp import EventListener, ExecuteError, QMPClient, QMPError

from multifd.errors import EnvironmentBroke
from multifd.memory.blocks import MACHINE_RAM
from multifd.process.child import NOWHERE, STDOUT, Child, fate, killed_by_others
from multifd.process.drain import Drain
from multifd.process.patience import Patience
from multifd.process.threads import cpu_seconds, group
from multifd.qemu.arch import Arch, arch_of
from multifd.qemu.binary import Binary
from multifd.qemu.dimms import addresses, backend, file_of, plugged
from multifd.qemu.transcript import Transcript

T = TypeVar("T")
_NAME: Final = re.compile(r"^\S*qemu-system-\w+: ")
_ASKED: Final = re.compile(r"terminating on signal .*")
"""What it says of a signal that asks it to end (qemu_system_killed, system/runstate.c, QEMU 10.2)."""
_OURS: Final = ("-qmp", "-qtest")
"""Options that name where it connects to us."""

RAM_BLOCK: Final = MACHINE_RAM
"""The id of the memory backend, and so the name of the guest's RAM block."""
_LOG: Final = 4096
"""Bytes of the end of its log that are kept."""
_LOOK: Final = 0.05
"""Seconds between two looks whether it still lives."""
_DYING: Final = 5.0
"""Seconds that one which has hung up is given to end, as long as it does nothing that could take longer."""
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
    dimms: Mapping[str, int] = field(default_factory=dict)
    """Bytes of further RAM blocks (:mod:`multifd.qemu.dimms`)."""
    accel: str = "tcg"
    """What runs it, ``tcg`` or ``kvm``, if anything does."""

    @classmethod
    def of(cls, type: str, memory: Path, sizes: Mapping[str, int]) -> Self:  # noqa: A002  (QEMU's word)
        """One with RAM blocks of so many bytes, :data:`RAM_BLOCK` among them."""
        return cls(type, memory, sizes[RAM_BLOCK], {name: sizes[name] for name in sizes if name != RAM_BLOCK})

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each RAM block that we know the content of."""
        return {RAM_BLOCK: self.size, **self.dimms}

    @property
    def files(self) -> dict[str, Path]:
        """The file behind each of them."""
        return {block: file_of(self.memory, block) for block in self.sizes}

    def address(self, block: str) -> int:
        """Where a RAM block begins in the guest."""
        return self.arch.ram if block == RAM_BLOCK else addresses(self.dimms)[block]

    def arguments(self) -> tuple[str, ...]:
        """QEMU's options for it. Without a display, a network or a disk."""
        ram = backend(RAM_BLOCK, self.memory, self.size)
        machine = f"{self.type},accel={self.accel},suppress-vmdesc=on,memory-backend={RAM_BLOCK}"
        return (
            "-machine", machine, "-object", ram, "-m", f"{self.size}B",
            *plugged(self.dimms, self.memory, self.size),
        )  # fmt: skip

    @property
    def arch(self) -> Arch:
        """Of its machine type."""
        return arch_of(self.type)


class Guest:
    """A running QEMU. Use :func:`start`."""

    def __init__(
        self,
        name: str,
        process: Child,
        monitor: QMPClient,
        sockets: Iterable[str] = (),
        command: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._command = command
        self.pid = process.pid
        self.sockets = frozenset(sockets)
        """Paths at which we talk to it."""
        self._process = process
        self._monitor = monitor
        self._killed = False
        self._log = Drain(process.stdout, _LOG)
        self._transcript = Transcript()

    async def execute(self, command: str, within: float, /, **arguments: Any) -> Any:
        """A QMP command's answer; argument names have ``_`` for ``-``.

        Raises :class:`ExecuteError` if QEMU refuses, :class:`DiedError` if it ends instead, :class:`GoneError` if it
        hangs; ``within`` seconds are its deadline.
        """
        given = {key.replace("_", "-"): value for key, value in arguments.items()}
        patience = self.patience(within)
        said: dict[str, Any] = {}
        try:
            said["return"] = await _or_its_end(self._monitor.execute(command, given), self._process, patience)
            return said["return"]
        except ExecuteError as refusal:
            said["error"] = str(refusal)
            raise
        except TimeoutError:  # an OSError too
            raise GoneError(f"{self.name} did not answer {command} {patience.within}") from None
        except (QMPError, OSError, asyncio.IncompleteReadError, EOFError, _Ended):
            status = await self.ending()
            if status is None:
                raise GoneError(f"{self.name} closed its monitor during {command}, and lives on") from None
            words = f"{self.name} {end_of(status)}: {self.log or 'no message'}; at {command}"
            raise DiedError(words) from None
        finally:
            self._transcript.add(command, given, said)

    def told(self, *events: str) -> AbstractContextManager[EventListener]:
        """Events of these names that it tells within the block."""
        return self._monitor.listener(events)

    def patience(self, seconds: float) -> Patience:
        """For whatever it is to do from now on."""
        return Patience(seconds, partial(group, self.pid))

    async def ending(self) -> int | None:
        """Give it, which has hung up, the time to end, for a core that is dumped too; its exit status, None if it
        lives on."""
        patience = self.patience(_DYING)
        while self.exit_status is None and (pause := patience.pause()) is not None:
            await asyncio.sleep(min(pause, _LOOK))
        return self.exit_status

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

    def testify(self, directory: Path, exit_status: int | None) -> None:
        """Write down what was said; ``exit_status`` is that of one that ended by itself. Its process has ended."""
        self._log.finish()
        with suppress(OSError):  # a full disk: what came of the cell is told all the same
            self._transcript.save(
                directory, self.name, self._monitor.events.history, command=list(self._command),
                exit_status=exit_status, stderr=self._log.tail(),
            )  # fmt: skip

    def send_signal(self, number: int) -> None:
        """Stop, continue or kill it."""
        self._killed = self._killed or number == signal.SIGKILL
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def killer(self, exit_status: int | None) -> str | None:
        """What ended it, in words, if that was neither itself nor we."""
        if exit_status is None or self._killed:
            return None
        asked = _ASKED.search(self.log)
        return fate(exit_status) if killed_by_others(exit_status) else asked and f"ended by somebody: {asked[0]}"


class RefusedError(EnvironmentBroke):
    """A QEMU that does not take what it is told, in its own words; whether it should is for who told it to say."""


class NotUpError(EnvironmentBroke):
    """A QEMU that does not come up."""


class StartError(NotUpError):
    """A QEMU that ended before it answered anything."""


class GoneError(EnvironmentBroke):
    """A QEMU that has ended, or answers no more; what that means is for who asked to say."""


class DiedError(GoneError):
    """A QEMU that ended instead of an answer: a crash, with its exit status or signal and its last words."""


def end_of(status: int) -> str:
    """How a QEMU ended, in words that known issues are matched by; ``status`` is negative for a signal."""
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"


@asynccontextmanager
async def start(
    binary: Binary, name: str, directory: Path, arguments: Sequence[str], within: float
) -> AsyncIterator[Guest]:
    """A QEMU with these arguments besides ours, ready for commands; killed when the block ends.

    ``directory`` gets its socket; its path is short enough for sockets (107 bytes, unix(7)). In the end it gets what
    was said too (:mod:`multifd.qemu.transcript`). Raises :class:`StartError` with QEMU's words if it ends,
    :class:`NotUpError` if it does not come up else; ``within`` seconds are its deadline. One whom somebody else ends
    is :class:`EnvironmentBroke`, whatever came of the block.
    """
    monitor = QMPClient(name)
    monitor.logger.disabled = True
    qmp = directory / f"{name}.qmp"
    await monitor.start_server(str(qmp))
    command = (*binary.command, "-nodefaults", "-display", "none", "-S", "-qmp", f"unix:{qmp}", *arguments)
    try:
        process = Child(command, binary.environment, stdin=NOWHERE, stderr=STDOUT, with_us=True)
    except EnvironmentBroke as problem:
        raise NotUpError(str(problem)) from None
    sockets = (place.removeprefix("unix:") for option, place in pairwise(command) if option in _OURS)
    guest = Guest(name, process, monitor, sockets, command)
    patience = guest.patience(within)
    try:
        try:
            await _or_its_end(monitor.accept(), process, patience)
        except (TimeoutError, QMPError, _Ended) as problem:
            # One that hung up is about to end.
            status = process.wait(_ENDING if isinstance(problem, QMPError) else 0)
            what = f"{fate(status)} before it answered" if status is not None else f"did not answer {patience.within}"
            raise (NotUpError if status is None else StartError)(
                f"{name} {what}: {guest.log or 'no message'}; started as: {shlex.join(command)}"
            ) from None
        yield guest
    finally:
        status = process.wait(0)
        process.end()
        guest.testify(directory, status)
        with suppress(QMPError, OSError, EOFError, asyncio.CancelledError):
            await monitor.disconnect()
        stopped = isinstance(sys.exception(), KeyboardInterrupt | asyncio.CancelledError)
        if not stopped and (killer := guest.killer(status)) is not None:
            raise EnvironmentBroke(f"{name} {killer}: nobody but its host or somebody on it does so") from None


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

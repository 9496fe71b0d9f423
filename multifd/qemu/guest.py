"""One QEMU process with a guest that never runs; its memory is a file that anybody can set and compare.

QEMU connects to us (``-qmp unix:PATH``), so that nothing has to be polled until it is up. Whatever happens, the
process is gone afterwards: the block's end kills it, and if this process dies without a word, the kernel does
(``PR_SET_PDEATHSIG``, prctl(2)).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from qemu.qmp import ExecuteError, QMPClient, QMPError

from multifd.errors import EnvironmentBroke
from multifd.qemu.binary import Binary

T = TypeVar("T")
_NAME: Final = re.compile(r"^\S*qemu-system-\w+: ")

RAM_BLOCK: Final = "m"
"""The id of the memory backend, and so the name of the guest's RAM block."""
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)
_LOG: Final = 4096
"""Bytes of the end of stderr that are shown."""
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

    def arguments(self) -> tuple[str, ...]:
        """QEMU's options for it. Without a display, a network or a disk; TCG, for nothing will run."""
        backend = f"memory-backend-file,id={RAM_BLOCK},mem-path={_escaped(self.memory)},share=on,size={self.size}"
        machine = f"{self.type},accel=tcg,suppress-vmdesc=on,memory-backend={RAM_BLOCK}"
        return ("-machine", machine, "-object", backend, "-m", f"{self.size}B")


class Guest:
    """A running QEMU. Use :func:`start`."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], monitor: QMPClient, log: Path) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._monitor = monitor
        self._log = log

    async def execute(self, command: str, within: float, /, **arguments: Any) -> Any:
        """A QMP command's answer; argument names have ``_`` for ``-``.

        Raises :class:`ExecuteError` if QEMU refuses, :class:`GoneError` if it is not there any more or does not
        answer within ``within`` seconds.
        """
        given = {key.replace("_", "-"): value for key, value in arguments.items()}
        try:
            return await asyncio.wait_for(self._monitor.execute(command, given), within)
        except ExecuteError:
            raise
        except TimeoutError:  # an OSError too
            raise GoneError(f"{self.name} did not answer {command} within {within:g} s") from None
        except (QMPError, OSError, asyncio.IncompleteReadError, EOFError):
            raise GoneError(f"{self.name} closed its monitor during {command}") from None

    @property
    def exit_status(self) -> int | None:
        """As :class:`subprocess.Popen` has it, None while it runs."""
        return self._process.poll()

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all its threads, 0 once it is gone."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def log(self) -> str:
        """The end of what it wrote on stderr, each message once, without warnings and QEMU's name before each line."""
        with suppress(OSError), self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _LOG))
            lines = (_NAME.sub("", line) for line in file.read().decode(errors="replace").splitlines())
            return "; ".join(dict.fromkeys(line for line in lines if line and not line.startswith("warning: ")))
        return ""

    def send_signal(self, number: int) -> None:
        """Stop, continue or kill it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


def asleep(pid: int) -> bool:
    """Whether no thread of a process runs or wants to; a process that is gone sleeps."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        states = [(task / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] for task in tasks]
    except OSError:
        return True
    return "R" not in states and "D" not in states


class GoneError(EnvironmentBroke):
    """A QEMU that has ended, or answers no more; what that means is for who asked to say."""


@asynccontextmanager
async def start(
    binary: Binary, name: str, directory: Path, arguments: Sequence[str], within: float
) -> AsyncIterator[Guest]:
    """A QEMU with these arguments besides ours, ready for commands; killed when the block ends.

    ``directory`` gets its sockets and its stderr; its path is short enough for sockets (107 bytes, unix(7)).
    Raises :class:`EnvironmentBroke` with QEMU's words if it does not come up within ``within`` seconds.
    """
    monitor = QMPClient(name)
    monitor.logger.disabled = True
    qmp, log = directory / f"{name}.qmp", directory / f"{name}.log"
    await monitor.start_server(str(qmp))
    command = (*binary.command, "-nodefaults", "-display", "none", "-S", "-qmp", f"unix:{qmp}", *arguments)
    process = _spawn(command, binary.environment, log)
    guest = Guest(name, process, monitor, log)
    try:
        try:
            await _or_its_end(monitor.accept(), process, within)
        except (TimeoutError, QMPError, _Ended) as problem:
            if isinstance(problem, QMPError):
                with suppress(subprocess.TimeoutExpired):  # it hung up because it is about to end
                    process.wait(_ENDING)
            status = f"ended with status {process.poll()}" if process.poll() is not None else "does not answer"
            raise EnvironmentBroke(
                f"{name} {status} after {within:g} s at most: {guest.log or 'no message'}; started as:"
                f" {shlex.join(command)}"
            ) from None
        yield guest
    finally:
        _kill(process)
        with suppress(QMPError, OSError, EOFError, asyncio.CancelledError):
            await monitor.disconnect()


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


async def _or_its_end(wanted: Awaitable[T], process: subprocess.Popen[bytes], within: float) -> T:
    """Wait for one or the other, at most ``within`` seconds."""
    task = asyncio.ensure_future(wanted)
    try:
        async with asyncio.timeout(within):
            while not (await asyncio.wait((task,), timeout=0.05))[0]:
                if process.poll() is not None:
                    raise _Ended
            return task.result()
    finally:
        task.cancel()
        # A QMPClient that is still hanging up must not be told to do so again.
        await asyncio.gather(task, return_exceptions=True)


def _spawn(command: Sequence[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    try:
        with log.open("wb") as stderr:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, start_new_session=True,
                env={**os.environ, **environment},
                preexec_fn=_die_with_us,  # noqa: PLW1509  (one system call, no lock and no import)
            )  # fmt: skip
    except OSError as problem:
        raise EnvironmentBroke(f"cannot start {command[0]!r}: {problem.strerror}") from None


def _die_with_us() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The whole process group: a wrapper may have started others."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _escaped(path: Path) -> str:
    """A comma ends a value in QEMU's options; two are one."""
    return str(path).replace(",", ",,")

"""A vendor library in a process of its own, asked in batches.

Frames both ways, little-endian: a batch is a count (u32) of items. An item of a request is room (u32), container
(index into :data:`CONTAINERS`, u8), length (u32), data; one of an answer is the library's status (i64), length (u32),
data. The child greets with an empty answer once it has the library. It reads a whole batch before it works and works
before it writes, so that neither end waits for the other.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Final

from multifd.accelerator import VENDOR
from multifd.errors import EnvironmentBroke, InputError
from multifd.fidelity.grammar import Stream
from multifd.framing.container import Container
from multifd.libraries.find import libraries, python_command
from multifd.libraries.packages import remedy
from multifd.process.child import Child, fate

CONTAINERS: Final = tuple(Container)
_COUNT: Final = struct.Struct("<I")
_ITEM: Final = struct.Struct("<IBI")
_ANSWER: Final = struct.Struct("<qI")

CRASHED: Final = -1
"""The status of a stream at which the library's process ended."""
WITHHELD: Final = -2
"""The status of a stream that the binding keeps from the library, because it would read beyond it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a stream."""

    status: int
    """0 for success; the rest in the library's own numbers."""
    output: bytes

    @property
    def accepted(self) -> bool:
        """Decoded without an error."""
        return self.status == 0


class Worker:
    """A process that answers batches, started when first needed and again after a crash; of our own process group, so
    that who looks whether we compute sees it too.

    Raises :class:`EnvironmentBroke` if it does not start; its standard error says why.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._process: Child | None = None

    def begin(self, batch: Sequence[Stream]) -> None:
        """Send a batch; :meth:`finish` is to follow."""
        process = self._running()
        with suppress(BrokenPipeError):  # the missing answer tells
            write_batch(process.stdin, batch)

    def finish(self, batch: Sequence[Stream]) -> list[Outcome]:
        """The outcomes of the batch that was sent; the stream at which the library crashes is found by halving."""
        answers = read_answers(self._running().stdout)
        if answers is not None:
            return answers
        self.close()
        if len(batch) == 1:
            return [Outcome(CRASHED, b"")]
        outcomes: list[Outcome] = []
        for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
            self.begin(half)
            outcomes += self.finish(half)
        return outcomes

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.end()
            with suppress(BrokenPipeError):  # of what it has not read
                process.stdin.close()
            process.stdout.close()

    def _running(self) -> Child:
        if self._process is None:
            self._process = process = Child(
                self._command, self._environment, stderr=None, buffering=-1, apart=False, with_us=True
            )
            if read_answers(process.stdout) is None:
                self._process = None
                raise EnvironmentBroke(f"{' '.join(self._command)} did not start: it {fate(process.ended())}")
        return self._process


def worker(name: str) -> tuple[Worker, str]:
    """The worker of a library, and which library it is; raises :class:`InputError` where there is none to load."""
    found = libraries().get(name)
    if found is None:
        raise InputError(f"library {name!r} is not there; remedy: {remedy(VENDOR[name])}")
    command, environment = python_command(found, ("-m", "multifd.fidelity.worker", name))
    return Worker(command, environment), f"{name} {found.version or ''} ({found.path})"


def write_batch(pipe: IO[bytes], batch: Sequence[Stream]) -> None:
    """Send streams."""
    parts = [_COUNT.pack(len(batch))]
    for stream in batch:
        parts += (_ITEM.pack(stream.room, CONTAINERS.index(stream.container), len(stream.data)), stream.data)
    pipe.write(b"".join(parts))
    pipe.flush()


def read_batch(pipe: IO[bytes]) -> list[Stream] | None:
    """Receive streams, without their kinds; None at the end."""
    head = pipe.read(_COUNT.size)
    if len(head) < _COUNT.size:
        return None
    batch = []
    for _ in range(_COUNT.unpack(head)[0]):
        room, container, length = _ITEM.unpack(pipe.read(_ITEM.size))
        batch.append(Stream("", pipe.read(length), room, CONTAINERS[container]))
    return batch


def write_answers(pipe: IO[bytes], answers: Sequence[Outcome]) -> None:
    """Send outcomes."""
    parts = [_COUNT.pack(len(answers))]
    for answer in answers:
        parts += (_ANSWER.pack(answer.status, len(answer.output)), answer.output)
    pipe.write(b"".join(parts))
    pipe.flush()


def read_answers(pipe: IO[bytes]) -> list[Outcome] | None:
    """Receive outcomes; None if the other end is gone."""
    head = pipe.read(_COUNT.size)
    if len(head) < _COUNT.size:
        return None
    answers = []
    for _ in range(_COUNT.unpack(head)[0]):
        row = pipe.read(_ANSWER.size)
        if len(row) < _ANSWER.size:
            return None
        status, length = _ANSWER.unpack(row)
        answers.append(Outcome(status, pipe.read(length)))
    return answers

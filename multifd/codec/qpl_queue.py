"""Jobs of libqpl on the accelerator, submitted as QEMU does it, whatever comes back.

QEMU (``migration/multifd-qpl.c``, QEMU 10.2) submits a page, again up to three times while every queue is full
(``MAX_SUBMIT_RETRY_NUM``), and otherwise computes it with a job on the software path at once; where that fails, too, or
a job that was taken, a sender sends the page as it is. libqpl touches the page of a fault and submits the job once more
by itself (``qpl_hw_check_job.cpp``, qpl 1.6.0); what it still returns as a fault is submitted again here, with all of
the memory touched, since QEMU's own pages are resident and a test's need not be. None of it is an error: it is counted.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from multifd.codec.ledger import Ledger
from multifd.codec.qpl_container import wrap
from multifd.codec.qpl_streams import Options
from multifd.framing.coder import Bytes
from multifd.framing.container import Container

RETRIES: Final = 3
"""``MAX_SUBMIT_RETRY_NUM``; as often is a job made again that ends by a page fault."""
_PAGE: Final = 4096


@dataclass(frozen=True, slots=True)
class Task:
    """What a job is to do."""

    data: Bytes
    room: int
    """Bytes of its output."""
    options: Options
    """By the names that qpl-py has for them."""
    container: Container
    compresses: bool

    @property
    def anew(self) -> bool:
        """The job must have done nothing before: it goes on with the Adler-32 of its last stream (1.9.0)."""
        return self.compresses and self.container is Container.ZLIB

    def submit(self, job: Any, output: bytearray) -> None:
        """Raises ``qpl.Error``."""
        (job.submit_compress if self.compresses else job.submit_decompress)(self.data, output, **self.options)

    def run(self, job: Any) -> bytearray:
        """The output, by a job on the software path. Raises ``qpl.Error``."""
        output = bytearray(self.room)
        size = (job.compress_into if self.compresses else job.decompress_into)(self.data, output, **self.options)
        del output[size:]
        return output

    def touch(self, output: bytearray) -> None:
        """Have all of the memory resident."""
        bytes(memoryview(self.data)[::_PAGE])
        output[::_PAGE] = bytes(len(output[::_PAGE]))

    def stored(self) -> bytearray:
        """The data as it is, in stored blocks: longer than a page, so that a framing by pages sends the page."""
        return bytearray(wrap(zlib.compress(self.data, 0, wbits=-zlib.MAX_WBITS), bytes(self.data), self.container))


@dataclass(slots=True)
class _Flight:
    """A job under way, and where its output goes; without a job the output is there."""

    job: Any
    task: Task
    output: bytearray
    faults: int = 0
    problem: Exception | None = None
    """Why there is nothing to wait for."""


class Queue:
    """A thread's jobs, as many under way at a time as there are.

    ``qpl`` is the binding, ``spare`` makes a job on the software path, ``weight`` is how many jobs of the device a
    compression of so many bytes is.
    """

    def __init__(
        self, qpl: Any, jobs: list[Any], spare: Callable[[], Any], ledger: Ledger, weight: Callable[[int], int]
    ) -> None:
        self._qpl = qpl
        self._jobs = jobs
        self._make_spare = spare
        self._spare: Any = None
        self._ledger = ledger
        self._weight = weight

    def run(self, tasks: Iterable[Task]) -> Iterator[bytearray]:
        """The outputs in order. Raises ``qpl.Error`` when it comes to a job that failed; none is under way then."""
        flying: deque[_Flight] = deque()
        try:
            for number, task in enumerate(tasks):
                if len(flying) == len(self._jobs):
                    yield self._landed(flying.popleft())
                flying.append(self._launched(self._jobs[number % len(self._jobs)], task))
            while flying:
                yield self._landed(flying.popleft())
        finally:
            for flight in flying:
                if flight.job is not None:
                    flight.job.reset()

    def _launched(self, job: Any, task: Task, faults: int = 0) -> _Flight:
        if task.anew:
            job.reset()
        output = bytearray(task.room)
        if faults:
            task.touch(output)
        for attempt in range(1 + RETRIES):
            try:
                task.submit(job, output)
            except self._qpl.QueuesAreBusyError:
                self._ledger.add(busy=attempt < RETRIES)
            except self._qpl.Error as problem:
                return _Flight(job, task, output, faults, problem)
            else:
                return _Flight(job, task, output, faults)
        self._ledger.add(software=1)
        try:
            return _Flight(None, task, self._in_software(task))
        except self._qpl.Error as problem:
            return _Flight(self._spare, task, output, problem=problem)

    def _landed(self, flight: _Flight) -> bytearray:
        try:
            if flight.problem is not None:
                raise flight.problem
            if flight.job is not None:
                del flight.output[flight.job.wait() :]
                self._ledger.add(device=self._weight(len(flight.task.data)) if flight.task.compresses else 1)
            return flight.output
        except self._qpl.PageFaultError:
            flight.job.reset()
            if flight.faults < RETRIES:
                self._ledger.add(faults=1)
                return self._landed(self._launched(flight.job, flight.task, flight.faults + 1))
            if flight.task.compresses:
                return flight.task.stored()
            raise
        except self._qpl.Error:
            flight.job.reset()
            raise

    def _in_software(self, task: Task) -> bytearray:
        if self._spare is None:
            self._spare = self._make_spare()
        elif task.anew:
            self._spare.reset()
        try:
            return task.run(self._spare)
        except self._qpl.Error:
            if not task.compresses:
                raise
            self._spare.reset()
            return task.stored()

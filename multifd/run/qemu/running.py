"""A guest that runs while it migrates: its dirty rounds are its own.

It writes faster than the migration is allowed to send, for :data:`ROUNDS` rounds; then bandwidth and downtime are given
free, and it converges. Neither end runs when both have said completed: the source has stopped, the destination was
started with ``-S``. So memory is compared file with file, then looked at for the guest's pattern
(:mod:`multifd.qemu.firmware`), and then the destination must go on counting, and the source must not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from multifd.errors import EnvironmentBroke
from multifd.evidence.fate import Arrived, between
from multifd.evidence.invariants import witnessed
from multifd.evidence.observe import Memory
from multifd.evidence.outcome import Outcome
from multifd.memory.image import GuestMemory
from multifd.oracle.verdict import Observation
from multifd.plan.qemu.machine import machine_of
from multifd.plan.work import Pairing
from multifd.qemu import firmware
from multifd.qemu.guest import RAM_BLOCK, Guest, Machine, StartError, start, start_source
from multifd.qemu.migration import UNLIMITED, Course, Terms, incoming, outgoing, watch
from multifd.result.record import CpuSeconds
from multifd.run.means import Means
from multifd.run.qemu.ends import Ends
from multifd.run.qemu.ram import emptied
from multifd.run.qemu.recording import Recording
from multifd.run.qemu.secured import Secured
from multifd.run.qemu.setting import START, Setting
from multifd.run.vendor import Skipped

ROUNDS: Final = 4
"""Dirty rounds before it may converge, as QEMU counts them (``dirty-sync-count``)."""
_STARTED: Final = 5.0
"""Seconds that a guest takes at most until it counts."""
_LOOK: Final = 0.01
_LONGEST: Final = 3
"""Deadlines of a request that a cell takes at most."""
_ANSWER: Final = 10.0
_LESS_THAN_A_PAGE: Final = 3 << 20
"""Bytes a second, which are less than a page in the shortest downtime that can be set, a millisecond: what is dirty is
more. (None at all is no limit: a source that expects to send nothing looks for nothing, and has converged.)"""
_LACKS_KVM: Final = "invalid accelerator kvm"
"""What one says that is built without it (do_configure_accelerator, system/vl.c, QEMU 10.2)."""
_CONVERGING: Final = 2000
"""Milliseconds that a guest may stand still."""


class RunningBench:
    """Runs cells with a guest that runs."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def run(self, pairing: Pairing) -> Outcome:
        """Run the cell.

        Raises Skipped where the host's KVM does not run the guest or a QEMU has none, EnvironmentBroke where a QEMU
        does not come up or a guest under TCG does not run.
        """
        source, destination = (self._means.line_up.qemu(name) for name in (pairing.sender, pairing.receiver))
        assert source is not None and destination is not None
        with (
            self._means.stage.workplace() as directory,
            Recording(None, directory / "tap", _LONGEST * self._means.deadline) as recording,
        ):
            ends = Setting(
                pairing, self._means.stage.script(pairing), directory, machine_of(self._means.line_up, pairing), source,
                destination, None, recording, Secured(None, directory, self._means.deadline),
            )  # fmt: skip
            _prepare(ends)
            try:
                course, observation = asyncio.run(self._drive(ends))
            except StartError as problem:
                if pairing.plan.accel == "kvm" and _LACKS_KVM in str(problem):
                    raise Skipped(f"{problem}; remedy: a QEMU that is built with KVM") from None
                raise
            outcome = Outcome(
                observation, bytes_memory=pairing.sizes[RAM_BLOCK],
                cpu_seconds=CpuSeconds(sender=course.source.cpu_seconds, receiver=_cpu(course)),
            )  # fmt: skip
            told = recording.watched(completed=course.source.completed, transferred=course.source.bytes_sent)
            outcome = witnessed(outcome, told)
        outcome.provenance = Ends.of(self._means.line_up, pairing).provenance(())
        return outcome

    async def _drive(self, ends: Setting) -> tuple[Course, Observation]:
        source_qemu, destination_qemu = ends.source, ends.destination
        assert destination_qemu is not None
        there, here = _machine(ends, "destination"), _machine(ends, "source")
        bios = ("-bios", str(_bios(ends)))
        waiting = (*there.arguments(), *bios, "-incoming", "defer")
        async with (
            start(destination_qemu.binary, "destination", ends.directory, waiting, START) as destination,
            start_source(source_qemu.binary, ends.directory, here, bios, START) as source,
        ):
            address = await incoming(destination, ends.terms("receiver"), f"unix:{ends.directory / 'migration'}")
            await self._set_going(ends, source, here.memory)
            await outgoing(source, _slowly(ends.terms("sender")), ends.recording.before(address, ends.sent()))
            rounds, through = partial(self._rounds, source), ends.recording.carriers
            course = await watch(source, destination, self._means.deadline, early=rounds, through=through)
            lost = _differing(here.memory, there.memory)
            landed = between(course, Arrived(_left(lost)))
            if landed.outcome != "identical":
                return course, _named(landed, course, lost)
            made = (await source.execute("query-migrate", _ANSWER))["ram"]["dirty-sync-count"]
            if made < ROUNDS:
                raise EnvironmentBroke(f"the guest of {ends.source.name} made {made} dirty rounds, expected {ROUNDS}")
            return course, await self._onwards(destination, here.memory, there.memory) or landed

    async def _set_going(self, ends: Setting, source: Guest, memory: Path) -> None:
        await source.execute("cont", _ANSWER)
        if await _counts_on(memory):
            return
        if ends.pairing.plan.accel == "kvm":
            raise Skipped("KVM is here and does not run the guest; remedy: a host whose KVM runs real mode")
        raise EnvironmentBroke(f"the guest of {ends.source.name} does not run")

    async def _rounds(self, source: Guest) -> None:
        """Let it write for some rounds, then let it go."""
        expires = time.monotonic() + self._means.deadline
        while time.monotonic() < expires:
            info = await source.execute("query-migrate", _ANSWER)
            if info["status"] != "active" or info["ram"]["dirty-sync-count"] >= ROUNDS:
                break
            await asyncio.sleep(_LOOK)
        free = {"max_bandwidth": UNLIMITED, "downtime_limit": _CONVERGING}
        await source.execute("migrate-set-parameters", _ANSWER, **free)

    async def _onwards(self, destination: Guest, source: Path, memory: Path) -> Observation | None:
        """What is wrong with the guest that has arrived, None if it is the one that left."""
        arrived = firmware.counts(memory)
        if (why := firmware.broken(arrived)) is not None:
            return Observation("hazard", None, f"everybody says completed, {why}")
        await destination.execute("cont", _ANSWER)
        goes_on = await _counts_on(memory)
        await destination.execute("stop", _ANSWER)
        if not goes_on:
            return Observation("hang", None, "everybody says completed, the guest does not go on")
        if (why := firmware.broken(firmware.counts(memory))) is not None:
            return Observation("hazard", None, f"the guest arrived and went on: {why}")
        if firmware.counts(source) != arrived:
            return Observation("hazard", None, "everybody says completed, the guest runs at the source too")
        return None


def _prepare(ends: Setting) -> None:
    """Content in one file, nothing in the other; where KVM is asked for it must be there."""
    kvm = Path("/dev/kvm")
    if ends.pairing.plan.accel == "kvm":
        try:
            kvm.open("r+b", buffering=0).close()
        except OSError as problem:
            raise Skipped(f"no KVM here: {kvm}: {problem.strerror}; remedy: a host with KVM, as a user of it") from None
    with GuestMemory.open(ends.script.rounds[0].image, writable=False) as image:
        ends.ram("source").write_bytes(image.copy(RAM_BLOCK).data)
    emptied(ends.ram("destination"), ends.pairing.sizes)
    _bios(ends).write_bytes(firmware.image())


def _bios(ends: Setting) -> Path:
    return ends.directory / "firmware"


def _machine(ends: Setting, side: str) -> Machine:
    return Machine(ends.machine, ends.ram(side), ends.pairing.sizes[RAM_BLOCK], accel=ends.pairing.plan.accel)


def _slowly(terms: Terms) -> Terms:
    """It must not converge by itself, however slow a busy host makes the guest."""
    return replace(terms, bandwidth=_LESS_THAN_A_PAGE, parameters={**terms.parameters, "downtime_limit": 1})


async def _counts_on(memory: Path) -> bool:
    """The guest counts, and goes on doing so."""
    expires = time.monotonic() + _STARTED
    before, changes = firmware.counts(memory), 0
    while changes < 2:
        if time.monotonic() > expires:
            return False
        await asyncio.sleep(_LOOK)
        now = firmware.counts(memory)
        changes += now != before
        before = now
    return True


def _differing(source: Path, destination: Path) -> list[int]:
    """Pages that are not equal, file with file; both stand still."""
    page = firmware.PAGE
    ours, theirs = source.read_bytes(), destination.read_bytes()
    starts = range(0, len(ours), page)
    return [at // page for at in starts if ours[at : at + page] != theirs[at : at + page]]


def _left(lost: Sequence[int]) -> Memory:
    return Memory(not lost, len(lost), 0, f"first at page {lost[0]} of {RAM_BLOCK}" if lost else "")


def _named(landed: Observation, course: Course, lost: Sequence[int]) -> Observation:
    """Pages that only the guest wrote say whose writes are lacking."""
    both = course.source.completed and course.destination is not None and course.destination.completed
    if not both or not set(lost) <= set(firmware.PAGES):
        return landed
    why = f"everybody says completed, {len(lost)} pages lack what the running guest wrote, first at page {lost[0]}"
    return replace(landed, detail=why)


def _cpu(course: Course) -> float | None:
    return course.destination.cpu_seconds if course.destination is not None else None

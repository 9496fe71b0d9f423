"""Runs a cell with real QEMU processes, and says what happened on either side.

==================  ========================================================================
cell                processes
==================  ========================================================================
QEMU to QEMU        source, destination
QEMU to ours        source, a peer that receives
ours to QEMU        source with ``none``, a peer that encodes in the splice, destination
QEMU to ours, on    source, a peer that decodes in the splice, destination with ``none``
==================  ========================================================================

Memory is compared in every case, whatever QEMU says.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from multifd.errors import PeerError
from multifd.evidence.asked import Part
from multifd.evidence.demand import Recorded, Unseen
from multifd.evidence.fate import Arrived, Said, at_ours, between
from multifd.evidence.observe import Memory, compare
from multifd.evidence.outcome import Outcome
from multifd.evidence.proof import proven
from multifd.framing.model import framing
from multifd.lineup.peers import QemuPeer
from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout, Script
from multifd.migrate.capture import Capture
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.plan.qemu.machine import machine_of
from multifd.plan.work import Pairing
from multifd.qemu.facts import machine_dialect
from multifd.qemu.guest import RAM_BLOCK, Guest, Machine, RefusedError, StartError, qtest, start
from multifd.qemu.migration import Course, incoming, outgoing, sent, watch
from multifd.result.record import CpuSeconds, Role
from multifd.run.means import Means
from multifd.run.qemu.ends import Ends
from multifd.run.qemu.recording import Recording
from multifd.run.qemu.rounds import changes_of
from multifd.run.qemu.secured import Secured
from multifd.run.qemu.setting import START, Setting

_LONGEST: Final = 5
"""Deadlines of a request that a cell takes at most: the migration, and what a peer says of it."""


class QemuBench:
    """Runs cells with QEMU on one or both ends; ``record`` is a directory for their captures, by id of the pairing."""

    def __init__(self, means: Means, record: Path | None = None) -> None:
        self._means = means
        self._record = record

    def run(self, pairing: Pairing) -> Outcome:
        """Run the cell; raises EnvironmentBroke if a QEMU does not come up.

        A QEMU does not say how it compresses: the devices' counters do, if they reach what the packets that were sent
        ask of that side. Where no capture can be made of them, every end is held to the first round, the one that QEMU
        surely sends whole.
        """
        ends, prover, stage = Ends.of(self._means.line_up, pairing), self._means.prover, self._means.stage
        overheard = stage.path("overheard") if prover.watches(ends.ours, ends.accelerators) else None
        kept = self._record / pairing.place if self._record is not None else None
        with prover.watching(ends.ours, ends.accelerators) as judge:
            try:
                outcome, said = self._migrate(pairing, kept or overheard)
            except RefusedError as refusal:
                outcome, said = Outcome(Observation("rejected", str(refusal), str(refusal))), None

            def parts() -> dict[Role, Part]:
                script = stage.script(pairing)
                first = script.model_copy(update={"rounds": script.rounds[:1]})
                captures = [Capture.open(Path(path)) for path in outcome.artifacts]
                demand = Recorded.of(captures[0]) if captures else Unseen.of(first, ())
                return ends.parts(demand, said if isinstance(said, contract.Done) else None)

            if outcome.observation.outcome == "identical":
                proven(outcome, judge(parts))
        outcome.provenance = ends.provenance(outcome.device)
        if kept is None and overheard is not None:
            shutil.rmtree(overheard, ignore_errors=True)
            outcome.artifacts = ()
        return outcome

    def _migrate(self, pairing: Pairing, record: Path | None) -> tuple[Outcome, Said | None]:
        """What came of it, recorded there, and what a peer of ours says of its part."""
        sender, receiver = self._means.line_up.qemu(pairing.sender), self._means.line_up.qemu(pairing.receiver)
        spliced = pairing.plan.mode == "splice"
        source = sender or receiver
        assert source is not None, f"{pairing.place} has no QEMU"
        destination = receiver or (sender if spliced else None)
        codec = pairing.receiver if sender is not None else pairing.sender
        between_qemus = sender is not None and receiver is not None
        with (
            self._means.stage.workplace() as directory,
            self._recording(record if pairing.plan.tls is None or not between_qemus else None) as recording,
            Secured(pairing.plan.tls, directory, _LONGEST * self._means.deadline) as secured,
        ):
            ends = Setting(
                pairing, self._means.stage.script(pairing), directory, machine_of(self._means.line_up, pairing), source,
                destination, codec if spliced else None, recording, secured,
            )  # fmt: skip
            shutil.copyfile(ram_of(ends.script.rounds[0].image), ends.ram("source"))
            outcome, said = self._run(ends, codec)
            main_sync = machine_dialect(ends.machine).main_sync
            outcome.artifacts = recording.save(pairing, main_sync, ends.ram("source"), spliced=ends.encodes)
            return outcome, said

    def _recording(self, directory: Path | None) -> Recording:
        return Recording(directory, self._means.stage.path("tap"), _LONGEST * self._means.deadline)

    def _run(self, ends: Setting, codec: str) -> tuple[Outcome, Said | None]:
        if ends.destination is None:
            return self._to_ours(ends, self._means.process(codec, "receiver"))
        with ends.ram("destination").open("wb") as file:
            file.truncate(ends.pairing.sizes[RAM_BLOCK])
        if ends.splice is None:
            return self._to_qemu(ends, None)
        return self._to_qemu(ends, self._means.process(codec, "sender" if ends.encodes else "receiver"))

    def _to_qemu(self, ends: Setting, splice: PeerProcess | None) -> tuple[Outcome, Said | None]:
        course, said = asyncio.run(self._drive(ends, splice, None))
        if said is None and splice is not None:
            said = self._conclusion(splice)
        if course.destination is None:
            assert isinstance(said, contract.Failed | PeerError)
            return Outcome(_not_even(said)), said
        arrived = Arrived(left_in(ends.ram("destination"), ends.script), raw=_taken_for_pages(ends.pairing))
        return _outcome(ends, course, between(course, arrived, said, barred=_barred(ends, course)), said), said

    def _to_ours(self, ends: Setting, peer: PeerProcess) -> tuple[Outcome, Said | None]:
        ground = ends.source.machines[ends.machine]
        blocks = {**ground.blocks, **ends.pairing.sizes}
        with GuestMemory.create(ends.directory / "blocks", blocks, ends.script.page_size) as memory:
            course, said = asyncio.run(self._drive(ends, peer, memory.layout))
            if said is None:
                said = self._conclusion(peer)
            elif isinstance(said, contract.Failed | PeerError):
                return Outcome(_not_even(said)), said
            shutil.copyfile(ram_of(memory.layout), ends.ram("destination"))
            digest = memory.digest()
        strange = tuple(name for name, sha256 in ground.sha256.items() if digest[name] != sha256)
        arrived = Arrived(left_in(ends.ram("destination"), ends.script), strange, _taken_for_pages(ends.pairing))
        return _outcome(ends, course, at_ours(course, arrived, said), said), said

    async def _drive(
        self, ends: Setting, peer: PeerProcess | None, memory: MemoryLayout | None
    ) -> tuple[Course, Said | None]:
        """The migration; what a peer of ours said if it did not even listen."""
        plan = ends.pairing.plan
        async with AsyncExitStack() as stack:
            test = await stack.enter_async_context(qtest(ends.directory / "qtest"))
            starting = [self._start(stack, ends, ends.source, "source")]
            if ends.destination is not None:
                starting.append(self._start(stack, ends, ends.destination, "destination"))
            source, *rest = await asyncio.gather(*starting)
            destination = rest[0] if rest else None
            address = f"unix:{ends.directory / 'migration'}"
            if destination is not None:
                here = "tcp:127.0.0.1:0" if plan.tcp else address
                address = await incoming(destination, ends.terms("receiver"), here)
            if ends.splice is not None:
                address = ends.secured.behind(address)
            if ends.encodes:
                address = ends.recording.before(address)
            if peer is not None:
                said = self._listen(peer, ends, address, memory)
                if not isinstance(said, contract.Listening):
                    return Course(), said
                address = said.address
            if not ends.encodes:
                address = ends.recording.before(address)
            if peer is not None:
                address = ends.secured.before(address)
            if plan.busy_destination and destination is not None:
                destination.send_signal(signal.SIGSTOP)
            await outgoing(source, ends.terms("sender"), address)
            if plan.busy_destination and destination is not None:
                await sent(source)
                destination.send_signal(signal.SIGCONT)
            changes = changes_of(ends, await test)
            early = changes.pop(0) if plan.early else None
            passing = [peer.pid] if peer is not None and peer.pid is not None else []
            course = await watch(source, destination, self._means.deadline, early=early, late=changes, between=passing)
            if destination is not None and course.destination is not None and course.stalled:
                course.destination.log = destination.log  # one that goes on waiting says why in its log alone
            return course, None

    async def _start(self, stack: AsyncExitStack, ends: Setting, qemu: QemuPeer, side: str) -> Guest:
        machine = Machine(ends.machine, ends.ram(side), ends.pairing.sizes[RAM_BLOCK])
        arguments = [*machine.arguments(), *ends.arguments("sender" if side == "source" else "receiver")]
        if side == "source":
            arguments += ["-qtest", f"unix:{ends.directory / 'qtest'}", "-qtest-log", "none"]
        else:
            arguments += ["-incoming", "defer"]
        try:
            return await stack.enter_async_context(start(qemu.binary, side, ends.directory, arguments, START))
        except StartError as ended:
            if ends.plain:
                raise
            raise RefusedError(str(ended)) from None

    def _listen(
        self, peer: PeerProcess, ends: Setting, upstream: str, memory: MemoryLayout | None
    ) -> contract.Listening | contract.Failed | PeerError:
        pairing = ends.pairing
        common = {"channels": pairing.channels, "deadline": self._means.deadline}
        try:
            if memory is not None:
                return peer.listen(
                    self._means.stage.path("socket"), self._means.deadline, contract.Receive, memory=memory,
                    framing=pairing.receiver_framing, dialect=pairing.receiver_dialect,
                    machine=machine_dialect(ends.machine).name, return_path=pairing.plan.return_path, **common,
                )  # fmt: skip
            return peer.listen(
                self._means.stage.path("socket"), self._means.deadline, contract.Splice, upstream=upstream,
                page_size=pairing.page_size, ramblocks={**ends.source.machines[ends.machine].blocks, **pairing.sizes},
                **ends.splicing(), **common,
            )  # fmt: skip
        except PeerError as broken:
            return broken

    def _conclusion(self, peer: PeerProcess) -> Said:
        try:
            return peer.conclusion(2 * self._means.deadline)
        except PeerError as broken:
            return broken


def _barred(ends: Setting, course: Course) -> bool:
    """A destination with TLS has let nobody in, and waits for somebody else: it has written nothing."""
    waits = course.destination is not None and course.destination.waits and course.source.over
    return waits and ends.pairing.plan.tls is not None and not any(ends.ram("destination").read_bytes())


def _taken_for_pages(pairing: Pairing) -> bool:
    """The receiver puts payloads into pages as they are, and they are something else."""
    return framing(pairing.receiver_framing).raw_pages and not framing(pairing.sender_framing).raw_pages


def ram_of(layout: MemoryLayout) -> str:
    """The file of the RAM block in an image."""
    return next(block.path for block in layout.blocks if block.name == RAM_BLOCK)


def left_in(ram: Path, script: Script) -> Memory:
    """A guest's RAM compared with the script, which has no other block."""
    last = script.rounds[-1].image
    block = last.blocks[0].model_copy(update={"path": str(ram)})
    with GuestMemory.open(last.model_copy(update={"blocks": (block,)}), writable=False) as memory:
        return compare(memory, script)


def _not_even(said: Said) -> Observation:
    """A peer of ours that did not listen: it has refused before anything was sent, or it broke."""
    if isinstance(said, PeerError):
        return Observation("hang" if said.kind == "hang" else "crash", str(said), str(said))
    assert isinstance(said, contract.Failed)
    return Observation("rejected" if said.kind == "unsupported" else "broken", said.error, said.error)


def _outcome(ends: Setting, course: Course, observation: Observation, said: Said | None) -> Outcome:
    pages = sum(run.count for dirty_round in ends.script.rounds for run in dirty_round.pages)
    ours = said.cpu_seconds if isinstance(said, contract.Done) else None
    destination = course.destination.cpu_seconds if course.destination is not None else ours
    return Outcome(
        observation,
        bytes_memory=pages * ends.script.page_size,
        bytes_wire=course.source.bytes_sent,
        cpu_seconds=CpuSeconds(sender=course.source.cpu_seconds, receiver=destination),
    )

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
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from multifd.errors import PeerError
from multifd.evidence.aftermath import Aftermath, after
from multifd.evidence.asked import Part
from multifd.evidence.demand import Recorded, Unseen
from multifd.evidence.fate import Arrived, Said, at_ours, between
from multifd.evidence.invariants import witnessed
from multifd.evidence.outcome import Outcome
from multifd.evidence.proof import proven
from multifd.framing.model import framing
from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout
from multifd.migrate.capture import Capture
from multifd.migrate.crew import Crew
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.plan.qemu.machine import machine_of
from multifd.plan.work import Pairing
from multifd.process.patience import grown
from multifd.qemu.facts import machine_dialect
from multifd.qemu.guest import RefusedError, qtest
from multifd.qemu.migration import Course, incoming, outgoing, sent, watch
from multifd.qemu.reset import resetting
from multifd.result.record import CpuSeconds, Role
from multifd.run.means import Means
from multifd.run.qemu.afterwards import afterwards
from multifd.run.qemu.ends import Ends
from multifd.run.qemu.ground import Grounds
from multifd.run.qemu.ram import arrived_in, filled, left_in
from multifd.run.qemu.recording import Recording
from multifd.run.qemu.rounds import changes_of
from multifd.run.qemu.secured import Secured
from multifd.run.qemu.setting import Setting
from multifd.run.qemu.starting import begin

_LONGEST: Final = 5
"""Deadlines of a request that a cell takes at most: the migration, and what a peer says of it."""

_UNTOUCHED: Final = "not looked at: refused before anything was sent"


class QemuBench:
    """Runs cells with QEMU on one or both ends; ``record`` is a directory for their captures, by id of the pairing."""

    def __init__(self, means: Means, record: Path | None = None) -> None:
        self._means = means
        self._record = record
        self._grounds = Grounds(means.deadline)

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
                told = Observation("rejected", str(refusal), str(refusal), aftermath=_UNTOUCHED)
                outcome, said = Outcome(told), None

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
            self._recording(record if pairing.plan.tls is None or not between_qemus else None, pairing) as recording,
            Secured(pairing.plan.tls, directory, _LONGEST * self._means.deadline) as secured,
            ExitStack() as standing,
        ):
            ends = Setting(
                pairing, self._means.stage.script(pairing), directory, machine_of(self._means.line_up, pairing), source,
                destination, codec if spliced else None, recording, secured, standing,
            )  # fmt: skip
            filled(ends.ram("source"), ends.script.rounds[0].image)
            outcome, said = self._run(ends, codec)
            main_sync = machine_dialect(ends.machine).main_sync
            size = source.facts.arch.page_size
            outcome.artifacts = recording.save(pairing, main_sync, ends.ram("source"), size, spliced=ends.encodes)
            return outcome, said

    def _recording(self, directory: Path | None, pairing: Pairing) -> Recording:
        return Recording(directory, self._means.stage.path("tap"), _LONGEST * self._deadline(pairing))

    def _deadline(self, pairing: Pairing) -> float:
        """Seconds that a migration of so much memory may take."""
        return grown(self._means.deadline, sum(pairing.sizes.values()))

    def _run(self, ends: Setting, codec: str) -> tuple[Outcome, Said | None]:
        if ends.destination is None:
            return self._to_ours(ends, self._means.process(codec, "receiver"))
        if ends.splice is None:
            return self._to_qemu(ends, None)
        return self._to_qemu(ends, self._means.process(codec, "sender" if ends.encodes else "receiver"))

    def _to_qemu(self, ends: Setting, splice: PeerProcess | None) -> tuple[Outcome, Said | None]:
        course, said, aftermath = asyncio.run(self._drive(ends, splice, None))
        if said is None and splice is not None:
            said = self._conclusion(splice, ends.pairing)
        if course.destination is None:
            assert isinstance(said, contract.Failed | PeerError)
            return Outcome(_not_even(said)), said
        arrived = Arrived(left_in(ends.ram("destination"), ends.script), raw=_taken_for_pages(ends.pairing))
        observation = between(course, arrived, said, barred=_barred(ends, course))
        return _outcome(ends, course, after(observation, aftermath), said), said

    def _to_ours(self, ends: Setting, peer: PeerProcess) -> tuple[Outcome, Said | None]:
        ground = self._grounds.of(ends.source, ends.machine, ends.pairing.sizes)
        blocks = {**ground.blocks, **ends.pairing.sizes}
        with GuestMemory.create(ends.directory / "blocks", blocks, ends.script.page_size) as memory:
            course, said, aftermath = asyncio.run(self._drive(ends, peer, memory.layout))
            if said is None:
                said = self._conclusion(peer, ends.pairing)
            elif isinstance(said, contract.Failed | PeerError):
                return Outcome(_not_even(said)), said
            digest = memory.digest(ground.sha256)
            files = {block.name: Path(block.path) for block in memory.layout.blocks}
        strange = tuple(name for name, sha256 in ground.sha256.items() if digest[name] != sha256)
        arrived = Arrived(arrived_in(files, ends.script), strange, _taken_for_pages(ends.pairing))
        return _outcome(ends, course, after(at_ours(course, arrived, said), aftermath), said), said

    async def _drive(
        self, ends: Setting, peer: PeerProcess | None, memory: MemoryLayout | None
    ) -> tuple[Course, Said | None, Aftermath | None]:
        """The migration; what a peer of ours said if it did not even listen; what became of a source that failed."""
        plan = ends.pairing.plan
        async with AsyncExitStack() as stack:
            test = await stack.enter_async_context(qtest(ends.directory / "qtest"))
            starting = [begin(stack, ends, ends.source, "source", ends.directory / "qtest")]
            if ends.destination is not None:
                starting.append(begin(stack, ends, ends.destination, "destination"))
            source, *rest = await asyncio.gather(*starting)
            reset = await stack.enter_async_context(resetting(source))
            destination = rest[0] if rest else None
            address = f"unix:{ends.directory / 'migration'}"
            if destination is not None:
                here = "tcp:127.0.0.1:0" if plan.tcp else address
                address = await incoming(destination, ends.terms("receiver"), here)
            if ends.splice is not None:
                address = ends.secured.behind(address)
            if ends.encodes:
                address = ends.recording.before(address, ends.sent())
            if peer is not None:
                said = self._listen(peer, ends, address, memory)
                if not isinstance(said, contract.Listening):
                    return Course(), said, None
                address = said.address
            address, carriers = self._way(ends, address)
            if not ends.encodes:
                address = ends.recording.before(address, ends.sent())
            if peer is not None:
                address = ends.secured.before(address)
            through = (*ends.recording.carriers, *ends.secured.carriers, *carriers)
            if plan.busy_destination and destination is not None:
                destination.send_signal(signal.SIGSTOP)
            await outgoing(source, ends.terms("sender"), address)
            if plan.busy_destination and destination is not None:
                await sent(source, destination, through)
                destination.send_signal(signal.SIGCONT)
            changes = changes_of(ends, await test)
            early, late = (changes[0], changes[1:]) if plan.early else (None, changes)
            passing = self._ours(ends.splice or ends.pairing.receiver, peer)
            course = await watch(
                source, destination, self._deadline(ends.pairing), early=early, late=late, between=passing,
                through=through,
            )  # fmt: skip
            if destination is not None and course.destination is not None and course.stalled:
                course.destination.log = destination.log  # one that goes on waiting says why in its log alone
            if course.source.status != "failed" or course.source.dead or course.stalled:
                return course, None, None
            kept = ends.script.model_copy(
                update={"rounds": ends.script.rounds[: 1 + sum(change.made for change in changes)]}
            )
            aftermath = await afterwards(
                source, reset, lambda: begin(stack, ends, ends.destination or ends.source, "fresh"),
                lambda side: left_in(ends.ram(side), kept), str(ends.directory / "again"), self._means.deadline,
            )  # fmt: skip
            return course, None, aftermath

    def _ours(self, name: str, peer: PeerProcess | None) -> list[int]:
        """The process of a peer of ours; one that is not may do what it likes with a deadline."""
        known = peer is not None and not self._means.line_up.peer(name).external
        return [peer.pid] if known and peer is not None and peer.pid is not None else []

    def _way(self, ends: Setting, address: str) -> tuple[str, tuple[Crew, ...]]:
        """Where the source is to connect to instead of ``address``, and what of ours its stream goes through then."""
        return address, ()

    def _listen(
        self, peer: PeerProcess, ends: Setting, upstream: str, memory: MemoryLayout | None
    ) -> contract.Listening | contract.Failed | PeerError:
        pairing = ends.pairing
        common = {"channels": pairing.channels, "deadline": self._deadline(pairing)}
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

    def _conclusion(self, peer: PeerProcess, pairing: Pairing) -> Said:
        try:
            return peer.conclusion(2 * self._deadline(pairing))
        except PeerError as broken:
            return broken


def _barred(ends: Setting, course: Course) -> bool:
    """A destination with TLS has let nobody in, and waits for somebody else: it has written nothing."""
    waits = course.destination is not None and course.destination.waits and course.source.over
    return waits and ends.pairing.plan.tls is not None and not any(ends.ram("destination").read_bytes())


def _taken_for_pages(pairing: Pairing) -> bool:
    """The receiver puts payloads into pages as they are, and they are something else."""
    return framing(pairing.receiver_framing).raw_pages and not framing(pairing.sender_framing).raw_pages


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
    outcome = Outcome(
        observation,
        bytes_memory=pages * ends.script.page_size,
        cpu_seconds=CpuSeconds(sender=course.source.cpu_seconds, receiver=destination),
    )
    sent = course.source.completed and (isinstance(said, contract.Done) or not ends.encodes)
    watched = ends.recording.watched(completed=sent, transferred=course.source.bytes_sent)
    if sent and ends.veiled:
        veiled, due = sum(each.endswith(": TLS") for each in watched.unseen), 1 + ends.pairing.channels
        if veiled < due:
            watched = replace(watched, broken=(*watched.broken, f"TLS is on {veiled} connections, expected on {due}"))
    return witnessed(outcome, watched)

"""Runs one planned cell with real peer processes and says what happened.

The verdict is the oracle's; this only observes. Whatever a peer does, a cell ends within its deadlines.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from multifd.device.sysfs import Host
from multifd.errors import EnvironmentBroke, InputError, MultifdError, PeerError
from multifd.evidence.demand import Demand
from multifd.evidence.measure import Measurement, measure
from multifd.evidence.observe import Memory, Snapshot, changed, compare, snapshot
from multifd.evidence.outcome import Outcome
from multifd.evidence.proof import Prover, worst
from multifd.framing.model import framing
from multifd.lineup.model import LineUp
from multifd.memory.image import GuestMemory
from multifd.memory.layout import PageRun, Script
from multifd.memory.mutator import Mutator
from multifd.migrate.address import connect
from multifd.migrate.capture import Capture
from multifd.migrate.playback import play
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import Nursery
from multifd.plan.cell import PlannedCell
from multifd.plan.fault import FAULTS
from multifd.plan.matrix import machine, zero_pages
from multifd.result.record import CpuSeconds, DeviceVerdict, Provenance, Role, Seconds, Sides
from multifd.run.cores import sharing
from multifd.run.qemu import QemuBench
from multifd.run.qemu_fault import QemuFaultBench
from multifd.run.stage import Stage
from multifd.wire.dialect import dialect

SETTLE: Final = 0.05
"""Seconds that a peer that is not ours is given to write after it reported an error, if it is going to."""


@dataclass(slots=True)
class _Encoded:
    """A sender's answer for one capture, kept for all receivers."""

    reply: contract.Conclusion | PeerError
    capture: Capture | None = None
    seen: Measurement = field(default_factory=Measurement)
    problems: list[str] = field(default_factory=list)
    device: DeviceVerdict = "not claimed"


class Bench:
    """Peers, scratch space, and the ways to run a cell.

    ``record`` is where cells with a QEMU leave their captures, ``core`` the one that this bench has to itself.
    """

    def __init__(
        self,
        line_up: LineUp,
        stage: Stage,
        host: Host | None = None,
        record: Path | None = None,
        core: int | None = None,
    ) -> None:
        self._line_up = line_up
        self._stage = stage
        self._core = core
        self._deadline = line_up.deadlines.request
        self._nursery = Nursery()
        self._processes: dict[tuple[str, Role], PeerProcess] = {}
        self._encoded: tuple[str, _Encoded] | None = None
        self._prover = Prover(host or Host())
        self._with_qemu = QemuBench(line_up, stage, self._process, record)
        self._with_recordings = QemuFaultBench(line_up, stage, self._deadline)

    def run(self, cell: PlannedCell) -> Outcome:
        """Run the cell as its scenario says."""
        started = time.perf_counter()
        try:
            match cell.plan.mode:
                case "capture":
                    with self._on_one_core(cell):
                        outcome = self._by_capture(cell)
                case "live":
                    outcome = self._live(cell)
                case "playback":
                    outcome = self._playback(cell)
                case "qemu" | "splice":
                    outcome = self._beside_qemu(cell)
                case "recording":
                    outcome = self._with_recordings.run(cell)
        except PeerError as broken:
            outcome = Outcome(_broken_peer(broken))
        except (InputError, EnvironmentBroke):
            raise
        except MultifdError as problem:
            outcome = Outcome(Observation("broken", str(problem), f"the harness failed: {problem}"))
        wall = time.perf_counter() - started
        outcome.seconds = outcome.seconds.model_copy(update={"wall": wall})
        outcome.provenance = Sides(
            sender=outcome.provenance.sender or self._line_up.provenance(cell.sender),
            receiver=outcome.provenance.receiver or self._line_up.provenance(cell.receiver),
        )
        return outcome

    def close(self) -> None:
        """End every peer process: all are asked first, so that they end at the same time."""
        for process in self._processes.values():
            process.dismiss()
        for process in self._processes.values():
            process.quit()
        self._nursery.close()

    def _process(self, name: str, role: Role) -> PeerProcess:
        key = (name, role)
        if key not in self._processes:
            peer = self._line_up.peer(name)
            self._processes[key] = PeerProcess(peer.name, peer.command, peer.environment, self._nursery.start)
        return self._processes[key]

    def _on_one_core(self, cell: PlannedCell) -> AbstractContextManager[None]:
        peers = (self._process(cell.sender, "sender"), self._process(cell.receiver, "receiver"))
        return sharing(self._core, (peer.pid for peer in peers))

    def _encode(self, cell: PlannedCell) -> _Encoded:
        key = cell.capture_key(self._stage.seed)
        if self._encoded is not None and self._encoded[0] == key:
            return self._encoded[1]
        directory, script = self._stage.capture(cell), self._stage.script(cell)
        with self._prover.watching(self._line_up.peer(cell.sender)) as verdict:
            try:
                reply = self._process(cell.sender, "sender").request(
                    contract.Encode,
                    self._deadline,
                    script=script,
                    framing=cell.sender_framing,
                    dialect=cell.sender_dialect,
                    channels=cell.channels,
                    capture=str(directory),
                )
            except PeerError as broken:
                encoded = _Encoded(broken)
            else:
                encoded = self._measured(reply, cell)
                encoded.device = verdict(lambda: [_encoding(cell, reply, Demand.of_capture(script, encoded.seen))])
        self._encoded = (key, encoded)
        return encoded

    def _measured(self, reply: contract.Conclusion, cell: PlannedCell) -> _Encoded:
        if isinstance(reply, contract.Failed):
            return _Encoded(reply)
        try:
            capture = Capture.open(self._stage.capture(cell))
        except InputError as problem:
            return _Encoded(PeerError("crash", f"peer {cell.sender} says done, but {problem}"))
        seen = measure(capture, self._member(cell))
        return _Encoded(reply, capture, seen, [*_mislabelled(capture, cell), *seen.problems])

    def _member(self, cell: PlannedCell) -> int | None:
        encoder = self._line_up.peer(cell.sender).encoder
        return encoder.member if encoder is not None else None

    def _by_capture(self, cell: PlannedCell) -> Outcome:
        encoded = self._encode(cell)
        if isinstance(encoded.reply, PeerError):
            return Outcome(_broken_peer(encoded.reply))
        if isinstance(encoded.reply, contract.Failed):
            return Outcome(_failure(encoded.reply, cell.sender))
        script = self._stage.script(cell)
        receiver = self._process(cell.receiver, "receiver")
        with self._stage.destination(cell) as memory:
            with self._prover.watching(self._line_up.peer(cell.receiver)) as verdict:
                reply = receiver.request(
                    contract.Decode,
                    self._deadline,
                    capture=str(self._stage.capture(cell)),
                    memory=memory.layout,
                    framing=cell.receiver_framing,
                    dialect=cell.receiver_dialect,
                )
                decoded = verdict(lambda: [_decoding(cell, reply, Demand.of_capture(script, encoded.seen))])
                device = worst(encoded.device, decoded)
            observation = self._judge_memory(cell, receiver, reply, memory, script)
        if encoded.problems:
            observation = _claims(observation, _problem(cell, encoded))
        return self._figures(cell, script, _proven(observation, device), encoded.reply, reply)

    def _live(self, cell: PlannedCell) -> Outcome:
        with ExitStack() as stack:
            changing: tuple[PageRun, ...] = ()
            if cell.plan.shape == "mutating":
                script, changing = stack.enter_context(self._stage.mutable(cell))
                stack.enter_context(Mutator(script.rounds[0].image, changing, self._stage.seed))
            else:
                script = self._stage.script(cell)
            memory = stack.enter_context(self._stage.destination(cell))
            receiver = self._process(cell.receiver, "receiver")
            self._process(cell.sender, "sender").wake(self._deadline)
            address = self._listen(cell, receiver, memory)
            if isinstance(address, contract.Failed):
                return Outcome(self._judge_memory(cell, receiver, address, memory, script))
            verdict = stack.enter_context(self._prover.watching(*map(self._line_up.peer, (cell.sender, cell.receiver))))
            sent = self._send(cell, script, address, receiver)
            if not isinstance(sent, contract.Done):
                _poke(address, self._deadline)
            received = receiver.conclusion(2 * self._deadline)
            if isinstance(sent, PeerError):
                return Outcome(_broken_peer(sent))
            ends = (sent, received)
            device = verdict(lambda: _of_both(cell, ends, Demand.of_live(script, ends, changing)))
            observation = self._judge_memory(cell, receiver, received, memory, script)
        if isinstance(sent, contract.Failed):
            observation = _sender_failed(observation, sent, cell.sender)
        return self._figures(cell, script, _proven(observation, device), sent, received)

    def _beside_qemu(self, cell: PlannedCell) -> Outcome:
        """A cell with a real QEMU, which does not say how it compresses: the devices' counters do.

        A peer of ours beside it is held to the first round, the one that QEMU surely sends whole.
        """
        sides = {"sender": (cell.sender, cell.sender_framing), "receiver": (cell.receiver, cell.receiver_framing)}
        ours = {side: self._line_up.peer(name) for side, (name, _) in sides.items() if not self._line_up.qemu(name)}
        methods = {side: framing(name).travels_as for side, (_, name) in sides.items() if side not in ours}
        kinds = {_ACCELERATED[method] for method in methods.values() if method in _ACCELERATED}
        with self._prover.watching(*ours.values()) as verdict, self._prover.noticing(kinds) as worked:
            outcome = self._with_qemu.run(cell)
            if outcome.observation.outcome == "identical":
                script = self._stage.script(cell)
                demand = Demand.of_live(script.model_copy(update={"rounds": script.rounds[:1]}), ())
                jobs = {"sender": demand.encoding, "receiver": demand.decoding}
                device = verdict(lambda: [jobs[side](framing(sides[side][1])) for side in ours])
                outcome.observation = _proven(outcome.observation, device)
            ran = {side: _ran(method, worked(_ACCELERATED.get(method, ""))) for side, method in methods.items()}
        outcome.provenance = Sides.model_validate(ran)
        return outcome

    def _playback(self, cell: PlannedCell) -> Outcome:
        encoded = self._encode(cell)
        if isinstance(encoded.reply, PeerError):
            return Outcome(_broken_peer(encoded.reply))
        if isinstance(encoded.reply, contract.Failed):
            return Outcome(_failure(encoded.reply, cell.sender))
        if encoded.problems:
            return Outcome(Observation("rejected", _problem(cell, encoded)))
        assert cell.fault is not None and encoded.capture is not None
        script = self._stage.script(cell)
        receiver = self._process(cell.receiver, "receiver")
        with self._stage.destination(cell) as memory:
            address = self._listen(cell, receiver, memory)
            if isinstance(address, contract.Failed):
                return Outcome(self._judge_memory(cell, receiver, address, memory, script))
            play(encoded.capture, FAULTS[cell.fault], address, self._deadline)
            received = receiver.conclusion(2 * self._deadline)
            observation = self._judge_memory(cell, receiver, received, memory, script)
        return self._figures(cell, script, observation, encoded.reply, received)

    def _listen(self, cell: PlannedCell, receiver: PeerProcess, memory: GuestMemory) -> str | contract.Failed:
        common = machine(dialect(cell.sender_dialect), dialect(cell.receiver_dialect))
        reply = receiver.listen(
            self._stage.path("socket"),
            self._deadline,
            memory=memory.layout,
            framing=cell.receiver_framing,
            dialect=cell.receiver_dialect,
            machine=common.name,
            channels=cell.channels,
            deadline=self._deadline,
        )
        return reply if isinstance(reply, contract.Failed) else reply.address

    def _send(
        self, cell: PlannedCell, script: Script, address: str, receiver: PeerProcess
    ) -> contract.Conclusion | PeerError:
        spoken = dialect(cell.sender_dialect)
        try:
            return self._process(cell.sender, "sender").request(
                contract.Send,
                2 * self._deadline,
                beside=(receiver.pid,),
                script=script,
                framing=cell.sender_framing,
                dialect=cell.sender_dialect,
                machine=machine(spoken, dialect(cell.receiver_dialect)).name,
                zero_pages=zero_pages(cell.scenario, spoken).value,
                channels=cell.channels,
                address=address,
                deadline=self._deadline,
            )
        except PeerError as broken:
            return broken

    def _judge_memory(
        self,
        cell: PlannedCell,
        receiver: PeerProcess,
        reply: contract.Conclusion,
        memory: GuestMemory,
        script: Script,
    ) -> Observation:
        """Compare memory, whatever the receiver says of it."""
        # Before the comparison: what is written while that runs is late as well.
        reported = snapshot(memory) if isinstance(reply, contract.Failed) else None
        left = compare(memory, script)
        if isinstance(reply, contract.Done):
            observation = (
                Observation("identical")
                if left.identical
                else Observation("hazard", None, f"receiver {cell.receiver} says done, {left.describe()}")
            )
            if reply.digest is not None and reply.digest != memory.digest():
                return _claims(observation, f"receiver {cell.receiver} reports a digest that its memory does not have")
            return observation
        assert reported is not None
        observation = _with_wrong_pages(_failure(reply, cell.receiver), left)
        if reply.digest is not None and reply.digest != memory.digest():
            return _late(observation, 1)
        return self._nothing_after(cell, receiver, memory, reported, observation)

    def _nothing_after(
        self,
        cell: PlannedCell,
        receiver: PeerProcess,
        memory: GuestMemory,
        reported: Snapshot,
        observation: Observation,
    ) -> Observation:
        """A receiver that has reported its error touches memory no more."""
        if self._line_up.peer(cell.receiver).external:
            time.sleep(SETTLE)
        receiver.hello(self._deadline)
        return _late(observation, changed(memory, reported))

    def _figures(
        self,
        cell: PlannedCell,
        script: Script,
        observation: Observation,
        sent: contract.Conclusion,
        received: contract.Conclusion,
    ) -> Outcome:
        tx = sent if isinstance(sent, contract.Done) else None
        rx = received if isinstance(received, contract.Done) else None
        for side, reply in ((cell.sender, tx), (cell.receiver, rx)):
            declared: Provenance = self._line_up.peer(side).provenance
            if reply is not None and reply.provenance != declared:
                observation = _claims(
                    observation, f"peer {side} declares {declared} and says that it ran as {reply.provenance}"
                )
        pages = sum(run.count for dirty_round in script.rounds for run in dirty_round.pages)
        return Outcome(
            observation,
            bytes_memory=pages * cell.page_size,
            bytes_wire=tx.bytes_wire if tx else 0,
            seconds=Seconds(encode=tx.seconds if tx else None, decode=rx.seconds if rx else None),
            cpu_seconds=CpuSeconds(sender=tx.cpu_seconds if tx else None, receiver=rx.cpu_seconds if rx else None),
        )


_OUTCOMES: Final = {
    "unsupported": "rejected",
    "wire": "rejected",
    "payload": "rejected",
    "closed": "rejected",
    "deadline": "hang",
    "environment": "broken",
    "internal": "crash",
}
"""What a failure that a peer reports in good order means for the cell."""


def _failure(reply: contract.Failed, peer: str) -> Observation:
    outcome = _OUTCOMES[reply.kind]
    return Observation(outcome, reply.error, f"peer {peer}: {reply.error}")  # type: ignore[arg-type]


def _broken_peer(broken: PeerError) -> Observation:
    return Observation("hang" if broken.kind == "hang" else "crash", str(broken), str(broken))


def _with_wrong_pages(observation: Observation, left: Memory) -> Observation:
    if observation.outcome != "rejected" or not left.wrong:
        return observation
    return Observation("hazard", observation.error, f"{left.describe()}; then: {observation.error}")


def _sender_failed(observation: Observation, sent: contract.Failed, peer: str) -> Observation:
    """A sender whose receiver went away has nothing to add; any other failure of it counts."""
    if sent.kind in ("closed", "deadline") and observation.outcome != "identical":
        return observation
    if observation.outcome == "identical":
        return _claims(observation, f"sender {peer} failed ({sent.error}), though the memory arrived")
    if observation.outcome == "hazard":
        return observation
    return _failure(sent, peer)


def _mislabelled(capture: Capture, cell: PlannedCell) -> list[str]:
    """A capture is measured against what was asked for, not against what its maker calls it."""
    manifest = capture.manifest
    wrong = [
        f"{field} is {given}, asked was {asked}"
        for field, given, asked in (
            ("framing", capture.framing.name, framing(cell.sender_framing).name),
            ("dialect", manifest.dialect, cell.sender_dialect),
            ("channels", manifest.channels, cell.channels),
            ("page_size", manifest.page_size, cell.page_size),
            ("ramblocks", manifest.ramblocks, cell.sizes),
        )
        if given != asked
    ]
    return [f"manifest of the capture: {each}" for each in wrong]


def _problem(cell: PlannedCell, encoded: _Encoded) -> str:
    return f"sender {cell.sender}: {encoded.problems[0]}"


def _claims(observation: Observation, claim: str) -> Observation:
    return replace(observation, claim=claim if observation.claim is None else f"{observation.claim}; {claim}")


def _late(observation: Observation, pages: int) -> Observation:
    return replace(observation, late_pages=pages)


_ACCELERATED: Final = {"qpl": "iaa", "qatzip": "qat", "uadk": "kunpeng"}
"""Methods of QEMU that use a device where there is one, by the device's kind."""
_LIBRARIES: Final = ("qpl", "qatzip")
"""Those whose vendor library does the work itself where there is none."""


def _ran(method: str, on_device: bool) -> Provenance:
    """How a QEMU ran a method."""
    return "hardware" if on_device else "vendor-software" if method in _LIBRARIES else "software"


def _encoding(cell: PlannedCell, reply: contract.Conclusion, demand: Demand) -> int:
    """Jobs demanded of the sender: none if it refused."""
    return demand.encoding(framing(cell.sender_framing)) if isinstance(reply, contract.Done) else 0


def _decoding(cell: PlannedCell, reply: contract.Conclusion, demand: Demand) -> int:
    """Jobs demanded of the receiver: none if it refused."""
    return demand.decoding(framing(cell.receiver_framing)) if isinstance(reply, contract.Done) else 0


def _of_both(
    cell: PlannedCell, ends: tuple[contract.Conclusion, contract.Conclusion], demand: Demand
) -> tuple[int, int]:
    """Jobs demanded of sender and receiver."""
    return _encoding(cell, ends[0], demand), _decoding(cell, ends[1], demand)


def _proven(observation: Observation, device: DeviceVerdict) -> Observation:
    if device != "unproven":
        return replace(observation, device=device)
    detail = observation.detail or "no counter of the device moved by what was asked of it"
    return replace(observation, detail=detail, device=device)


def _poke(address: str, within: float) -> None:
    """Let a receiver that waits for a sender that will not come fail now."""
    try:
        connect(address, within).close()
    except EnvironmentBroke:
        return

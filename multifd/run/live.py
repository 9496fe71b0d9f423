"""Live cells: sender and receiver are two peers of ours at both ends of sockets."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from multifd.errors import EnvironmentBroke, PeerError
from multifd.evidence.asked import Part
from multifd.evidence.demand import Recorded, Unseen
from multifd.evidence.outcome import Outcome
from multifd.evidence.proof import proven
from multifd.evidence.testimony import broke, sender_failed
from multifd.memory.layout import PageRun, Script
from multifd.memory.mutator import Mutator
from multifd.migrate.address import connect
from multifd.peer import contract
from multifd.plan.work import Pairing
from multifd.result.record import Role
from multifd.run.means import Means
from multifd.run.overheard import overhear
from multifd.run.receiving import figures, landed, listen
from multifd.wire.dialect import dialect


class LiveBench:
    """Runs them; ``record`` is a directory for their captures, by id of the pairing."""

    def __init__(self, means: Means, record: Path | None = None) -> None:
        self._means = means
        self._record = record

    def run(self, pairing: Pairing) -> Outcome:
        """One migration."""
        means = self._means
        with ExitStack() as stack:
            changing: tuple[PageRun, ...] = ()
            if pairing.plan.shape == "mutating":
                script, changing = stack.enter_context(means.stage.mutable(pairing))
                stack.enter_context(Mutator(script.rounds[0].image, changing, means.stage.seed))
            else:
                script = means.stage.script(pairing)
            means.reserve(pairing, script)
            memory = stack.enter_context(means.destination(pairing))
            means.process(pairing.sender, "sender").wake(means.deadline)
            address = listen(means, pairing, memory)
            if isinstance(address, contract.Failed):
                return Outcome(landed(means, pairing, address, memory, script))
            ends = means.ends(pairing)
            kept = self._record / pairing.place if self._record is not None else None
            overheard = stack.enter_context(overhear(means, pairing, address, kept))
            judge = stack.enter_context(means.prover.watching(ends))
            sent = self._send(pairing, script, overheard.address)
            if not isinstance(sent, contract.Done):
                _poke(address, means.deadline)
            received = means.process(pairing.receiver, "receiver").conclusion(2 * means.deadline)
            if isinstance(sent, PeerError):
                return Outcome(broke(sent))
            said = (sent, received)

            capture = overheard.capture(script)

            def asked() -> dict[Role, Part]:
                demand = Recorded.of(capture) if capture is not None else Unseen.of(script, said, changing)
                return {
                    "sender": demand.of_sender(ends["sender"], pairing.sender_framing, said[0]),
                    "receiver": demand.of_receiver(ends["receiver"], pairing.receiver_framing, said[1]),
                }

            device = judge(asked)
            observation = landed(means, pairing, received, memory, script)
        if isinstance(sent, contract.Failed):
            observation = sender_failed(observation, sent, pairing.sender)
        outcome = figures(means, pairing, script, observation, {"sender": sent, "receiver": received})
        outcome.artifacts = (str(kept),) if kept is not None and capture is not None else ()
        return proven(outcome, device)

    def _send(self, pairing: Pairing, script: Script, address: str) -> contract.Conclusion | PeerError:
        means = self._means
        try:
            return means.process(pairing.sender, "sender").request(
                contract.Send,
                2 * means.deadline,
                script=script,
                framing=pairing.sender_framing,
                dialect=pairing.sender_dialect,
                machine=pairing.machine.name,
                zero_pages=pairing.plan.zero_pages(dialect(pairing.sender_dialect)).value,
                channels=pairing.channels,
                address=address,
                deadline=means.deadline,
                beside=(means.process(pairing.receiver, "receiver").pid,),
            )
        except PeerError as broken:
            return broken


def _poke(address: str, within: float) -> None:
    """Let a receiver that waits for a sender that will not come fail now."""
    try:
        connect(address, within).close()
    except EnvironmentBroke:
        return

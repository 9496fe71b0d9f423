"""Cells by capture: what was encoded is decoded from files, or played to a live receiver with a fault in it."""

from __future__ import annotations

from contextlib import AbstractContextManager

from multifd.evidence.asked import Part
from multifd.evidence.outcome import Outcome
from multifd.evidence.proof import proven
from multifd.evidence.testimony import claimed
from multifd.migrate.playback import play
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.plan.work import Flips, Pairing
from multifd.result.record import Role
from multifd.run.cores import sharing
from multifd.run.encoding import Encoding
from multifd.run.flips import FlipBench
from multifd.run.means import Means
from multifd.run.receiving import figures, landed, listen
from multifd.wire.fault import fault


class CaptureBench:
    """Runs them; ``core`` is the one that this worker has to itself."""

    def __init__(self, means: Means, core: int | None = None) -> None:
        self._means = means
        self._core = core
        self._encoding = Encoding(means)
        self._flips = FlipBench(means, self._encoding)

    def decode(self, pairing: Pairing) -> Outcome:
        """Encode into a capture, decode it from there. Sender, harness and receiver work in turns."""
        with self._on_one_core(pairing):
            return self._decode(pairing)

    def flip(self, work: Flips) -> Outcome:
        """Encode into captures, decode them with one bit flipped at a time."""
        with self._on_one_core(work):
            return self._flips.run(work)

    def play(self, pairing: Pairing) -> Outcome:
        """Encode into a capture, play it to a receiver that listens, with the fault in it."""
        means = self._means
        encoded = self._encoding.encode(pairing)
        failure = encoded.failure(pairing.sender)
        if failure is not None:
            return Outcome(failure)
        if encoded.problems:
            return Outcome(Observation("rejected", encoded.problem(pairing.sender)))
        assert pairing.fault is not None and encoded.capture is not None and isinstance(encoded.reply, contract.Done)
        script = means.stage.script(pairing)
        with means.destination(pairing) as memory:
            address = listen(means, pairing, memory)
            if isinstance(address, contract.Failed):
                return Outcome(landed(means, pairing, address, memory, script))
            play(encoded.capture, fault(pairing.fault), address, means.deadline)
            received = means.process(pairing.receiver, "receiver").conclusion(2 * means.deadline)
            observation = landed(means, pairing, received, memory, script)
        return figures(means, pairing, script, observation, {"sender": encoded.reply, "receiver": received})

    def _decode(self, pairing: Pairing) -> Outcome:
        means = self._means
        encoded = self._encoding.encode(pairing)
        failure = encoded.failure(pairing.sender)
        if failure is not None:
            return Outcome(failure)
        assert isinstance(encoded.reply, contract.Done)
        script = means.stage.script(pairing)
        with means.destination(pairing) as memory:
            receiver = means.line_up.peer(pairing.receiver)
            with means.prover.watching({"receiver": receiver}) as judge:
                reply = means.process(pairing.receiver, "receiver").request(
                    contract.Decode,
                    means.deadline,
                    capture=str(means.stage.capture(pairing)),
                    memory=memory.layout,
                    framing=pairing.receiver_framing,
                    dialect=pairing.receiver_dialect,
                )

                def asked() -> dict[Role, Part]:
                    return {"receiver": encoded.demand().of_receiver(receiver, pairing.receiver_framing, reply)}

                decoded = judge(asked)
            observation = landed(means, pairing, reply, memory, script)
        if encoded.problems:
            observation = claimed(observation, encoded.problem(pairing.sender))
        outcome = figures(means, pairing, script, observation, {"sender": encoded.reply, "receiver": reply})
        return proven(outcome, (*encoded.device, *decoded))

    def _on_one_core(self, work: Pairing | Flips) -> AbstractContextManager[None]:
        means = self._means
        peers = (means.process(work.sender, "sender"), means.process(work.receiver, "receiver"))
        return sharing(self._core, (peer.pid for peer in peers))

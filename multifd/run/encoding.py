"""Encode once, decode by many: a sender's capture, measured, and kept for all receivers of its group."""

from __future__ import annotations

from dataclasses import dataclass, field

from multifd.errors import InputError, PeerError
from multifd.evidence.demand import Demand, Recorded
from multifd.evidence.measure import measure
from multifd.evidence.testimony import broke, failed
from multifd.framing.model import framing
from multifd.memory.layout import Script
from multifd.migrate.capture import Capture
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.plan.work import Pairing
from multifd.result.record import DeviceWork
from multifd.run.means import Means


@dataclass(slots=True)
class Encoded:
    """A sender's answer for one capture."""

    reply: contract.Conclusion | PeerError
    capture: Capture | None = None
    problems: list[str] = field(default_factory=list)
    """What of it is not as it declares, or as asked."""
    device: tuple[DeviceWork, ...] = ()

    def demand(self) -> Demand:
        """What its packets ask of devices; nothing where there is no capture."""
        return Recorded(0, ()) if self.capture is None else Recorded.of(self.capture)

    def problem(self, sender: str) -> str:
        """The first, with its name."""
        return f"sender {sender}: {self.problems[0]}"

    def failure(self, sender: str) -> Observation | None:
        """What there is to observe where there is no capture."""
        match self.reply:
            case PeerError():
                return broke(self.reply)
            case contract.Failed():
                return failed(self.reply, sender)
            case _:
                return None


class Encoding:
    """The sender's half of cells by capture."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._last: tuple[str, Encoded] | None = None

    def encode(self, pairing: Pairing) -> Encoded:
        """The capture of this pairing, made if the last one was another."""
        means = self._means
        key = pairing.capture_key(means.stage.seed)
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        script, sender = means.stage.script(pairing), means.line_up.peer(pairing.sender)
        with means.prover.watching({"sender": sender}) as judge:
            encoded = self._encoded(pairing, script)
            if not isinstance(encoded.reply, PeerError):
                encoded.device = judge(
                    lambda: {"sender": encoded.demand().of_sender(sender, pairing.sender_framing, encoded.reply)}
                )
        # Behind the proof: whatever else wants the device waits for it.
        if encoded.capture is not None:
            encoded.problems = [
                *_mislabelled(encoded.capture, pairing), *measure(encoded.capture, sender.encoder).problems
            ]  # fmt: skip
        # What the host did is not the sender's: the next cell tries anew.
        lost = isinstance(encoded.reply, contract.Failed) and encoded.reply.kind == "environment"
        self._last = (key, encoded) if not lost else None
        return encoded

    def _encoded(self, pairing: Pairing, script: Script) -> Encoded:
        means = self._means
        means.reserve(pairing, script)
        directory = means.stage.capture(pairing)
        try:
            reply = means.process(pairing.sender, "sender").request(
                contract.Encode,
                means.deadline,
                script=script,
                framing=pairing.sender_framing,
                dialect=pairing.sender_dialect,
                machine=pairing.machine.name,
                channels=pairing.channels,
                capture=str(directory),
            )
        except PeerError as broken:
            return Encoded(broken)
        if isinstance(reply, contract.Failed):
            return Encoded(reply)
        try:
            return Encoded(reply, Capture.open(directory))
        except InputError as problem:
            return Encoded(PeerError("crash", f"peer {pairing.sender} says done, but {problem}"))


def _mislabelled(capture: Capture, pairing: Pairing) -> list[str]:
    """A capture is measured against what was asked for, not against what its maker calls it."""
    manifest = capture.manifest
    wrong = [
        f"{field} is {given}, asked was {asked}"
        for field, given, asked in (
            ("framing", capture.framing.name, framing(pairing.sender_framing).name),
            ("dialect", manifest.dialect, pairing.sender_dialect),
            ("main_sync", capture.main_sync.value, pairing.machine.main_sync.value),
            ("channels", manifest.channels, pairing.channels),
            ("page_size", manifest.page_size, pairing.page_size),
            ("ramblocks", manifest.ramblocks, pairing.sizes),
        )
        if given != asked
    ]
    return [f"manifest of the capture: {each}" for each in wrong]

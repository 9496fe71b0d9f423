"""Encode once, decode by many: a sender's capture, measured, and kept for all receivers of its group."""

from __future__ import annotations

from dataclasses import dataclass, field

from multifd.errors import InputError, PeerError
from multifd.evidence.demand import Demand
from multifd.evidence.measure import Measurement, measure
from multifd.evidence.testimony import broke, failed
from multifd.framing.model import framing
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
    seen: Measurement = field(default_factory=Measurement)
    problems: list[str] = field(default_factory=list)
    """What of it is not as it declares, or as asked."""
    device: tuple[DeviceWork, ...] = ()

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
        directory, script = means.stage.capture(pairing), means.stage.script(pairing)
        with means.prover.watching({"sender": means.line_up.peer(pairing.sender)}) as judge:
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
                encoded = Encoded(broken)
            else:
                encoded = self._measured(reply, pairing)
                encoded.device = judge(
                    lambda: {"sender": Demand.of_capture(script, encoded.seen).of_sender(reply, pairing.sender_framing)}
                )
        self._last = (key, encoded)
        return encoded

    def _measured(self, reply: contract.Conclusion, pairing: Pairing) -> Encoded:
        if isinstance(reply, contract.Failed):
            return Encoded(reply)
        try:
            capture = Capture.open(self._means.stage.capture(pairing))
        except InputError as problem:
            return Encoded(PeerError("crash", f"peer {pairing.sender} says done, but {problem}"))
        seen = measure(capture, self._means.line_up.peer(pairing.sender).encoder)
        return Encoded(reply, capture, seen, [*_mislabelled(capture, pairing), *seen.problems])


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

"""Senders that lie on the wire: packets left out, sent twice, or under a wrong flag; pages never sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from multifd.memory.layout import Script
from multifd.migrate.capture import MANIFEST, Capture
from multifd.peer import contract
from multifd.wire.dialect import dialect
from multifd.wire.packet import INIT_SIZE, RamHeader
from multifd.wire.scan import scan
from tests.liars.base import Liar

CHANNEL = 1
"""The channel that is tampered with."""


class Tamperer(Liar):
    """Encodes as it should, then changes the packets of one channel."""

    def encode(self, request: contract.Encode) -> contract.Done:
        done = super().encode(request)
        if self.memory_at_stake(request) is not None:
            self._rewrite(Path(request.capture))
        return done

    def tamper(self, packets: Sequence[bytes]) -> Sequence[bytes]:
        """The packets with pages as they are sent instead."""
        raise NotImplementedError

    def _rewrite(self, directory: Path) -> None:
        capture = Capture.open(directory)
        path = capture.channel_path(CHANNEL)
        data = path.read_bytes()
        found = list(scan(data, capture.manifest.page_size, capture.dialect, raw_pages=capture.framing.raw_pages))
        ends = [*(packet.at for packet in found[1:]), len(data)]
        pieces = [data[packet.at : end] for packet, end in zip(found, ends, strict=True)]
        full = [
            at for at, packet in enumerate(found) if isinstance(packet.header, RamHeader) and packet.header.normal_pages
        ]
        first, last = full[0], full[-1] + 1
        tampered = [*pieces[:first], *self.tamper(pieces[first:last]), *pieces[last:]]
        path.write_bytes(data[:INIT_SIZE] + b"".join(tampered))


class DropsAPacket(Tamperer):
    """Leaves a packet out."""

    def tamper(self, packets: Sequence[bytes]) -> Sequence[bytes]:
        return packets[1:]


class RepeatsAPacket(Tamperer):
    """Sends a packet twice."""

    def tamper(self, packets: Sequence[bytes]) -> Sequence[bytes]:
        return [packets[0], *packets]


class WrongFlag(Tamperer):
    """Sends its packets under the flag of zstd."""

    def tamper(self, packets: Sequence[bytes]) -> Sequence[bytes]:
        flag = dialect("qemu-10.0").flag("zstd").to_bytes(4)
        return [packet[:8] + flag + packet[12:] for packet in packets]


class Mislabels(Liar):
    """Calls its capture something else than what was asked for."""

    def encode(self, request: contract.Encode) -> contract.Done:
        done = super().encode(request)
        if self.memory_at_stake(request) is not None:
            path = Path(request.capture) / MANIFEST
            path.write_text(path.read_text().replace('"zlib-packet[window=12]"', '"zlib-packet[window=15]"'))
        return done


class LeavesPagesOut(Liar):
    """Does not send the pages of the first RAM block."""

    def send(self, request: contract.Send) -> contract.Done:
        if self.memory_at_stake(request) is None:
            return super().send(request)
        return super().send(request.model_copy(update={"script": _without_first_run(request.script)}))


class SaysDoneAndSendsNothing(Liar):
    """Says done without having connected, or without having written a capture."""

    def encode(self, request: contract.Encode) -> contract.Done:
        return self._done(request) if self.memory_at_stake(request) else super().encode(request)

    def send(self, request: contract.Send) -> contract.Done:
        return self._done(request)


class AcceptsImpossible(Liar):
    """Says done to a framing that does not exist."""

    def encode(self, request: contract.Encode) -> contract.Done:
        return self._done(request) if request.framing == "no-such-framing" else super().encode(request)


def _without_first_run(script: Script) -> Script:
    first, *others = script.rounds
    return script.model_copy(update={"rounds": (first.model_copy(update={"pages": first.pages[1:]}), *others)})

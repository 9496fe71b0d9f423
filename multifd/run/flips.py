"""Runs a cell of flipped bits: payloads with one bit flipped at a time, each decoded by the peer, each looked at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from multifd.errors import PeerError
from multifd.evidence.outcome import Outcome
from multifd.evidence.testimony import broke, failed
from multifd.memory.image import GuestMemory
from multifd.migrate.capture import Capture
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.plan.work import Flips, Pairing
from multifd.result.record import Integrity
from multifd.run.encoding import Encoding
from multifd.run.means import Means
from multifd.wire.packet import RamHeader
from multifd.wire.scan import scan

_CONTENT: Final = ("text", "random")
"""Pages that shrink, and pages that do not."""
_SPREAD: Final = 16
"""Bits over the whole payload."""
_BEGINNING: Final = tuple(range(0, 24 * 8, 27))
"""Bits of what a payload begins with: a header, or lengths."""
_END: Final = tuple(range(5, 8 * 8, 19))
"""Bits of what it ends with: a trailer or a flush; counted from the end."""


class FlipBench:
    """Runs them."""

    def __init__(self, means: Means, encoding: Encoding) -> None:
        self._means = means
        self._encoding = encoding
        self._captures: dict[tuple[str, str, str], Capture] = {}

    def run(self, work: Flips) -> Outcome:
        """Flip, decode, compare. One memory does for all: a decoding that is taken writes every page."""
        found = Integrity(flips=0, detected=0, harmless=0, silent=0)
        first = None
        for corpus in _CONTENT:
            pairing = work.pairing(corpus)
            capture = self._captured(pairing)
            if isinstance(capture, Observation):
                return Outcome(capture)
            for bit, came in self._outcomes(pairing, capture):
                if isinstance(came, Observation):
                    return Outcome(came, integrity=found)
                found = found.model_copy(update={"flips": found.flips + 1, came: getattr(found, came) + 1})
                if came == "silent" and first is None:
                    first = f"bit {bit} of a payload of {corpus}"
        if first is None:
            return Outcome(Observation("identical"), integrity=found)
        detail = f"{found.silent} of {found.flips} flipped bits are silent, the first is {first}"
        return Outcome(Observation("hazard", detail, detail), integrity=found)

    def _captured(self, pairing: Pairing) -> Capture | Observation:
        """A copy of the sender's capture, which is there for all decoders."""
        key = (pairing.sender, pairing.sender_framing, pairing.corpus)
        if key not in self._captures:
            encoded = self._encoding.encode(pairing)
            failure = encoded.failure(pairing.sender)
            if failure is not None or encoded.capture is None:
                return failure or Observation("broken", detail="there is no capture")
            directory = self._means.stage.path("flips")
            shutil.copytree(encoded.capture.directory, directory)
            self._captures[key] = Capture.open(directory)
        return self._captures[key]

    def _outcomes(self, pairing: Pairing, capture: Capture) -> Iterator[tuple[int, str | Observation]]:
        """Each bit of the payload that was flipped, and what came of it."""
        (block,) = pairing.sizes
        path = capture.channel_path(0)
        original = path.read_bytes()
        with GuestMemory.open(self._means.stage.script(pairing).rounds[-1].image, writable=False) as image:
            right = image.copy(block)
        start, size = _payload(original, capture)
        try:
            with self._means.destination(pairing) as memory:
                for bit in _bits(size):
                    flipped = bytearray(original)
                    flipped[start + bit // 8] ^= 1 << bit % 8
                    path.write_bytes(flipped)
                    came = _noticed(self._decode(pairing, path.parent, memory), pairing.receiver)
                    yield bit, came or ("harmless" if np.array_equal(memory.copy(block), right) else "silent")
        finally:
            path.write_bytes(original)

    def _decode(self, pairing: Pairing, capture: Path, memory: GuestMemory) -> contract.Conclusion | PeerError:
        try:
            return self._means.process(pairing.receiver, "receiver").request(
                contract.Decode,
                self._means.deadline,
                capture=str(capture),
                memory=memory.layout,
                framing=pairing.receiver_framing,
                dialect=pairing.receiver_dialect,
            )
        except PeerError as broken:
            return broken


def _noticed(reply: contract.Conclusion | PeerError, receiver: str) -> str | Observation | None:
    """What a decoder that did not say done has come to."""
    if isinstance(reply, PeerError):
        return broke(reply)
    if isinstance(reply, contract.Failed):
        observation = failed(reply, receiver)
        return "detected" if observation.outcome == "rejected" else observation
    return None


def _payload(channel: bytes, capture: Capture) -> tuple[int, int]:
    """Where the payload of the only packet with pages is, and its size, in bytes."""
    for seen in scan(channel, capture.manifest.page_size, capture.dialect, raw_pages=capture.framing.raw_pages):
        if isinstance(seen.header, RamHeader) and seen.header.normal_pages:
            return seen.at + len(seen.raw), len(seen.payload)
    raise AssertionError("a capture without pages")


def _bits(size: int) -> list[int]:
    """Bits of a payload of so many bytes, the same ones for every decoder."""
    spread = ((2 * n + 1) * size // (2 * _SPREAD) * 8 + 5 * n % 8 for n in range(_SPREAD))
    return sorted({*spread, *_BEGINNING, *(8 * size - 1 - bit for bit in _END)})

"""The probe: a peer is held to its word before the matrix trusts it.

====================  =============================================================================================
asked                 must
====================  =============================================================================================
a round trip          work, in every container that it declares in both roles; what it declares in one role only the
                      matrix itself tries, where an able partner is
what cannot be        be refused: a framing that nobody knows
what it says that it  be refused as unsupported: every framing, in every role; a peer that does it after all has
cannot do             declared too little, and cells are missing
every declaration     be so: its codec is put before what only a codec with it does, or only one without
                      (:mod:`.trials`); of a peer that does not answer ``try`` the matrix shows what it shows
====================  =============================================================================================
"""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from multifd.codec import create
from multifd.codec.reference import reference
from multifd.errors import PeerError
from multifd.framing.model import FRAMINGS, Framing, Scope
from multifd.lineup.case import Case
from multifd.lineup.trials import cases
from multifd.lineup.writing import lost_in
from multifd.memory import rounds
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.layout import Script
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.oracle.ability import cannot_read, cannot_send, inabilities
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.peer.server import PeerServer
from multifd.result.record import Role
from multifd.wire.dialect import LATEST

PAGE_SIZE: Final = 4096
"""Bytes, here as in the suites in which every framing meets every peer."""
IMPOSSIBLE: Final = "no-such-framing"
_ROOM: Final = 32 << 20
"""Bytes that samples, and what peers make of them, may need."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found."""

    problem: str | None
    """What is wrong, None if the peer kept its word."""
    refused: dict[Role, tuple[str, ...]]
    """Framings that it cannot do, and refused to."""
    streamless: str | None = None
    """What came of writing a stream that goes on, None if it can, or was not put before it."""


class Prober:
    """Probes peers, several at a time; ends with the block."""

    def __init__(self) -> None:
        self._scratch = make_scratch(_ROOM)
        sizes = {"pc.ram": 128 << 10}
        self._script = rounds.build(self._scratch / "memory", CORPORA["text"], 0, sizes, PAGE_SIZE, "single")
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        remove_scratch(self._scratch)

    def probe(self, process: PeerProcess, peer: contract.Introduction, deadline: float) -> Probed:
        """Hold a started peer to its word; no request takes longer than ``deadline`` seconds.

        Raises PeerError if it corrupts memory, does what cannot be or what it says it cannot, or breaks the contract.
        """
        with self._workplace() as directory:
            asking = _Asking(process, self._script, directory, deadline)
            for name in _round_trips(peer):
                wrong = asking.round_trip(name)
                if wrong is not None:
                    return Probed(f"round trip in {name}: {wrong}", {})
            asking.what_cannot_be(sender=peer.encoder is not None)
            refused: dict[Role, list[str]] = {}
            for name, framing in FRAMINGS.items():
                for role in inabilities(peer.encoder, peer.decoder, framing, PAGE_SIZE):
                    wrong = asking.refuses(name, role, self._sample(framing) if role == "receiver" else None)
                    if wrong is not None:
                        return Probed(wrong, {})
                    refused.setdefault(role, []).append(name)
            if peer.tries:
                contradictions = asking.contradictions(peer)
                if contradictions:
                    return Probed("; ".join(contradictions), {})
        return Probed(None, {role: tuple(names) for role, names in refused.items()}, asking.streamless)

    @contextmanager
    def _workplace(self) -> Iterator[Path]:
        with self._lock:
            number = sum(1 for _ in self._scratch.glob("peer-*"))
            directory = self._scratch / f"peer-{number}"
            directory.mkdir()
        yield directory
        # The directory itself stays, so that its number stays taken.
        for path in directory.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()

    def _sample(self, framing: Framing) -> Path:
        """A capture in this framing, by a codec of ours."""
        directory = self._scratch / f"sample-{framing.name}"
        with self._lock:
            if not directory.exists():
                ours = PeerServer(create(reference(framing.container)), "sample", io.StringIO())
                ours.encode(_encode(self._script, framing.name, directory))
        return directory


class _Asking:
    """One peer that is asked for one thing after another."""

    def __init__(self, process: PeerProcess, script: Script, directory: Path, deadline: float) -> None:
        self._process = process
        self._script = script
        self._directory = directory
        self._deadline = deadline
        self.streamless: str | None = None
        """What came of a stream that it was to write and says it cannot."""

    def round_trip(self, framing: str) -> str | None:
        """What goes wrong in encoding and decoding; raises PeerError where memory does."""
        capture = self._directory / "capture"
        encoded = self._encode(framing, capture)
        if not isinstance(encoded, contract.Done):
            return f"encode: {encoded.error}"
        with self._destination() as memory:
            decoded = self._decode(framing, capture, memory)
            if not isinstance(decoded, contract.Done):
                return f"decode: {decoded.error}"
            with GuestMemory.open(self._script.rounds[-1].image, writable=False) as sent:
                differing = memory.differences(sent, limit=1)
        if differing:
            where = f"page {differing[0].first} of {differing[0].block}"
            raise PeerError("corrupt", f"peer {self._process.name}: round trip in {framing}: {where} differs")
        return None

    def what_cannot_be(self, *, sender: bool) -> None:
        """Raises PeerError where it is done."""
        nowhere = self._directory / "nowhere"
        if sender:
            answer = self._encode(IMPOSSIBLE, nowhere)
        else:
            with self._destination() as memory:
                answer = self._decode(IMPOSSIBLE, nowhere, memory)
        if isinstance(answer, contract.Done):
            raise self._did(f"what cannot be done (framing {IMPOSSIBLE})")

    def refuses(self, framing: str, role: Role, sample: Path | None) -> str | None:
        """What is wrong with how it refuses what it says it cannot; raises PeerError where it does it."""
        if sample is None:
            answer = self._encode(framing, self._directory / "refused")
        else:
            with self._destination() as memory:
                answer = self._decode(framing, sample, memory)
        if isinstance(answer, contract.Done):
            raise self._did(f"as {role} what it says it cannot do (framing {framing})")
        if answer.kind != "unsupported":
            return f"as {role} it cannot do {framing}: failed as {answer.kind} ({answer.error}), expected unsupported"
        return None

    def contradictions(self, peer: contract.Introduction) -> list[str]:
        """What of its declarations is not so.

        What is not done is tried again: a device may fail now and then.
        """
        left = list(cases(peer.encoder, peer.decoder))
        wrong: list[str] = []
        for last in (False, False, True):
            failed = self._tried(left, peer) if left else []
            wrong += [text for case, text in failed if last or not case.able]
            left = [case for case, _ in failed if case.able]
        return wrong

    def _tried(self, asked: Sequence[Case], peer: contract.Introduction) -> list[tuple[Case, str]]:
        data, output = self._directory / "given", self._directory / "made"
        data.write_bytes(b"".join(b"".join(case.given) for case in asked))
        trials = tuple(case.trial() for case in asked)
        attempts = self._process.attempts(self._deadline, trials=trials, data=str(data), output=str(output))
        made = memoryview(output.read_bytes())
        found = []
        for case, attempt in zip(asked, attempts, strict=True):
            outputs = []
            for size in attempt.made:
                outputs.append(bytes(made[:size]))
                made = made[size:]
            text = case.contradiction(attempt, outputs, case.declared(peer.encoder, peer.decoder))
            if text is not None:
                found.append((case, text))
            elif (case.role, case.capability, case.able) == ("sender", "streaming", False):
                self.streamless = attempt.error or lost_in(case.container, outputs)
        return found

    def _encode(self, framing: str, capture: Path) -> contract.Conclusion:
        request = _encode(self._script, framing, capture)
        return self._process.request(contract.Encode, self._deadline, **request.model_dump(exclude={"id", "op"}))

    def _decode(self, framing: str, capture: Path, memory: GuestMemory) -> contract.Conclusion:
        return self._process.request(
            contract.Decode, self._deadline, capture=str(capture), memory=memory.layout, framing=framing, dialect=LATEST
        )

    @contextmanager
    def _destination(self) -> Iterator[GuestMemory]:
        directory, image = self._directory / "destination", self._script.rounds[-1].image
        shutil.rmtree(directory, ignore_errors=True)
        with GuestMemory.create(directory, image.sizes, image.page_size) as memory:
            yield memory

    def _did(self, what: str) -> PeerError:
        return PeerError("accepted", f"peer {self._process.name} did {what}, expected a refusal")


def _encode(script: Script, framing: str, capture: Path) -> contract.Encode:
    return contract.Encode(id=0, script=script, framing=framing, dialect=LATEST, channels=1, capture=str(capture))


def _round_trips(peer: contract.Introduction) -> list[str]:
    """One framing for each container that both roles declare, complete streams first."""
    if peer.encoder is None or peer.decoder is None:
        return []
    chosen: dict[str, str] = {}
    for name, framing in sorted(FRAMINGS.items(), key=lambda item: item[1].scope is Scope.CHANNEL):
        able = cannot_send(peer.encoder, framing, PAGE_SIZE) is None and cannot_read(peer.decoder, framing) is None
        if able and _round(peer, framing):
            chosen.setdefault(framing.container, name)
    return list(chosen.values())


def _round(peer: contract.Introduction, framing: Framing) -> bool:
    """What it writes it reads: streams, and its own window."""
    assert peer.encoder is not None and peer.decoder is not None
    if framing.scope is Scope.CHANNEL and not peer.decoder.streaming:
        return False
    limit = peer.encoder.limit(framing.window)
    return framing.raw_pages or (limit is not None and limit <= peer.decoder.window)

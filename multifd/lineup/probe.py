"""The probe: a round trip that must work and an impossible request that must be refused, before the matrix.

The round trip goes through every container that the peer declares in both roles; what it declares in one role
only is held to its word by the matrix itself, where an able partner is.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from multifd.errors import PeerError
from multifd.framing.model import FRAMINGS, Framing, Scope
from multifd.memory import rounds
from multifd.memory.corpus import CORPORA
from multifd.memory.image import GuestMemory
from multifd.memory.layout import Script
from multifd.memory.scratch import make_scratch
from multifd.peer import contract
from multifd.peer.client import PeerProcess

DIALECT: Final = "qemu-10.0"
IMPOSSIBLE: Final = "no-such-framing"


def probe(process: PeerProcess, peer: contract.Introduction, deadline: float) -> str | None:
    """What is wrong with a started peer, or None; raises PeerError if it corrupts memory, accepts what cannot be,
    or breaks the contract."""
    scratch = make_scratch(4 << 20)
    try:
        script = rounds.build(scratch / "memory", CORPORA["text"], 0, {"pc.ram": 128 << 10}, 4096, "single")
        if peer.encoder is not None and peer.decoder is not None:
            for name in _round_trips(peer):
                wrong = _round_trip(process, script, name, scratch / "capture", deadline)
                if wrong is not None:
                    return f"round trip in {name}: {wrong}"
        return _refuses(process, script, scratch / "impossible", peer, deadline)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _round_trips(peer: contract.Introduction) -> list[str]:
    """One framing for each container that both roles declare, complete streams first."""
    assert peer.encoder is not None and peer.decoder is not None
    chosen: dict[str, str] = {}
    for name, framing in sorted(FRAMINGS.items(), key=lambda item: item[1].scope is Scope.CHANNEL):
        if framing.container in peer.encoder.containers & peer.decoder.containers and _able(peer, framing):
            chosen.setdefault(framing.container, name)
    return list(chosen.values())


def _able(peer: contract.Introduction, framing: Framing) -> bool:
    assert peer.encoder is not None and peer.decoder is not None
    if framing.scope is Scope.CHANNEL and not (peer.encoder.streaming and peer.decoder.streaming):
        return False
    limit = peer.encoder.limit(framing.window)
    return framing.raw_pages or (limit is not None and limit <= peer.decoder.window)


def _round_trip(process: PeerProcess, script: Script, framing: str, capture: Path, deadline: float) -> str | None:
    encoded = process.request(
        contract.Encode,
        deadline,
        script=script,
        framing=framing,
        dialect=DIALECT,
        channels=1,
        capture=str(capture),
    )
    if not isinstance(encoded, contract.Done):
        return f"encode: {encoded.error}"
    image = script.rounds[-1].image
    with GuestMemory.create(capture.parent / "destination", image.sizes, image.page_size) as memory:
        decoded = process.request(
            contract.Decode,
            deadline,
            capture=str(capture),
            memory=memory.layout,
            framing=framing,
            dialect=DIALECT,
        )
        if not isinstance(decoded, contract.Done):
            return f"decode: {decoded.error}"
        with GuestMemory.open(image, writable=False) as sent:
            differing = memory.differences(sent, limit=1)
    if differing:
        where = f"page {differing[0].first} of {differing[0].block}"
        raise PeerError("corrupt", f"peer {process.name}: round trip in {framing}: {where} differs")
    return None


def _refuses(
    process: PeerProcess, script: Script, capture: Path, peer: contract.Introduction, deadline: float
) -> str | None:
    if peer.encoder is not None:
        answer = process.request(
            contract.Encode,
            deadline,
            script=script,
            framing=IMPOSSIBLE,
            dialect=DIALECT,
            channels=1,
            capture=str(capture),
        )
    else:
        with GuestMemory.create(capture, {"pc.ram": 64 << 10}, 4096) as memory:
            answer = process.request(
                contract.Decode,
                deadline,
                capture=str(capture / "nowhere"),
                memory=memory.layout,
                framing=IMPOSSIBLE,
                dialect=DIALECT,
            )
    if isinstance(answer, contract.Failed):
        return None
    raise PeerError(
        "accepted", f"peer {process.name} did what cannot be done (framing {IMPOSSIBLE}), expected a refusal"
    )
